import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Spacingd

from avnnet.data.transforms import CENTRE_KEY, HeadCentredCropd, spacing_and_crop

SOURCE_MM = (1.2, 0.5, 0.6)
CENTRE_MM = (14.1, 15.3, 16.2)


def data() -> dict:
    rng = np.random.default_rng(0)
    affine = torch.diag(torch.tensor([*SOURCE_MM, 1.0], dtype=torch.float64))
    image = rng.normal(size=(1, 24, 60, 54)).astype(np.float32)
    label = rng.integers(0, 3, size=(1, 24, 60, 54)).astype(np.uint8)
    return {
        "image": MetaTensor(torch.from_numpy(image), affine=affine),
        "label": MetaTensor(torch.from_numpy(label), affine=affine),
        CENTRE_KEY: CENTRE_MM,
    }


def test_cutting_first_gives_what_spacing_the_whole_image_gives():
    # eager and in order: the slow way, and the oracle of the fast one. The cut starts on a source voxel, so both
    # lattices agree where the spacing divides; here the target is twice the source
    spacing = [2.4, 1.0, 1.2]
    slow = Compose(
        [
            Spacingd(["image"], pixdim=spacing, mode=["bilinear"], padding_mode="border", dtype=np.float32),
            HeadCentredCropd(["image"], [6, 12, 14]),
        ]
    )(data())["image"]
    fast = spacing_and_crop(["image"], ["bilinear"], spacing, [6, 12, 14])(data())["image"]
    shift = np.asarray(fast.affine)[:3, 3] - np.asarray(slow.affine)[:3, 3]
    assert fast.shape == slow.shape == (1, 6, 12, 14)
    assert (np.abs(shift) <= np.asarray(spacing) / 2 + 1e-6).all()
    source = data()["image"][0].numpy()
    index = np.asarray(fast.affine)[:3, 3] / SOURCE_MM
    assert np.allclose(index, np.rint(index), atol=1e-4)  # on source voxels: no interpolation there
    start = np.rint(index).astype(int)
    expected = source[start[0] :: 2, start[1] :: 2, start[2] :: 2][:6, :12, :14]
    assert np.allclose(fast[0].numpy(), expected, atol=1e-4)


def test_labels_keep_the_nearest_interpolation_through_the_lazy_crop():
    out = spacing_and_crop(["image", "label"], ["bilinear", "nearest"], [0.7, 0.4, 0.5], [20, 30, 30])(data())
    assert set(np.unique(out["label"].numpy()).tolist()) <= {0.0, 1.0, 2.0}
    assert len(np.unique(out["image"].numpy())) > 1000


@pytest.mark.parametrize("size", [(7, 9, 11), (8, 10, 12)])
def test_the_crop_has_the_asked_size_around_the_centre(size):
    out = spacing_and_crop(["image"], ["bilinear"], [1.0, 0.5, 0.5], size)(data())["image"]
    assert out.shape[1:] == size
    affine = np.asarray(out.affine)
    middle = affine[:3, :3] @ ((np.array(size) - 1) / 2) + affine[:3, 3]
    assert (np.abs(middle - CENTRE_MM) <= [0.5 + 1e-6, 0.25 + 1e-6, 0.25 + 1e-6]).all()


def test_nothing_is_resampled_where_the_spacing_fits():
    out = spacing_and_crop(["image"], ["bilinear"], SOURCE_MM, [6, 12, 14])(data())["image"]
    start = np.rint(np.asarray(out.affine)[:3, 3] / SOURCE_MM).astype(int)
    box = tuple(slice(a, a + n) for a, n in zip(start, (6, 12, 14), strict=True))
    assert np.array_equal(out[0].numpy(), data()["image"][0].numpy()[box])


def test_beyond_the_edge_the_last_voxel_is_repeated():
    near_edge = {**data(), CENTRE_KEY: (1.2, 0.5, 0.6)}
    out = spacing_and_crop(["image"], ["bilinear"], SOURCE_MM, [7, 9, 9])(near_edge)["image"][0].numpy()
    assert np.array_equal(out[0], out[1])
    assert np.array_equal(out[1], out[2])
