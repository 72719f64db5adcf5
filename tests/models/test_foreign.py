"""Networks of other libraries: what is found of them by looking, and their way through a model folder."""

import json
import tracemalloc
from functools import partial

import pytest
import torch
from monai.networks import nets
from torch import nn

from avnnet.data.preprocess import Preprocess
from avnnet.errors import AvnnetError, InvalidConfig, InvalidNetwork, InvalidRecipe
from avnnet.inference.member import Member
from avnnet.inference.model_folder import load_model, save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import Foreign, check_network, known
from avnnet.recipe import build, describe

VOLUME = {"spatial_dims": 3, "in_channels": 1, "out_channels": 3}
NARROW = [4, 4, 4, 4, 8, 4]
SMALL = {
    "DynUNet": ({**VOLUME, "kernel_size": [3] * 3, "strides": [1, [1, 2, 2], 2], "filters": [4, 8, 8],
                 "upsample_kernel_size": [[1, 2, 2], 2], "deep_supervision": True}, (2, 4, 4)),
    "SegResNet": ({"init_filters": 8, "out_channels": 3}, (8, 8, 8)),
    "SegResNetDS": ({"init_filters": 8, "out_channels": 3, "blocks_down": [1, 1, 1], "dsdepth": 2}, (4, 4, 4)),
    "BasicUNetPlusPlus": ({"out_channels": 3, "features": NARROW}, (1, 1, 1)),
    "BasicUNet": ({"out_channels": 3, "features": NARROW}, (1, 1, 1)),
    "AttentionUnet": ({**VOLUME, "channels": [4, 8, 8], "strides": [2, 2]}, (4, 4, 4)),
    "UNet": ({**VOLUME, "channels": [4, 8, 8], "strides": [2, 2]}, (4, 4, 4)),
    "SwinUNETR": ({"in_channels": 1, "out_channels": 3, "feature_size": 12, "depths": [1] * 4, "num_heads": [1] * 4},
                  (32, 32, 32)),
    "UNETR": ({"in_channels": 1, "out_channels": 3, "img_size": 32, "feature_size": 4, "hidden_size": 12, "mlp_dim": 12,
               "num_heads": 1}, (32, 32, 32)),
}  # fmt: skip


def small(name: str) -> Foreign:
    if name in ("SwinUNETR", "UNETR"):
        pytest.importorskip("einops")
    return Foreign(partial(getattr(nets, name), **SMALL[name][0]))


@pytest.mark.parametrize("name", SMALL)
def test_a_network_of_monais_is_looked_at_saved_and_loaded_without_a_class_by_hand(name, tmp_path):
    net = small(name).eval()
    assert (net.classes, net.divisors) == (3, SMALL[name][1])
    size = [32, 32, 32 if name == "UNETR" else 64]
    member = Member(net, Preprocess([1.0] * 3), Tiling(size), name)
    again = load_model(save_model(Segmenter([member], HIP), tmp_path / "model")).ensemble.members[0].net.eval()
    assert again.divisors == net.divisors
    x = torch.randn(1, 1, *size)
    assert torch.equal(net(x), again(x))


@pytest.mark.parametrize("strides", [[1, [3, 2, 1], 2], [1, 3, 3], [1, [1, 1, 4], [2, 1, 1]]])
def test_the_divisors_found_are_the_products_of_the_strides(strides):
    steps = [[one] * 3 if isinstance(one, int) else one for one in strides]
    net = partial(nets.DynUNet, **VOLUME, kernel_size=[3] * 3, strides=steps, filters=[4] * 3)
    expected = tuple(a * b for a, b in zip(steps[1], steps[2], strict=True))
    assert Foreign(partial(net, upsample_kernel_size=steps[1:])).divisors == expected


def test_the_initial_weights_are_those_that_the_library_draws_from_the_seed():
    arguments = SMALL["SegResNet"][0]
    torch.manual_seed(3)
    plain = nets.SegResNet(**arguments)
    torch.manual_seed(3)
    wrapped = Foreign(partial(nets.SegResNet, **arguments))
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in wrapped.body.state_dict().items())


def test_deep_supervision_is_seen_by_the_loss_and_not_by_forward():
    net, x = small("DynUNet"), torch.randn(2, 1, 8, 16, 16)
    assert [tuple(one.shape) for one in net.train().scales(x)] == [(2, 3, 8, 16, 16)] * 2
    assert net(x).shape == (2, 3, 8, 16, 16)
    coarser = small("SegResNetDS").train().scales(x)
    assert [tuple(one.shape[2:]) for one in coarser] == [(8, 16, 16), (4, 8, 8)]


def test_weights_that_monai_leaves_out_of_its_loss_are_named():
    with pytest.raises(InvalidNetwork, match=r"no gradient reaches 6 of .*body\.final_conv_0_1\.weight"):
        check_network(small("BasicUNetPlusPlus"))


def test_a_network_that_takes_one_size_alone_says_so():
    with pytest.raises(InvalidNetwork, match=r"UNETR takes no image|Foreign takes no image"):
        check_network(small("UNETR"))


class Valued(nn.Module):
    """Computes with a number that it has not on paper."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv3d(1, 2, 1)

    def forward(self, x):
        return self.layer(x) * float(self.layer.weight.detach().abs().max().item() > 0)


def test_a_module_that_cannot_be_looked_at_on_paper_needs_its_divisors():
    with pytest.raises(InvalidNetwork, match=r"give them: divisors: \[16, 16, 16\]"):
        Foreign(Valued)
    assert Foreign(Valued, divisors=[2, 2, 2]).classes == 2


class Needing(nn.Module):
    def __init__(self):
        super().__init__()
        import no_such_dependency  # noqa: F401


class Fetching(nn.Conv3d):
    def __init__(self, checkpoint="weights.pth"):
        super().__init__(1, 3, 1)


BAD = [
    ({"net": Needing}, "Needing needs a package that is not installed here: No module named 'no_such_dependency'"),
    ({"net": partial(nn.Conv3d, 1, 3, 1)}, "arguments by name"),
    (
        {"net": partial(nets.DenseNet, **VOLUME, init_features=4, growth_rate=2, block_config=[1, 1])},
        r"gives a tensor \(1, 3\); a network of 3 dimensions",
    ),
    ({"net": partial(nets.SegResNet, in_channels=2)}, r"SegResNet takes no image of 1 channel\(s\) and 3 dimensions"),
    ({"net": partial(nets.SegResNet, spatial_dims=2)}, "takes no image of 1 channel"),
    ({"net": nets.SegResNet, "in_channels": 2}, r"takes no image of 2 channel"),
    ({"net": nets.SegResNet, "ndim": 4}, "ndim is a whole number from 2 to 3; found 4"),
    ({"net": nets.SegResNet, "divisors": [8]}, r"3 divisors; found \[8\]"),
    ({"net": nets.SegResNet, "divisors": [8, 8, 0]}, "every divisor is a whole number"),
    ({"net": partial(nn.Conv3d, in_channels=1, out_channels=3, kernel_size=2, stride=2)}, "must give logits"),
    ({"net": partial(nn.Conv3d, in_channels=1)}, "cannot build Conv3d: TypeError"),
    ({"net": dict}, "dict makes a dict"),
    ({"net": partial(nets.EfficientNetBN, model_name="efficientnet-b0")}, "without a download"),
    ({"net": partial(nets.HoVerNet, pretrained_url="http://localhost/x")}, "without a download"),
    ({"net": Fetching}, "without a download; Fetching has checkpoint: weights.pth"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_a_module_that_is_no_network_is_named_with_what_would_work(arguments, words):
    with pytest.raises(InvalidConfig, match=words):
        Foreign(**arguments)


@pytest.mark.parametrize(
    "part",
    [
        {"part": "torch.nn.Conv3d", "args": {"in_channels": 1, "out_channels": 2**30, "kernel_size": 1}},
        {"part": "monai.networks.nets.SegResNet", "args": {"init_filters": 8192}},
        {"part": "monai.networks.nets.SegResNet", "args": {"blocks_down": [2000], "init_filters": 512}},
        {"part": "monai.networks.nets.HoVerNet", "args": {"pretrained_url": "http://localhost/x"}},
        {"type": "monai.networks.nets.EfficientNetBN"},
    ],
)
def test_s09_a_recipe_asks_for_no_memory_and_no_download_before_it_is_looked_at(part):
    recipe = {"class": "Foreign", "args": {"net": part, "ndim": 3, "in_channels": 1, "divisors": [1, 1, 1]}}
    tracemalloc.start()
    with pytest.raises(AvnnetError):
        build(recipe, known())
    assert tracemalloc.get_traced_memory()[1] < 2**28
    tracemalloc.stop()


def test_a_recipe_makes_no_object_of_a_library_by_itself():
    with pytest.raises(InvalidRecipe, match=r"names the class 'torch\.nn\.Linear'"):
        build({"class": "torch.nn.Linear", "args": {"in_features": 2, "out_features": 2}}, known())


def test_what_was_found_stands_in_the_recipe():
    recipe = json.loads(json.dumps(describe(small("SegResNet"))))
    assert recipe["args"]["divisors"] == [8, 8, 8]
    assert recipe["args"]["net"] == {
        "part": "monai.networks.nets.SegResNet", "args": {"out_channels": 3},
    }  # fmt: skip
