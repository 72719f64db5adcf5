"""A study whose folds train a locator: what it finds is a reader, a table and a part of the model."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from avnnet.cli import main
from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_image, read_labels
from avnnet.errors import CheckpointMismatch, InvalidConfig
from avnnet.flags import NO_FLAGS, Flag, Flags
from avnnet.inference.heads import FoundHead, heads_in
from avnnet.inference.locate import Locator
from avnnet.inference.model_folder import load_model
from avnnet.phantom import CohortPlan, write_cohort
from avnnet.stats import best_reader
from avnnet.tables import read_table
from avnnet.training.study.plan import Study
from avnnet.training.study.run import run_study
from tests.conftest import COARSE, write_net
from tests.training.conftest import QUIET

SHIFT_MM = (0.9, -1.2, 0.8)  # 1.7 mm
MISSED, SIDELESS = 1, 2  # places in the cohort


@pytest.fixture(scope="module")
def located(tmp_path_factory, hips):
    """A finished study of two folds whose locator finds each head 1.7 mm off, one not at all, one without its side."""
    folder = tmp_path_factory.mktemp("located")
    cases = list(read_cohort(hips))

    def find(locator, image):
        place = next(n for n, case in enumerate(cases) if read_image(case.image).grid.is_close(image.grid))
        (head,) = heads_in(read_labels(cases[place].label))
        moved = tuple(np.add(head.centre_mm, SHIFT_MM).tolist())
        side, flags = (None, Flags([Flag.SIDE_UNVERIFIED])) if place == SIDELESS else (cases[place].side, NO_FLAGS)
        return [] if place == MISSED else [FoundHead(moved, head.radius_mm + 0.5, side, flags)]

    net = write_net(folder, "unet3d", steps_per_epoch=10)
    locator = write_net(folder, "locator", max_epochs=1, crop=None)
    study = Study(hips, [net], folder / "study", folds=2, locator=locator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Locator, "find", find)
        assert run_study(study, QUIET) == 0
    return study


def test_the_ensemble_around_located_centres_is_one_more_reader(located):
    agreement = read_table(located.out / "agreement.csv")
    assert {"ensemble", "ensemble_located"} <= set(agreement["reader"])
    assert best_reader(agreement)[0] in ("unet3d", "ensemble")
    assert sorted(path.name for path in (located.out / "masks" / "ensemble_located").iterdir()) == sorted(
        path.name for path in (located.out / "masks" / "ensemble").iterdir()
    )
    networks = read_table(located.out / "tables" / "readers.csv")
    assert "ensemble_located" in set(networks["first"]) | set(networks["second"])


def test_the_error_of_a_centre_is_its_distance_from_the_sphere_of_the_manual_mask(located, cohort):
    table = read_table(located.out / "located.csv").set_index("case_id")
    names = [case.case_id for case in cohort]
    assert sorted(table.index) == sorted(names)
    missed = table.loc[names[MISSED]]
    assert (missed["heads"], missed["flags"]) == (0, "head_not_found")
    assert np.isnan(missed["centre_error_mm"])
    others = table.drop(index=names[MISSED])
    assert others["centre_error_mm"].to_numpy() == pytest.approx(np.linalg.norm(SHIFT_MM))
    assert others["radius_error_mm"].to_numpy() == pytest.approx(0.5)
    assert table.loc[names[SIDELESS], "flags"] == "side_unverified"


def test_a_head_that_is_not_found_is_a_missed_one(located, cohort):
    case_id = cohort.cases[MISSED].case_id
    agreement = read_table(located.out / "agreement.csv").query("reader == 'ensemble_located' and case_id == @case_id")
    assert agreement["dice"].tolist() == [0, 0, 0]
    assert agreement["outcome"].tolist() == ["missed"] * 3
    measured = read_table(located.out / "measurements.csv").query("reader == 'ensemble_located'")
    assert "head_not_found" in measured.set_index("case_id").loc[case_id, "flags"].split()


def test_the_report_says_how_well_heads_are_located(located):
    text = (located.out / "report.html").read_text()
    assert "Heads located" in text
    summary = read_table(located.out / "tables" / "locator.csv").iloc[0]
    assert summary[["n", "n_found", "n_side_right", "n_side_wrong"]].tolist() == [6, 5, 4, 0]
    assert summary["centre_error_median_mm"] == pytest.approx(np.linalg.norm(SHIFT_MM))
    assert summary["within_6_mm"] == pytest.approx(5 / 6)


def test_the_model_has_the_locators_of_all_folds_and_predicts_without_a_centre(located, cohort, tmp_path):
    model = load_model(located.out / "model")
    assert len(model.locator.ensemble.members) == 2
    case = cohort.cases[0]
    out = tmp_path / "masks"
    assert main(["predict", str(located.out / "model"), str(case.image[0]), "--out", str(out), "--device", "cpu"]) == 0
    table = pd.read_csv(out / "measurements.csv", keep_default_na=False)
    hips = model.hips(read_image(case.image))
    assert table["side"].tolist() == [str(hip.side or "") for hip in hips]
    names = {path.name for path in out.iterdir() if path.name.startswith("c0001") and path.suffix == ".gz"}
    assert names == {f"c0001_{hip.side}.nii.gz" for hip in hips if hip.is_found}
    if not hips[0].is_found:
        assert table["flags"].tolist() == ["head_not_found"]


def test_cases_without_a_centre_are_segmented_around_the_head_that_was_found(located, tmp_path, monkeypatch):
    plan = CohortPlan(patients=3, seed=98, acquisition=COARSE, other_hip_every=0)
    path = write_cohort(plan, tmp_path / "strangers")
    table = pd.read_csv(path, dtype=str).drop(columns=["centre_x_mm", "centre_y_mm", "centre_z_mm", "second_label"])
    table.to_csv(path, index=False)
    truth = [heads_in(read_labels(case.label))[0] for case in read_cohort(path)]
    found = iter([[truth[0]], [], [truth[2]]])
    monkeypatch.setattr(Locator, "find", lambda *_: next(found))
    assert main(["evaluate", str(located.out / "model"), str(path), "--out", str(tmp_path / "o")]) == 0
    measured = read_table(tmp_path / "o" / "measurements.csv").set_index(["case_id", "reader"])
    for reader in ("unet3d", "ensemble", "ensemble_located"):
        assert "head_not_found" in measured.loc[("hip-002", reader), "flags"].split()
        assert measured.loc[("hip-001", reader), "head_cm3"] == measured.loc[("hip-001", "ensemble"), "head_cm3"]
    flags = [" ".join(measured.loc[(case, "ensemble"), "flags"]) for case in ("hip-001", "hip-003")]
    assert "head_not_found" not in " ".join(flags).split()


def test_a_study_does_not_go_on_with_another_locator(located):
    with pytest.raises(CheckpointMismatch, match="locator was locator, is"):
        run_study(dataclasses.replace(located, locator=None), QUIET)


def test_a_locator_that_crops_is_refused_before_training(located, tmp_path):
    cropping = write_net(tmp_path, "locator")
    with pytest.raises(InvalidConfig, match="whole image"):
        run_study(dataclasses.replace(located, locator=cropping, out=tmp_path / "s"), QUIET)


def test_an_evaluation_locates_the_heads_of_strangers_too(located, tmp_path):
    plan = CohortPlan(patients=2, seed=99, acquisition=COARSE, other_hip_every=0)
    strangers = write_cohort(plan, tmp_path / "strangers")
    assert main(["evaluate", str(located.out / "model"), str(strangers), "--out", str(tmp_path / "o")]) == 0
    assert read_table(tmp_path / "o" / "located.csv")["case_id"].tolist() == ["hip-001", "hip-002"]
    assert "ensemble_located" in set(read_table(tmp_path / "o" / "measurements.csv")["reader"])
    assert "Heads located" in (tmp_path / "o" / "report.html").read_text()
