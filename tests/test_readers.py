"""Names of readers: one home, and what follows from a name."""

import ast
import math
from itertools import permutations
from pathlib import Path

import pytest

import avnnet
from avnnet import readers
from avnnet.readers import ENSEMBLE, LOCATED, MANUAL, SECOND, humans, is_human, n_networks

PACKAGE = Path(avnnet.__file__).parent
NAMES = [SECOND, ENSEMBLE, LOCATED]


@pytest.mark.parametrize("name", NAMES)
def test_no_other_file_spells_a_readers_name(name):
    found = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path != Path(readers.__file__)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value == name
    ]
    assert found == []


def test_the_reference_comes_first_in_whatever_order_the_rows_are():
    for order in permutations([MANUAL, SECOND, "manual_3", "unet3d", "ensemble"]):
        assert humans([*order, *order]) == [MANUAL, SECOND, "manual_3"]


def test_an_ensemble_is_made_of_more_networks_than_any_sum():
    assert sorted(["a+b+c", ENSEMBLE, "a", "a+b"], key=n_networks) == ["a", "a+b", "a+b+c", ENSEMBLE]
    assert n_networks(ENSEMBLE) == math.inf


def test_no_network_is_taken_for_a_person():
    assert [name for name in [MANUAL, SECOND, ENSEMBLE, LOCATED, "unet3d"] if is_human(name)] == [MANUAL, SECOND]
