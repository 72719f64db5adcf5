"""The way back to an image's grid: linear between prepared voxels, as MONAI's resampler computes it."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import SpatialResample

from avnnet.data.softmax import interpolated


@pytest.mark.parametrize("shape", [(9, 14, 11), (1, 6, 20), (30, 5, 40)])
@pytest.mark.parametrize("spacing", [(0.7, 1.3, 1.0), (2.1, 0.3, 0.9)])
def test_values_are_those_of_monais_resampler(shape, spacing):
    start = np.array([0.4, -0.8, 1.7])
    values = torch.rand(2, 8, 12, 10, generator=torch.Generator().manual_seed(1))
    target = np.diag([*spacing, 1.0])
    target[:3, 3] = start
    resample = SpatialResample(mode="bilinear", padding_mode="border", dtype="float64")
    expected = resample(MetaTensor(values, affine=torch.eye(4)), torch.from_numpy(target), shape).as_tensor()
    places = [first + np.arange(n) * step for first, n, step in zip(start, shape, spacing, strict=True)]
    assert torch.allclose(interpolated(values, places), expected.float(), atol=1e-5)


def test_probabilities_still_sum_to_one_and_none_leaves_its_range():
    values = torch.rand(3, 6, 7, 8, generator=torch.Generator().manual_seed(2)).softmax(dim=0)
    found = interpolated(values, [np.linspace(-1, n, 3 * n) for n in (6, 7, 8)])
    assert torch.allclose(found.sum(dim=0), torch.ones(18, 21, 24), atol=1e-6)
    assert found.min() >= values.min()
    assert found.max() <= values.max()
