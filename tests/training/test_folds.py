"""One rule says which folds of a study are done."""

import json
import shutil
from dataclasses import replace

import pytest

from avnnet.tables import read_table, write_table
from avnnet.training.study.folds import adopt_older, failed_in, folds_made


@pytest.fixture
def study(finished, tmp_path):
    """A finished study in a folder of its own, without its images."""
    done, _ = finished
    leave = shutil.ignore_patterns("cache", "masks", "figures", "checkpoints")
    return replace(done, out=shutil.copytree(done.out, tmp_path / "study", ignore=leave))


def held_out(study):
    return json.loads((study.out / "splits.json").read_text())["folds"]


def test_a_finished_fold_is_done(study):
    assert [failed_in(study, fold) for fold in (0, 1)] == [0, 0]
    assert folds_made(study) == [0, 1]


def test_a_fold_of_failed_cases_is_made_and_not_done(study):
    path = study.out / "fold0" / "done.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"failed": 2}))
    assert failed_in(study, 0) == 2
    assert folds_made(study) == [0, 1]


def spoil(study, how):
    fold = study.out / "fold0"
    if how == "a network is gone":
        shutil.rmtree(fold / "unet3d")
    elif how == "a network was trained anew":
        shutil.copytree(study.out / "fold1" / "unet3d", fold / "unet3d", dirs_exist_ok=True)
    elif how == "another precision":
        path = fold / "unet3d" / "run.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"precision": "bf16-mixed"}))
    elif how == "a table was edited":
        table = read_table(fold / "measurements.csv")
        write_table(table.assign(necrosis_cm3=1.0), fold / "measurements.csv")
    elif how == "a table is gone":
        (fold / "agreement.csv").unlink()
    elif how == "the record is damaged":
        (fold / "done.json").write_text("{")
    else:
        (fold / "done.json").unlink()


SPOILED = [
    "a network is gone", "a network was trained anew", "another precision", "a table was edited", "a table is gone",
    "the record is damaged", "the record is gone",
]  # fmt: skip


@pytest.mark.parametrize("how", SPOILED)
def test_a_fold_whose_tables_are_not_those_of_its_networks_is_to_be_done(study, how):
    spoil(study, how)
    assert failed_in(study, 0) is None
    assert folds_made(study) == [1]


def test_a_further_network_makes_every_fold_one_to_be_done(study, net_yaml):
    assert folds_made(replace(study, nets=[*study.nets, net_yaml("wide3d")])) == []


def test_the_folds_of_an_older_version_count_as_done_where_they_are_complete(study):
    for fold in (0, 1):
        (study.out / f"fold{fold}" / "done.json").unlink()
    adopt_older(study, held_out(study))
    assert [failed_in(study, fold) for fold in (0, 1)] == [0, 0]


@pytest.mark.parametrize("lack", ["error", "case", "reader", "agreement", "measurements", "not a table", "network"])
def test_the_fold_of_an_older_version_that_is_not_complete_is_to_be_done(study, lack):
    fold = study.out / "fold0"
    (fold / "done.json").unlink()
    path = fold / "measurements.csv"
    table = read_table(path)
    if lack == "error":
        table.loc[0, "error"] = "OSError: the disk was gone"
    elif lack == "case":
        table = table[table["case_id"] != held_out(study)[0][0]]
    elif lack == "reader":
        table = table[table["reader"] != "ensemble"]
    write_table(table, path)
    if lack in ("agreement", "measurements"):
        (fold / f"{lack}.csv").unlink()
    elif lack == "not a table":
        path.write_text("a;b\n1;2\n")
    elif lack == "network":
        shutil.rmtree(fold / "unet2d" / "model")
    adopt_older(study, held_out(study))
    assert failed_in(study, 0) is None


def test_a_record_that_contradicts_its_tables_is_not_written_again_for_an_older_one(study):
    spoil(study, "a network was trained anew")
    adopt_older(study, held_out(study))
    assert failed_in(study, 0) is None
