"""Every loss against numbers that were worked out by hand, and MONAI's against ours where ours is our own."""

import math

import monai.losses
import pytest
import torch

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
)
from tests.losses.conftest import drawn, guessed

# four voxels, two classes; the probabilities of class 1 are 1/2, 3/4, 1/4, 1/2, and 1, 1, 0, 0 is drawn
P = torch.tensor([0.5, 0.75, 0.25, 0.5])
LOGITS = torch.stack([torch.zeros(4), torch.log(P / (1 - P))])[None, :, None]  # (1, 2, 1, 4)
TARGET = torch.tensor([[[[1, 1, 0, 0]]]], dtype=torch.uint8)
# of the drawn class: 1/2, 3/4, 3/4, 1/2
CE = [math.log(2), math.log(4 / 3), math.log(4 / 3), math.log(2)]


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        # in both 5/4, predicted 2, drawn 2
        (Dice(), 1 - 2 * 1.25 / (2 + 2)),
        (Tversky(0.3, 0.7), 1 - 1.25 / (1.25 + 0.3 * 0.75 + 0.7 * 0.75)),
        (Tversky(1.0, 1.0), 1 - 1.25 / 2.75),  # Jaccard
        # both classes have two voxels, and so one weight
        (GeneralisedDice(), 1 - 2 * (1.25 + 1.25) / (4 + 4)),
        (GeneralisedDice(background=False), 1 - 2 * 1.25 / 4),
        (CrossEntropy(), sum(CE) / 4),
        (CrossEntropy(class_weights=[1, 3]), (3 * CE[0] + 3 * CE[1] + CE[2] + CE[3]) / 8),
        (Focal(gamma=2), (0.25 * CE[0] + 0.0625 * CE[1]) / 2),
        (Focal(gamma=0), sum(CE) / 4),
        (TopK(50), math.log(2)),
        (TopK(75), (2 * math.log(2) + math.log(4 / 3)) / 3),
        (TopK(100), sum(CE) / 4),
        (DiceCE(class_weights=[1, 1]), 1 - 2 * 1.25 / 4 + sum(CE) / 4),
        (DiceCE(dice_weight=2.0, ce_weight=0.5, class_weights=[1, 1]), 2 * (1 - 2 * 1.25 / 4) + sum(CE) / 8),
        (Sum([Dice(), CrossEntropy()], [3.0, -1.0]), 3 * (1 - 2 * 1.25 / 4) - sum(CE) / 4),
        # distances -1, 0 | 1, 2; errors p - g: -1/2, -1/4, 1/4, 1/2
        (Boundary(), (0.5 + 0 + 0.25 + 1.0) / 4),
        # drawn: distances 2, 1, 1, 2; predicted (p > 1/2): only voxel 1, distances 1, 1, 1, 2; squared errors 1/4, 1/16
        (Hausdorff(is_log=False), ((4 + 1) / 4 + (1 + 1) / 16 + (1 + 1) / 16 + (4 + 4) / 4) / 4),
        (Hausdorff(alpha=1.0, is_log=False), ((2 + 1) / 4 + (1 + 1) / 16 + (1 + 1) / 16 + (2 + 2) / 4) / 4),
        (Hausdorff(), math.log(1 + ((4 + 1) / 4 + (1 + 1) / 16 + (1 + 1) / 16 + (4 + 4) / 4) / 4)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, torch.nn.Module) else "",
)
def test_the_loss_is_the_number_worked_out_by_hand(loss, expected):
    assert float(loss(LOGITS, TARGET)) == pytest.approx(expected, rel=2e-5)


def test_generalised_dice_weighs_a_class_by_its_squared_volume():
    target = torch.tensor([[[[1, 0, 0, 0]]]])
    # class 0: drawn 3, predicted 2, in both 3/4 + 1/4 ... = 1/4 + 3/4 + 1/2; class 1: drawn 1, predicted 2, in both 1/2
    both, sums = (0.25 + 0.75 + 0.5, 0.5), (3 + 2, 1 + 2)
    expected = 1 - 2 * (both[0] / 9 + both[1]) / (sums[0] / 9 + sums[1])
    assert float(GeneralisedDice()(LOGITS, target)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("present", [[0, 1, 2], [0, 1], [0]])
def test_generalised_dice_does_not_depend_on_how_many_voxels_a_patch_has(present):
    target = torch.tensor(present).repeat(1, 1, 4, 4, 4)[..., :4]
    logits = guessed(4, 4, 4)[:1]
    small, large = ((logits.repeat(1, 1, n, n, n), target.repeat(1, 1, n, n, n)) for n in (1, 20))
    assert float(GeneralisedDice()(*large)) == pytest.approx(float(GeneralisedDice()(*small)), rel=1e-4)


def test_the_centre_line_of_a_broken_line_is_missed_where_it_is_broken():
    line = torch.zeros(1, 1, 3, 9, dtype=torch.long)
    line[0, 0, 1] = 1
    broken = line.clone()
    broken[0, 0, 1, 4] = 0
    logits = 40.0 * torch.cat([1 - broken, broken], 1)
    # a line of one voxel is its own skeleton; both ratios have 1 added above and below, as in MONAI
    precision, sensitivity = (8 + 1) / (8 + 1), (8 + 1) / (9 + 1)
    expected = 1 - 2 * precision * sensitivity / (precision + sensitivity + 1e-4)
    assert float(ClDice()(logits, line)) == pytest.approx(expected, abs=1e-4)


def test_class_weights_choose_the_structures_that_count():
    logits, target = guessed(6, 6), drawn(6, 6)
    for loss in (Dice, Tversky, Boundary, Hausdorff, ClDice):
        first, second, both = (
            loss(class_weights=weights)(logits, target) for weights in ([0, 1, 0], [5, 0, 1], [0, 3, 1])
        )
        assert float(both) == pytest.approx(float((3 * first + second) / 4), rel=1e-4)
        assert float(first) != pytest.approx(float(second), rel=1e-3)


@pytest.mark.parametrize("over_batch", [False, True])
def test_dice_and_tversky_are_monais(over_batch):
    logits, target = guessed(4, 5, 6), drawn(4, 5, 6)
    same = {"include_background": False, "to_onehot_y": True, "softmax": True, "batch": over_batch}
    dice = monai.losses.DiceLoss(**same)(logits, target)
    assert float(Dice(over_batch)(logits, target)) == pytest.approx(float(dice), rel=1e-5)
    tversky = monai.losses.TverskyLoss(**same, alpha=0.2, beta=0.8)(logits, target)
    assert float(Tversky(0.2, 0.8, over_batch)(logits, target)) == pytest.approx(float(tversky), rel=1e-5)


@pytest.mark.parametrize("over_batch", [False, True])
def test_dice_ce_of_our_own_terms_is_that_of_monai(over_batch):
    logits, target = guessed(4, 5, 6), drawn(4, 5, 6)
    plain = DiceCE(over_batch=over_batch)(logits, target)
    ours = DiceCE(over_batch=over_batch, class_weights=[1, 1, 1])(logits, target)
    assert float(ours) == pytest.approx(float(plain), rel=1e-5)


def test_the_default_dice_ce_is_monais_to_the_last_bit():
    logits, target = guessed(4, 5, 6), drawn(4, 5, 6)
    theirs = monai.losses.DiceCELoss(include_background=False, to_onehot_y=True, softmax=True)
    assert torch.equal(DiceCE()(logits, target), theirs(logits, target))


def test_cross_entropy_weighs_classes_as_torch_does():
    logits, target = guessed(5, 5), drawn(5, 5)
    theirs = torch.nn.CrossEntropyLoss(weight=torch.tensor([0.2, 1.0, 3.0]))(logits, target[:, 0])
    assert float(CrossEntropy([0.2, 1.0, 3.0])(logits, target)) == pytest.approx(float(theirs), rel=1e-5)


def test_the_hardest_voxels_are_those_of_nnunet():
    # nnU-Net's TopKLoss: the largest tenth of the flattened cross-entropy of the batch
    logits, target = guessed(8, 8, 8), drawn(8, 8, 8)
    values = torch.nn.functional.cross_entropy(logits, target[:, 0], reduction="none").flatten()
    expected = values.sort(descending=True).values[: int(len(values) * 0.1)].mean()
    assert float(TopK()(logits, target)) == pytest.approx(float(expected), rel=1e-5)
