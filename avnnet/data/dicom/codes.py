"""Codes and UIDs of a header: of a kind that names no person, unless the header is damaged."""

from __future__ import annotations

import re

from pydicom import config
from pydicom.uid import UID

# four digits in a row are a date of birth or a number of a person, moved here by damage, sooner than a part of a code
CODE = re.compile("(?!.*[0-9]{4})[A-Z0-9_ ]{0,16}")


def shown(*words: str) -> str:
    """Codes as a message may show them, with slashes between; "?" stands for what is no code, and may be a person's.

    Args:
        words: of the value representation CS.

    Source: DICOM PS3.5, 6.2: capitals, digits, blanks and underscores, at most 16.

    Examples:
        >>> shown("ORIGINAL", "PRIMARY", "M_FFE"), shown("Smith^John"), shown("19600102")
        ('ORIGINAL/PRIMARY/M_FFE', '?', '?')
    """
    return "/".join(word if CODE.fullmatch(word) else "?" for word in words)


def uid_of(text: str) -> UID:
    """A UID, whatever it is spelt like: pydicom warns of odd ones by printing them."""
    return UID(text, config.IGNORE)
