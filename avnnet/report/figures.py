"""The charts of a report, from the tables alone."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from avnnet.columns import STAGE
from avnnet.plots import bland_altman_plot, group_plot, scatter_plot, stage_plot, svg_bytes, training_plot
from avnnet.plots.style import words
from avnnet.readers import MANUAL
from avnnet.report.tables import StudyTables
from avnnet.stats import early_or_advanced


def charts(study: StudyTables) -> Iterable[tuple[str, str, bytes]]:
    """Names, captions and SVGs of the figures that the tables give.

    Args:
        study: the tables.
    """
    table, automatic = study.measurements, study.question.automatic
    for value in sizes(study):
        caption = f"Bland-Altman plot, {words(value)}: bias and limits of agreement with 95 % intervals."
        yield f"bland_altman_{value}", caption, svg_bytes(bland_altman_plot(table, value, automatic=automatic))
        caption = f"{words(value)}, {automatic} over manual, with the line of identity."
        yield f"scatter_{value}", caption, svg_bytes(scatter_plot(table, value, automatic=automatic))
    if study.scheme is not None and len(study.agreement):
        labels = list(study.scheme.names.values())
        caption = f"Dice of {automatic}, all cases and by stage."
        drawn = stage_plot(study.agreement, table, reader=automatic, labels=labels)
        yield "dice_by_stage", caption, svg_bytes(drawn)
    if STAGE in table.columns and table[STAGE].map(early_or_advanced).notna().any():
        for value in sizes(study)[::-1]:
            caption = f"{words(value)} in early (ARCO I, II) and advanced (ARCO III) stages."
            drawn = group_plot(table, value, group=STAGE, readers=(MANUAL, automatic))
            yield f"groups_{value}", caption, svg_bytes(drawn)


def sizes(study: StudyTables) -> list[str]:
    """The quantities that are drawn and shown in detail: of the part in question, where there is one.

    Args:
        study: the tables.
    """
    part = study.scheme.part if study.scheme else ""
    return [value for value in study.values if not part or value.startswith(f"{part}_")] or list(study.values)


def training_charts(study: StudyTables) -> Iterable[tuple[str, bytes]]:
    """Captions and SVGs of the curves of the training, if there was one and it was validated.

    Args:
        study: the tables.
    """
    table = pd.DataFrame() if study.training is None else study.training
    for name in study.scheme.names.values() if study.scheme else ():
        if table.get(f"val_dice_{name}", pd.Series(dtype=float)).notna().any():
            caption = (
                f"Validation Dice of {name} over the minutes of the training: a thin line per fold, and their mean."
            )
            yield caption, svg_bytes(training_plot(table, name))
