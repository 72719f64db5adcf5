"""`study.json` and `run.json`: what is written is read again, and what is no record is refused by name."""

import json
from dataclasses import fields, replace

import pytest

from avnnet.errors import InvalidRecord, InvalidScheme, MissingFile
from avnnet.labels import HIP
from avnnet.record import BudgetRecord, NetworkRecord, RunRecord, StudyRecord
from avnnet.report import write_report
from tests.report.conftest import ABOUT, write_study

FULL = StudyRecord(
    title="t", command="c", cohort="a.csv", cohort_sha256="1f", digital=False, scheme=HIP, networks=("a", "b"),
    locator="l", folds=3, folds_done=(0, 2), seed=0, seen_in_training=0, margins={"necrosis_cm3": 1.5}, centre="x",
    values=("v",), automatic="a", draws=500, versions={"avnnet": "1"},
    training={"a": NetworkRecord("model: null\n", "32-true", "asked for")},
    budgets={"a": BudgetRecord(9.5, 4, 30, 2, "x")}, settings={"members": 2, "deep": {"a": [1]}},
    started="2025", finished="2026",
)  # fmt: skip

# what avnnet d319544 wrote, before there was a schema number
STUDY_OF_BEFORE = {
    "title": "2-fold cross-validation", "command": "avnnet study", "cohort": "hips/cohort.csv", "cohort_sha256": "2d",
    "digital": True, "scheme": {"names": {"1": "vital", "2": "necrosis"}, "part": "necrosis", "whole": "head"},
    "networks": ["unet3d"], "locator": "", "folds": 2, "folds_done": [], "seed": 1, "margins": {}, "centre": "c",
    "versions": {"python": "3.11.7"}, "started": "2026-11-29T23:38:41+00:00", "finished": "",
    "settings": {"unet3d": {"precision": {"precision": "32-true", "reason": "asked for"}, "config": "trainer: 1\n"}},
}  # fmt: skip
EVALUATION_OF_BEFORE = {
    "digital": False, "title": "Evaluation", "scheme": STUDY_OF_BEFORE["scheme"], "networks": ["unet3d"],
    "margins": {"head_cm3": 2}, "settings": {"model": "runs/model", "members": 4, "seen_in_training": 3},
}  # fmt: skip


def put(folder, content, name="study.json"):
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


def test_a_record_says_the_same_after_its_file():
    untold = [one.name for one in fields(FULL) if getattr(FULL, one.name) == one.default and one.name != "schema"]
    assert untold == []  # or the next test would not see a field that is lost


RUN = RunRecord(
    "bf16-mixed", "faster", "cpu", 2, 1.5, "epoch-1.ckpt", "runs/a/model: 8 of 9 tensors fit", "1f", ("2e", "3d"),
    FULL.budgets["a"],
)  # fmt: skip


@pytest.mark.parametrize("record", [FULL, StudyRecord(), RUN])
def test_a_record_is_read_as_it_was_written(record, tmp_path):
    path = record.write(tmp_path)
    assert json.loads(path.read_text())["schema"] == type(record).SCHEMA
    assert type(record).read(tmp_path) == record


def test_what_is_not_known_stands_in_no_file_and_zero_and_false_are_known(tmp_path):
    content = json.loads(replace(StudyRecord(), seed=0, digital=False).write(tmp_path).read_text())
    assert content == {"schema": 2, "seed": 0, "digital": False}


def test_the_record_of_a_study_of_before_the_schema_is_read(tmp_path):
    put(tmp_path, STUDY_OF_BEFORE | {"a_key_of_long_ago": 1})
    record = StudyRecord.read(tmp_path)
    assert record.schema == 0
    assert record.training == {"unet3d": NetworkRecord("trainer: 1\n", "32-true", "asked for")}
    assert (record.scheme, record.networks, record.folds, record.settings) == (HIP, ("unet3d",), 2, {})


def test_the_record_of_an_evaluation_of_before_the_schema_is_read(tmp_path):
    put(tmp_path, EVALUATION_OF_BEFORE)
    record = StudyRecord.read(tmp_path)
    assert (record.seen_in_training, record.settings) == (3, {"model": "runs/model", "members": 4})
    assert record.margins == {"head_cm3": 2.0}


def test_the_record_of_a_training_of_before_the_schema_is_read(tmp_path):
    old = {"precision": {"precision": "bf16-mixed", "reason": "timed"}, "device": "cpu", "threads": 2}
    put(tmp_path, old | {"resumed_from": None}, "run.json")
    assert RunRecord.read(tmp_path) == RunRecord("bf16-mixed", "timed", "cpu", 2, schema=0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "must hold an object; found list"),
        ({"schema": 3}, "schema 3, this version of avnnet reads 0 to 2; use the version that wrote it"),
        ({"schema": "2"}, "schema 2, this"),
        ({"schema": True}, "schema True"),
        ({"schema": -1}, "schema -1"),
        ({"schema": 1, "marginns": {}}, "marginns is no key that avnnet knows"),
        ({"schema": 1, "folds": "five"}, "folds must be a whole number; found 'five'"),
        ({"schema": 1, "folds": True}, "folds must be a whole number; found True"),
        ({"schema": 1, "digital": 1}, "digital must be true or false; found 1"),
        ({"schema": 1, "networks": "unet3d"}, "networks must be a list; found 'unet3d'"),
        ({"schema": 1, "networks": ["a", 2]}, r"networks\[1\] must be text; found 2"),
        ({"schema": 1, "margins": [1]}, "margins must be an object"),
        ('{"schema": 1, "margins": {"head_cm3": 1e999}}', "margins.head_cm3 must be a finite number; found inf"),
        ('{"schema": 1, "margins": {"head_cm3": NaN}}', "margins.head_cm3 must be a finite number; found nan"),
        ({"schema": 1, "scheme": {"names": {"one": "vital"}}}, "scheme.names must be an object whose keys are whole"),
        ({"schema": 1, "scheme": {"names": {}}}, "scheme.part is missing"),
        ({"schema": 1, "training": {"unet3d": {}}}, "training.unet3d.config is missing"),
        (STUDY_OF_BEFORE | {"settings": [1]}, "settings must be an object"),
        (STUDY_OF_BEFORE | {"settings": {"unet3d": {"config": 1}}}, "training.unet3d.config must be text; found 1"),
    ],
)
def test_a_record_that_is_not_one_is_refused_and_the_way_out_is_named(tmp_path, content, words):
    put(tmp_path, content)
    with pytest.raises(InvalidRecord, match=f"(?s)study.json.*{words}.*run the study again in another folder"):
        StudyRecord.read(tmp_path)


@pytest.mark.parametrize("content", ["", {"device": "cpu"}, {"precision": 32}, {"schema": 9, "precision": "32-true"}])
def test_the_record_of_a_training_that_is_not_one_is_refused(tmp_path, content):
    put(tmp_path, content, "run.json")
    with pytest.raises(InvalidRecord, match=r"run.json.*delete its folder to train it anew"):
        RunRecord.read(tmp_path)


def test_a_scheme_that_contradicts_itself_and_a_record_that_is_not_there_are_named(tmp_path):
    with pytest.raises(MissingFile, match=r"no study\.json"):
        StudyRecord.read(tmp_path)
    put(tmp_path, {"schema": 1, "scheme": {"names": {"1": "a"}, "part": "b", "whole": "c"}})
    with pytest.raises(InvalidScheme, match="must be one of"):
        StudyRecord.read(tmp_path)


def test_the_report_of_a_folder_of_before_the_schema_is_the_same(tmp_path, hips_tables):
    new = write_study(tmp_path / "new", *hips_tables)
    old = write_study(tmp_path / "old", *hips_tables)
    content = json.loads((old / "study.json").read_text())
    del content["schema"]
    put(old, content)
    assert write_report(old).read_bytes() == write_report(new).read_bytes()
    assert ABOUT.settings == {"crop": {"shape": [80, 160, 160]}, "epochs": 60}


@pytest.fixture
def hips_tables():
    from tests.stats.conftest import made_up_study

    return made_up_study(patients=7)
