"""A study of images of several channels."""

import dataclasses

import pandas as pd
import pytest

from avnnet.cli import main
from avnnet.data.files import read_image, write_image
from avnnet.errors import InvalidConfig
from avnnet.image import Image
from avnnet.training.study.plan import Study
from avnnet.training.study.run import run_study
from tests.training.conftest import QUIET


@pytest.fixture
def plan_of_channels(hips, net_yaml, tmp_path):
    """A study of hips whose second channel is the inverted first, and its table."""
    table = pd.read_csv(hips, dtype=str, keep_default_na=False)
    for number, row in table.iterrows():
        image = read_image(hips.parent / row["image"])
        inverted = write_image(
            Image(image.array.max() - image.array, image.grid), tmp_path / f"{row['case_id']}.nii.gz"
        )
        table.loc[number, "image"] = f"{hips.parent / row['image']};{inverted}"
        for name in ("label", "second_label"):
            table.loc[number, name] = str(hips.parent / row[name])
    table.to_csv(tmp_path / "cohort.csv", index=False)
    nets = [net_yaml("unet2d"), net_yaml("unet3d")]
    overrides = ["--model.net.init_args.in_channels=2", "--trainer.max_epochs=1"]
    return Study(tmp_path / "cohort.csv", nets, tmp_path / "study", folds=2, only_fold=0, overrides=overrides), table


def test_a_study_of_two_channels_runs_through_and_predicts_from_the_command_line(plan_of_channels, tmp_path, capsys):
    study, table = plan_of_channels
    assert run_study(study, QUIET) == 0
    measured = pd.read_csv(study.out / "measurements.csv")
    assert set(measured["reader"]) == {"manual", "manual_2", "unet2d", "unet3d", "ensemble"}
    both = ";".join(str(study.cohort.parent / part) for part in table["image"].iloc[0].split(";"))
    out = str(tmp_path / "masks")
    assert main(["predict", str(study.out / "model"), both, "--device", "cpu", "--out", out]) == 0
    assert main(["predict", str(study.out / "model"), both.split(";")[0], "--device", "cpu", "--out", out]) == 3
    assert "trained on images of 2 channel(s), found 1" in capsys.readouterr().out


def test_a_network_of_other_channels_stops_before_training(plan_of_channels, net_yaml):
    study, _ = plan_of_channels
    one = dataclasses.replace(study, nets=[net_yaml("unet3d")], overrides=[])
    with pytest.raises(InvalidConfig, match=r"unet3d: .*in_channels: 2"):
        run_study(one, QUIET)
