"""What each way of cleaning a mask would do to the Dice of a case: what a study decides by."""

from __future__ import annotations

import pandas as pd

from avnnet.image import LabelMap
from avnnet.inference.cleaning import Cleaning, all_cleanings, usual_cleaning
from avnnet.inference.segmentation import Segmentation
from avnnet.metrics.overlap import dice
from avnnet.stats.decided import named


def weighed_rows(case_id: str, hip: Segmentation, manual: LabelMap) -> pd.DataFrame:
    """A row per choice of steps and label: the Dice that the mask has after these steps, and what is usually done.

    Args:
        case_id: of the case.
        hip: its segmentation; the mask is taken from the probabilities, as before any cleaning.
        manual: its manual mask; what it ignores is left out.

    Examples:
        >>> import numpy as np
        >>> from avnnet.data.softmax import Softmax
        >>> from avnnet.grid import Grid
        >>> from avnnet.image import Image
        >>> grid, classes = Grid((1, 1, 4)), np.eye(3, dtype=np.float32)
        >>> softmax = Softmax(classes[:, [1, 2, 0, 1]].reshape(3, 1, 1, 4), (0, 0, 0), grid)
        >>> manual = LabelMap(np.array([[[1, 2, 0, 0]]]), grid)
        >>> hip = Segmentation(Image(np.zeros(grid.shape), grid), manual, softmax)
        >>> weighed_rows("a", hip, manual)[["steps", "label", "dice"]].head(3).round(2).to_numpy().tolist()
        [['nothing', 'vital', 0.67], ['nothing', 'necrosis', 1.0], ['largest_piece', 'vital', 1.0]]
    """
    marked = hip.probabilities.labels(manual.scheme)
    usual = named(usual_cleaning(hip.centre_mm).steps)
    done: dict[tuple[str, ...], tuple[LabelMap, dict[str, float]]] = {(): (marked, _dice_by_label(marked, manual))}
    rows = []
    for cleaning in all_cleanings():
        steps = cleaning.steps
        if steps:
            before, found = done[steps[:-1]]  # which is made already, as fewer steps come first
            cleaned = Cleaning(steps[-1:])(before)
            done[steps] = cleaned, found if cleaned is before else _dice_by_label(cleaned, manual)
        said = {"case_id": case_id, "usual": usual, "steps": named(steps)}
        rows += [said | {"label": label, "dice": one} for label, one in done[steps][1].items()]
    return pd.DataFrame(rows)


def _dice_by_label(labels: LabelMap, manual: LabelMap) -> dict[str, float]:
    left = labels.leaving_out(manual.ignored)
    return {name: dice(manual.mask(name), left.mask(name)) for name in manual.scheme.names.values()}
