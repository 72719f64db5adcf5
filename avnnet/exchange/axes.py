"""Which way a network's axes run in the patient, in avnnet's words and in nnU-Net's.

avnnet turns every image into one order, by its header. nnU-Net takes the order of the file, (z, y, x), permuted by
`transpose_forward`: its networks know the files that they were trained on. A code such as LPS says how these were
stored: x runs to the left, y to posterior, z to superior. NiBabel's `aff2axcodes` gives it.
"""

from __future__ import annotations

from collections.abc import Sequence

from avnnet.data.orientation import ORDERS, FirstAxis
from avnnet.errors import InvalidConfig, NotCarried

LPS = "LPS"
OPPOSITE = {"R": "L", "A": "P", "I": "S"}
TRANSPOSE: dict[FirstAxis, list[int]] = {"superior": [0, 1, 2], "posterior": [1, 0, 2], "left": [2, 0, 1]}
"""nnU-Net's planner has these three: the axis of the coarsest spacing first, then the others."""


def checked_code(text: str) -> str:
    """A code of three directions, in capitals.

    Args:
        text: as given.

    Raises:
        InvalidConfig: if it is not one of each pair.

    Examples:
        >>> checked_code("ras")
        'RAS'
    """
    code = text.upper()
    if sorted(OPPOSITE.get(letter, letter) for letter in code) != sorted(LPS):
        raise InvalidConfig(
            f"files are stored as three letters say, of x, y and z: L or R, P or A, S or I; found {text!r}. RAS and "
            "LPS are usual; nibabel.aff2axcodes(nibabel.load(FILE).affine) gives a file's"
        )
    return code


def stored_as(first_axis: FirstAxis, reversed_axes: Sequence[int] | None) -> str:
    """The code of the files in which nnU-Net sees what an avnnet network was trained on.

    Args:
        first_axis: of the network's preprocessing.
        reversed_axes: of it.

    Examples:
        >>> stored_as("superior", None), stored_as("left", [0])
        ('LPS', 'RPS')
    """
    turned = [ORDERS[first_axis][axis] for axis in reversed_axes or ()]
    against = {one: other for other, one in OPPOSITE.items()}
    return "".join(against[letter] if row in turned else letter for row, letter in enumerate(LPS))


def axes_of(transpose_forward: Sequence[int], code: str) -> tuple[FirstAxis, list[int]]:
    """`first_axis` and `reversed_axes` of a network that nnU-Net trained on files of this code.

    Args:
        transpose_forward: of the plans.
        code: how the files were stored.

    Raises:
        NotCarried: if avnnet has no such order of axes.

    Examples:
        >>> axes_of([0, 1, 2], "RAS"), axes_of([2, 0, 1], "LPS")
        (('superior', [1, 2]), ('left', []))
    """
    if sorted(transpose_forward) != [0, 1, 2]:
        raise NotCarried(
            f"transpose_forward is an order of 0, 1, 2; plans.json has {str(list(transpose_forward))[:80]}"
        )
    letters = [checked_code(code)[2 - axis] for axis in transpose_forward]  # an array's first axis is a file's z
    rows = tuple(LPS.index(OPPOSITE.get(letter, letter)) for letter in letters)
    first = next((name for name, order in ORDERS.items() if order == rows), None)
    if first is None:
        raise NotCarried(
            f"the network's axes run {', '.join(letters)} in files stored as {code}, an order that avnnet does not "
            "have; its orders begin with S, P or L, and the others follow as S, P, L"
        )
    return first, [axis for axis, letter in enumerate(letters) if letter in OPPOSITE]  # type: ignore[return-value]
