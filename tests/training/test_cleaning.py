"""A study's held-out cases decide how masks are cleaned; what they decide is recorded and done."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from avnnet.data.files import read_image, read_labels
from avnnet.inference.cleaning import Cleaning
from avnnet.inference.model_folder import load_model
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import HIP
from avnnet.metrics import dice
from avnnet.stats.decided import kept_steps
from avnnet.tables import read_table, write_table
from avnnet.training.study import folds as folds_module
from avnnet.training.study import one_fold, run
from avnnet.training.study.folds import cleaning_of, failed_in
from avnnet.training.study.run import run_study
from tests.training.conftest import QUIET

WEIGHED = "cleaning_weighed.csv"
OTHER = ("no_small_pieces",)


@pytest.fixture
def study(finished, tmp_path):
    done, _ = finished
    return replace(done, out=shutil.copytree(done.out, tmp_path / "study"))


def ensemble(study, fold: int, cleaning: Cleaning | None) -> Segmenter:
    members = [load_model(study.out / f"fold{fold}" / name / "model").members[0] for name in study.names]
    return Segmenter(members, HIP, cleaning=cleaning)


def test_every_choice_of_steps_is_weighed_on_every_held_out_case(study, cohort):
    table = read_table(study.out / WEIGHED)
    assert len(table) == 6 * 16 * 2  # hips, choices of four steps, labels
    assert set(table["usual"]) == {"largest_piece"}
    case = cohort.cases[0]
    fold = int(table.loc[table["case_id"] == case.case_id, "fold"].iloc[0])
    manual = read_labels(case.label)
    for steps in ((), ("largest_piece", "no_small_pieces")):
        hip = ensemble(study, fold, Cleaning(steps)).predict(
            read_image(case.image), side=case.side, centre_mm=case.centre_mm
        )
        rows = table[(table["case_id"] == case.case_id) & (table["steps"] == (" + ".join(steps) or "nothing"))]
        for _, row in rows.iterrows():
            expected = dice(manual.mask(row["label"]), hip.labels.mask(row["label"]))
            assert row["dice"] == pytest.approx(expected, nan_ok=True)


def test_what_was_decided_is_in_the_model_and_in_the_report(study):
    steps = kept_steps(read_table(study.out / WEIGHED))
    assert load_model(study.out / "model").cleaning == Cleaning(steps)
    table = read_table(study.out / "tables" / "cleaning.csv")
    assert tuple(table.loc[table["is_kept"].astype(str) == "True", "step"].unique()) == steps
    assert "Cleaning of the masks" in (study.out / "report.html").read_text()


def decide(monkeypatch, steps) -> None:
    monkeypatch.setattr(folds_module, "kept_steps", lambda _: steps)


def test_masks_are_predicted_again_where_the_cases_speak_for_another_cleaning(study, cohort, monkeypatch, no_report):
    decide(monkeypatch, OTHER)
    monkeypatch.setattr(one_fold, "train", lambda *_, **__: pytest.fail("trained again"))
    weighed = read_table(study.out / WEIGHED)
    assert [failed_in(study, fold) for fold in (0, 1)] == [None, None]
    assert run_study(study, QUIET) == 0
    assert load_model(study.out / "model").cleaning == Cleaning(OTHER)
    assert read_table(study.out / WEIGHED).equals(weighed)  # of masks before any cleaning
    splits = json.loads((study.out / "splits.json").read_text())["folds"]
    for fold, case_ids in enumerate(splits):
        for case in cohort.subset(case_ids):
            hip = ensemble(study, fold, Cleaning(OTHER)).predict(
                read_image(case.image), side=case.side, centre_mm=case.centre_mm
            )
            written = read_labels(study.out / "masks" / "ensemble" / f"{case.case_id}.nii.gz").array
            assert np.array_equal(written, hip.labels.array)
    monkeypatch.setattr(run, "predict_fold", lambda *_: pytest.fail("predicted a third time"))
    assert run_study(study, QUIET) == 0


def test_the_last_fold_done_alone_decides_for_the_others(study, monkeypatch, no_report):
    before = (study.out / "fold0" / "done.json").read_text()
    shutil.rmtree(study.out / "fold1" / "unet3d")
    (study.out / "fold1" / WEIGHED).unlink()
    decide(monkeypatch, OTHER)
    assert cleaning_of(study) is None
    assert run_study(replace(study, only_fold=1), QUIET) == 0
    assert set(read_table(study.out / "agreement.csv")["fold"]) == {0, 1}
    assert json.loads((study.out / "fold0" / "done.json").read_text())["made_from"]["cleaning"] == list(OTHER)
    assert (study.out / "fold0" / "done.json").read_text() != before


def test_a_study_of_an_older_version_keeps_the_usual_cleaning(study, no_report):
    for fold in (0, 1):
        folder = study.out / f"fold{fold}"
        (folder / WEIGHED).unlink()
        record = json.loads((folder / "done.json").read_text())
        record["made_from"].pop("cleaning", None)
        del record["files"][WEIGHED]
        (folder / "done.json").write_text(json.dumps(record))
    (study.out / WEIGHED).unlink()
    assert [failed_in(study, fold) for fold in (0, 1)] == [0, 0]
    assert run_study(study, QUIET) == 0
    assert load_model(study.out / "model").cleaning is None


def test_folds_that_weighed_other_steps_decide_nothing_until_they_are_weighed_alike(study, monkeypatch, no_report):
    monkeypatch.setattr(one_fold, "train", lambda *_, **__: pytest.fail("trained again"))
    path, decided = study.out / "fold0" / WEIGHED, cleaning_of(study)
    table = read_table(path)
    write_table(table[~table["steps"].str.contains("one_label_per_slice")], path)  # as of before there was this step
    assert cleaning_of(study) is None
    assert run_study(study, QUIET) == 0
    assert cleaning_of(study) == decided
    assert read_table(path).equals(table)
