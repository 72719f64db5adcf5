"""Words of avnnet's own among those of Lightning's command line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from avnnet.errors import InvalidConfig

NEGATIVE_NUMBER = re.compile(r"-\.?\d")  # a value, if a wrong one, and no option


def taken_out(name: str, words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The value of a word, None where it is not there, and the other words; the last one counts.

    Args:
        name: of the word, "--from".
        words: of the command line: `--from MODEL` or `--from=MODEL`.

    Raises:
        InvalidConfig: if the word has no value.

    Examples:
        >>> taken_out("--from", ["-c", "unet3d.yaml", "--from", "runs/a/model"])
        ('runs/a/model', ['-c', 'unet3d.yaml'])
    """
    value, rest, number = None, [], 0
    while number < len(words):
        word = words[number]
        number += 1
        if word == name:
            given = words[number] if number < len(words) else ""
            value = given if NEGATIVE_NUMBER.match(given) or not given.startswith("-") else ""
            number += 1
        elif word.startswith(f"{name}="):
            value = word.partition("=")[2]
        else:
            rest.append(word)
    if value is not None and not value.strip():
        raise InvalidConfig(f"{name} needs a value behind it; found none. Is a variable of the shell not set?")
    return value, rest
