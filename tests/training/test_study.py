import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from avnnet.data.files import read_image, read_labels
from avnnet.errors import CheckpointMismatch, GeometryMismatch, InvalidConfig, InvalidSplit, MissingFile
from avnnet.inference.ensemble import mean_softmax
from avnnet.inference.member import softmax_of
from avnnet.inference.segmenter import load_model
from avnnet.labels import HIP
from avnnet.progress import Reporter
from avnnet.tables import read_table
from avnnet.training import study as study_module
from avnnet.training.config import load_experiment
from avnnet.training.fit import train
from avnnet.training.study import Study, run_study

QUIET = Reporter(is_quiet=True)


def weights(folder) -> dict[str, torch.Tensor]:
    return load_model(folder).members[0].net.state_dict()


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def plan(hips, net_yaml, tmp_path):
    def make(**changes) -> Study:
        if "nets" not in changes:
            changes["nets"] = [net_yaml("unet2d"), net_yaml("unet3d")]
        return Study(**{"cohort": hips, "out": tmp_path / "study", "folds": 2, **changes})

    return make


@pytest.fixture(scope="module")
def finished(tmp_path_factory, hips):
    """A finished study of two folds and two networks, and how many cases failed."""
    folder = tmp_path_factory.mktemp("finished")
    nets = []
    for ndim in (2, 3):
        path = folder / f"unet{ndim}d.yaml"
        path.write_text(f"""
seed_everything: 7
model:
  net:
    class_path: avnnet.models.UNet{ndim}D
    init_args: {{channels: [4, 8], strides: [{[2] * ndim}]}}
data:
  spacing_mm: [4.0, 4.0, 4.0]
  crop: [16, 18, 18]
  patch: [16, 18, 18]
  batch_size: 2
  steps_per_epoch: 10
  slices: {4 if ndim == 2 else "null"}
trainer: {{max_epochs: 2, precision: 32-true, accelerator: cpu}}
""")
        nets.append(path)
    study = Study(hips, nets, folder / "study", folds=2, command="avnnet study ...")
    return study, run_study(study, QUIET)


def test_a_study_writes_every_table_mask_and_the_report(finished):
    study, failed = finished
    assert failed == 0
    measurements = read_table(study.out / "measurements.csv")
    agreement = read_table(study.out / "agreement.csv")
    assert len(measurements) == 6 * 4  # six hips; manual, two networks and the ensemble
    assert len(agreement) == 6 * 3 * 3  # three automatic readers; vital, necrosis, head
    assert set(measurements["reader"]) == {"manual", "unet2d", "unet3d", "ensemble"}
    assert {"side", "arco_stage", "age", "sex", "source"} <= set(measurements.columns)
    assert len(list((study.out / "masks" / "ensemble").glob("*.nii.gz"))) == 6
    assert "Mann" in (study.out / "report.html").read_text()
    assert json.loads((study.out / "study.json").read_text())["digital"] is True


def test_the_studys_ensemble_mask_is_the_argmax_of_the_mean_softmax(finished, cohort):
    study, _ = finished
    splits = json.loads((study.out / "splits.json").read_text())["folds"]
    members = [load_model(study.out / "fold0" / name / "model").members[0] for name in study.names]
    for case in cohort.subset(splits[0]):
        softmax = softmax_of(members, read_image(case.image), side=case.side, centre_mm=case.centre_mm)
        expected = mean_softmax(softmax).labels(HIP).array
        written = read_labels(study.out / "masks" / "ensemble" / f"{case.case_id}.nii.gz").array
        assert np.array_equal(written, expected)


def test_every_case_is_held_out_once_and_never_trained_on_by_its_own_fold(finished, cohort):
    study, _ = finished
    splits = json.loads((study.out / "splits.json").read_text())["folds"]
    assert sorted(c for fold in splits for c in fold) == sorted(case.case_id for case in cohort)
    table = read_table(study.out / "agreement.csv")
    for number, fold in enumerate(splits):
        assert set(table.loc[table["fold"] == number, "case_id"]) == set(fold)


def test_fit_on_a_fold_and_the_study_on_that_fold_give_equal_weights(finished, tmp_path):
    study, _ = finished
    for net, name in zip(study.nets, study.names, strict=True):
        overrides = [f"--data.cohort={study.cohort}", "--data.fold=1", "--data.folds=2", f"--data.cache={tmp_path}"]
        experiment = load_experiment([net], overrides)
        experiment.datamodule.reporter = QUIET
        train(experiment, tmp_path / name, name=name, on_epoch=lambda *_: None)
        assert equal(weights(tmp_path / name / "model"), weights(study.out / "fold1" / name / "model"))


def test_a_second_call_does_not_train_again(finished, monkeypatch):
    study, _ = finished
    before = {path: path.stat().st_mtime_ns for path in study.out.rglob("*.safetensors") if "fold" in str(path)}
    monkeypatch.setattr(study_module, "train", lambda *_, **__: pytest.fail("trained again"))
    assert run_study(study, QUIET) == 0
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_training_that_is_stopped_goes_on_to_the_same_weights(finished, tmp_path):
    study, _ = finished
    words = [f"--data.cohort={study.cohort}", "--data.fold=1", "--data.folds=2", f"--data.cache={tmp_path / 'c'}"]

    def go(stop_after: int | None) -> None:
        experiment = load_experiment([study.nets[1]], words)
        experiment.datamodule.reporter = QUIET

        def on_epoch(done: int, _: str) -> None:
            if done == stop_after:
                raise RuntimeError("killed")

        train(experiment, tmp_path / "run", name="unet3d", on_epoch=on_epoch)

    # the report of epoch 2 comes before its checkpoint, so one whole epoch is on disk and one is lost
    with pytest.raises(RuntimeError, match="killed"):
        go(2)
    assert [p.name for p in (tmp_path / "run" / "checkpoints").iterdir()] == ["epoch-00000.ckpt"]
    go(None)
    assert equal(weights(tmp_path / "run" / "model"), weights(study.out / "fold1" / "unet3d" / "model"))
    assert json.loads((tmp_path / "run" / "run.json").read_text())["resumed_from"] == "epoch-00000.ckpt"
    assert pd.read_csv(tmp_path / "run" / "metrics.csv")["epoch"].tolist() == [0, 1]


def test_a_broken_last_checkpoint_falls_back_to_the_one_before(finished, tmp_path):
    from avnnet.training.checkpoint import latest_checkpoint

    study, _ = finished
    folder = shutil.copytree(study.out / "fold0" / "unet3d" / "checkpoints", tmp_path / "c")
    assert latest_checkpoint(folder).name == "epoch-00001.ckpt"
    broken = folder / "epoch-00001.ckpt"
    broken.write_bytes(broken.read_bytes()[:1000])
    assert latest_checkpoint(folder).name == "epoch-00000.ckpt"


def test_a_checkpoint_loads_safely_and_describes_network_and_preprocessing(finished):
    from avnnet.inference.segmenter import KNOWN
    from avnnet.recipe import build

    study, _ = finished
    content = torch.load(study.out / "fold0" / "unet3d" / "checkpoints" / "epoch-00001.ckpt", weights_only=True)
    net = build(content["avnnet"]["net"], KNOWN)
    net.load_state_dict({k.removeprefix("net."): v for k, v in content["state_dict"].items() if k.startswith("net.")})
    assert build(content["avnnet"]["preprocess"], KNOWN).crop == [16, 18, 18]
    assert equal(net.state_dict(), weights(study.out / "fold0" / "unet3d" / "model"))


def test_the_studys_model_holds_every_fold_and_network(finished):
    study, _ = finished
    assert [m.name for m in load_model(study.out / "model").members] == ["unet2d", "unet3d"] * 2


def test_a_case_that_fails_becomes_a_row_and_the_others_go_on(finished, tmp_path, monkeypatch):
    study, _ = finished
    again = Study(study.cohort, study.nets, shutil.copytree(study.out, tmp_path / "s"), folds=2)
    (again.out / "fold0" / "agreement.csv").unlink()
    held_out = json.loads((again.out / "splits.json").read_text())["folds"][0]
    from avnnet.training import heldout

    original = heldout.read_image

    def fails(path):
        if held_out[0] in str(path):
            raise OSError("the disk is gone")
        return original(path)

    monkeypatch.setattr(heldout, "read_image", fails)
    assert run_study(again, QUIET) == 1
    table = read_table(again.out / "measurements.csv")
    rows = table[table["case_id"] == held_out[0]]
    assert (rows["error"] == "OSError: the disk is gone").all()
    assert rows["necrosis_cm3"].isna().all()
    assert (table.loc[table["case_id"] != held_out[0], "error"] == "").all()
    assert "the disk is gone" in (again.out / "report.html").read_text()
    monkeypatch.undo()
    assert run_study(again, QUIET) == 0  # the same command tries it again


def test_no_label_is_read_to_prepare_a_held_out_case(finished, cohort, tmp_path):
    from avnnet.data.files import write_image
    from avnnet.image import LabelMap
    from avnnet.training.heldout import predict_held_out

    study, _ = finished
    members = [load_model(study.out / "fold0" / name / "model").members[0] for name in study.names]
    table = cohort.table.copy()
    case_id = table.loc[0, "case_id"]
    labels = read_labels(cohort.cases[0].label)
    write_image(LabelMap(np.zeros_like(labels.array), labels.grid), tmp_path / "empty.nii.gz")
    table.loc[0, "label"] = str(tmp_path / "empty.nii.gz")
    blind = type(cohort)(table, cohort.root)
    for name, source in (("with", cohort), ("without", blind)):
        predict_held_out(
            source,
            source.subset([case_id]),
            members,
            HIP,
            tmp_path / name,
            precision="32-true",
            reporter=QUIET,
            title="",
        )
    for reader in ("unet2d", "unet3d", "ensemble"):
        masks = [read_labels(tmp_path / name / reader / f"{case_id}.nii.gz").array for name in ("with", "without")]
        assert np.array_equal(*masks)


def no_training(monkeypatch):
    monkeypatch.setattr(study_module, "train", lambda *_, **__: pytest.fail("training began"))


def test_fewer_patients_than_folds_stop_before_training(plan, monkeypatch):
    no_training(monkeypatch)
    with pytest.raises(InvalidSplit, match="5 patients"):
        run_study(plan(folds=6), QUIET)


def test_a_faulty_case_stops_before_training(plan, cohort, tmp_path, monkeypatch):
    no_training(monkeypatch)
    table = cohort.table.copy()
    table["image"] = [str(cohort.root / p) for p in table["image"]]
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
    other = net_yaml("other3d")
    other.write_text(other.read_text().replace("whole: head", "whole: ball"))
    with pytest.raises(InvalidConfig, match=r"same data\.labels"):
        run_study(plan(nets=[net_yaml("unet3d"), other]), QUIET)


def test_two_configs_of_one_name_are_refused(plan, net_yaml):
    with pytest.raises(InvalidConfig, match="must differ"):
        run_study(plan(nets=[net_yaml("unet3d"), net_yaml("unet3d")]), QUIET)


def test_a_fold_that_does_not_exist_is_refused(plan):
    with pytest.raises(InvalidConfig, match="0 to 1"):
        run_study(plan(only_fold=2), QUIET)


def test_a_run_folder_of_another_config_is_refused(finished, tmp_path):
    study, _ = finished
    folder = shutil.copytree(study.out / "fold0" / "unet3d", tmp_path / "run")
    words = [f"--data.cohort={study.cohort}", "--data.folds=2", f"--data.cache={tmp_path}", "--data.batch_size=3"]
    experiment = load_experiment([study.nets[1]], words)
    with pytest.raises(CheckpointMismatch, match="batch_size: 3"):
        train(experiment, folder, name="unet3d", on_epoch=lambda *_: None)
