"""`avnnet plan`: from a cohort's headers to a config, and what it refuses."""

import re

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml

from avnnet.cli import main

CROP = ["--crop-mm", "80,70.4,70.4"]


def plan(*words):
    return main(["plan", *map(str, words)])


@pytest.fixture
def lone(tmp_path):
    """Writes a cohort of empty images of these shapes, 1 mm, and gives its CSV: `lone([(9, 9, 9)])`."""

    def write(shapes, images=1):
        rows = []
        for number, shape in enumerate(shapes):
            name = f"{number}.nii"
            nib.save(nib.Nifti1Image(np.zeros(shape, np.int16), np.eye(4)), tmp_path / name)
            image = ";".join([name] * images)
            rows.append({"patient_id": f"p{number}", "case_id": f"c{number}", "image": image, "label": name})
        pd.DataFrame(rows).to_csv(tmp_path / "cohort.csv", index=False)
        return tmp_path / "cohort.csv"

    return write


def test_the_plan_is_printed_with_its_reasons_and_nothing_is_written(hips, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert plan(hips) == 0
    text = capsys.readouterr().out
    assert re.search(r"^patch +32 x 64 x 56$", text, re.M)
    assert text.count("\n- ") == 6
    assert "nothing is written" in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dims", ["2", "3"])
@pytest.mark.parametrize("budget", ["gpu", "cpu"])
def test_the_written_config_has_the_plan_that_was_printed(hips, tmp_path, dims, budget, capsys):
    out = tmp_path / "deep" / "net.yaml"
    assert plan(hips, *CROP, "--dims", dims, "--budget", budget, "--out", out) == 0
    text = capsys.readouterr().out
    config = yaml.safe_load(out.read_text())
    patch = " x ".join(map(str, config["data"]["patch"][-int(dims) :]))
    assert re.search(rf"^patch +{patch}$", text, re.M)
    assert config["data"]["cohort"] == str(hips)
    assert config["model"]["net"]["class_path"] == f"avnnet.models.UNet{dims}D"
    assert next(line for line in text.splitlines() if line.startswith("- ")) in out.read_text()
    assert ("--minutes 10" in text) == (budget == "cpu")


def test_the_abstracts_crop_is_the_default_of_a_crop(hips, tmp_path):
    texts = []
    for number, words in enumerate((["--crop-mm"], CROP)):
        assert plan(hips, *words, "--out", tmp_path / f"{number}.yaml") == 0
        texts.append(yaml.safe_load((tmp_path / f"{number}.yaml").read_text()))
    assert texts[0] == texts[1]


def test_less_memory_plans_a_smaller_batch_or_patch(hips, tmp_path):
    sizes = []
    for memory in ("0.1", "8"):
        assert plan(hips, "--memory", memory, "--out", tmp_path / f"{memory}.yaml") == 0
        data = yaml.safe_load((tmp_path / f"{memory}.yaml").read_text())["data"]
        sizes.append(np.prod(data["patch"]) * data["batch_size"])
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--memory", "much"], "argument --memory: must be the GB of a GPU's memory, such as 8 or 24; found 'much'"),
        (["--memory", "0"], "must be the GB"),
        (["--memory", "-8"], "found '-8'"),
        (["--memory", "nan"], "found 'nan'"),
        (["--memory"], "expected one argument"),
        (["--dims", "4"], "invalid choice: 4"),
        (["--minutes", "0", "--budget", "cpu"], "minutes above 0"),
        (["--crop-mm", "80"], "three lengths in mm with commas between, slice axis first"),
        (["--preset", "resenc"], "resenc-m"),
        (["--out", ""], "must be a path"),
    ],
)
def test_a_word_that_cannot_be_is_a_usage_error(hips, words, said, capsys):
    with pytest.raises(SystemExit) as stop:
        plan(hips, *words)
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--memory", "5000"], "InvalidConfig: the memory of a GPU is a number of GB from 0.1 to 1024"),
        (["--minutes", "10"], "InvalidConfig: --minutes plans for two CPU cores; found it without --budget cpu"),
        (["--budget", "cpu", "--memory", "8"], "InvalidConfig: --memory is a GPU's; found it with --budget cpu"),
        (["--budget", "cpu", "--preset", "resenc-l"], "InvalidConfig: --preset resenc-l is for a GPU"),
        (
            ["--budget", "cpu", "--minutes", "9999"],
            "InvalidConfig: a training on two CPU cores is planned for 0.5 to 1440",
        ),
        (["--crop-mm", "0,70,70"], "InvalidConfig: a crop has three lengths in mm above 0"),
        (["--labels", "1=bone", "--part", "necrosis"], "InvalidScheme: the part must be one of ['bone']"),
        (["--out", "net.txt"], "InvalidConfig: a config ends in .yaml"),
    ],
)
def test_what_cannot_be_planned_is_a_named_error(hips, tmp_path, monkeypatch, words, said, capsys):
    monkeypatch.chdir(tmp_path)
    assert plan(hips, *words) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_config_that_is_there_is_kept(hips, tmp_path, capsys):
    out = tmp_path / "net.yaml"
    out.write_text("mine")
    assert plan(hips, "--out", out) == 2
    assert "OutputNotWritable" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_no_cohort_is_a_missing_file(tmp_path, capsys):
    assert plan(tmp_path / "none.csv") == 2
    assert capsys.readouterr().err.startswith("MissingFile: no cohort table")


def test_one_case_is_no_cohort_to_plan_for(lone, capsys):
    assert plan(lone([(40, 40, 40)])) == 2
    assert "InvalidCohort: a plan is made from 2 cases or more" in capsys.readouterr().err


def test_pictures_of_one_slice_are_refused_with_what_would_work(lone, capsys):
    assert plan(lone([(64, 64, 1)] * 3)) == 2
    said = capsys.readouterr().err
    assert said.startswith("NotAVolume: case c0: an image needs at least 4 slices on every axis")
    assert "Give the 3D series" in said
    assert "Other cases at fault: c1 (NotAVolume), c2 (NotAVolume)" in said


def test_a_spacing_of_0_is_refused_by_its_case(lone, capsys):
    table = lone([(40, 40, 40)] * 2)
    header = bytearray((table.parent / "0.nii").read_bytes())
    header[80:92] = np.array([1, 0, 1], "<f4").tobytes()  # pixdim
    header[280:328] = np.diag([1, 0, 1, 1]).astype("<f4")[:3].tobytes()  # srow
    (table.parent / "0.nii").write_bytes(header)
    assert plan(table) == 2
    said = capsys.readouterr().err
    assert said.startswith("InvalidGeometry: case c0: ")
    assert "1 x 0 x 1" in said


def test_images_too_small_for_any_network_are_refused(lone, capsys):
    assert plan(lone([(6, 6, 6)] * 2)) == 2
    assert "InvalidConfig: a U-Net halves one axis of 12 voxels or more" in capsys.readouterr().err


def test_a_tiny_axis_is_never_halved(lone, tmp_path):
    assert plan(lone([(64, 64, 4)] * 2), "--out", tmp_path / "net.yaml") == 0
    net = yaml.safe_load((tmp_path / "net.yaml").read_text())["model"]["net"]["init_args"]
    assert {stride[0] for stride in net["strides"]} == {1}


def test_several_channels_make_a_network_of_as_many(lone, tmp_path):
    assert plan(lone([(32, 32, 32)] * 2, images=3), "--out", tmp_path / "net.yaml") == 0
    assert yaml.safe_load((tmp_path / "net.yaml").read_text())["model"]["net"]["init_args"]["in_channels"] == 3


def test_images_that_differ_wildly_are_planned_with_a_warning_in_print_and_config(lone, tmp_path, capsys):
    assert plan(lone([(20, 20, 20), (20, 20, 20), (90, 90, 90)]), "--out", tmp_path / "net.yaml") == 0
    warning = "! the field of view along axis 0 runs from 20 mm (c0) to 90 mm (c2)"
    assert warning in capsys.readouterr().out
    assert warning in (tmp_path / "net.yaml").read_text()
