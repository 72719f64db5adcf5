"""The flow of cases: how many came in, and how many stand in the statistics."""

from __future__ import annotations

import numpy as np
import pandas as pd

from avnnet.report.wording import PrintedTable, printable
from avnnet.stats import Question
from avnnet.stats.pairs import KEY, numbers, text, tidy


def flow_printed(measurements: pd.DataFrame, question: Question) -> PrintedTable:
    """Rows of what and how many cases and patients: in the table, failed, measured by both readers, by stage.

    Args:
        measurements: one row per case and reader.
        question: whose readers and which quantities count.
    """
    values = question.values
    frame = tidy(measurements, values)
    both = {question.manual, question.automatic}
    measured = frame[np.isfinite(np.column_stack([numbers(frame, v) for v in values])).all(axis=1)]
    readers = measured[measured["reader"].isin(both)].groupby(KEY)["reader"].nunique()
    compared = frame.set_index(KEY).index.isin(readers[readers == len(both)].index)
    rows = [["cases in the table", *_counted(frame)]]
    if "error" in frame:
        rows.append(["with an error of any reader", *_counted(frame[frame["error"].map(text) != ""])])
    if "flags" in frame:
        rows.append(["with a flag of any reader", *_counted(frame[frame["flags"].map(text) != ""])])
    name = f"with every quantity of {question.manual} and {question.automatic}"
    rows.append([printable(name, 120), *_counted(frame[compared])])
    one = frame.drop_duplicates(KEY)
    hips = one.groupby("patient_id").size()
    two = one[one["patient_id"].isin(hips[hips > 1].index)]
    rows.append(["of patients with several cases", *_counted(two)])
    if question.group in frame:
        stages = one[question.group].map(text)
        for stage in sorted(set(stages)):
            rows.append([printable(f"stage {stage}" if stage else "without a stage"), *_counted(one[stages == stage])])
    return PrintedTable("Cases", "", ["", "cases", "patients"], rows)


def _counted(frame: pd.DataFrame) -> list[str]:
    return [str(len(frame.drop_duplicates(KEY))), str(frame["patient_id"].nunique())]
