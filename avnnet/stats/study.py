"""The results paragraph of the abstract as a table, for any label scheme."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from avnnet.columns import STAGE
from avnnet.errors import StatisticsError
from avnnet.labels import HIP, LabelScheme
from avnnet.readers import LOCATED, MANUAL, humans, n_networks
from avnnet.stats.agreement import pearson
from avnnet.stats.groups import mann_whitney
from avnnet.stats.paired import compare_readers, paired_t
from avnnet.stats.pairs import KEY, numbers, pairs, tidy
from avnnet.stats.summary import summarise_agreement

TIE = 1e-4
BEST = "best network"
MINUS = "\N{MINUS SIGN}"
COLUMNS = [
    "section", "quantity", "structure", "reader", "group", "n_cases", "n_patients",
    "mean", "sd", "median", "r", "p", "test", "result", "note",
]  # fmt: skip


def best_reader(agreement: pd.DataFrame, scheme: LabelScheme = HIP) -> tuple[str, str]:
    """The network whose mean Dice, averaged over the labels, is highest, and the rule as a sentence.

    Every label counts alike and the whole does not count, because it would count each label again. Only cases
    that every network segmented are compared. Networks within 0.0001 are tied; the one made of fewer networks
    wins, then the first in the alphabet.

    Args:
        agreement: one row per case, reader and label.
        scheme: which of the table's labels are labels and which is the whole.

    Returns:
        The reader's name and a sentence that states the rule and the scores.

    Raises:
        StatisticsError: if a label of the scheme is not in the table, or no case is common to all networks.
    """
    labels = list(scheme.names.values())
    frame = tidy(agreement, ["label", "dice"])
    absent = sorted(set(labels) - set(frame["label"]))
    if absent:
        raise StatisticsError(f"no label {absent} in the table; it has {frame['label'].unique().tolist()}")
    # a second human reader and the ensemble around located centres may stand in the table too, and are no networks
    frame = frame[frame["label"].isin(labels) & ~frame["reader"].isin([*humans(frame["reader"]), LOCATED])]
    frame = frame.assign(dice=numbers(frame, "dice"))
    readers = frame["reader"].unique().tolist()
    common = frame.groupby([*KEY, "label"])["reader"].transform("nunique") == len(readers)
    means = frame[common].groupby(["reader", "label"])["dice"].mean().unstack()
    scores = means.mean(axis=1, skipna=False).dropna()
    n_common = len(frame.loc[common, KEY].drop_duplicates())
    if scores.empty:
        raise StatisticsError(f"no case has a Dice of all {labels} from all {readers}; compare fewer networks")
    tied = [str(name) for name in scores.index[scores >= scores.max() - TIE]]
    best = min(tied, key=lambda name: (n_networks(name), name))
    listed = ", ".join(f"{name} {scores[name]:.4f}" for name in readers if name in scores.index)
    return best, (
        f"highest mean Dice, averaged over {' and '.join(labels)}, in the {n_common} cases that all networks "
        f"segmented ({listed}); within {TIE:g} the one made of fewer networks"
    )


def study_table(measurements: pd.DataFrame, agreement: pd.DataFrame, scheme: LabelScheme) -> pd.DataFrame:
    """One row per statement of the abstract's results paragraph, in its order, with numbers and printed text.

    The sections are `dice` (each network and structure), `networks` (paired t-tests between them, the best),
    `volume` (manual and automatic, their paired t-test and Pearson correlation) and `stages` (early and advanced,
    each reader's Mann-Whitney U test). The automatic reader of the last two is `best_reader`. Means and SDs are
    over cases; every test has one value per patient, the mean over the patient's hips.

    Args:
        measurements: one row per case and reader, with `scheme.volume_columns`; `arco_stage` may be absent.
        agreement: one row per case, reader and label.
        scheme: the names of the structures and which is the part whose size is compared.

    Returns:
        section, quantity (with its unit), structure, reader, group, n_cases, n_patients, mean, sd, median, r,
        p, test, result (text) and note. Differences are second - first, automatic - manual.

    Raises:
        StatisticsError: if a column, label or reader is absent, or a row stands twice.

    Source:
        The study's abstract; the tests' sources stand with the tests.
    """
    automatic, rule = best_reader(agreement, scheme)
    quantities = [f"{scheme.part}_cm3", f"{scheme.part}_percent"]
    rows: list[dict[str, object]] = []
    rows += _dice_rows(agreement, scheme)
    rows += _network_rows(agreement, scheme)
    rows.append({"section": "networks", "reader": automatic, "result": BEST, "note": rule})
    for value in quantities:
        rows += _volume_rows(measurements, value, automatic, scheme.part)
    rows += _stage_rows(measurements, quantities[::-1], (MANUAL, automatic), scheme.part)
    no_text = dict.fromkeys(("quantity", "structure", "reader", "group", "test", "note"), "")
    table = pd.DataFrame([no_text | row for row in rows], columns=COLUMNS)
    return table.astype({"n_cases": "Int64", "n_patients": "Int64"})


def _number(value: float, digits: int) -> str:
    """A rounded value with a true minus sign, never "-0"."""
    printed = f"{value:.{digits}f}"
    return printed.lstrip("-") if float(printed) == 0 else printed.replace("-", MINUS)


def _mean_sd(mean: float, sd: float, unit: str) -> str:
    if np.isnan(mean):
        return "not available"
    digits = 0 if unit == "%" else 1  # the abstract's precision: whole percents, cm³ to one decimal
    spread = "" if np.isnan(sd) else f" ± {_number(sd, digits)}"
    return f"{_number(mean, digits)}{spread} {unit}"


def _unit(value: str) -> str:
    return "%" if value.endswith("_percent") else "cm³"


def _dice_rows(agreement: pd.DataFrame, scheme: LabelScheme) -> Iterable[dict[str, object]]:
    summary = summarise_agreement(agreement).set_index(["label", "reader"])
    for structure in scheme.structures:
        if structure not in summary.index.get_level_values("label"):
            raise StatisticsError(f"no label {structure!r} in the table; it has {agreement['label'].unique().tolist()}")
        for reader, row in summary.loc[structure].iterrows():
            mean, sd, median = (float(row[f"dice_{name}"]) for name in ("mean", "sd", "median"))
            result = _mean_sd(100 * mean, 100 * sd, "%")
            if not np.isnan(median):
                result += f" (median {_number(100 * median, 0)} %)"
            counts = {name: int(row[f"n_{name}"]) for name in ("missed", "false_positive", "undefined", "failed")}
            note = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items() if n)
            yield {
                "section": "dice", "quantity": "dice", "structure": structure, "reader": reader,
                "n_cases": row["n"], "n_patients": row["n_patients"],
                "mean": mean, "sd": sd, "median": median,
                "result": result, "note": note,
            }  # fmt: skip


def _network_rows(agreement: pd.DataFrame, scheme: LabelScheme) -> Iterable[dict[str, object]]:
    compared = compare_readers(agreement)
    for label in scheme.names.values():
        for _, row in compared[compared["label"] == label].iterrows():
            yield {
                "section": "networks", "quantity": "dice", "structure": label,
                "reader": f"{row['second']} {MINUS} {row['first']}", "n_cases": row["n_cases"],
                "n_patients": row["n_patients"], "mean": row["mean_difference"], "sd": row["sd_difference"],
                "p": row["p"], "test": "paired t", "note": row["note"],
                "result": _mean_sd(100 * row["mean_difference"], 100 * row["sd_difference"], "% points"),
            }  # fmt: skip


def _volume_rows(measurements: pd.DataFrame, value: str, automatic: str, part: str) -> Iterable[dict[str, object]]:
    common: dict[str, object] = {"section": "volume", "quantity": value, "structure": part}
    paired, excluded = pairs(measurements, value, MANUAL, automatic)
    counts = {"n_cases": len(paired), "n_patients": paired["patient_id"].nunique()}
    left_out = f"{excluded} cases without both values" if excluded else ""
    for reader, values in ((MANUAL, paired["first"]), (automatic, paired["second"])):
        mean, sd = float(values.mean()), float(values.std())
        spread = {"mean": mean, "sd": sd, "median": float(values.median())}
        yield common | counts | spread | {
            "reader": reader, "note": left_out, "result": _mean_sd(mean, sd, _unit(value)),
        }  # fmt: skip
    both = {"reader": f"{automatic} {MINUS} {MANUAL}"}
    t = paired_t(measurements, value, readers=(MANUAL, automatic)).iloc[0]
    yield common | counts | both | {
        "mean": t["mean_difference"], "sd": t["sd_difference"], "p": t["p"], "test": "paired t",
        "result": _mean_sd(t["mean_difference"], t["sd_difference"], _unit(value).replace("%", "% points")),
        "note": t["note"],
    }  # fmt: skip
    r = pearson(measurements, value, automatic=automatic).iloc[0]
    printed = {name: _number(r[name], 2) for name in ("r", "ci_low", "ci_high")}
    result = "r = {r} (95 % CI {ci_low} to {ci_high})".format(**printed)
    yield common | counts | {
        "reader": f"{MANUAL}, {automatic}", "r": r["r"], "p": r["p"], "test": "Pearson",
        "result": "not available" if np.isnan(r["r"]) else result, "note": r["note"],
    }  # fmt: skip


def _stage_rows(
    measurements: pd.DataFrame, quantities: list[str], readers: tuple[str, str], part: str
) -> Iterable[dict[str, object]]:
    tests = []
    if STAGE in measurements.columns:
        tests = [
            mann_whitney(measurements, value, group=STAGE, reader=reader).iloc[0]
            for value in quantities
            for reader in readers
        ]
    if not any(test["first_n_cases"] or test["second_n_cases"] for test in tests):
        yield {"section": "stages", "structure": part, "result": "no stages in this cohort"}
        return
    for test in tests:
        common = {"section": "stages", "quantity": test["value"], "structure": part, "reader": test["reader"]}
        for place in ("first", "second"):
            names = ("n_cases", "n_patients", "mean", "sd", "median")
            found = {name: test[f"{place}_{name}"] for name in names}
            result = _mean_sd(found["mean"], found["sd"], _unit(str(test["value"])))
            yield common | found | {"group": test[f"{place}_group"], "result": result}
        counts = {"n_no_group": "without such a stage", "n_patients_in_both": "patients in both groups"}
        notes = [test["note"], *(f"{test[name]} {words}" for name, words in counts.items() if test[name])]
        effect = f"U = {test['u']:g}, rank-biserial {_number(test['rank_biserial'], 2)}"
        yield common | {
            "group": f"{test['first_group']}, {test['second_group']}", "test": "Mann-Whitney U",
            "p": test["p"], "n_cases": test["first_n_cases"] + test["second_n_cases"],
            "n_patients": test["first_n_patients"] + test["second_n_patients"],
            "result": "not available" if np.isnan(test["p"]) else effect,
            "note": "; ".join(note for note in notes if note),
        }  # fmt: skip
