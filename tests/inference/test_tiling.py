import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from avnnet.errors import InvalidConfig
from avnnet.inference.tiling import Tiling, class_probabilities
from avnnet.inference.windows import window_starts, window_weights, windowed_logits
from avnnet.models import UNet2D, UNet3D
from avnnet.recipe import build, describe
from tests.inference.conftest import Threshold


class Ramp(nn.Module):
    """Logits that grow along the last axis of whatever it sees: mirroring matters."""

    ndim, classes = 3, 2

    def forward(self, x: Tensor) -> Tensor:
        ramp = torch.linspace(-1, 1, x.shape[-1]).expand_as(x)
        return torch.cat([torch.zeros_like(x), ramp], dim=1)


def test_probabilities_sum_to_one_for_images_smaller_and_larger_than_the_tile():
    net = UNet3D([4, 8], [[2, 2, 2]]).eval()
    for shape in [(6, 9, 5), (20, 30, 25)]:
        probabilities = class_probabilities(net, torch.randn(1, *shape), Tiling([8, 12, 12]))
        assert probabilities.shape == (3, *shape)
        assert torch.allclose(probabilities.sum(0), torch.ones(shape), atol=1e-5)


def test_tiles_of_a_pointwise_network_agree_with_the_whole_image():
    image = torch.randn(1, 20, 30, 25)
    tiled = class_probabilities(Threshold(), image, Tiling([8, 12, 12]))
    assert torch.allclose(tiled, Threshold()(image[None])[0].softmax(0), atol=1e-4)


def test_a_2d_network_gives_each_slice_what_it_gives_it_alone():
    net = UNet2D([4, 8], [[2, 2]]).eval()
    image = torch.randn(1, 5, 12, 12)
    together = class_probabilities(net, image, Tiling([5, 12, 12]))
    for index in range(5):
        with torch.inference_mode():
            alone = net(image[:, index][None])[0].softmax(0)
        assert torch.allclose(together[:, index], alone, atol=1e-5)


def test_mirroring_averages_the_logits_of_the_mirror_images():
    image = torch.zeros(1, 4, 4, 8)
    plain = class_probabilities(Ramp(), image, Tiling([4, 4, 8]))
    mirrored = class_probabilities(Ramp(), image, Tiling([4, 4, 8], mirror_axes=[2]))
    assert not torch.allclose(plain, plain.flip(-1))
    # the ramp and its mirror image cancel each other as logits
    assert torch.allclose(mirrored, torch.full_like(mirrored, 0.5), atol=1e-6)


def test_every_set_of_axes_is_mirrored_once():
    assert Tiling([4, 4, 4], mirror_axes=[0, 2]).flips() == [(), (0,), (2,), (0, 2)]


def test_the_last_axis_of_a_2d_networks_volume_is_mirrored_like_a_3d_ones():
    image = torch.randn(1, 3, 8, 8)
    net = UNet2D([4, 8], [[2, 2]]).eval()
    mirrored = class_probabilities(net, image, Tiling([3, 8, 8], mirror_axes=[2]))
    of_flipped = class_probabilities(net, image.flip(-1), Tiling([3, 8, 8], mirror_axes=[2])).flip(-1)
    assert torch.allclose(mirrored, of_flipped, atol=1e-5)


def test_tiles_lie_where_nnunet_lays_them_and_weigh_as_much():
    # of nnunetv2 2.8.1: compute_steps_for_sliding_window((37, 30), (16, 32), 0.5), and compute_gaussian
    assert (window_starts(37, 16, 0.5), window_starts(32, 32, 0.5)) == ([0, 7, 14, 21], [0])
    for patch in ([4, 6], [9, 1, 32]):
        bright = np.zeros(patch)
        bright[tuple(n // 2 for n in patch)] = 1
        filtered = gaussian_filter(bright, [n / 8 for n in patch], mode="constant")
        assert np.allclose(window_weights(patch), filtered / filtered.max(), atol=1e-7)


def test_tiles_and_mirror_images_of_what_looks_at_single_voxels_are_the_image():
    x = torch.randn(2, 1, 37, 9)
    seen = windowed_logits(lambda tile: torch.cat([tile, -tile], dim=1), x, [16, 32], [[], [0, 1]], 0.5)
    assert torch.allclose(seen, torch.cat([x, -x], dim=1), atol=1e-5)


def test_a_model_that_names_the_tiles_of_nnunet_is_read_and_no_longer_names_them():
    recipe = describe(Tiling([4, 8, 8], mirror_axes=[2]))
    recipe["args"]["as_nnunet"] = True
    assert describe(build(recipe, [Tiling])) == describe(Tiling([4, 8, 8], mirror_axes=[2]))


def test_a_tile_without_three_sizes_is_refused():
    with pytest.raises(InvalidConfig, match="three sizes"):
        Tiling([4, 4])
