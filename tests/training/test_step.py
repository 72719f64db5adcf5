"""One training step in the abstract's setting: it may not ask the device for a number, which would stop the GPU."""

from pathlib import Path

import pytest
import torch

from avnnet.training.config.experiment import load_experiment

ABSTRACT = Path(__file__).parents[2] / "experiments" / "abstract"


def step(name: str, device: str, shape: tuple[int, ...], monkeypatch) -> torch.Tensor:
    """The loss of a forward and backward pass, clipping and an optimiser step on a device."""
    task = load_experiment([ABSTRACT / f"{name}.yaml"], ["--trainer.accelerator=cpu"]).model.to(device)
    logged: list[torch.Tensor] = []
    monkeypatch.setattr(task, "log", lambda _, value, **__: logged.append(value))
    optimizer = task.optimizer(task.net.parameters())
    batch = torch.zeros(2, 1, *shape, device=device), torch.zeros(2, 1, *shape, dtype=torch.uint8, device=device)
    if device == "cuda":
        torch.cuda.set_sync_debug_mode("error")
    try:
        with torch.autocast("cuda", torch.bfloat16, enabled=device == "cuda"):
            loss = task.training_step(batch, 0)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(task.parameters(), 12)
        optimizer.step()
    finally:
        if device == "cuda":
            torch.cuda.set_sync_debug_mode("default")
    assert logged == [loss]
    return loss


SHAPES = pytest.mark.parametrize(("name", "shape"), [("unet2d", (64, 64)), ("unet3d", (16, 64, 64))])


@SHAPES
def test_a_training_step_asks_the_device_for_no_number(name, shape, monkeypatch):
    # a tensor on "meta" has no values: whoever asks for one, as .item(), .cpu() or "if tensor" do, raises
    assert step(name, "meta", shape, monkeypatch).shape == ()


def test_a_number_that_is_asked_for_would_be_noticed():
    with pytest.raises(RuntimeError):
        torch.zeros((), device="meta").item()


@pytest.mark.gpu
@SHAPES
def test_a_training_step_on_cuda_does_not_wait_for_it(name, shape, monkeypatch):
    assert torch.isfinite(step(name, "cuda", shape, monkeypatch))
