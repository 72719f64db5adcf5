import pytest

from avnnet.errors import GeometryMismatch, InvalidConfig, InvalidSplit, MissingFile
from avnnet.training.config.experiment import load_experiment
from avnnet.training.study import one_fold
from avnnet.training.study.run import run_study
from tests.training.conftest import QUIET


def no_training(monkeypatch):
    monkeypatch.setattr(one_fold, "train", lambda *_, **__: pytest.fail("training began"))


def test_fewer_patients_than_folds_stop_before_training(plan, monkeypatch):
    no_training(monkeypatch)
    with pytest.raises(InvalidSplit, match="5 patients"):
        run_study(plan(folds=6), QUIET)


def test_a_margin_of_a_quantity_that_is_not_compared_stops_before_training(plan, monkeypatch):
    no_training(monkeypatch)
    with pytest.raises(InvalidConfig, match=r"necrosis_percent.*found \['weight'\]"):
        run_study(plan(margins={"weight": 2.0}), QUIET)


def test_a_faulty_case_stops_before_training(plan, cohort, tmp_path, monkeypatch):
    no_training(monkeypatch)
    table = cohort.table.copy()
    table["image"] = [str(cohort.root / p) for p in table["image"]]
    table = table.drop(columns="second_label")
    table["label"] = [str(cohort.root / table["label"].iloc[0])] * len(table)
    table.to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(GeometryMismatch, match="hip-002"):
        run_study(plan(cohort=tmp_path / "bad.csv"), QUIET)


@pytest.mark.parametrize(("wrong", "right"), [("batch_sise", "batch_size"), ("patchs", "patch")])
def test_an_unknown_key_in_a_config_names_the_nearest_one(plan, net_yaml, wrong, right, monkeypatch):
    no_training(monkeypatch)
    bad = net_yaml("unet3d", **{wrong: 3})
    with pytest.raises(InvalidConfig, match=f"(?s){wrong}.*{right}"):
        run_study(plan(nets=[bad]), QUIET)


def test_a_missing_config_says_where_ready_ones_are(plan, tmp_path):
    with pytest.raises(MissingFile, match="experiments/"):
        run_study(plan(nets=[tmp_path / "gone.yaml"]), QUIET)


def test_networks_with_different_labels_cannot_be_one_ensemble(plan, net_yaml, monkeypatch):
    no_training(monkeypatch)
    labels = {"names": {1: "vital", 2: "necrosis"}, "part": "necrosis", "whole": "ball"}
    other = net_yaml("other3d", labels=labels)
    with pytest.raises(InvalidConfig, match=r"same data\.labels"):
        run_study(plan(nets=[net_yaml("unet3d"), other]), QUIET)


def test_two_configs_of_one_name_are_refused(plan, net_yaml):
    with pytest.raises(InvalidConfig, match="must differ"):
        run_study(plan(nets=[net_yaml("unet3d"), net_yaml("unet3d")]), QUIET)


def test_a_fold_that_does_not_exist_is_refused(plan):
    with pytest.raises(InvalidConfig, match="0 to 1"):
        run_study(plan(only_fold=2), QUIET)


@pytest.mark.parametrize(
    ("net", "data", "words"),
    [
        ("unet3d", {"patch": "[15, 18, 18]"}, r"found \[15, 18, 18\]. Nearest: \[16, 18, 18\]"),
        ("unet3d", {"patch": "[2, 2, 2]"}, r"Nearest: \[2, 2, 4\]"),
        ("unet2d", {"patch": "[15, 17, 18]"}, r"found \[17, 18\]. Nearest: \[16, 18\]"),
        ("unet2d", {"slices": "null"}, "needs data.slices to be a number; found None"),
        ("unet3d", {"slices": "4"}, "needs data.slices to be null; found 4"),
    ],
)
def test_a_patch_that_does_not_fit_the_network_is_named_with_one_that_does(plan, net_yaml, net, data, words):
    overrides = [f"--data.{key}={value}" for key, value in data.items()]
    with pytest.raises(InvalidConfig, match=words):
        run_study(plan(nets=[net_yaml(net)], overrides=overrides), QUIET)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"folds": 0}, "at least 2 folds; found 0"),
        ({"folds": -2}, "at least 2 folds; found -2"),
        ({"seed": -1}, "--seed is a whole number from 0 to 4294967295; found -1"),
    ],
)
def test_folds_and_seeds_below_zero_are_refused_by_name(plan, asked, words):
    with pytest.raises((InvalidConfig, InvalidSplit), match=words):
        plan(**asked)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("--trainer.max_epochs=-1", "comes to an end; found trainer.max_epochs: -1"),
        ("--trainer.max_epochs=0", "at least one step.*found trainer.max_epochs: 0"),
        ("--data.batch_size=0", "data.batch_size must be 1 or more; found 0"),
        ("--data.steps_per_epoch=0", "data.steps_per_epoch must be 1 or more; found 0"),
        ("--model.optimizer.init_args.lr=-1", "Invalid learning rate: -1"),
    ],
)
def test_a_training_without_a_step_or_an_end_is_refused_before_any_work(net_yaml, override, words):
    with pytest.raises(InvalidConfig, match=words):
        load_experiment([net_yaml("unet3d")], ["--model.optimizer=torch.optim.AdamW", override])


def test_a_network_named_as_a_reader_hears_which_names_are_taken(plan, net_yaml):
    with pytest.raises(InvalidConfig, match=r"none of \['ensemble', .*'manual'.*found \['manual'\]. Rename"):
        run_study(plan(nets=[net_yaml("unet3d").rename(net_yaml("unet3d").with_name("manual.yaml"))]), QUIET)


def test_a_table_given_as_a_config_is_not_shown_in_the_message(tmp_path):
    table = tmp_path / "cohort.csv"
    table.write_text("patient_id,case_id\nDoe Jane,hip-001\n", encoding="utf-8")
    with pytest.raises(InvalidConfig, match="found none") as refused:
        load_experiment([table])
    assert "Doe" not in str(refused.value)
