"""Who has a structure: both masks, neither, or one of them."""

from __future__ import annotations

from avnnet.choice import Choice


class Outcome(Choice):
    """A word in the column `outcome` of `agreement.csv`."""

    BOTH_PRESENT = "both_present"
    BOTH_EMPTY = "both_empty"
    MISSED = "missed"
    FALSE_POSITIVE = "false_positive"


def outcome_of(is_manual: bool, is_automatic: bool) -> Outcome:
    """The outcome of a structure.

    Args:
        is_manual: whether the manual mask has it.
        is_automatic: whether the automatic mask has it.

    Source:
        Ostmeier S et al. USE-Evaluator. Med Image Anal 2023;90:102927.

    Examples:
        >>> str(outcome_of(True, False)), str(outcome_of(False, False))
        ('missed', 'both_empty')
    """
    if is_manual:
        return Outcome.BOTH_PRESENT if is_automatic else Outcome.MISSED
    return Outcome.FALSE_POSITIVE if is_automatic else Outcome.BOTH_EMPTY
