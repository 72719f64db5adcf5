"""A few networks in place of all, and what a network costs."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from avnnet.data.preprocess import Preprocess
from avnnet.errors import InvalidConfig, InvalidRecipe
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.inference.effort import cost_table, hip_gflop, passes
from avnnet.inference.ensemble import Ensemble
from avnnet.inference.fast import FastSet
from avnnet.inference.locate import Locator
from avnnet.inference.member import Member
from avnnet.inference.model_folder import load_model, save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling, class_probabilities
from avnnet.labels import HIP
from avnnet.models import UNet2D, UNet3D

FAST = FastSet(("unet3d",), 1.5, 20.0, 6, {"necrosis": 0.8}, {"necrosis": 0.805})
GRID = Grid((14, 20, 18), (2.0, 1.1, 1.3))


def network(name: str, seed: int) -> Member:
    torch.manual_seed(seed)
    net = UNet2D([4, 8], [[2, 2]]) if name == "unet2d" else UNet3D([4, 8], [[2, 2, 2]])
    return Member(net, Preprocess([2.0, 1.0, 1.0], [8, 16, 16]), Tiling([8, 16, 16]), name)


def model(fast: FastSet | None = FAST) -> Segmenter:
    members = [network(name, seed) for seed in (0, 1) for name in ("unet2d", "unet3d")]
    locator = Locator(Ensemble([network("locator", 5), network("locator", 6)], HIP))
    return Segmenter(members, HIP, locator=locator, fast=fast)


def test_the_fast_model_answers_as_its_network_alone():
    image = Image(np.random.default_rng(0).normal(size=GRID.shape).astype(np.float32), GRID)
    whole = model()
    fast = whole.as_fast()
    alone = Segmenter([whole.members[1]], HIP)
    said, expected = (one.predict(image, side="right", centre_mm=(10, 9, 13)) for one in (fast, alone))
    assert np.array_equal(said.probabilities.values, expected.probabilities.values)
    assert not np.array_equal(
        said.probabilities.values,
        whole.predict(image, side="right", centre_mm=(10, 9, 13)).probabilities.values,
    )
    assert fast.is_fast
    assert not whole.is_fast
    assert len(fast.locator.ensemble.members) == 1
    assert fast.summary() == "1 networks: 1 x unet3d"


def test_a_model_without_the_evidence_has_no_fast_one():
    with pytest.raises(InvalidConfig, match="which of this model's 4 networks are enough: a study finds it"):
        model(None).as_fast()


@pytest.mark.parametrize("fast", [None, FAST])
def test_a_model_folder_keeps_which_networks_are_enough(tmp_path, fast):
    assert load_model(save_model(model(fast), tmp_path)).fast == fast


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"networks": ["unet9d"]}, "fast names some of the model's networks, unet2d, unet3d; found unet9d"),
        ({"networks": []}, "found none"),
        ({"networks": "unet3d"}, "networks must be a list"),
        ({"gflop": "much"}, "gflop must be a finite number"),
        ({"gflop": float("nan")}, "finite numbers; found NaN"),
        ({"says": 1}, "says"),
    ],
)
def test_a_damaged_choice_is_refused(tmp_path, change, said):
    path = save_model(model(), tmp_path) / "model.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"fast": asdict(FAST) | change}))
    with pytest.raises(InvalidRecipe, match=said):
        load_model(tmp_path)


@pytest.mark.parametrize("axes", [[], [1, 2]])
@pytest.mark.parametrize("name", ["unet2d", "unet3d"])
@pytest.mark.parametrize("shape", [[8, 16, 16], [5, 16, 27], [20, 30, 17]])
def test_passes_and_operations_are_those_that_a_prediction_does(name, axes, shape):
    member = network(name, 0)
    member.tiling = Tiling([8, 16, 16], mirror_axes=axes)
    seen = []
    hook = member.net.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    with FlopCounterMode(display=False) as counter:
        class_probabilities(member.net.eval(), torch.zeros(1, *shape), member.tiling)
    hook.remove()
    assert passes(member, shape) == sum(seen)
    assert hip_gflop(member, shape) == pytest.approx(counter.get_total_flops() / 1e9, rel=1e-6)


def test_a_row_tells_what_one_network_of_a_configuration_costs():
    table = cost_table(model().members).set_index("network")
    assert table["n_networks"].to_dict() == {"unet2d": 2, "unet3d": 2}
    net = network("unet3d", 0).net
    assert table.loc["unet3d", "parameters"] == sum(one.numel() for one in net.parameters())
    assert table.loc["unet3d", "mebibytes"] == pytest.approx(table.loc["unet3d", "parameters"] * 4 / 2**20, abs=0.005)
