"""Tiny models whose weights follow from a formula."""

import numpy as np
import pytest
import torch

from avnnet.data.preprocess import Preprocess
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import ResEncUNet2D, ResEncUNet3D, UNet2D, UNet3D

NETS = {
    "plain3d": lambda: UNet3D([4, 8, 8], [[1, 2, 2], [2, 2, 2]], [[1, 3, 3], [3, 3, 3], [3, 3, 3]], convs=[1, 2, 2]),
    "plain2d": lambda: UNet2D([4, 8], [[2, 2]], in_channels=2),
    "residual3d": lambda: ResEncUNet3D([4, 8, 8], [[1, 2, 2], [2, 2, 2]], deep_supervision=2),
    "residual2d": lambda: ResEncUNet2D([4, 4], [[2, 2]], blocks=[1, 2]),
}


def drawn(kind, seed=0):
    """A network in which every weight is different, also norms and biases."""
    net = NETS[kind]()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in net.parameters():
            value.copy_(0.4 * torch.randn(value.shape, generator=generator) + (value.ndim == 1))
    return net.eval()


@pytest.fixture
def model_of():
    """A model of some folds of one network: `model_of("plain3d", folds=2, mirror_axes=[0, 1, 2])`."""

    def make(kind, folds=1, mirror_axes=(), **preprocess):
        how = Preprocess([1.0, 1.0, 1.0], **{"clip_percentiles": [0, 100], **preprocess})
        tiling = Tiling([16, 16, 16], mirror_axes)
        return Segmenter([Member(drawn(kind, seed), how, tiling, kind, ["a1"]) for seed in range(folds)], HIP)

    return make


@pytest.fixture
def image():
    array = np.random.default_rng(3).normal(100, 20, (16, 16, 16))
    return Image(array.astype(np.float32), Grid((16, 16, 16)))
