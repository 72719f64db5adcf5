import math

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from avnnet.errors import InvalidConfig
from avnnet.losses import DiceCE, supervise_scales


def target() -> torch.Tensor:
    return torch.randint(0, 3, (2, 1, 4, 6, 6), generator=torch.Generator().manual_seed(0))


def logits(requires_grad: bool = False) -> torch.Tensor:
    value = torch.randn(2, 3, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    return value.requires_grad_(requires_grad)


def test_a_perfect_prediction_costs_nothing():
    sure = 30.0 * one_hot(target()[:, 0], 3).movedim(-1, 1)
    assert float(DiceCE()(sure, target())) == pytest.approx(0, abs=1e-4)


def test_the_loss_is_dice_plus_cross_entropy():
    p = logits().softmax(1)
    g = one_hot(target()[:, 0], 3).movedim(-1, 1)
    axes = (2, 3, 4)
    dice = 1 - (2 * (p * g).sum(axes) + 1e-5) / (p.sum(axes) + g.sum(axes) + 1e-5)
    expected = dice[:, 1:].mean() + cross_entropy(logits(), target()[:, 0])
    assert float(DiceCE()(logits(), target())) == pytest.approx(float(expected), rel=1e-4)


def test_over_batch_sums_the_overlap_before_the_ratio():
    p = logits().softmax(1)
    g = one_hot(target()[:, 0], 3).movedim(-1, 1)
    axes = (0, 2, 3, 4)
    dice = 1 - (2 * (p * g).sum(axes) + 1e-5) / (p.sum(axes) + g.sum(axes) + 1e-5)
    loss = DiceCE(ce_weight=0.0, over_batch=True)
    assert float(loss(logits(), target())) == pytest.approx(float(dice[1:].mean()), rel=1e-4)


def test_uncertain_cross_entropy_is_the_logarithm_of_the_classes():
    flat = torch.zeros(1, 3, 2, 2, 2)
    loss = DiceCE(dice_weight=0.0)
    assert float(loss(flat, torch.zeros(1, 1, 2, 2, 2, dtype=torch.uint8))) == pytest.approx(math.log(3), rel=1e-5)


def test_half_precision_logits_give_a_float32_loss():
    assert DiceCE()(logits().bfloat16(), target()).dtype == torch.float32


def test_scales_are_weighted_by_halves_that_sum_to_one():
    coarse = torch.zeros(2, 3, 2, 3, 3)
    loss = DiceCE()
    nearest = target()[:, :, ::2, ::2, ::2]
    expected = 2 / 3 * loss(logits(), target()) + 1 / 3 * loss(coarse, nearest)
    assert float(supervise_scales(loss, [logits(), coarse], target())) == pytest.approx(float(expected), rel=1e-5)


def test_one_scale_is_the_loss_itself():
    assert float(supervise_scales(DiceCE(), [logits()], target())) == pytest.approx(float(DiceCE()(logits(), target())))


def test_another_number_of_weights_than_scales_is_refused():
    with pytest.raises(InvalidConfig, match="1 scales"):
        supervise_scales(DiceCE(), [logits()], target(), [1.0, 0.5])


def test_the_loss_falls_along_its_gradient():
    x = logits(requires_grad=True)
    before = DiceCE()(x, target())
    before.backward()
    assert float(DiceCE()(x.detach() - 5.0 * x.grad, target())) < float(before.detach())
