"""Contours on an image: three planes, plain and annotated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from avnnet.errors import GeometryMismatch
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.plots.style import LABEL_COLOURS, NotebookFigure

LINE_STYLES: tuple[Literal["solid", "dashed", "dotted", "dashdot"], ...] = (
    "solid",
    "dashed",
    "dotted",
    "dashdot",
)
TOWARDS = (("R", "L"), ("A", "P"), ("I", "S"))  # the negative and positive end of each LPS axis
NORMALS = ("sagittal", "coronal", "axial")  # the plane whose normal is the x, y or z axis
OBLIQUE = 0.5  # a second letter is written from 30° of tilt on
MARGIN_MM = 15.0
SCALE_BAR_MM = 10.0
WINDOW_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True)
class _Plane:
    """One array plane as it is shown: which axis is cut, which run down and right, and which are flipped."""

    cut: int
    down: int
    right: int
    flip_down: bool
    flip_right: bool

    def shown(self, array: np.ndarray, index: Sequence[int], box: Sequence[slice]) -> np.ndarray:
        """The `(rows, columns)` of an array `(z, y, x)` through a voxel, within a box, as they are shown."""
        where: list[int | slice] = list(box)
        where[self.cut] = index[self.cut]
        plane = array[tuple(where)]
        plane = plane if self.down < self.right else plane.T
        return plane[:: -1 if self.flip_down else 1, :: -1 if self.flip_right else 1]


def _plane(grid: Grid, cut: int) -> _Plane:
    """How the plane across an array axis is shown: head or front up, right side or front on the left."""
    direction = np.asarray(grid.direction)
    first, second = (axis for axis in range(3) if axis != cut)
    # the axis that runs most along the body is vertical, else the one that runs most from front to back
    upright = direction[2] if max(abs(direction[2, first]), abs(direction[2, second])) > 0.5 else direction[1]
    down, right = (first, second) if abs(upright[first]) >= abs(upright[second]) else (second, first)
    world_down, world_right = (int(np.argmax(np.abs(direction[:, axis]))) for axis in (down, right))
    # down is towards the feet (negative z) or the back (positive y); right is left or the back
    flip_down = bool((direction[world_down, down] > 0) == (world_down == 2))
    flip_right = bool(direction[world_right, right] < 0)
    return _Plane(cut, down, right, flip_down, flip_right)


def _letters(grid: Grid, axis: int, flipped: bool) -> tuple[str, str]:
    """The orientation letters at the start and the end of an array axis as it is shown."""
    vector = np.asarray(grid.direction)[:, axis] * (-1 if flipped else 1)
    main = sorted((i for i in range(3) if abs(vector[i]) >= OBLIQUE), key=lambda i: -abs(vector[i]))[:2]
    ends = ["".join(TOWARDS[i][int((vector[i] > 0) == end)] for i in main) for end in (False, True)]
    return ends[0], ends[1]


def _centre(contours: Mapping[str, LabelMap], shape: tuple[int, int, int]) -> list[int]:
    """The voxel at the centre of the part, else of the whole, of the first contours that have one."""
    for name in ("part", "whole"):
        for labels in contours.values():
            voxels = np.argwhere(labels.mask(getattr(labels.scheme, name)))
            if len(voxels):
                return [int(i) for i in np.rint(voxels.mean(axis=0))]
    return [n // 2 for n in shape]


def _box(contours: Mapping[str, LabelMap], index: Sequence[int], grid: Grid) -> list[slice]:
    """What is shown: all structures and the point with a margin, or the whole image where there are none."""
    found = [np.argwhere(labels.array > 0) for labels in contours.values()]
    corners = [bound(axis=0) for voxels in found if len(voxels) for bound in (voxels.min, voxels.max)]
    if not corners:
        return [slice(0, n) for n in grid.shape]
    corners.append(np.asarray(index))
    margin = np.ceil(MARGIN_MM / np.asarray(grid.spacing)).astype(int)
    low = np.maximum(np.min(corners, axis=0) - margin, 0)
    high = np.minimum(np.max(corners, axis=0) + margin + 1, grid.shape)
    return [slice(int(a), int(b)) for a, b in zip(low, high, strict=True)]


def _window(shown: Sequence[np.ndarray]) -> tuple[float, float]:
    """The grey values of black and white: robust percentiles of what is shown."""
    values = np.concatenate([plane.ravel() for plane in shown]).astype(float)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, WINDOW_PERCENTILES)
    return float(low), float(high) if high > low else float(low) + 1.0


def overlay(
    image: Image,
    contours: Mapping[str, LabelMap],
    *,
    axes: np.ndarray | None = None,
    centre_index: Sequence[int] | None = None,
    channel: int = 0,
) -> Figure:
    """A figure of three planes of the image through one voxel, plain above and with thin contours below.

    The planes are those of the array, named after the nearest anatomical plane; an oblique scan stays
    oblique. They are shown as radiologists read: head or front up, the patient's right on the left. Pixels
    have their true aspect, grey values run from the 0.5 to the 99.5 percentile of what is shown, the bar is
    10 mm.

    Args:
        image: `(z, y, x)` intensities, or several channels of them.
        contours: reader to labels on the image's grid, at most four: the first is drawn solid, the second
            dashed, then dotted and dash-dotted. Each label has one colour, whoever drew it.
        axes: `(2, 3)` axes to draw on; new ones on a new figure by default, with a legend.
        centre_index: the voxel `(z, y, x)` that the planes run through; by default the centre of the first
            reader's part (the necrosis), of the whole where that is empty, or of the image.
        channel: which channel is shown.

    Raises:
        GeometryMismatch: if labels lie on another grid, or the voxel lies outside the image.

    Examples:
        >>> labels = LabelMap(np.pad(np.ones((3, 3, 3), int), 2), Grid((7, 7, 7)))
        >>> len(overlay(Image(labels.array * 9.0, labels.grid), {"manual": labels}).axes)
        6
    """
    for name, labels in contours.items():
        if not labels.grid.is_close(image.grid):
            raise GeometryMismatch(
                f"contours {name!r} must lie on the image's grid {image.grid.summary()}; found "
                f"{labels.grid.summary()}. Resample the labels onto the image"
            )
    index = list(centre_index) if centre_index is not None else _centre(contours, image.grid.shape)
    if len(index) != 3 or any(not 0 <= i < n for i, n in zip(index, image.grid.shape, strict=False)):
        raise GeometryMismatch(
            f"the centre must be a voxel (z, y, x) of an image of shape {image.grid.shape}; found {index}"
        )
    box = _box(contours, index, image.grid)
    planes = [_plane(image.grid, cut) for cut in range(3)]
    shown = [plane.shown(image.channels[channel], index, box) for plane in planes]
    window = _window(shown)
    own = axes is None
    if axes is None:
        axes = NotebookFigure(figsize=(9, 6.4), layout="constrained", facecolor="white").subplots(2, 3)
    for column, (plane, pixels) in enumerate(zip(planes, shown, strict=True)):
        for row in (0, 1):
            _draw_image(axes[row, column], image.grid, plane, pixels, window)
        normal = int(np.argmax(np.abs(np.asarray(image.grid.direction)[:, plane.cut])))
        title = f"{NORMALS[normal]}, slice {index[plane.cut] + 1} of {image.grid.shape[plane.cut]}"
        axes[0, column].set_title(title, fontsize=9)
        for labels, style in zip(contours.values(), LINE_STYLES, strict=False):
            _draw_contours(axes[1, column], plane, labels, index, box, style)
    if own and contours:
        _legend(axes[0, 0].figure, contours)
    return axes[0, 0].get_figure(root=True)


def _draw_image(axes: Axes, grid: Grid, plane: _Plane, pixels: np.ndarray, window: tuple[float, float]) -> None:
    height_mm, width_mm = (
        pixels.shape[0] * grid.spacing[plane.down],
        pixels.shape[1] * grid.spacing[plane.right],
    )
    axes.imshow(pixels, cmap="gray", vmin=window[0], vmax=window[1], extent=(0, width_mm, height_mm, 0))
    axes.set_axis_off()
    top, bottom = _letters(grid, plane.down, plane.flip_down)
    left, right = _letters(grid, plane.right, plane.flip_right)
    for x, y, word in ((0.5, 0.97, top), (0.5, 0.03, bottom), (0.03, 0.5, left), (0.97, 0.5, right)):
        axes.text(
            x, y, word, transform=axes.transAxes, color="white", fontsize=9, fontweight="bold",
            ha={0.03: "left", 0.97: "right"}.get(x, "center"), va={0.97: "top", 0.03: "bottom"}.get(y,
            "center"),
        )  # fmt: skip
    end_mm, depth_mm = 0.95 * width_mm, 0.95 * height_mm
    axes.plot([end_mm - SCALE_BAR_MM, end_mm], [depth_mm, depth_mm], color="white", linewidth=2)


def _draw_contours(
    axes: Axes, plane: _Plane, labels: LabelMap, index: Sequence[int], box: Sequence[slice], style: str
) -> None:
    spacing = labels.grid.spacing
    shown = plane.shown(labels.array, index, box)
    for colour, label_id in zip(LABEL_COLOURS, labels.scheme.names, strict=False):
        mask = shown == label_id
        if not mask.any():
            continue
        padded = np.pad(mask, 1).astype(float)  # closes the contours of structures that leave what is shown
        rows_mm = (np.arange(padded.shape[0]) - 0.5) * spacing[plane.down]
        columns_mm = (np.arange(padded.shape[1]) - 0.5) * spacing[plane.right]
        limits = axes.get_xlim(), axes.get_ylim()
        axes.contour(columns_mm, rows_mm, padded, levels=[0.5], colors=colour, linewidths=1.1, linestyles=style)
        axes.set(xlim=limits[0], ylim=limits[1])


def _legend(figure: Figure, contours: Mapping[str, LabelMap]) -> None:
    names = next(iter(contours.values())).scheme.names.values()
    handles = [Line2D([], [], color=c, linewidth=2, label=n) for c, n in zip(LABEL_COLOURS, names, strict=False)]
    handles += [
        Line2D([], [], color="black", linewidth=1.1, linestyle=style, label=name)
        for name, style in zip(contours, LINE_STYLES, strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=9)
