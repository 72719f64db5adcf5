"""The necrotic angles drawn where they were measured: on the mid-coronal and the mid-sagittal plane."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Wedge
from matplotlib.patheffects import AbstractPathEffect, withStroke

from avnnet.image import Image, LabelMap
from avnnet.labels import Side
from avnnet.measure.extent import Arcs, arcs_in, modified_kerboul_deg, patient_planes
from avnnet.measure.head import MeasuredHead, measured_head
from avnnet.plots.planes import STEP_MM, resliced
from avnnet.plots.style import INK, LABEL_COLOURS, NotebookFigure

MARGIN_MM = 14.0
LETTERS = {"coronal": ("R", "L"), "sagittal": ("A", "P")}
VITAL, NECROSIS = LABEL_COLOURS[:2]
EDGE: list[AbstractPathEffect] = [withStroke(linewidth=2.0, foreground="black")]  # readable on white fat


def angles_plot(
    labels: LabelMap,
    side: Side | None = None,
    image: Image | None = None,
    *,
    tilt_deg: float = 0.0,
    head: MeasuredHead | None = None,
) -> Figure:
    """A figure of the mid-coronal and the mid-sagittal plane with the necrotic arcs, the fitted sphere and its centre.

    Both planes run through the head centre in the patient's axes. The patient's right is on the left, and the front on
    the left of the sagittal plane.

    Args:
        labels: vital bone and necrosis of one hip.
        side: the body side.
        image: the scan, on any grid; without it the labels are drawn alone.
        tilt_deg: pelvic tilt, by which the planes are turned.
        head: the `measured_head` of these labels, where it is at hand.

    Raises:
        Unmeasurable: if the labels have no shape of a head.

    Examples:
        >>> from avnnet.grid import Grid
        >>> z, y, x = np.indices((56, 56, 56)) - 27.5
        >>> ball = x**2 + y**2 + z**2 < 24**2
        >>> labels = LabelMap(ball.astype(int) + (ball & (z > 12)), Grid((56, 56, 56)))
        >>> len(angles_plot(labels, Side.RIGHT).axes)
        2
    """
    head = measured_head(labels, side) if head is None else head
    mirror = np.array([-1.0 if side is Side.LEFT else 1.0, 1.0, 1.0])
    figure = NotebookFigure(figsize=(9, 4.9), layout="constrained", facecolor="white")
    found = [arcs_in(head, plane) for plane in patient_planes(tilt_deg)]
    for axes, arcs in zip(figure.subplots(1, 2), found, strict=True):
        _draw(axes, head, arcs, labels, image, mirror)
    tilted = f", planes tilted by {tilt_deg:g}°" if tilt_deg else ""
    figure.suptitle(f"modified Kerboul angle {modified_kerboul_deg(*found):.0f}°{tilted}", fontsize=11)
    return figure


def _draw(
    axes: Axes, head: MeasuredHead, arcs: Arcs, labels: LabelMap, image: Image | None, mirror: np.ndarray
) -> None:
    half_mm = head.sphere.radius_mm + MARGIN_MM
    down, right = -np.asarray(arcs.plane.up) * mirror, np.asarray(arcs.plane.right) * mirror
    centre = head.centre_mm * mirror
    # the patient's right, and the front, are on the left: a left hip's coronal plane and every sagittal one are turned
    is_flipped = bool(right[0] < 0) or arcs.plane.name == "sagittal"
    extent = (-half_mm, half_mm, -half_mm, half_mm)
    if image is not None:
        cut = resliced(image, centre, down, right, order=1, half_mm=half_mm)
        low, high = np.percentile(cut, (0.5, 99.5))
        axes.imshow(cut, cmap="gray", vmin=low, vmax=max(high, low + 1), extent=extent, interpolation="bilinear")
    drawn = resliced(labels, centre, down, right, order=0, half_mm=half_mm)
    steps = np.arange(-half_mm, half_mm + STEP_MM / 2, STEP_MM)
    for colour, label_id in ((VITAL, 1), (NECROSIS, 2)):
        mask = drawn == label_id
        if not mask.any():
            continue
        if image is None:
            axes.contourf(steps, -steps, mask, levels=[0.5, 1.5], colors=colour, alpha=0.35)
        axes.contour(steps, -steps, mask, levels=[0.5], colors=colour, linewidths=1.0)
    _draw_angles(axes, head, arcs, INK if image is None else "white")
    axes.set(xlim=(half_mm, -half_mm) if is_flipped else (-half_mm, half_mm), ylim=(-half_mm, half_mm), aspect="equal")
    axes.set_axis_off()
    kind = "shadow of a lesion off the surface" if arcs.is_shadow else "arc"
    axes.set_title(f"mid-{arcs.plane.name}: {kind} {arcs.arc_deg:.0f}°", fontsize=10)
    colour = INK if image is None else "white"
    left, right_letter = LETTERS[arcs.plane.name]
    for x, y, word in ((0.03, 0.5, left), (0.97, 0.5, right_letter), (0.5, 0.97, "S"), (0.5, 0.03, "I")):
        letter = axes.text(x, y, word, transform=axes.transAxes, color=colour, ha="center", va="center")
        letter.set(fontweight="bold", path_effects=EDGE if image is not None else [])


def _draw_angles(axes: Axes, head: MeasuredHead, arcs: Arcs, colour: str) -> None:
    radius_mm = head.sphere.radius_mm
    turn = np.linspace(0, 2 * np.pi, 361)
    axes.plot(radius_mm * np.cos(turn), radius_mm * np.sin(turn), color=colour, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.plot([0], [0], marker="+", color=colour, markersize=8)
    for first, last in arcs.arcs_deg:
        axes.add_patch(
            Wedge((0, 0), radius_mm + 3, first, last, width=3, facecolor=NECROSIS, edgecolor="none", alpha=0.9)
        )
        for edge in (first, last):
            x, y = np.cos(np.deg2rad(edge)), np.sin(np.deg2rad(edge))
            axes.plot([0, (radius_mm + 3) * x], [0, (radius_mm + 3) * y], color=NECROSIS, linewidth=1.2)
        middle = np.deg2rad((first + last) / 2)
        number = axes.text(
            (radius_mm + 8) * np.cos(middle),
            (radius_mm + 8) * np.sin(middle),
            f"{last - first:.0f}°",
            color=colour,
            ha="center",
            va="center",
            fontsize=10,
        )
        number.set_path_effects(EDGE if colour == "white" else [])
