"""A study folder that an older avnnet left half done goes on, or the next call says what to do."""

import json
import shutil
from dataclasses import replace

import pytest
import yaml

from avnnet.errors import CheckpointMismatch, InvalidRecord
from avnnet.training.study import one_fold
from avnnet.training.study import plan as plan_module
from avnnet.training.study.run import run_study
from tests.training.conftest import QUIET

SINCE = ("foreground_p", "mirror_at_test")  # of the data: as if they had been added since


def older(text):
    config = yaml.safe_load(text)
    for key in SINCE:
        del config["data"][key]
    return yaml.safe_dump(config)


@pytest.fixture
def half_done(finished, tmp_path):
    """A study folder as d319544 wrote it, stopped after the last epoch of fold 1's last training."""
    study, _ = finished
    out = shutil.copytree(study.out, tmp_path / "study")
    path = out / "study.json"
    content = json.loads(path.read_text())
    del content["schema"]
    content["settings"] = {
        name: {
            "precision": {"precision": one["precision"], "reason": one["reason"]},
            "config": older(one["config"]),
        }
        for name, one in content.pop("training").items()
    }
    path.write_text(json.dumps(content | {"locator": "", "folds_done": [], "finished": ""}))
    for run in out.glob("fold*/unet*d"):
        record = json.loads((run / "run.json").read_text())
        choice = {"precision": record.pop("precision"), "reason": record.pop("reason")}
        del record["schema"]
        (run / "run.json").write_text(json.dumps({"precision": choice, **record, "resumed_from": None}))
        (run / "config.yaml").write_text(older((run / "config.yaml").read_text()))
    for name in ("done.json", "measurements.csv", "agreement.csv"):
        (out / "fold1" / name).unlink(missing_ok=True)
    (out / "fold0" / "done.json").unlink(missing_ok=True)
    shutil.rmtree(out / "fold1" / "unet3d" / "model")
    return replace(study, out=out)


def test_a_half_done_study_of_before_goes_on_to_the_same_tables(finished, half_done, monkeypatch):
    trained, predicted, parsed = [], [], []
    real, evaluate, load = one_fold.train, one_fold.evaluate_cases, plan_module.load_experiment
    monkeypatch.setattr(one_fold, "train", lambda *a, **k: (trained.append(a[1].parent.name), real(*a, **k))[1])
    monkeypatch.setattr(
        one_fold, "evaluate_cases", lambda *a, **k: (predicted.append(k["title"][:9]), evaluate(*a, **k))[1]
    )
    monkeypatch.setattr(plan_module, "load_experiment", lambda *a: (parsed.append(a[0][0].stem), load(*a))[1])
    assert run_study(half_done, QUIET) == 0
    assert trained == ["fold1"]
    assert predicted == ["fold 2 of"]
    assert parsed == half_done.names  # once each: a file that is edited meanwhile changes no later fold
    for name in ("measurements.csv", "agreement.csv", "tables/study_table.csv"):
        assert (half_done.out / name).read_bytes() == (finished[0].out / name).read_bytes()
    assert json.loads((half_done.out / "study.json").read_text())["schema"] == 2


def test_a_trained_network_of_a_fold_that_is_not_done_is_not_taken_for_one_of_another_config(half_done, monkeypatch):
    monkeypatch.setattr(one_fold, "train", lambda *_, **__: pytest.fail("training began"))
    (half_done.out / "fold0" / "agreement.csv").unlink()  # so that nothing but the runs themselves can tell
    with pytest.raises(CheckpointMismatch, match=r"unet2d holds a training.*data\.batch_size was 2, is 3; choose"):
        run_study(replace(half_done, overrides=["--data.batch_size=3"]), QUIET)


def test_a_half_done_study_of_another_cohort_is_refused_before_any_fold_is_done(half_done, monkeypatch):
    monkeypatch.setattr(one_fold, "train", lambda *_, **__: pytest.fail("training began"))
    (half_done.out / "fold0" / "agreement.csv").unlink()
    path = half_done.out / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"cohort_sha256": "1f"}))
    with pytest.raises(CheckpointMismatch, match=r"images or masks have changed; choose another --out"):
        run_study(half_done, QUIET)


def test_tables_of_a_study_that_nobody_describes_are_refused(half_done):
    (half_done.out / "study.json").unlink()
    with pytest.raises(CheckpointMismatch, match=r"no study\.json that says of what study; put it back, choose"):
        run_study(half_done, QUIET)


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "is not JSON"), ('{"schema": 99}', "schema 99, this version"), ('{"folds": "2"}', "folds must be a whole")],
)
def test_a_study_whose_record_cannot_be_used_says_what_to_do(half_done, content, words, monkeypatch):
    monkeypatch.setattr(one_fold, "train", lambda *_, **__: pytest.fail("training began"))
    (half_done.out / "study.json").write_text(content)
    with pytest.raises(InvalidRecord, match=f"{words}.*run the study again in another folder"):
        run_study(half_done, QUIET)


def test_a_training_whose_record_cannot_be_used_says_what_to_do(half_done):
    (half_done.out / "fold1" / "unet3d" / "run.json").write_text('{"schema": 99}')
    with pytest.raises(InvalidRecord, match=r"run\.json is of schema 99.*delete its folder to train it anew"):
        run_study(half_done, QUIET)
