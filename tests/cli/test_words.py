"""The words that commands share."""

import re

import pytest

from avnnet.choice import SignalMode
from avnnet.cli import parser
from avnnet.cli.fit_words import taken_out


@pytest.mark.parametrize("words", ["predict m i", "measure m", "compare m a"])
def test_another_word_than_sform_and_qform_is_a_usage_error_that_names_both(words, capsys):
    assert parser().parse_args([*words.split(), "--out", "o"]).prefer is None
    with pytest.raises(SystemExit) as stop:
        parser().parse_args([*words.split(), "--out", "o", "--prefer", "aform"])
    assert stop.value.code == 2
    assert re.search(r"--prefer: invalid choice: 'aform' .*sform.*qform", capsys.readouterr().err)


@pytest.mark.parametrize("word", ["-95,12,-5", "-95.5,1e1,-.5", "3,-4,5"])
def test_a_centre_that_begins_with_a_minus_is_a_centre(word):
    words = ["predict", "m", "i.nii.gz", "--centre", word, "--out", "o"]
    assert parser().parse_args(words).centre == tuple(map(float, word.split(",")))


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "m", "i", "--out", "o", "--centre", "nan,0,0"],
        ["predict", "m", "i", "--out", "o", "--centre", "-1,2"],
        ["predict", "m", "i", "--out", "o", "--series", "two"],
        ["scan", ""],
    ],
)
def test_a_word_that_cannot_be_says_what_it_must_be(words, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    assert "must be" in capsys.readouterr().err


def test_a_centre_that_is_not_three_numbers_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as stop:
        parser().parse_args(["predict", "m", "i", "--out", "o", "--centre=1,2"])
    assert stop.value.code == 2
    assert "1,2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "shown"),
    [("predict", "{sform,qform}"), ("measure", "{right,left}"), ("phantom cohort", "{oblique,axial,coronal,sagittal}")],
)
def test_the_help_shows_the_choices_of_the_library(words, shown, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args([*words.split(), "--help"])
    assert shown in capsys.readouterr().out


def test_every_sequence_of_the_library_is_one_of_the_command_and_mixed_is_too():
    for word in ("mixed", *SignalMode):
        assert parser().parse_args(["phantom", "cohort", "o", "--sequence", word]).sequence == word
    with pytest.raises(SystemExit):
        parser().parse_args(["phantom", "cohort", "o", "--sequence", "vibes"])


def test_an_empty_word_for_the_folder_of_results_is_a_usage_error_not_the_working_directory(capsys):
    with pytest.raises(SystemExit) as stop:
        parser().parse_args(["predict", "m", "i.nii.gz", "--out", ""])
    assert stop.value.code == 2
    assert "--out: must be a path; found an empty word" in capsys.readouterr().err


def test_a_negative_number_behind_a_word_of_fit_is_its_value():
    assert taken_out("--minutes", ["--minutes", "-5", "-c", "a.yaml"]) == ("-5", ["-c", "a.yaml"])
