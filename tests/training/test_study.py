import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from avnnet.data.files import read_image, read_labels
from avnnet.errors import InvalidRecipe
from avnnet.inference.cleaning import Cleaning
from avnnet.inference.ensemble import Ensemble
from avnnet.inference.model_folder import load_model
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import HIP
from avnnet.metrics import dice
from avnnet.models import ConvBlock, NestedRegions, ResidualBlock, Slab, UNet3D
from avnnet.stats import best_reader
from avnnet.stats.decided import kept_steps
from avnnet.tables import read_table
from avnnet.training.study.plan import Study
from avnnet.training.study.run import run_study
from tests.training.conftest import QUIET, OwnBlock, draw_nothing

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def test_a_study_writes_every_table_mask_and_the_report(finished):
    study, failed = finished
    assert failed == 0
    measurements = read_table(study.out / "measurements.csv")
    agreement = read_table(study.out / "agreement.csv")
    assert len(measurements) == 6 * 5  # six hips; two human readers, two networks and the ensemble
    assert len(agreement) == 6 * 4 * 3  # all but the first reader; vital, necrosis, head
    assert set(measurements["reader"]) == {"manual", "manual_2", "unet2d", "unet3d", "ensemble"}
    assert {"side", "arco_stage", "age", "sex", "source"} <= set(measurements.columns)
    assert len(list((study.out / "masks" / "ensemble").glob("*.nii.gz"))) == 6
    assert "Mann" in (study.out / "report.html").read_text()
    assert "Validation Dice of necrosis" in (study.out / "report.html").read_text()
    training = read_table(study.out / "training.csv")
    assert training.groupby(["network", "fold"]).size().to_dict() == {
        (net, fold): 2 for net in study.names for fold in (0, 1)
    }
    assert json.loads((study.out / "study.json").read_text())["digital"] is True


def test_a_second_readers_masks_are_measured_and_compared_but_are_no_network(finished, cohort):
    study, _ = finished
    agreement = read_table(study.out / "agreement.csv")
    case = next(iter(cohort))
    first, second = read_labels(case.label), read_labels(case.second_label)
    row = agreement[(agreement["case_id"] == case.case_id) & (agreement["reader"] == "manual_2")].set_index("label")
    for name in ("vital", "necrosis", "head"):
        assert row.loc[name, "dice"] == pytest.approx(dice(first.mask(name), second.mask(name)))
    assert best_reader(agreement)[0] != "manual_2"
    panel = read_table(study.out / "tables" / "second_reader.csv")
    assert set(panel["second"]) == {"manual_2"}
    assert "Against a second reader" in (study.out / "report.html").read_text()
    assert sorted(folder.name for folder in (study.out / "masks").iterdir()) == ["ensemble", "unet2d", "unet3d"]


def test_the_studys_ensemble_mask_is_the_argmax_of_the_mean_softmax_cleaned_as_the_cases_decide(finished, cohort):
    study, _ = finished
    splits = json.loads((study.out / "splits.json").read_text())["folds"]
    members = [load_model(study.out / "fold0" / name / "model").members[0] for name in study.names]
    cleaning = Cleaning(kept_steps(read_table(study.out / "cleaning_weighed.csv")))
    for case in cohort.subset(splits[0]):
        softmax = Ensemble(members, HIP).see(read_image(case.image), side=case.side, centre_mm=case.centre_mm).softmax
        expected = cleaning(softmax.labels(HIP)).array
        written = read_labels(study.out / "masks" / "ensemble" / f"{case.case_id}.nii.gz").array
        assert np.array_equal(written, expected)


def test_every_case_is_held_out_once_and_never_trained_on_by_its_own_fold(finished, cohort):
    study, _ = finished
    splits = json.loads((study.out / "splits.json").read_text())["folds"]
    assert sorted(c for fold in splits for c in fold) == sorted(case.case_id for case in cohort)
    table = read_table(study.out / "agreement.csv")
    for number, fold in enumerate(splits):
        assert set(table.loc[table["fold"] == number, "case_id"]) == set(fold)


def test_the_studys_model_holds_every_fold_and_network(finished):
    study, _ = finished
    assert [m.name for m in load_model(study.out / "model").members] == ["unet2d", "unet3d"] * 2


def test_a_case_that_fails_becomes_a_row_and_the_others_go_on(finished, tmp_path, monkeypatch):
    study, _ = finished
    again = Study(study.cohort, study.nets, shutil.copytree(study.out, tmp_path / "s"), folds=2)
    (again.out / "fold0" / "agreement.csv").unlink()
    held_out = json.loads((again.out / "splits.json").read_text())["folds"][0]
    from avnnet.cases import evaluate as evaluation

    original = evaluation.read_image

    def fails(path):
        if held_out[0] in str(path):
            raise OSError("the disk is gone")
        return original(path)

    monkeypatch.setattr(evaluation, "read_image", fails)
    assert run_study(again, QUIET) == 1
    table = read_table(again.out / "measurements.csv")
    rows = table[table["case_id"] == held_out[0]]
    assert (rows["error"] == "OSError: the disk is gone").all()
    assert rows["necrosis_cm3"].isna().all()
    assert (table.loc[table["case_id"] != held_out[0], "error"] == "").all()
    assert "the disk is gone" in (again.out / "report.html").read_text()
    monkeypatch.undo()
    draw_nothing(monkeypatch)
    assert run_study(again, QUIET) == 0  # the same command tries it again


def test_no_label_is_read_to_prepare_a_held_out_case(finished, cohort, tmp_path):
    from avnnet.cases.evaluate import evaluate_cases
    from avnnet.data.files import write_image
    from avnnet.image import LabelMap

    study, _ = finished
    members = [load_model(study.out / "fold0" / name / "model").members[0] for name in study.names]
    table = cohort.table.copy()
    case_id = table.loc[0, "case_id"]
    labels = read_labels(cohort.cases[0].label)
    write_image(LabelMap(np.zeros_like(labels.array), labels.grid), tmp_path / "empty.nii.gz")
    table.loc[0, "label"] = str(tmp_path / "empty.nii.gz")
    blind = type(cohort)(table, cohort.root)
    for name, source in (("with", cohort), ("without", blind)):
        evaluate_cases(
            source,
            source.subset([case_id]),
            Segmenter(members, HIP),
            tmp_path / name,
            reporter=QUIET,
            title="",
        )
    for reader in ("unet2d", "unet3d", "ensemble"):
        masks = [read_labels(tmp_path / name / reader / f"{case_id}.nii.gz").array for name in ("with", "without")]
        assert np.array_equal(*masks)


def test_an_ablation_runs_beside_its_base_on_the_same_folds(plan, net_yaml, no_report):
    base, overlay = net_yaml("unet3d"), EXPERIMENTS / "ablations" / "residual.yaml"
    study = plan(nets=[base, Path(f"{base}+{overlay}")], overrides=["--trainer.max_epochs=1"])
    assert run_study(study, QUIET) == 0
    agreement = read_table(study.out / "agreement.csv")
    cases = {reader: sorted(rows["case_id"]) for reader, rows in agreement.groupby("reader")}
    assert cases["unet3d"] == cases["unet3d-residual"] == cases["ensemble"]
    blocks = [load_model(study.out / "fold0" / name / "model").members[0].net.block for name in study.names]
    assert blocks == [ConvBlock, ResidualBlock]


def test_a_block_of_the_users_own_runs_through_a_study(plan, net_yaml, no_report):
    block = "--model.net.init_args.block=tests.training.conftest.OwnBlock"
    study = plan(nets=[net_yaml("own3d")], only_fold=0, overrides=[block])
    assert run_study(study, QUIET) == 0
    with pytest.raises(InvalidRecipe, match="OwnBlock"):
        load_model(study.out / "model")
    member = load_model(study.out / "model", classes=[OwnBlock]).members[0]
    assert type(member.net.encoder.stages[0]) is OwnBlock


def test_nested_regions_and_a_slab_run_through_a_study_beside_an_ordinary_network(plan, net_yaml, tmp_path, no_report):
    def other(name, net, **model):
        config = yaml.safe_load(net_yaml(name).read_text())
        config["model"] = {"net": net, **model}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(config))
        return tmp_path / f"{name}.yaml"

    def slot(name, **inside):
        ndim = int(name[4])
        args = {"channels": [4, 8], "strides": [[2] * ndim], **inside}
        return {"class_path": f"avnnet.models.{name}", "init_args": args}

    nested = {"class_path": "avnnet.models.NestedRegions", "init_args": {"net": slot("UNet3D", classes=2)}}
    slab = {"class_path": "avnnet.models.Slab", "init_args": {"net": slot("UNet2D"), "slices": 3}}
    nets = [
        net_yaml("unet3d"),
        other("nested3d", nested, loss={"class_path": "avnnet.losses.RegionDiceCE"}),
        other("slab3d", slab),
    ]
    study = plan(nets=nets, only_fold=0, overrides=["--trainer.max_epochs=1"])
    assert run_study(study, QUIET) == 0
    model = load_model(study.out / "model")
    assert [type(member.net) for member in model.members] == [UNet3D, NestedRegions, Slab]
    assert set(read_table(study.out / "agreement.csv")["reader"]) >= {"unet3d", "nested3d", "slab3d", "ensemble"}


def test_a_cohort_without_centres_is_trained_on_patches_and_predicted_by_a_window(
    plan, cohort, net_yaml, tmp_path, no_report
):
    table = cohort.table.drop(columns=["centre_x_mm", "centre_y_mm", "centre_z_mm"])
    for name in ("image", "label", "second_label"):
        table[name] = [str(cohort.root / path) for path in table[name]]
    table.to_csv(tmp_path / "blind.csv", index=False)
    study = plan(cohort=tmp_path / "blind.csv", nets=[net_yaml("unet3d")], only_fold=0)
    assert run_study(study, QUIET) == 0
    record = json.loads((study.out / "study.json").read_text())
    assert "0 of 6 cases" in record["centre"]
    first = load_model(study.out / "fold0" / "unet3d" / "model").predict(read_image(cohort.cases[0].image))
    assert first.probabilities.values.shape[1:] == first.image.grid.shape
