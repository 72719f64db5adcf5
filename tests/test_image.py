import numpy as np
import pytest

from avnnet.errors import GeometryMismatch, InvalidLabelValues, InvalidRecipe, InvalidScheme
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import HIP, LabelScheme
from avnnet.recipe import build, describe


def test_an_array_of_another_shape_than_its_grid_is_refused():
    with pytest.raises(GeometryMismatch, match=r"\(2, 2, 3\)"):
        Image(np.zeros((2, 2, 3)), Grid((2, 2, 2)))


def test_a_label_outside_the_scheme_is_refused_with_its_voxel_count():
    array = np.zeros((2, 2, 2), np.int32)
    array[0, 0] = 255
    with pytest.raises(InvalidLabelValues, match=r"255: 2.*If 255 is left open: data.has_ignored"):
        LabelMap(array, Grid((2, 2, 2)))


def test_the_whole_is_the_union_of_all_labels():
    labels = LabelMap(np.array([[[0, 1, 2]]]), Grid((1, 1, 3)))
    union = labels.mask("vital") | labels.mask("necrosis")
    assert np.array_equal(labels.mask("head"), union)


def test_an_unknown_structure_names_those_there_are():
    with pytest.raises(InvalidScheme, match="vital"):
        HIP.ids("neck")


@pytest.mark.parametrize(
    ("names", "part"),
    [
        ({1: "a", 3: "b"}, "a"),
        ({1: "a", 2: "a"}, "a"),
        ({1: "a"}, "b"),
        ({0: "a", 1: "b"}, "a"),
        ({1: "w"}, "w"),
    ],
)
def test_a_contradictory_scheme_is_refused(names, part):
    with pytest.raises(InvalidScheme):
        LabelScheme(names, part=part, whole="w")


def test_a_recipe_names_no_code_that_was_not_handed_over():
    recipe = {"class": "Popen", "args": {"args": ["true"]}}
    with pytest.raises(InvalidRecipe, match="Popen"):
        build(recipe, [LabelScheme])


def test_a_recipe_with_other_arguments_is_refused():
    recipe = describe(HIP)
    recipe["args"]["colour"] = "red"
    with pytest.raises(InvalidRecipe, match="colour"):
        build(recipe, [LabelScheme])


def test_an_object_that_forgets_its_arguments_cannot_be_described():
    class Forgetful:
        def __init__(self, width: int) -> None:
            self.other = width

    with pytest.raises(InvalidRecipe, match="width"):
        describe(Forgetful(3))
