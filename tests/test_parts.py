"""What fills a slot, and its way through a recipe."""

import json
from collections.abc import Callable
from functools import partial

import pytest
from jsonargparse import ArgumentParser
from torch import nn

from avnnet.errors import InvalidConfig, InvalidRecipe
from avnnet.parts import part
from avnnet.recipe import build, describe


class Layer(nn.Module):
    def __init__(self, width: int, p: float = 0.5, inner: Callable[[int], nn.Module] = nn.Identity):
        super().__init__()
        self.width, self.p, self.inner = width, p, inner


class Slot:
    def __init__(self, layer: Callable[[int], nn.Module] = Layer):
        self.layer = layer


def by_lightning(config):
    """The slot as Lightning's parser fills it, which has an instantiator of its own."""
    from pytorch_lightning.cli import LightningArgumentParser

    parser = LightningArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Slot, "slot")
    parser.add_instantiator(lambda cls, *args, **kwargs: cls(*args, **kwargs), object)
    return parser.instantiate_classes(parser.parse_object({"slot": {"layer": config}})).slot.layer


def filled(config):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Slot, "slot")
    return parser.instantiate(parser.parse_object({"slot": {"layer": config}})).slot.layer


HERE = f"{__name__}.Layer"


@pytest.mark.parametrize("config", [HERE, {"class_path": HERE}, {"class_path": HERE, "init_args": {"p": 0.5}}])
def test_a_config_that_gives_no_argument_but_the_defaults_fills_a_slot_with_the_class_itself(config):
    assert part(filled(config)) is Layer


def test_a_config_with_arguments_fills_a_slot_with_those_that_are_not_the_defaults():
    found = part(filled({"class_path": HERE, "init_args": {"p": 0.1, "inner": HERE}}))
    assert (found.func, found.keywords) == (Layer, {"p": 0.1, "inner": Layer})
    assert part(by_lightning({"class_path": HERE, "init_args": {"p": 0.1}})).keywords == {"p": 0.1}
    made = found(3)
    assert (made.width, made.p) == (3, 0.1)


def test_a_slot_goes_through_a_recipe_and_json_and_comes_back_the_same():
    given = partial(Layer, p=0.1, inner=partial(Layer, p=0.2))
    back = build(json.loads(json.dumps(describe(given))), [Layer])
    assert (back.func, back.keywords["p"]) == (Layer, 0.1)
    assert (back.keywords["inner"].func, back.keywords["inner"].keywords) == (Layer, {"p": 0.2})


def test_a_library_s_network_is_named_by_its_path_and_found_without_being_handed_over():
    from monai.networks.nets import SegResNet

    recipe = describe(partial(SegResNet, init_filters=16))
    assert recipe == {"part": "monai.networks.nets.SegResNet", "args": {"init_filters": 16}}
    assert build(recipe, []).func is SegResNet


@pytest.mark.parametrize(
    "name", ["os.system", "monai.utils.misc.Path", "monai.networks.nets.os", "monai.networks.nets.segresnet.SegResNet"]
)
def test_a_recipe_names_nothing_else_to_import(name):
    with pytest.raises(InvalidRecipe, match="the recipe names the class"):
        build({"type": name}, [])


def test_positional_arguments_and_functions_are_refused():
    with pytest.raises(InvalidConfig, match="arguments by name"):
        part(partial(Layer, 3))
    with pytest.raises(InvalidConfig, match="found a function"):
        part(lambda width: Layer(width))
    with pytest.raises(InvalidConfig, match="arguments by name"):
        part(partial(lambda width: Layer(width), width=3))
