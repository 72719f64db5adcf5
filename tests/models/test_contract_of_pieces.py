"""Networks of our pieces keep the contract that every network keeps."""

from functools import partial

import pytest
from torch import nn

from avnnet.models import (
    Add,
    AttentionGate,
    ConvBlock,
    MedNeXtBlock,
    MedNeXtUp,
    ResEncUNet2D,
    UNet3D,
    check_network,
    known,
)
from avnnet.models.network import own_classes
from avnnet.recipe import build, describe
from tests.models.test_pieces import SMALL


@pytest.mark.parametrize(
    "make",
    [
        lambda: ResEncUNet2D([4, 8], [[2, 2]]),
        lambda: UNet3D(**SMALL, skip=AttentionGate),
        lambda: UNet3D(**SMALL, block=MedNeXtBlock, skip=Add, up=MedNeXtUp),
    ],
)
def test_a_network_of_pieces_keeps_the_contract(make):
    check_network(make())


def test_pieces_and_torchs_layers_of_the_same_names_go_into_one_recipe():
    net = UNet3D(**SMALL, block=partial(ConvBlock, act=nn.LeakyReLU))
    again = build(describe(net), {*known(), *own_classes(net)})
    assert again.block.keywords == {"act": nn.LeakyReLU}
