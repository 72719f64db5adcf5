"""The ablation of docs/ablation.md in tiny form: what it gives, how it goes on and grows, and what it refuses."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from avnnet.ablation_record import AblationRecord
from avnnet.cli import main
from avnnet.errors import AvnnetError, CheckpointMismatch, InvalidConfig, MissingFile
from avnnet.record import StudyRecord
from avnnet.training.ablation import run as ablation_module
from avnnet.training.ablation.peak_memory import PeakMemory
from avnnet.training.ablation.plan import Ablation
from avnnet.training.ablation.run import run_ablation
from avnnet.training.study import run as study_module
from tests.training.conftest import QUIET, command_of_ablation

VARIANTS = ["unet3d", "residual", "averaged"]
OUT = Path("runs/ablation")
OVERLAYS = Path("experiments/ablations")


@pytest.fixture
def here(ablated, monkeypatch):
    """The folder of the finished ablation, as the working directory."""
    monkeypatch.chdir(ablated)
    return ablated


@pytest.fixture
def nothing_is_trained(monkeypatch):
    def train(*_, **__):
        raise AssertionError("a training was begun")

    monkeypatch.setattr(study_module, "train_network", train)


def plan(**changes) -> Ablation:
    usual = {
        "cohort": Path("runs/hips/cohort.csv"),
        "base": Path("experiments/laptop/unet3d.yaml"),
        "overlays": [OVERLAYS / "residual.yaml", OVERLAYS / "averaged.yaml"],
        "out": OUT,
        "folds": 2,
        "seeds": 3,
    }
    return Ablation(**{**usual, **changes})


def overlay(name: str, **content) -> Path:
    path = OVERLAYS / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_three_variants_three_seeds_and_two_folds_are_eighteen_trainings_of_the_same_cases(here):
    models = sorted(path.parts[2:5] for path in OUT.glob("seed*/fold*/*/model"))
    assert models == sorted((f"seed{s}", f"fold{f}", v) for s in (1, 2, 3) for f in (0, 1) for v in VARIANTS)
    assert len({path.read_text() for path in (OUT / "splits.json", *OUT.glob("seed*/splits.json"))}) == 1
    table = pd.read_csv(OUT / "agreement.csv", keep_default_na=False)
    assert len(table) == 3 * 3 * 6 * 3  # variants, seeds, cases, structures
    assert table["variant"].unique().tolist() == VARIANTS
    folds = table.groupby("case_id")["fold"].nunique()
    assert (folds == 1).all()


def test_the_tables_have_a_row_per_variant_and_the_record_says_what_each_changes(here):
    differences = pd.read_csv(OUT / "tables" / "differences.csv")
    dice = differences[(differences["metric"] == "dice") & (differences["label"] == "necrosis")]
    assert dice["variant"].tolist() == VARIANTS
    assert dice["n_seeds"].tolist() == [3, 3, 3]
    assert dice["ci_low"].notna().tolist() == [False, True, True]
    record = AblationRecord.read(OUT)
    keys = {name: [one.key for one in variant.changes] for name, variant in record.variants.items()}
    assert keys == {
        "unet3d": [],
        "residual": ["model.net.init_args.block.class_path"],
        "averaged": ["trainer.callbacks"],
    }
    costs = pd.read_csv(OUT / "tables" / "costs.csv").set_index("variant")
    assert costs["steps"].tolist() == [20, 20, 20]
    assert costs.loc["averaged", "step_gflop"] == costs.loc["unet3d", "step_gflop"]
    assert costs.loc["residual", "step_gflop"] > costs.loc["unet3d", "step_gflop"]
    assert (costs["peak_mib"] >= costs["before_mib"]).all()
    assert (costs["before_mib"] > 100).all()  # a process with torch


def test_seeds_are_seeds_of_weights_and_order_and_each_run_says_its_own(here):
    seeds = {}
    for path in OUT.glob("seed*/fold0/unet3d/config.yaml"):
        seeds[path.parts[2]] = yaml.safe_load(path.read_text())["seed_everything"]
    assert seeds == {"seed1": 1, "seed2": 2, "seed3": 3}
    table = pd.read_csv(OUT / "agreement.csv").query("variant == 'unet3d' and label == 'head'")
    assert table.groupby("case_id")["dice"].nunique().min() > 1


@pytest.mark.usefixtures("nothing_is_trained")
def test_a_finished_ablation_goes_on_to_the_same_tables_without_a_training(here):
    tables = [OUT / "agreement.csv", OUT / "tables" / "differences.csv", OUT / "training.csv"]
    before = [path.read_bytes() for path in tables]
    (OUT / "report.html").unlink()
    assert main(command_of_ablation()) == 0
    assert [path.read_bytes() for path in tables] == before
    assert (OUT / "report.html").exists()


def test_an_ablation_that_grew_has_the_numbers_of_one_that_was_begun_whole(here, monkeypatch, tmp_path):
    monkeypatch.setattr(ablation_module, "peak_memory", lambda *_: PeakMemory("cpu", 2, 1))
    small = plan(out=tmp_path / "grown", overlays=[OVERLAYS / "residual.yaml"], seeds=1)
    run_ablation(small, QUIET)
    table = pd.read_csv(small.out / "tables" / "differences.csv")
    assert table["ci_low"].isna().all()
    assert table["note"].str.contains("1 seed says nothing").sum() == len(table) / 2
    run_ablation(plan(out=small.out, seeds=1), QUIET)
    key = ["variant", "seed", "case_id", "label"]
    grown, whole = (pd.read_csv(out / "agreement.csv").sort_values(key) for out in (small.out, OUT))
    whole = whole[whole["seed"] == 1]
    pd.testing.assert_frame_equal(grown.reset_index(drop=True), whole.reset_index(drop=True))
    assert {one.round for one in AblationRecord.read(small.out).variants.values()} == {1, 2}


@pytest.mark.usefixtures("nothing_is_trained")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"base": Path("experiments/laptop/other.yaml")}, r"of the base 'unet3d', and the base 'other' is asked for"),
        ({"overlays": [OVERLAYS / "residual.yaml"]}, "begun with the variants averaged too"),
        ({"seeds": 2}, "begun with 3 seeds too"),
        ({"folds": 3}, "folds was 2, is 3"),
        ({"minutes": 5.0}, "begun without --minutes"),
        ({"overrides": ["--trainer.max_epochs=3"]}, "unet3d with another config: trainer.max_epochs was 2, is 3"),
    ],
)  # fmt: skip
def test_an_ablation_goes_on_with_what_it_was_begun_with_and_with_nothing_else(here, changes, words):
    shutil.copy("experiments/laptop/unet3d.yaml", "experiments/laptop/other.yaml")
    with pytest.raises(CheckpointMismatch, match=words):
        run_ablation(plan(**changes), QUIET)


@pytest.mark.usefixtures("nothing_is_trained")
def test_an_edited_overlay_and_another_cohort_are_refused_by_name(here, monkeypatch, tmp_path):
    shutil.copytree(here, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    table = pd.read_csv("runs/hips/cohort.csv", dtype=str, keep_default_na=False)
    table.iloc[1:].to_csv("runs/hips/fewer.csv", index=False)
    with pytest.raises(CheckpointMismatch, match="hash of the cohort's table, images and masks was"):
        run_ablation(plan(cohort=Path("runs/hips/fewer.csv")), QUIET)
    overlay("residual", model={"net": {"init_args": {"channels": [8, 16]}}})
    with pytest.raises(CheckpointMismatch, match=r"variant residual with another config: .*channels\[0\] was 4, is 8"):
        run_ablation(plan(), QUIET)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"overlays": [OVERLAYS / "residual.yaml", Path("my/residual.yaml")]}, "residual.yaml are all called"),
        ({"overlays": [Path("mine/unet3d.yaml")]}, "all called 'unet3d'"),
        ({"overlays": [Path("manual.yaml")]}, "no variant can be called 'manual'"),
        ({"overlays": []}, "found no overlay"),
        ({"seeds": 0}, "--seeds is a number from 1"),
        ({"minutes": 3.0, "processes": 2}, "Give one of both"),
        ({"processes": 0}, "--processes is a number from 1"),
        ({"out": Path("runs/a+b")}, "no plus sign"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_carried_out_is_refused(changes, words):
    with pytest.raises(InvalidConfig, match=words):
        plan(**changes)


@pytest.mark.usefixtures("nothing_is_trained")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"model": {"net": {"init_args": {"block": "avnnet.models.NoSuchBlock"}}}}, "new: .*NoSuchBlock"),
        ({"model": {"net": {"init_args": {"blok": 3}}}}, "new: .*'blok' is not accepted"),
        ({"seed_everything": 5}, "new changes nothing: it builds what unet3d builds"),
        (
            {"data": {"labels": {"names": {1: "vital", 2: "dead"}, "part": "dead", "whole": "head"}}},
            "new: all variants",
        ),
    ],
)
def test_an_overlay_that_cannot_be_used_is_named_before_any_training(here, content, words):
    path = overlay("new", **content)
    with pytest.raises(AvnnetError, match=words):
        run_ablation(plan(overlays=[path], out=Path("runs/new")), QUIET)
    assert not list(Path("runs").glob("new/seed*"))


def test_an_overlay_that_is_not_there_and_a_slip_are_answered_by_the_command(here, capsys):
    words = command_of_ablation()
    slip = str(overlay("slip", trainer={"max_epoch": 3}))
    assert main([words[0], words[1], slip, "--cohort", "runs/hips/cohort.csv", "--out", "runs/slip"]) == 2
    assert "'trainer.max_epoch' in slip.yaml. Did you mean 'max_epochs'" in capsys.readouterr().err
    assert main([words[0], words[1], "none.yaml", "--cohort", "runs/hips/cohort.csv", "--out", "runs/slip"]) == 2
    assert "MissingFile: no config none.yaml" in capsys.readouterr().err
    with pytest.raises(InvalidConfig, match="residual: the base, which must be a full config"):
        run_ablation(plan(base=OVERLAYS / "residual.yaml", overlays=[OVERLAYS / "averaged.yaml"]), QUIET)
    with pytest.raises(MissingFile):
        run_ablation(plan(overlays=[Path("none.yaml")], out=Path("runs/none")), QUIET)


def test_a_seed_is_a_study_whose_report_can_be_made(here):
    assert StudyRecord.read(OUT / "seed2").networks == tuple(VARIANTS)
    assert main(["report", str(OUT)]) == 0
