"""The first thing that a study shows: one held-out case, long before the tables."""

from __future__ import annotations

from pathlib import Path

from avnnet.data.cohort import Case
from avnnet.data.files import read_image
from avnnet.data.ignored import read_known_labels
from avnnet.errors import AvnnetError
from avnnet.inference.segmenter import Segmenter
from avnnet.measure.volumes import volumes
from avnnet.metrics.overlap import dice
from avnnet.progress import Reporter
from avnnet.readers import AUTOMATIC, MANUAL

PICTURE = "first.png"


def show_first(case: Case, model: Segmenter, out: Path, reporter: Reporter, *, has_ignored: bool = False) -> None:
    """Draws a held-out case as the first network that is trained sees it, and says its volumes beside the manual ones.

    A picture that is there already is not drawn again. A case that cannot be segmented is left to the tables, which say
    why.

    Args:
        case: held out from the model's training.
        model: the network.
        out: the study's folder; the picture is `first.png` in it.
        reporter: told of it in a line.
        has_ignored: whether the manual mask may hold 255, voxels that count nowhere.
    """
    path = out / PICTURE
    if path.exists():
        return
    from avnnet.plots import overlay, save_png

    try:
        image = read_image(case.image)
        manual = read_known_labels(case.label, model.scheme, has_ignored=has_ignored)
        (hip, *_) = model.hips(image, side=case.side, centre_mm=case.centre_mm)
        automatic = hip.labels.leaving_out(manual.ignored)
        found, drawn = (volumes(labels).iloc[0] for labels in (automatic, manual))
        words = [
            f"{name} {found[f'{name}_cm3']:.1f} cm³ (manual {drawn[f'{name}_cm3']:.1f}, Dice "
            f"{dice(manual.mask(name), automatic.mask(name)):.2f})"
            for name in model.scheme.names.values()
        ]
        save_png(overlay(image, {MANUAL: manual, AUTOMATIC: hip.labels}), path)
    except AvnnetError:
        return
    reporter.say(f"first result: {case.case_id}, held out, by {' and '.join(model.ensemble.names)}: {', '.join(words)}")
    # a notebook is passed on with its output, which must not tell where its folder lies
    place = f"{PICTURE} in the study's folder" if path.is_absolute() else str(path)
    reporter.say(f"its picture, with the manual and the automatic outline: {place}")
