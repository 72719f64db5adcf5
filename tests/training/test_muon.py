"""Muon beside torch's own, which takes matrices alone, and beside AdamW."""

from pathlib import Path

import pytest
import torch
from torch import nn

from avnnet.errors import InvalidConfig
from avnnet.training import load_experiment
from avnnet.training.muon import Muon, orthogonal

ROOT = Path(__file__).parents[2]


def trained(optimizer_of, steps: int, seed: int = 1) -> tuple[nn.Sequential, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Conv3d(1, 8, 3), nn.InstanceNorm3d(8, affine=True), nn.Conv3d(8, 16, 3), nn.Conv3d(16, 3, 1))
    optimizer = optimizer_of(net.parameters())
    go_on(net, optimizer, steps)
    return net, optimizer


def go_on(net: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    image = torch.randn(2, 1, 8, 8, 8, generator=torch.Generator().manual_seed(7))
    for _ in range(steps):
        optimizer.zero_grad()
        net(image).square().mean().backward()
        optimizer.step()


def test_orthogonal_keeps_the_singular_vectors_and_brings_the_values_near_one():
    torch.manual_seed(3)
    for shape in ((16, 216), (216, 16)):
        matrix = torch.randn(shape)
        found = orthogonal(matrix)
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        inside = left.T @ found @ right.T
        assert (inside.diagonal() > 0.6).all()
        assert (inside.diagonal() < 1.3).all()
        assert (inside - inside.diagonal().diag()).abs().max() < 1e-4


def test_a_kernel_takes_the_steps_of_torchs_muon_on_it_as_a_matrix():
    torch.manual_seed(5)
    kernel = nn.Parameter(torch.randn(16, 8, 3, 3, 3))
    matrix = nn.Parameter(kernel.detach().flatten(1).clone())
    ours = Muon([kernel], lr=0.01, weight_decay=0.1)
    theirs = torch.optim.Muon([matrix], lr=0.01, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    begin = matrix.detach().clone()
    for _ in range(4):
        kernel.grad = torch.randn(kernel.shape)
        matrix.grad = kernel.grad.flatten(1).clone()
        ours.step()
        theirs.step()
    moved = (matrix - begin).detach()
    # torch iterates in bfloat16, which has 8 bits
    assert (kernel.detach().flatten(1) - matrix.detach()).norm() < 0.02 * moved.norm()


def test_what_is_no_kernel_takes_the_steps_of_adamw():
    torch.manual_seed(5)
    mine = [nn.Parameter(torch.randn(shape)) for shape in ((8, 1, 3, 3, 3), (8,), (3, 8, 1, 1, 1))]
    other = [nn.Parameter(one.detach().clone()) for one in mine]
    ours, theirs = Muon(mine, lr=0.01), torch.optim.AdamW(other, lr=0.01, weight_decay=0.01)
    for _ in range(5):
        for one, two in zip(mine, other, strict=True):
            one.grad = torch.randn(one.shape)
            two.grad = one.grad.clone()
        ours.step()
        theirs.step()
    assert all(torch.equal(one, two) for one, two in zip(mine, other, strict=True))


def test_a_training_that_goes_on_from_a_saved_state_ends_with_the_same_weights(tmp_path):
    whole, _ = trained(Muon, 6)
    half, optimizer = trained(Muon, 3)
    torch.save({"net": half.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "half.pt")
    saved = torch.load(tmp_path / "half.pt", weights_only=True)
    again, other = trained(Muon, 0, seed=2)
    again.load_state_dict(saved["net"])
    other.load_state_dict(saved["optimizer"])
    go_on(again, other, 3)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), whole.parameters(), strict=True))


def test_the_overlay_gives_a_network_of_the_hippocampus_this_optimiser_with_every_parameter_once():
    configs = [ROOT / "experiments" / "hippocampus" / "unet3d.yaml", ROOT / "experiments" / "ablations" / "muon.yaml"]
    task = load_experiment(configs).model
    optimizer = task.optimizer(task.net.parameters())
    assert isinstance(optimizer, Muon)
    held = [one for group in optimizer.param_groups for one in group["params"]]
    assert {id(one) for one in held} == {id(one) for one in task.net.parameters()}
    assert len(held) == len(list(task.net.parameters()))
    kernels = sum(one.numel() for one in optimizer.param_groups[0]["params"])
    assert kernels > 0.95 * sum(one.numel() for one in held)


@pytest.mark.parametrize(
    "wrong", [{"lr": -1.0}, {"momentum": 1.0}, {"betas": (0.9, 1.0)}, {"eps": 0.0}, {"iterations": 0}], ids=str
)
def test_numbers_out_of_their_limits_are_refused(wrong):
    with pytest.raises(InvalidConfig, match=next(iter(wrong))):
        Muon([nn.Parameter(torch.ones(1))], **wrong)


def test_groups_of_parameters_are_refused():
    with pytest.raises(InvalidConfig, match="itself"):
        Muon([{"params": [nn.Parameter(torch.ones(1))]}])
