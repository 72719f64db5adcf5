"""Flags: one home for all words, and a set that holds no other."""

import ast
from itertools import permutations
from pathlib import Path

import pytest

import avnnet
from avnnet.errors import InvalidConfig
from avnnet.flags import Flag, Flags, absent
from avnnet.image import Source

PACKAGE = Path(avnnet.__file__).parent
SETTING = "seen_in_training"  # also a setting's name in study.json
SOURCES = [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "flags.py"]


def literals(path: Path) -> set[str]:
    """The words of all text in a file but its docstrings and comments."""
    tree = ast.parse(path.read_text())
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        word
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare
        for word in node.value.split()
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_file_but_that_of_the_flags_spells_one(path):
    assert literals(path) & ({str(flag) for flag in Flag} - {"holes", SETTING}) == set()


def test_every_flag_is_raised_somewhere_and_every_raised_one_exists():
    raised = {
        node.attr
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Flag"
    }
    known = {absent("head").name, absent("necrosis").name}  # by `absent`, in the names of a scheme
    assert raised | known == {flag.name for flag in Flag}


def test_every_flag_says_what_it_means_and_what_to_do():
    assert all(flag.meaning and flag.advice and "|" not in flag.meaning + flag.advice for flag in Flag)
    assert len({flag.meaning for flag in Flag}) == len(Flag)


@pytest.mark.parametrize("word", ["crop_tuched", "", "no_hippocampus", "HOLES", "holes no_vital"])
def test_a_mistyped_flag_cannot_be_written(word):
    with pytest.raises(InvalidConfig, match="Flag is one of"):
        Flags([word])
    with pytest.raises(InvalidConfig, match="Flag is one of"):
        Flags() | [Flag.HOLES, word]


def test_what_is_written_reads_back_the_same_in_every_order():
    for words in permutations([Flag.HOLES, Flag.NO_VITAL, Flag.LOW_SNR]):
        assert Flags.read(str(Flags(words))) == Flags(words) == words


def test_joining_keeps_the_order_and_each_flag_once():
    one, other = Flags([Flag.HOLES, Flag.LOW_SNR]), Flags([Flag.NO_VITAL, Flag.HOLES])
    assert str(one | other) == "holes low_snr no_vital"
    assert one | one == one
    assert one | () == one
    assert (one | other).without(*one) == (Flag.NO_VITAL,)


def test_labels_of_ones_own_have_flags_in_their_names():
    flags = Flags([absent("hippocampus"), Flag.LOW_SNR])
    assert Flags.read(str(flags), ["hippocampus", "posterior"]) == flags
    with pytest.raises(InvalidConfig):
        Flags.read(str(flags))


def test_an_image_without_flags_has_an_empty_set_of_them():
    assert Source().flags == Flags()
