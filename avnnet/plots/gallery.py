"""Pictures of digital hips: a row per hip, anatomical planes through its head centre, plain and with labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from avnnet.image import Image, LabelMap
from avnnet.phantom import HipTruth, SignalMode, Size, hip, usual
from avnnet.phantom.sequences import DIXON_CHANNELS
from avnnet.plots.planes import Direction, resliced
from avnnet.plots.style import LABEL_COLOURS, NotebookFigure, save_png

STAGES = (("I", 5.0), ("II", 11.0), ("IIIA", 20.0), ("IIIB", 32.0))
STAGE_MODES = (SignalMode.VIBE, SignalMode.VIBE_WE)
SHOWN_CHANNEL = {SignalMode.DIXON: (DIXON_CHANNELS.index("water"), "water")}


@dataclass(frozen=True)
class Shown:
    """A hip in a gallery.

    Args:
        title: what is written beside it.
        image: `(z, y, x)` intensities, or several channels.
        labels: on the image's grid.
        centre_mm: head centre, LPS mm.
        channel: which channel is shown.
    """

    title: str
    image: Image
    labels: LabelMap
    centre_mm: Sequence[float]
    channel: int = 0


def gallery(hips: Sequence[Shown]) -> Figure:
    """A figure with a row per hip: mid-coronal, mid-sagittal and native plane, plain, then with the labels drawn on.

    All planes run through the head centre. Coronal and sagittal are those of the patient, whatever the slices' tilt;
    the patient's right, or front, is on the left.

    Args:
        hips: at least one.
    """
    figure = NotebookFigure(figsize=(13.2, 2.35 * len(hips)), layout="constrained", facecolor="white")
    axes = figure.subplots(len(hips), 6, squeeze=False)
    for number, (row, shown) in enumerate(zip(axes, hips, strict=True)):
        native = np.asarray(shown.image.grid.direction)
        views: tuple[tuple[str, Direction, Direction], ...] = (
            ("mid-coronal", (0, 0, -1), (1, 0, 0)),
            ("mid-sagittal", (0, 0, -1), (0, 1, 0)),
            ("slice", native[:, 1], native[:, 2]),
        )
        cuts = [
            resliced(shown.image, shown.centre_mm, down, right, order=1, channel=shown.channel)
            for _, down, right in views
        ]
        low, high = np.percentile(np.concatenate([cut[cut > 0] for cut in cuts]), (0.5, 99.5))
        for column, ((name, down, right), cut) in enumerate(zip(views, cuts, strict=True)):
            labels = resliced(shown.labels, shown.centre_mm, down, right, order=0)
            for offset in (0, 3):
                place = row[column + offset]
                place.imshow(cut, cmap="gray", vmin=low, vmax=high, interpolation="bilinear")
                place.set(xticks=[], yticks=[])
                if number == 0:
                    place.set_title(name, fontsize=9)
            _outline(row[column + 3], labels, shown.labels)
        row[0].set_ylabel(shown.title, fontsize=8)
    return figure


def _outline(axes: Axes, cut: np.ndarray, labels: LabelMap) -> None:
    for colour, label_id in zip(LABEL_COLOURS, labels.scheme.names, strict=False):
        if (cut == label_id).any():
            axes.contour(cut == label_id, levels=[0.5], colors=colour, linewidths=0.8)


def write_gallery(out: Path, *, seed: int = 1, size: Size = Size.FULL) -> Iterator[Path]:
    """The paths of `stages.png` and `sequences.png`, each as soon as it is written.

    Args:
        out: folder of the pictures; made where it is absent.
        seed: of the hips.
        size: how finely they are sampled.

    Raises:
        OutputNotWritable: if the folder cannot be written to.
    """
    stages = [
        _hip(seed * 100 + number, stage, percent, mode, size)
        for number, (stage, percent) in enumerate(STAGES)
        for mode in STAGE_MODES
    ]
    yield save_png(gallery(stages), out / "stages.png", dots_per_inch=72)
    modes = [_hip(seed * 100 + 50, "IIIA", 18.0, mode, size) for mode in SignalMode]
    yield save_png(gallery(modes), out / "sequences.png", dots_per_inch=72)


def _hip(seed: int, stage: str, percent: float, mode: SignalMode, size: Size) -> Shown:
    field = usual(size, is_2d=mode is SignalMode.PD_TSE)
    generator = np.random.default_rng(seed)
    image, labels, truth = hip(generator, arco_stage=stage, necrosis_percent=percent, mode=mode, acquisition=field)
    channel, name = SHOWN_CHANNEL.get(mode, (0, ""))
    return Shown(_title(truth, f"{mode} {name}".strip()), image, labels, truth.centre_mm, channel)


def _title(truth: HipTruth, mode: str) -> str:
    return f"{truth.arco_stage}, {truth.lesion_form}\n{truth.necrosis_percent:.0f} %, {mode}"
