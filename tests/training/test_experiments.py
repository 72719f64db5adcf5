import math
from pathlib import Path

import pytest
import torch
from pytorch_lightning.callbacks import Callback

from avnnet.models import BatchNorm, ConvBlock, LayerNorm, ResidualBlock
from avnnet.models.cost import step_gflop
from avnnet.progress import Reporter
from avnnet.training.config.experiment import Trainer, load_experiment
from avnnet.training.precision import fastest_precision
from avnnet.training.schedule import CosineDecay, PolynomialDecay, Schedule

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
OVERLAYS = ("ablations", "equal_gflop", "foreign")
LAPTOP = EXPERIMENTS / "laptop" / "unet3d.yaml"
# an ablation is an overlay: it is nothing without a full config below
# of the networks of other libraries, whose overlays are built elsewhere, one is trained here
CONFIGS = [
    [LAPTOP, path] if path.parent.name in OVERLAYS else [path]
    for path in sorted(EXPERIMENTS.glob("*/*.yaml"))
    if path.parent.name != "foreign" or path.stem == "dynunet"
]


def one_step(configs: list[Path], cohort: Path, cache: Path, *overrides: str) -> dict[str, torch.Tensor]:
    words = [f"--data.cohort={cohort}", f"--data.cache={cache}", "--data.folds=2", "--data.workers=0"]
    words += ["--data.steps_per_epoch=1", "--trainer.max_epochs=1", "--trainer.limit_val_batches=0", *overrides]
    experiment = load_experiment(configs, words)
    experiment.datamodule.reporter = Reporter(is_quiet=True)
    before = {name: value.clone() for name, value in experiment.model.net.state_dict().items()}
    experiment.trainer.fit(experiment.model, datamodule=experiment.datamodule)
    after = experiment.model.net.state_dict()
    assert all(torch.isfinite(value).all() for value in after.values())
    assert any(not torch.equal(before[name], after[name].cpu()) for name in before)
    return after


@pytest.mark.parametrize("configs", CONFIGS, ids=lambda paths: f"{paths[-1].parent.name}-{paths[-1].stem}")
def test_every_config_builds_and_takes_an_optimiser_step(configs, hips, tmp_path):
    words = ["--data.batch_size=1", "--trainer.accelerator=cpu"]
    if configs[0].parent.name == "abstract" and configs[0].stem != "locator":
        # the abstract's networks whole, on the least patch that their strides take: its own is in the slow test below
        words += ["--data.crop=[16, 32, 64]", "--data.patch=[16, 32, 64]"]
    one_step(configs, hips, tmp_path, *words)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unet2d", "unet3d"])
def test_the_abstracts_configs_take_an_optimiser_step_on_patches_of_their_own_size(name, hips, tmp_path):
    # one case per step: 80 x 160 x 160 voxels are ten seconds of work for two cores
    config = EXPERIMENTS / "abstract" / f"{name}.yaml"
    one_step([config], hips, tmp_path, "--data.batch_size=1", "--trainer.accelerator=cpu")


def test_an_overlay_changes_the_block_and_nothing_else():
    plain = load_experiment([LAPTOP], ["--trainer.accelerator=cpu"])
    residual = load_experiment([LAPTOP, EXPERIMENTS / "ablations" / "residual.yaml"], ["--trainer.accelerator=cpu"])
    assert residual.model.net.block is ResidualBlock
    assert plain.model.net.block is ConvBlock
    assert residual.model.net.channels == plain.model.net.channels
    assert residual.datamodule.crop == plain.datamodule.crop


def test_an_overlay_that_gives_arguments_builds_the_pieces_that_it_names():
    words = ["--trainer.accelerator=cpu"]
    norms = {
        name: load_experiment([LAPTOP, EXPERIMENTS / "ablations" / f"{name}.yaml"], words).model.net.block.keywords
        for name in ("batchnorm", "convnext", "dropout")
    }
    assert norms == {"batchnorm": {"norm": BatchNorm}, "convnext": {"norm": LayerNorm}, "dropout": {"dropout": 0.1}}


def test_the_variants_of_equal_operations_take_as_many_for_a_step_as_the_network_that_they_are_held_against():
    hippocampus = EXPERIMENTS / "hippocampus" / "unet3d.yaml"
    overlays = [[], *([path] for path in sorted((EXPERIMENTS / "equal_gflop").glob("*.yaml")))]
    overlays += [[EXPERIMENTS / "ablations" / f"{name}.yaml"] for name in ("residual", "se", "attention")]
    counted = []
    for overlay in [*overlays, [EXPERIMENTS / "foreign" / "dynunet.yaml"]]:
        net = load_experiment([hippocampus, *overlay], ["--trainer.accelerator=cpu"]).model.net
        counted.append(step_gflop(net, (2, 1, 32, 48, 32)))
    assert counted == pytest.approx([counted[0]] * 7, rel=0.02)


def test_averaged_weights_are_the_moving_average_of_the_steps(hips, tmp_path):
    words = [f"--data.cohort={hips}", f"--data.cache={tmp_path}", "--data.folds=2", "--data.steps_per_epoch=4"]
    words += ["--trainer.max_epochs=1", "--trainer.limit_val_batches=0", "--trainer.accelerator=cpu"]
    steps: list[torch.Tensor] = []

    class Keep(Callback):
        def on_train_batch_end(self, trainer, pl_module, *_):
            steps.append(pl_module.net.heads[0].bias.detach().clone())

    experiment = load_experiment([LAPTOP, EXPERIMENTS / "ablations" / "averaged.yaml"], words)
    experiment.datamodule.reporter = Reporter(is_quiet=True)
    experiment.trainer.callbacks.append(Keep())
    experiment.trainer.fit(experiment.model, datamodule=experiment.datamodule)
    expected = steps[0]
    for bias in steps[1:]:
        expected = 0.99 * expected + 0.01 * bias
    assert torch.allclose(experiment.model.net.heads[0].bias, expected, atol=1e-7)
    assert not torch.allclose(experiment.model.net.heads[0].bias, steps[-1], atol=1e-7)


def test_the_abstracts_configs_have_the_abstracts_setting():
    for name in ("unet2d", "unet3d"):
        data = load_experiment([EXPERIMENTS / "abstract" / f"{name}.yaml"], ["--trainer.accelerator=cpu"]).datamodule
        assert data.spacing_mm == [1.0, 0.44, 0.44]
        assert data.crop == data.patch == [80, 160, 160]
        assert data.folds == 5


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["unet2d", "unet3d"])
def test_a_config_runs_on_cuda_without_edits(name, hips, tmp_path):
    one_step([EXPERIMENTS / "laptop" / f"{name}.yaml"], hips, tmp_path)


@pytest.mark.gpu
def test_a_model_trained_on_cuda_predicts_and_reloads_alike_on_the_cpu(hips, cohort, tmp_path):
    from avnnet.data.files import read_image
    from avnnet.inference.model_folder import load_model
    from avnnet.training.checkpoint import latest_checkpoint
    from avnnet.training.fit import train

    words = [f"--data.cohort={hips}", f"--data.cache={tmp_path / 'c'}", "--data.folds=2", "--data.steps_per_epoch=20"]
    words += ["--trainer.max_epochs=2", "--trainer.precision=32-true"]
    experiment = load_experiment([EXPERIMENTS / "laptop" / "unet3d.yaml"], words)
    experiment.datamodule.reporter = Reporter(is_quiet=True)
    train(experiment, tmp_path / "run", name="unet3d", on_epoch=lambda *_: None)
    assert latest_checkpoint(tmp_path / "run" / "checkpoints") is not None
    case = cohort.cases[0]
    masks = [
        load_model(tmp_path / "run" / "model", device=device)
        .predict(read_image(case.image), side=case.side, centre_mm=case.centre_mm)
        .labels.mask("head")
        for device in ("cpu", "cuda")
    ]
    both = 2 * (masks[0] & masks[1]).sum() / (masks[0].sum() + masks[1].sum())
    assert both >= 0.999


def test_auto_precision_is_one_of_the_two_and_says_why():
    choice = fastest_precision("cpu")
    assert choice.precision in ("32-true", "bf16-mixed")
    assert "ms" in choice.reason


def test_the_precision_timing_does_not_move_the_random_numbers():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    fastest_precision.cache_clear()
    fastest_precision("cpu")
    assert torch.equal(torch.rand(4), expected)


def test_a_precision_that_is_asked_for_is_taken():
    trainer = Trainer(accelerator="cpu", precision="32-true", logger=False, enable_checkpointing=False)
    assert trainer.precision == "32-true"
    assert trainer.precision_choice.reason == "asked for"


def rates(schedule: Schedule, steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = schedule.scheduler(optimizer, steps)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return values


def test_the_polynomial_falls_as_nnunets():
    values = rates(PolynomialDecay(0.9, warmup=0), 100)
    assert values == pytest.approx([(1 - step / 100) ** 0.9 for step in range(100)])


def test_the_warm_up_rises_and_the_cosine_falls():
    values = rates(CosineDecay(warmup=0.1), 100)
    assert values[:10] == sorted(values[:10])
    assert values[10:] == sorted(values[10:], reverse=True)
    assert max(values) <= 1
    assert values[55] == pytest.approx(0.5 * (1 + math.cos(math.pi * 0.5)), abs=0.01)
