"""Weights of cases, from the column of a cohort to the gradient."""

import pandas as pd
import pytest
import torch

from avnnet.data.cohort import read_cohort
from avnnet.errors import InvalidCohort, InvalidConfig
from avnnet.training.config.experiment import Experiment, load_experiment
from avnnet.training.fit import train
from tests.training.conftest import QUIET

WEIGHTS = [2.0, 1.0, 0.0, 0.5, 1.0, 3.0]


class Unweighted(torch.nn.Module):
    """A loss that knows no weights of samples."""

    def forward(self, logits, target):
        return logits.float().square().mean()


@pytest.fixture
def weighted(hips, tmp_path):
    """Writes the cohort with a further column and gives its path."""

    def make(values=WEIGHTS, column="sample_weight"):
        table = pd.read_csv(hips, dtype=str, keep_default_na=False)
        for name in ("image", "label"):
            table[name] = [str(hips.parent / path) for path in table[name]]
        table = table.drop(columns="second_label", errors="ignore").assign(**{column: values})
        table.to_csv(tmp_path / "weighted.csv", index=False)
        return tmp_path / "weighted.csv"

    return make


@pytest.fixture
def experiment(net_yaml, tmp_path):
    def make(cohort, name="unet3d", *words) -> Experiment:
        given = [f"--data.cohort={cohort}", "--data.folds=2", f"--data.cache={tmp_path / 'cache'}", *words]
        made = load_experiment([net_yaml(name)], given)
        made.datamodule.reporter = QUIET
        return made

    return make


@pytest.mark.parametrize(("name", "slices"), [("unet3d", 1), ("unet2d", 4)])
def test_a_batch_carries_the_weights_of_its_cases(experiment, weighted, name, slices):
    made = experiment(weighted(), name, *([f"--data.slices={slices}"] if name == "unet2d" else []))
    made.datamodule.setup()
    loader = made.datamodule.train_dataloader()
    of_case = {case.case_id: case.sample_weight for case in made.datamodule.training_cases}
    assert len(set(of_case.values())) > 1
    draws = next(iter(loader.batch_sampler))
    _, label, weights = next(iter(loader))
    cases = [made.datamodule.training_cases[draw.case].case_id for draw in draws]
    assert weights.tolist() == [of_case[case] for case in cases for _ in range(slices)]
    assert len(weights) == len(label)


def test_without_the_column_a_batch_is_image_and_label_and_other_columns_are_let_be(experiment, weighted, hips):
    for cohort in (hips, weighted(column="weight")):  # the body's, say, in kg
        made = experiment(cohort)
        made.datamodule.setup()
        assert len(next(iter(made.datamodule.train_dataloader()))) == 2
    assert "weight" in read_cohort(weighted(column="weight")).carried


def gradient(made: Experiment, *batch: torch.Tensor) -> list[torch.Tensor]:
    task = made.model
    task.zero_grad()
    task.log = lambda *_, **__: None
    task.training_step(batch, 0).backward()
    return [one.grad.clone() for one in task.net.parameters() if one.grad is not None]


def test_a_case_of_weight_zero_moves_no_weight_of_the_network(experiment, hips):
    made = experiment(hips)
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(2, 1, 16, 16, 16, generator=generator)
    label = torch.randint(0, 3, (2, 1, 16, 16, 16), generator=generator)
    first, second = (gradient(made, image[[n]], label[[n]]) for n in range(2))
    for weights in ([2.0, 0.0], [2.0, 1.0]):
        both = gradient(made, image, label, torch.tensor(weights))
        for one, two, found in zip(first, second, both, strict=True):
            assert torch.allclose(found, (weights[0] * one + weights[1] * two) / 2, atol=1e-5)


def test_a_training_with_weights_comes_to_an_end_and_is_another_one(experiment, weighted, tmp_path):
    runs = {}
    for name, values in (("ones", [1.0] * 6), ("weights", WEIGHTS)):
        made = experiment(weighted(values))
        runs[name] = train(made, tmp_path / name, name="unet3d", on_epoch=lambda *_: None).net.state_dict()
    assert any(not torch.allclose(runs["ones"][name], runs["weights"][name], atol=1e-4) for name in runs["ones"])


def test_c31_a_loss_that_takes_no_weights_is_refused_before_any_work(experiment, weighted, hips, tmp_path):
    words = [f"--model.loss={__name__}.Unweighted"]
    with pytest.raises(InvalidConfig, match=r"column sample_weight.*the loss Unweighted takes none: give its forward"):
        train(experiment(weighted(), "unet3d", *words), tmp_path / "run", name="unet3d", on_epoch=lambda *_: None)
    assert not (tmp_path / "cache").exists()
    experiment(hips, "unet3d", *words).check_network(read_cohort(hips))


def test_c31_class_weights_of_other_classes_are_refused_before_any_work(experiment, hips):
    made = experiment(hips, "unet3d", "--model.loss=avnnet.losses.DiceCE", "--model.loss.class_weights=[1, 2]")
    with pytest.raises(InvalidConfig, match=r"class_weights of DiceCE .* 3 here; found \[1.*, 2"):
        made.check_network(read_cohort(hips))


@pytest.mark.parametrize("value", ["-1", "", "inf", "many"])
def test_c31_a_weight_that_is_none_is_refused_with_its_case(weighted, value):
    with pytest.raises(InvalidCohort, match=r"case hip-001.*sample_weight"):
        read_cohort(weighted([value, "1", "1", "1", "1", "1"]))


def test_c31_a_fold_whose_training_cases_all_have_weight_zero_is_refused(experiment, weighted):
    with pytest.raises(InvalidCohort, match="have sample_weight 0, and nothing would be learnt"):
        experiment(weighted([0.0] * 6)).datamodule.setup()
