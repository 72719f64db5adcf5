from collections import Counter

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from avnnet.data.augment import Augment, cut_patch, patch_centre
from avnnet.data.datasets import Draw, EpochSampler, TrainingSet, concatenate
from avnnet.data.sampling import seeded

STILL = Augment(affine_p=0, noise_p=0, blur_p=0, brightness_p=0, gamma_p=0)


def volume(shape=(7, 10, 12)):
    image = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))
    label = torch.zeros(1, *shape, dtype=torch.uint8)
    label[:, 2:5, 4:8, 5:9] = 1
    label[:, 3, 5:7, 6:8] = 2
    return image, label


@pytest.fixture
def entry(tmp_path):
    image, label = volume()
    save_file({"image": image, "label": label}, tmp_path / "a.safetensors")
    return tmp_path / "a.safetensors"


def dataset(entry, augment=Augment(), slices=None, patch=(7, 10, 12), **options):
    return TrainingSet(
        ["case"],
        [entry],
        patch=patch,
        spacing_mm=(2.0, 1.0, 1.0),
        augment=augment,
        foreground_p=0.5,
        slices=slices,
        seed=1,
        **options,
    )


def test_without_augmentation_a_patch_of_full_size_is_the_case_itself(entry):
    image, label = dataset(entry, STILL)[Draw(0, 0, 0)]
    assert torch.allclose(image[0], volume()[0], atol=1e-5)
    assert torch.equal(label[0], volume()[1])


def test_a_sample_depends_on_seed_epoch_draw_and_case_alone(entry):
    first, again = dataset(entry), dataset(entry)
    _ = first[Draw(5, 3, 0)]  # what was drawn before must not matter
    assert torch.equal(first[Draw(1, 2, 0)][0], again[Draw(1, 2, 0)][0])
    assert not torch.equal(first[Draw(1, 2, 0)][0], first[Draw(2, 2, 0)][0])
    assert not torch.equal(first[Draw(1, 2, 0)][0], first[Draw(1, 3, 0)][0])


def test_slices_of_a_2d_network_are_slices_of_the_patch(entry):
    image, label = dataset(entry, STILL, slices=6)[Draw(0, 0, 0)]
    assert image.shape == (6, 1, 10, 12)
    assert label.shape == (6, 1, 10, 12)
    whole = volume()[0][0]
    assert all(any(torch.allclose(one[0], z, atol=1e-5) for z in whole) for one in image)


def test_a_batch_is_the_samples_one_after_the_other(entry):
    samples = [dataset(entry)[Draw(0, n, 0)] for n in range(3)]
    image, label = concatenate(samples)
    assert image.shape == (3, 1, 7, 10, 12)
    assert torch.equal(label[1:2], samples[1][1])


@pytest.mark.parametrize("slices", [None, 3])
def test_workers_give_the_batches_that_the_training_process_gives(entry, slices):
    def batches(workers: int) -> list:
        loader = torch.utils.data.DataLoader(
            dataset(entry, slices=slices),
            sampler=EpochSampler(1, 4, seed=1),
            batch_size=2,
            collate_fn=concatenate,
            num_workers=workers,
            multiprocessing_context="spawn" if workers else None,
        )
        return list(loader)

    for alone, beside in zip(batches(0), batches(1), strict=True):
        assert torch.equal(alone[0], beside[0])
        assert torch.equal(alone[1], beside[1])


def test_an_epoch_draws_every_case_equally_often():
    sampler = EpochSampler(7, 10, seed=1)
    seen = Counter()
    for epoch in range(7):
        sampler.set_epoch(epoch)
        seen.update(draw.case for draw in sampler)
    assert set(seen.values()) == {10}


def test_an_epoch_after_a_resume_draws_as_it_would_have():
    through, resumed = EpochSampler(7, 10, seed=1), EpochSampler(7, 10, seed=1)
    for epoch in range(4):
        through.set_epoch(epoch)
        drawn = list(through)
    resumed.set_epoch(3)
    assert list(resumed) == drawn


def test_a_patch_larger_than_the_image_is_filled_with_the_mean_and_centred():
    image, label = volume((4, 4, 4))
    centre = patch_centre(label, (8, 8, 8), 0.5, seeded(1))
    moved, ids = cut_patch(image, label, (8, 8, 8), centre, np.eye(3, 4))
    assert torch.allclose(moved[:, 2:6, 2:6, 2:6], image, atol=1e-5)
    assert float(moved.abs().sum()) == pytest.approx(float(image.abs().sum()), rel=1e-4)
    assert ids.shape == (1, 8, 8, 8)


def test_a_patch_stays_inside_a_larger_image():
    _, label = volume((20, 30, 40))
    for number in range(50):
        centre = patch_centre(label, (7, 10, 12), 0.5, seeded(number))
        start = centre - (np.array([7, 10, 12]) - 1) / 2
        assert (start >= 0).all()
        assert (start + np.array([7, 10, 12]) <= [20, 30, 40]).all()


def test_aimed_patches_hold_a_structure():
    label = torch.zeros(1, 40, 40, 40, dtype=torch.uint8)
    label[0, 33, 4, 20] = 2
    for number in range(20):
        centre = patch_centre(label, (8, 8, 8), 1.0, seeded(number))
        start = (centre - 3.5).astype(int)
        assert label[0, start[0] : start[0] + 8, start[1] : start[1] + 8, start[2] : start[2] + 8].any()


def test_rotation_acts_in_millimetres():
    matrix = Augment(affine_p=1, scale=0, shift_voxels=0, rotate_deg=40).affine(seeded(3), (3.0, 0.5, 0.8))
    spacing = np.diag([3.0, 0.5, 0.8])
    turn = spacing @ matrix[:, :3] @ np.linalg.inv(spacing)
    assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert not np.allclose(turn, np.eye(3))


def test_mirroring_twice_is_nothing_and_once_is_a_flip():
    image, label = volume()
    centre = (np.array(image.shape[1:]) - 1) / 2
    mirror = np.eye(3, 4) * np.array([1, 1, -1])[:, None]
    mirrored, ids = cut_patch(image, label, image.shape[1:], centre, mirror)
    assert torch.allclose(mirrored, image.flip(-1), atol=1e-5)
    assert torch.equal(ids, label.flip(-1))


def test_intensity_changes_keep_the_shape_and_stay_finite():
    image, _ = volume()
    always = Augment(noise_p=1, blur_p=1, brightness_p=1, gamma_p=1)
    for number in range(20):
        changed = always.intensities(image, seeded(number))
        assert changed.shape == image.shape
        assert torch.isfinite(changed).all()
        assert not torch.equal(changed, image)


def test_gamma_keeps_mean_and_spread():
    image, _ = volume()
    only = Augment(noise_p=0, blur_p=0, brightness_p=0, gamma_p=1)
    changed = only.intensities(image, seeded(2))
    assert float(changed.mean()) == pytest.approx(float(image.mean()), abs=1e-4)
    assert float(changed.std()) == pytest.approx(float(image.std()), rel=1e-3)
