"""What holds of every loss: right is cheap and wrong is dear, and weights and ignored voxels do as they are told."""

import copy
import pickle

import pytest
import torch

from avnnet.errors import InvalidConfig
from avnnet.losses import (
    Boundary,
    ClDice,
    CrossEntropy,
    Dice,
    DiceCE,
    Focal,
    GeneralisedDice,
    Hausdorff,
    Sum,
    TopK,
    Tversky,
    check_loss,
    supervise_scales,
    takes_sample_weights,
)
from tests.losses.conftest import IGNORED, drawn, guessed, sure_of

ALL = [Boundary, ClDice, CrossEntropy, Dice, DiceCE, Focal, GeneralisedDice, Hausdorff, TopK, Tversky]
PLACELESS = [CrossEntropy, Dice, DiceCE, Focal, GeneralisedDice, TopK, Tversky]
BALL = torch.zeros(2, 1, 7, 7, 7, dtype=torch.uint8)
BALL[:, :, 2:5, 2:5, 2:4], BALL[:, :, 2:5, 2:5, 4:6] = 1, 2

every = pytest.mark.parametrize("loss", ALL)
placeless = pytest.mark.parametrize("loss", PLACELESS)


def gradient(loss, logits: torch.Tensor, target: torch.Tensor, **given) -> torch.Tensor:
    logits = logits.clone().requires_grad_()
    loss(logits, target, **given).backward()
    return logits.grad


@every
def test_a_perfect_prediction_costs_nothing_and_a_wrong_one_something(loss):
    perfect = float(loss()(sure_of(BALL), BALL))
    wrong = float(loss()(sure_of(BALL).roll(2, -1), BALL))
    assert perfect == pytest.approx(0, abs=2e-3)
    assert wrong > perfect + 0.01


@every
@pytest.mark.parametrize("target", [BALL, torch.zeros_like(BALL), torch.ones_like(BALL)], ids=["both", "none", "one"])
@pytest.mark.parametrize("size", [0.0, 1e-6, 1.0, 1e4])
def test_loss_and_gradient_are_finite_however_sure_the_network_is(loss, target, size):
    logits = size * guessed(7, 7, 7)
    assert torch.isfinite(loss()(logits, target))
    assert torch.isfinite(gradient(loss(), logits, target)).all()


@every
def test_half_precision_gives_a_float32_loss_also_under_autocast(loss):
    with torch.autocast("cpu", torch.bfloat16):
        value = loss()(guessed(7, 7, 7).bfloat16(), BALL)
    assert value.dtype == torch.float32
    assert torch.equal(value, loss()(guessed(7, 7, 7).bfloat16().float(), BALL))


@every
def test_a_slice_of_two_dimensions_and_several_scales_are_taken(loss):
    scales = [guessed(8, 8), guessed(4, 4)]
    value = supervise_scales(loss(), scales, drawn(8, 8))
    expected = 2 / 3 * loss()(scales[0], drawn(8, 8)) + 1 / 3 * loss()(scales[1], drawn(8, 8)[:, :, ::2, ::2])
    assert float(value) == pytest.approx(float(expected), rel=1e-5)


@placeless
def test_the_order_of_voxels_and_samples_does_not_matter(loss):
    logits, target = guessed(4, 4, 4), drawn(4, 4, 4)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(3))
    mixed = [one.flatten(2)[:, :, order].reshape(one.shape).flip(0) for one in (logits, target)]
    assert float(loss()(*mixed)) == pytest.approx(float(loss()(logits, target)), rel=1e-5)


@every
def test_the_loss_falls_along_its_gradient(loss):
    logits = guessed(7, 7, 7)
    slope = gradient(loss(), logits, BALL)
    assert float(loss()(logits - 0.01 * slope / slope.norm(), BALL)) < float(loss()(logits, BALL))


@placeless
def test_what_an_ignored_voxel_says_changes_nothing(loss):
    target, logits = BALL.clone(), guessed(7, 7, 7)
    target[:, :, :2] = IGNORED
    other = logits.clone()
    other[:, :, :2] = 50 * guessed(2, 7, 7, seed=9)
    ignoring = loss(ignore_index=IGNORED)
    assert torch.equal(ignoring(other, target), ignoring(logits, target))
    slope = gradient(ignoring, logits, target)
    assert (slope[:, :, :2] == 0).all()
    assert (slope[:, :, 2:] != 0).any()


@placeless
def test_ignored_voxels_are_as_if_they_had_been_cut_off(loss):
    target, logits = BALL.clone(), guessed(7, 7, 7)
    target[:, :, :2] = IGNORED
    # the share of the hardest voxels is one of all voxels
    whole, rest = ({"hardest_percent": percent} if loss is TopK else {} for percent in (10, 14))
    assert float(loss(ignore_index=IGNORED, **whole)(logits, target)) == pytest.approx(
        float(loss(**rest)(logits[:, :, 2:], BALL[:, :, 2:])), rel=1e-5
    )


@placeless
def test_a_batch_of_which_no_voxel_counts_costs_nothing(loss):
    nothing = torch.full_like(BALL, IGNORED)
    assert float(loss(ignore_index=IGNORED)(guessed(7, 7, 7), nothing)) == pytest.approx(0, abs=1e-6)
    assert (gradient(loss(ignore_index=IGNORED), guessed(7, 7, 7), nothing) == 0).all()


OF_SAMPLES = [loss for loss in ALL if loss is not TopK]


@pytest.mark.parametrize("loss", OF_SAMPLES)
def test_a_sample_counts_as_often_as_its_weight_says(loss):
    logits, target = guessed(7, 7, 7), torch.cat([BALL[:1], BALL[1:].roll(1, 2)])
    first, second = (float(loss()(logits[[n]], target[[n]])) for n in range(2))
    weighted = loss()(logits, target, sample_weights=torch.tensor([2.0, 1.0]))
    assert float(weighted) == pytest.approx((2 * first + 1 * second) / 2, rel=1e-5)


@every
def test_a_sample_of_weight_zero_has_no_gradient(loss):
    slope = gradient(loss(), guessed(7, 7, 7), BALL, sample_weights=torch.tensor([0.0, 1.0]))
    assert (slope[0] == 0).all()
    assert (slope[1] != 0).any()


@pytest.mark.parametrize("loss", [Dice, Tversky, DiceCE])
def test_over_batch_the_voxels_of_a_sample_count_as_often_as_its_weight_says(loss):
    logits, target = guessed(4, 4), drawn(4, 4)
    twice = loss(over_batch=True)(logits[[0, 0, 1]], target[[0, 0, 1]])
    weighted = loss(over_batch=True)(logits, target, sample_weights=torch.tensor([4 / 3, 2 / 3]))
    assert float(weighted) == pytest.approx(float(twice), rel=1e-4)


@every
def test_a_loss_can_be_copied_and_sent_to_another_process(loss):
    for other in (copy.deepcopy(loss()), pickle.loads(pickle.dumps(loss()))):
        assert torch.equal(other(guessed(7, 7, 7), BALL), loss()(guessed(7, 7, 7), BALL))
        assert loss().state_dict() == {}  # so that checkpoints do not depend on the loss


@pytest.mark.parametrize("loss", PLACELESS)
def test_no_loss_of_voxels_asks_the_device_for_a_number(loss):
    settings = {"ignore_index": IGNORED} | ({} if loss is GeneralisedDice else {"class_weights": [1, 2, 3]})
    logits, target = guessed(7, 7, 7).to("meta").requires_grad_(), BALL.to("meta")
    value = loss(**settings)(logits, target, sample_weights=torch.ones(2, device="meta"))
    value.backward()
    assert value.shape == ()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Dice(class_weights=[1, -1]), "from 0 on.*found \\[1, -1\\]"),
        (lambda: CrossEntropy(class_weights=[0, 0]), "not all 0, one per class"),
        (lambda: Boundary(class_weights=[1, 0, 0]), "not all 0 behind the background, one per class"),
        (lambda: DiceCE(class_weights=[1, 0, 0]), "not all 0 behind the background, one per class"),
        (lambda: DiceCE(class_weights=[1, float("nan")]), "class_weights are numbers"),
        (lambda: Focal(gamma=0.5), "0, or 1 or more; found 0.5"),
        (lambda: TopK(0), "at most 100; found 0"),
        (lambda: Tversky(0, 0), "not both 0; found 0 and 0"),
        (lambda: Hausdorff(alpha=0), "above 0; found 0"),
        (lambda: ClDice(erosions=-1), "0 or more; found -1"),
        (lambda: Sum([]), "one loss or more.*found 0 losses"),
        (lambda: Sum([Dice()], [1, 2]), "found 1 losses and the weights \\[1, 2\\]"),
        (
            lambda: Sum([Dice(ignore_index=9), Boundary()]),
            "ignore the same id; found ignore_index 9 of Dice, None of Boundary",
        ),
        (lambda: Sum([Dice(ignore_index=9), Dice()]), "ignore the same id; found ignore_index 9 of Dice, None of Dice"),
        (lambda: Dice(class_weights=[1, 1])(guessed(4, 4), drawn(4, 4)), "3 here; found \\[1, 1\\]"),
        (lambda: check_loss(Sum([DiceCE(class_weights=[1, 1])]), classes=3, is_weighted=False), "of DiceCE has one"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be(make, words):
    with pytest.raises(InvalidConfig, match=words):
        make()


def test_a_loss_that_gives_no_number_is_refused():
    class OfVoxels(torch.nn.Module):
        def forward(self, logits, target):
            return logits.mean(1)

    with pytest.raises(InvalidConfig, match=r"OfVoxels gave a tensor of shape \(2, 4, 4\). Return value.mean"):
        supervise_scales(OfVoxels(), [guessed(4, 4)], drawn(4, 4))
    with pytest.raises(InvalidConfig, match="gave a float"):
        supervise_scales(lambda *_: 1.0, [guessed(4, 4)], drawn(4, 4))


def test_a_sum_takes_weights_of_samples_if_all_of_its_losses_do():
    class Own(torch.nn.Module):
        def forward(self, logits, target):
            return logits.mean()

    assert takes_sample_weights(Sum([Dice(), Sum([Focal()])]))
    assert not takes_sample_weights(Sum([Dice(), Sum([Own()])]))
    with pytest.raises(InvalidConfig, match="the loss Own takes none"):
        check_loss(Sum([Dice(), Own()]), classes=3, is_weighted=True)


def test_a_sum_hands_weights_of_samples_and_ignored_voxels_on():
    weights, target = torch.tensor([0.5, 2.0]), BALL.clone()
    target[:, :, :1] = IGNORED
    parts = [Dice(ignore_index=IGNORED), Focal(ignore_index=IGNORED)]
    total = Sum(parts, [1.0, 2.0])
    assert total.ignore_index == IGNORED
    first, second = (part(guessed(7, 7, 7), target, sample_weights=weights) for part in parts)
    assert float(total(guessed(7, 7, 7), target, sample_weights=weights)) == pytest.approx(float(first + 2 * second))
