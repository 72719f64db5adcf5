"""With nnU-Net's weights our networks give nnU-Net's logits: held against what its own package gave once.

`benchmarks/oracle/nnunet_networks.py` says how; with the package it compares the whole networks.
"""

import json
import runpy
from pathlib import Path

import pytest
import torch

from avnnet.models import ConvBlock, ResEncBlock, ResEncUNet3D, UNet3D, check_network
from avnnet.models.pieces.residual import TwoConvs
from tests.models.test_pieces import SMALL

ORACLE = Path(__file__).parents[2] / "benchmarks" / "oracle" / "nnunet_networks.py"
NNUNET = json.loads(ORACLE.with_suffix(".json").read_text())


@pytest.fixture(scope="module")
def oracle():
    return runpy.run_path(str(ORACLE))


@pytest.mark.parametrize("name", NNUNET)
def test_a_network_of_nnunets_plans_has_as_many_parameters_as_nnunets(oracle, name):
    kind, _, plan = name.partition(" ")
    with torch.device("meta"):
        net = oracle["ours"](kind, oracle["PLANS"][plan])
    assert sum(p.numel() for p in net.parameters()) == NNUNET[name]["parameters"]


@pytest.mark.parametrize("name", NNUNET)
def test_a_network_of_nnunets_plans_gives_nnunets_logits(oracle, name):
    kind, _, plan = name.partition(" ")
    net = oracle["ours"](kind, oracle["PLANS"][plan], narrow=8).double().eval()
    oracle["fill"](net)
    with torch.no_grad():
        logits = oracle["sampled"](net.scales(oracle["image"](net)))
    assert len(logits) == len(NNUNET[name]["logits"])
    for own, theirs in zip(logits, NNUNET[name]["logits"], strict=True):
        assert own == pytest.approx(theirs, abs=1e-5)


def test_a_residual_block_starts_as_the_way_past_it():
    block, x = ResEncBlock(3, 4, 4, (3, 3, 3), (1, 1, 1), convs=3), torch.rand(2, 4, 3, 4, 5)
    assert torch.equal(block(x), x)
    assert len(block.blocks) == 3
    assert all(not module.layers[-1].weight.any() for module in block.modules() if isinstance(module, TwoConvs))


@pytest.mark.parametrize("net", [lambda: ResEncUNet3D(**SMALL), lambda: UNet3D(**SMALL, block=ResEncBlock)])
def test_residual_encoders_keep_the_contract(net):
    check_network(net())


def test_a_residual_encoder_has_nnunets_stages_and_a_thin_plain_decoder():
    net = ResEncUNet3D([4] * 7, [[1, 1, 2]] * 6)
    assert [len(stage.blocks) for stage in net.encoder.stages] == [1, 3, 4, 6, 6, 6, 6]
    assert all(isinstance(stage, ConvBlock) and len(stage.layers) == 3 for stage in net.decoder.stages)
