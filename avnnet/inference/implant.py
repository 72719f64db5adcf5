"""Whether metal stands where a femoral head should: a hole in the signal that no tissue leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from scipy import ndimage

from avnnet.flags import Flag, Flags
from avnnet.image import Image
from avnnet.inference.heads import MIN_APART_MM, MIN_X_MM
from avnnet.labels import Side

CELL_MM = 3.0
DARK = 0.05
"""Of the way from the darkest to the bright: fat that is suppressed and dead bone give more, metal and air less."""
SPECK_CELLS = 4
"""Of noise that stands out of the dark: fewer hang together than in any tissue."""
DARKEST_PERCENT, BRIGHT_PERCENT = 0.5, 95.0
MAX_TO_CENTRE_MM = 35.0
"""Of a head's centre; the middle of a prosthesis lies where that of the head was."""
MIN_RADIUS_MM = 8.0
"""Of a ball without signal. Digital hips of all sequences hold none above 5 mm, screws leave thinner ones, and a
prosthesis, whose head and cup are 28 to 60 mm wide, leaves a larger one (Hargreaves BA et al. AJR 2011;197:547-555)."""
MAX_APART_MM, MAX_OFF_MM = 260.0, 60.0
"""From one hip of a body to the other, across it and in the two other directions."""


@dataclass(frozen=True)
class Void:
    """A ball without signal inside the body, as a prosthesis leaves it.

    Args:
        centre_mm: LPS mm `(x, y, z)`.
        radius_mm: of the largest such ball there.
        side: of the body; None where it is not sure.
    """

    centre_mm: tuple[float, float, float]
    radius_mm: float
    side: Side | None


_known: WeakKeyDictionary[Image, tuple[np.ndarray, np.ndarray]] = WeakKeyDictionary()


def implant_flags(image: Image, centre_mm: Sequence[float]) -> Flags:
    """The flag `implant_suspected` if there is no signal near a head's centre in so large a ball that it is no tissue.

    Args:
        image: the scan; of several channels the first.
        centre_mm: of the head, LPS mm `(x, y, z)`.

    Examples:
        >>> from avnnet.grid import Grid
        >>> z, y, x = np.indices((20, 20, 20)) * 3.0
        >>> ball = (x - 30) ** 2 + (y - 30) ** 2 + (z - 30) ** 2 < 15**2
        >>> hip = Image(np.where(ball, 0.0, 100.0), Grid(ball.shape, (3.0, 3.0, 3.0)))
        >>> [[str(flag) for flag in implant_flags(hip, (30.0, 30.0, z_mm))] for z_mm in (30.0, 80.0)]
        [['implant_suspected'], []]
    """
    radius_mm, place_mm = _voids(image)
    is_near = np.linalg.norm(place_mm - np.asarray(centre_mm), axis=-1) <= MAX_TO_CENTRE_MM
    return Flags([Flag.IMPLANT_SUSPECTED] if radius_mm[is_near].max(initial=0.0) >= MIN_RADIUS_MM else [])


def implants_in(image: Image, heads_mm: Sequence[Sequence[float]]) -> list[Void]:
    """The balls without signal where a hip should be and no head was found: as many as heads are lacking, at most.

    Args:
        image: the scan; of several channels the first.
        heads_mm: the centres of the heads that were found, LPS mm `(x, y, z)`.

    Examples:
        >>> from avnnet.grid import Grid
        >>> z, y, x = np.indices((20, 20, 60)) * 3.0
        >>> ball = (x - 30) ** 2 + (y - 30) ** 2 + (z - 30) ** 2 < 15**2
        >>> hips = Image(np.where(ball, 0.0, 100.0), Grid(ball.shape, (3.0, 3.0, 3.0)))
        >>> [(void.centre_mm, void.side.value) for void in implants_in(hips, [(170.0, 30.0, 30.0)])]
        [((30.0, 30.0, 30.0), 'right')]
        >>> implants_in(hips, [(30.0, 30.0, 30.0), (170.0, 30.0, 30.0)])
        []
    """
    hips_mm = [np.asarray(head, float) for head in heads_mm]
    found: list[Void] = []
    radius_mm, place_mm = _voids(image) if len(hips_mm) < 2 else (np.zeros(0), np.zeros((0, 3)))
    while len(hips_mm) < 2:
        # gas in the rectum is as dark, and lies in the middle
        is_there = np.abs(place_mm[..., 0]) >= MIN_X_MM if not hips_mm else np.ones(radius_mm.shape, bool)
        for hip in hips_mm:
            across, back, up = np.moveaxis(np.abs(place_mm - hip), -1, 0)
            is_there &= (across >= MIN_APART_MM) & (across <= MAX_APART_MM)
            is_there &= (back <= MAX_OFF_MM) & (up <= MAX_OFF_MM)
        masked = np.where(is_there, radius_mm, 0.0)
        if masked.max(initial=0.0) < MIN_RADIUS_MM:
            break
        deepest = np.unravel_index(masked.argmax(), masked.shape)
        x, y, z = (float(value) for value in place_mm[deepest])
        middle_x = float(hips_mm[0][0] + x) / 2 if hips_mm else 0.0
        found.append(Void((x, y, z), float(masked[deepest]), Side.LEFT if x > middle_x else Side.RIGHT))
        hips_mm.append(place_mm[deepest])
    return found


def _voids(image: Image) -> tuple[np.ndarray, np.ndarray]:
    """Per cell of some 3 mm: the radius of the ball without signal around it, and its place, LPS mm `(x, y, z)`."""
    if image not in _known:  # two hips of one scan ask for the same
        _known[image] = _found_voids(image)
    return _known[image]


def _found_voids(image: Image) -> tuple[np.ndarray, np.ndarray]:
    grid = image.grid
    size = np.clip(np.rint(CELL_MM / np.asarray(grid.spacing)).astype(int), 1, grid.shape)
    cells = np.asarray(grid.shape) // size
    whole = image.channels[0][tuple(slice(0, int(n)) for n in cells * size)]
    blocks = whole.reshape(np.stack([cells, size], axis=1).ravel())
    # little noise is left, so that what is darker than suppressed fat can be told from it
    values = blocks.mean(axis=(1, 3, 5), dtype=np.float64)
    low, bright = np.percentile(values, [DARKEST_PERCENT, BRIGHT_PERCENT])
    is_dark = values < low + DARK * (bright - low)
    pieces, _ = ndimage.label(~is_dark)
    is_dark |= (np.bincount(pieces.ravel()) < SPECK_CELLS)[pieces]
    upward = int(np.abs(np.asarray(grid.direction)[2]).argmax())
    planes = np.moveaxis(is_dark, upward, 0)
    # air around the body is open to the border of every transverse plane, metal is not
    inside = np.moveaxis(np.stack([ndimage.binary_fill_holes(~plane) for plane in planes]), 0, upward)
    padded = np.pad(is_dark & inside, 1)
    radius_mm = ndimage.distance_transform_edt(padded, sampling=size * np.asarray(grid.spacing))[1:-1, 1:-1, 1:-1]
    index = np.indices(values.shape).reshape(3, -1).T * size + (size - 1) / 2
    return radius_mm, grid.to_lps(index).reshape(*values.shape, 3)
