"""A trained ensemble on cases that it never saw, and on such that it did."""

import numpy as np
import pandas as pd
import pytest

from avnnet.cli import main
from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_image, write_image
from avnnet.data.integrity import image_hash
from avnnet.errors import MissingCentre
from avnnet.image import Image
from avnnet.phantom import CohortPlan, write_cohort
from avnnet.tables import read_table
from tests.conftest import COARSE, ORDERS, reordered


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    """Three hips of another seed."""
    plan = CohortPlan(patients=3, seed=99, acquisition=COARSE, other_hip_every=0)
    return write_cohort(plan, tmp_path_factory.mktemp("strangers"))


def test_an_ensemble_is_evaluated_on_a_cohort_that_it_never_saw(finished, strangers, tmp_path):
    study, _ = finished
    assert main(["evaluate", str(study.out / "model"), str(strangers), "--out", str(tmp_path / "o")]) == 0
    table = read_table(tmp_path / "o" / "measurements.csv")
    readers = ("manual", "manual_2", "unet2d", "unet3d", "ensemble")
    assert table.groupby("reader").size().to_dict() == dict.fromkeys(readers, 3)
    assert len(list((tmp_path / "o" / "masks" / "unet2d").iterdir())) == 3
    assert "Digital hips" in (tmp_path / "o" / "report.html").read_text()


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_a_folder_that_cannot_be_written_to_is_named_before_any_image_is_segmented(
    finished, strangers, cohort, tmp_path, capsys, command
):
    study, _ = finished
    (tmp_path / "file").write_text("")
    what = {"evaluate": [str(strangers)], "predict": [str(cohort.cases[0].image[0]), "--keep-names"]}[command]
    assert main([command, str(study.out / "model"), *what, "--out", str(tmp_path / "file")]) == 2
    said = capsys.readouterr().err
    assert f"OutputNotWritable: cannot write {tmp_path / 'file'}" in said
    assert "segmenting" not in said


def test_images_of_the_training_are_a_leak(finished, hips, tmp_path, capsys):
    study, _ = finished
    words = ["evaluate", str(study.out / "model"), str(hips), "--out", str(tmp_path / "o")]
    assert main(words) == 2
    assert "6 of 6 images were in the model's training" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
    table = pd.read_csv(hips, dtype=str).head(2)
    for name in ("image", "label", "second_label"):
        table[name] = [str(hips.parent / path) for path in table[name]]
    table.to_csv(tmp_path / "two.csv", index=False)
    words[2] = str(tmp_path / "two.csv")
    assert main([*words, "--mark-seen"]) == 0
    table = read_table(tmp_path / "o" / "measurements.csv")
    assert table.loc[~table["reader"].str.startswith("manual"), "flags"].str.contains("seen_in_training").all()


def test_a_leak_is_found_under_another_name_and_in_another_format(finished, strangers, cohort, tmp_path, capsys):
    study, _ = finished
    table = pd.read_csv(strangers, dtype=str)
    for name in ("image", "label", "second_label"):
        table[name] = [str(strangers.parent / path) for path in table[name]]
    copy = write_image(read_image(cohort.cases[3].image), tmp_path / "stranger.nrrd")
    row = {"patient_id": "new", "case_id": "new", "image": str(copy), "label": str(cohort.cases[3].label)}
    pd.concat([table, pd.DataFrame([row])]).fillna("").to_csv(tmp_path / "c.csv", index=False)
    assert main(["evaluate", str(study.out / "model"), str(tmp_path / "c.csv"), "--out", str(tmp_path / "o")]) == 2
    assert "case new: 1 of 4 images" in capsys.readouterr().err


def test_an_image_of_another_contrast_is_flagged(fixed_contrast, strangers, tmp_path):
    model, cohort = fixed_contrast, read_cohort(strangers)
    for case in cohort:
        image = read_image(case.image)
        inverted = Image(image.array.max() - image.array, image.grid)
        usual = model.predict(image, side=case.side, centre_mm=case.centre_mm)
        unusual = model.predict(inverted, side=case.side, centre_mm=case.centre_mm)
        assert "unusual_contrast" not in usual.flags
        assert "unusual_contrast" in unusual.flags
        with pytest.raises(MissingCentre):
            model.predict(inverted, side=case.side)
        for member in model.members:  # nothing to compare a whole image with
            assert not member.is_unusual(member.preprocess.prepare(inverted, side=case.side))


@pytest.fixture
def fixed_contrast(finished, cohort):
    """The finished model as if its networks had seen all six hips: three, as in its folds, would be too few."""
    from avnnet.data.contrast import contrast_of
    from avnnet.inference.model_folder import load_model

    study, _ = finished
    model = load_model(study.out / "model")
    preprocess = model.members[0].preprocess
    images = [preprocess.prepare(read_image(c.image), side=c.side, centre_mm=c.centre_mm).image for c in cohort]
    for member in model.members:
        member.contrast = contrast_of(images, is_cropped=True)
    return model


def test_the_image_hash_does_not_follow_the_order_of_axes(cohort):
    image = read_image(cohort.cases[2].image)
    assert len({image_hash(reordered(image, axes, flips)) for axes, flips in ORDERS}) == 1
    mirrored = Image(image.array[..., ::-1], image.grid)
    assert image_hash(mirrored) != image_hash(image)


def test_the_image_hash_follows_voxels_and_geometry(cohort):
    image = read_image(cohort.cases[0].image)
    assert image_hash(image) == image_hash(Image(image.array.astype(np.float32), image.grid))
    changed = image.array.copy()
    changed[0, 0, 0] += 1
    assert image_hash(image) != image_hash(Image(changed, image.grid))
    assert image_hash(image) != image_hash(Image(image.array, read_image(cohort.cases[1].image).grid))
