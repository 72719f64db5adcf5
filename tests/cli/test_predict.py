"""`avnnet predict`: images to masks and a table."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
import torch

from avnnet.cli import main
from avnnet.data.preprocess import Preprocess
from avnnet.inference.fast import FastSet
from avnnet.inference.member import Member
from avnnet.inference.model_folder import save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import UNet3D
from tests.faults.nifti_files import nifti

LAPTOP = Path(__file__).parents[2] / "experiments" / "laptop" / "unet2d.yaml"


@pytest.fixture
def model_folder(tmp_path):
    torch.manual_seed(0)
    member = Member(UNet3D([4, 8], [[2, 2, 2]]), Preprocess([4.0] * 3, [16, 16, 16]), Tiling([16, 16, 16]), "unet3d")
    return save_model(Segmenter([member], HIP), tmp_path / "model")


def centre_of(case) -> str:
    return "--centre=" + ",".join(f"{c:.1f}" for c in case.centre_mm)


def test_predict_writes_a_mask_and_a_row_per_image(model_folder, cohort, tmp_path, capsys):
    case = cohort.cases[0]
    words = [str(case.image[0]), "--out", str(tmp_path / "o"), "--keep-names", centre_of(case)]
    assert main(["predict", str(model_folder), *words]) == 0
    assert (tmp_path / "o" / f"{case.case_id}.nii.gz").exists()
    table = pd.read_csv(tmp_path / "o" / "measurements.csv")
    assert table["case_id"].tolist() == [case.case_id]
    assert table["head_cm3"].notna().all()
    assert "head_cm3" in capsys.readouterr().out


def test_predict_says_that_a_window_slides_only_where_neither_locator_nor_centre_is_given(
    model_folder, cohort, tmp_path, capsys
):
    case = cohort.cases[0]
    words = ["predict", str(model_folder), str(case.image[0]), "--out"]
    assert main([*words, str(tmp_path / "around"), centre_of(case)]) == 0
    assert "window slides" not in "".join(capsys.readouterr())
    assert main([*words, str(tmp_path / "whole")]) == 0
    said = "".join(capsys.readouterr())
    assert "window slides over each whole image" in said
    assert "segmenting: 0/1 c0001, network 1 of " in said
    assert "side_unverified" in pd.read_csv(tmp_path / "whole" / "measurements.csv").loc[0, "flags"]


def test_n15_predict_segments_an_image_whose_transforms_conflict_where_the_option_says(model_folder, cohort, tmp_path):
    case = cohort.cases[0]
    good = nibabel.load(case.image[0])
    away = good.affine.copy()
    away[:3, 3] += 400
    conflict = nifti(tmp_path / "hip.nii.gz", np.asanyarray(good.dataobj), qform=good.affine, sform=away)
    words = [str(model_folder), str(conflict), "--keep-names", "--out", str(tmp_path / "o"), centre_of(case)]
    assert main(["predict", *words]) == 3
    assert main(["predict", *words, "--prefer", "sform"]) == 3  # the centre is outside of that place
    errors = pd.read_csv(tmp_path / "o" / "measurements.csv")["error"]
    assert errors.str.startswith("GeometryMismatch").all()
    assert main(["predict", *words, "--prefer", "qform"]) == 0
    assert np.allclose(nibabel.load(tmp_path / "o" / "hip.nii.gz").affine, good.affine, atol=1e-3)


def test_masks_are_named_by_keys_and_a_private_file_says_whose_they_are(model_folder, cohort, tmp_path, capsys):
    case, out = cohort.cases[0], tmp_path / "o"
    named = tmp_path / "Surname^Name" / "Surname_1960.nii.gz"
    named.parent.mkdir()
    shutil.copy(case.image[0], named)
    broken = named.with_name("Surname_broken.nii.gz")
    broken.write_bytes(named.read_bytes()[:500])
    words = [str(model_folder), str(named), str(broken), "--out", str(out)]
    assert main(["predict", *words]) == 3
    assert {path.name for path in out.iterdir()} == {"c0001.nii.gz", "c0001.json", "keys.csv", "measurements.csv"}
    assert (out / "keys.csv").stat().st_mode & 0o077 == 0
    assert pd.read_csv(out / "keys.csv")["image"].tolist()[0] == str(named)
    (out / "keys.csv").unlink()
    written = "".join(path.read_text(errors="ignore") for path in out.iterdir()) + "".join(capsys.readouterr())
    assert "Surname" not in written
    assert "UnreadableFile" in written


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{}/Surname_none.nii.gz"], "MissingFile: image 2 of 2 does not exist"),
        (["{0};{0}/Surname_none"], "MissingFile: image 2 of 2, channel 2, does not exist"),
        (["{}/Surname.nii.gz;"], "InvalidCohort: image 2 of 2: the channels of an image are paths"),
        (["{}/Surname.csv"], "InvalidConfig: image 2 of 2 is a table"),
        ([""], "InvalidCohort: image 2 of 2: "),
    ],
)
def test_a_mistyped_image_uses_up_no_key_and_is_not_named(model_folder, cohort, tmp_path, capsys, words, said):
    image = str(cohort.cases[0].image[0])
    typed = [word.format(tmp_path) for word in words]
    assert main(["predict", str(model_folder), image, *typed, "--out", str(tmp_path / "o")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Surname" not in error
    assert not (tmp_path / "o").exists()


def test_a_series_of_an_image_file_is_refused(model_folder, cohort, tmp_path, capsys):
    image = str(cohort.cases[0].image[0])
    assert main(["predict", str(model_folder), image, "--series", "2", "--out", str(tmp_path / "o")]) == 2
    assert "leave it out" in capsys.readouterr().err


def test_an_image_that_fails_is_a_row_and_the_exit_code_says_so(model_folder, cohort, tmp_path):
    case = cohort.cases[0]
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(case.image[0].read_bytes()[:500])
    words = [str(broken), str(case.image[0]), "--keep-names", "--out", str(tmp_path / "o")]
    assert main(["predict", str(model_folder), *words]) == 3
    table = pd.read_csv(tmp_path / "o" / "measurements.csv")
    assert table["error"].fillna("").str.startswith("UnreadableFile").tolist() == [True, False]
    assert (tmp_path / "o" / f"{case.case_id}.nii.gz").exists()


def test_two_images_of_one_name_are_refused(model_folder, cohort, tmp_path, capsys):
    case = cohort.cases[0]
    copy = tmp_path / "other" / case.image[0].name
    copy.parent.mkdir()
    shutil.copy(case.image[0], copy)
    words = [str(case.image[0]), str(copy), "--out", str(tmp_path / "o")]
    assert main(["predict", str(model_folder), *words, "--keep-names"]) == 2
    assert "have one name" in capsys.readouterr().err
    assert main(["predict", str(model_folder), *words[:1], *words]) == 2
    assert "are the same image" in capsys.readouterr().err


def test_one_centre_is_not_taken_for_several_images(model_folder, cohort, tmp_path, capsys):
    images = [str(case.image[0]) for case in cohort.cases[:2]]
    assert main(["predict", str(model_folder), *images, "--out", str(tmp_path), centre_of(cohort.cases[0])]) == 2
    assert "one by one" in capsys.readouterr().err


def test_a_missing_model_and_a_missing_cohort_are_errors_in_words(cohort, tmp_path, capsys):
    assert main(["predict", str(tmp_path), str(cohort.cases[0].image[0]), "--out", str(tmp_path / "o")]) == 2
    assert capsys.readouterr().err.startswith("MissingFile: no model")
    assert main(["study", str(tmp_path / "no.csv"), "--nets", str(LAPTOP), "--out", str(tmp_path / "o")]) == 2
    assert capsys.readouterr().err.startswith("MissingFile: no cohort table")


def test_fast_takes_the_networks_that_are_enough_and_does_not_count_their_masks_as_those_of_all(
    tmp_path, cohort, capsys
):
    torch.manual_seed(0)
    nets = [UNet3D([4, 8], [[2, 2, 2]]) for _ in range(3)]
    members = [Member(net, Preprocess([4.0] * 3, [16, 16, 16]), Tiling([16, 16, 16]), "unet3d") for net in nets]
    fast = FastSet(("unet3d",), 1.0, 3.0, 6)
    folder = save_model(Segmenter(members, HIP, fast=fast), tmp_path / "model")
    case, records = cohort.cases[0], []
    for words in ([], ["--fast"]):
        command = ["predict", str(folder), str(case.image[0]), "--out", str(tmp_path / "o"), centre_of(case)]
        assert main([*command, *words]) == 0
        records.append(json.loads((tmp_path / "o" / "c0001.json").read_text()))
    assert [len(record["networks"]) for record in records] == [3, 1]
    assert "1 networks: 1 x unet3d" in "".join(capsys.readouterr())


def test_fast_of_a_model_that_knows_no_fewer_networks_is_an_error_in_words(model_folder, cohort, tmp_path, capsys):
    words = [str(cohort.cases[0].image[0]), "--out", str(tmp_path / "o"), "--fast"]
    assert main(["predict", str(model_folder), *words]) == 2
    assert "Leave --fast out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a", "b", "--watch"], "watches one folder; found 2"),
        (["--watch", ".", "--centre=1,2,3"], "leave out --centre"),
        (["--watch", ".", "--series", "1"], "leave out --series"),
        (["--watch", ".", "--keep-names"], "leave out --keep-names"),
        (["x.nii.gz", "--settle", "5"], "--settle is how long --watch waits"),
        (["--watch", ".", "--settle", "nan"], "from 0 to a day; found nan"),
        (["--watch", "nowhere"], "no folder that could be watched"),
    ],
)
def test_words_that_do_not_go_with_a_watch_are_named(model_folder, tmp_path, capsys, words, said):
    assert main(["predict", str(model_folder), *words, "--out", str(tmp_path / "o")]) == 2
    assert said in capsys.readouterr().err


def test_sigterm_ends_a_watch_and_the_same_command_goes_on(model_folder, cohort, tmp_path):
    (tmp_path / "in").mkdir()
    shutil.copy(cohort.cases[0].image[0], tmp_path / "in" / "a.nii.gz")
    words = ["predict", str(model_folder), "--watch", str(tmp_path / "in"), "--settle", "0", "--out"]
    command = [sys.executable, "-m", "avnnet.cli", *words, str(tmp_path / "o"), "--engine", "torch"]
    tables = []
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            for line in process.stdout:
                if "segmenting: 1/1" in line or (tables and "watching" in line):
                    process.send_signal(signal.SIGTERM)
                    break
            said = process.stdout.read()
        assert process.returncode == 0, said
        assert "watching has ended; the same command goes on" in said
        tables.append((tmp_path / "o" / "measurements.csv").read_bytes())
    assert tables[0] == tables[1]
    assert len(tables[0].splitlines()) == 2
