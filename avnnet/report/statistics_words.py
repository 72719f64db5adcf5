"""The tables of `all_statistics` as printed words."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pandas as pd

from avnnet.metrics.catalogue import metric
from avnnet.plots.style import words
from avnnet.report.wording import NOTHING, PrintedTable, cases, interval, noted, number, p_value, printable, records

Tables = dict[str, pd.DataFrame]
SIZES = (
    "icc", "concordance", "correlation", "limits", "regression", "equivalence", "paired", "second_reader", "groups",
    "clustered_groups", "stages",
)  # fmt: skip
SCALES = {"difference": "difference", "percent": "percent of the mean", "log": "ratio (log scale)"}
QUOTED = ("ICC(2,1)", "ICC(3,1)")


def reliability_printed(tables: Tables) -> PrintedTable:
    """Intraclass, concordance and ordinary correlations of the network in question with the manual reader."""
    rows = []
    icc = tables["icc"]
    for row in records(icc[icc["form"].isin(QUOTED)]):
        cells = [words(row["value"]), row["form"], cases(row), number(row["estimate"], 3), interval(row, digits=3)]
        rows.append(
            [
                *cells,
                printable(row["interval"]),
                NOTHING,
                "" if row["estimate"] == row["estimate"] else printable(row["note"]),
            ]
        )
    for row in records(tables["concordance"]):
        cells = [words(row["value"]), "Lin's CCC", cases(row), number(row["ccc"], 3), interval(row, digits=3)]
        rows.append([*cells, printable(row["interval"]), NOTHING, printable(row["note"])])
    for row in records(tables["correlation"]):
        how = "" if pd.isna(row["interval"]) else printable(row["interval"])
        cells = [words(row["value"]), row["method"], cases(row), number(row["r"], 3), interval(row, digits=3)]
        rows.append([*cells, how or "Fisher's z", p_value(row["p"]), printable(row["note"])])
    rows.sort(key=lambda row: row[0])
    header = ["quantity", "coefficient", "cases (patients)", "estimate", "95 % CI", "interval", "p", "note"]
    note = (
        "ICC after Shrout and Fleiss; (2,1), two-way random, absolute agreement, single reading, is the one to "
        "quote. CCC is "
        "Lin's concordance. The correlations say how well one orders the hips as the other does, not whether they "
        "agree; "
        "Pearson and Spearman have one value per patient."
    )
    return PrintedTable("Reliability and correlation", note, *noted(header, rows))


def limits_printed(table: pd.DataFrame) -> PrintedTable:
    """Limits of agreement on three scales, and whether the difference grows with the size."""
    header = ["quantity", "scale", "cases (patients)", "bias", "95 % CI", "lower limit", "95 % CI", "upper limit"]
    header += ["95 % CI", "slope on the mean", "p", "note"]
    rows = []
    for row in records(table):
        cells = [words(row["value"]), SCALES[row["scale"]], cases(row), number(row["bias"])]
        cells.append(interval(row, "bias_ci_low", "bias_ci_high"))
        for name in ("lower_limit", "upper_limit"):
            cells += [number(row[name]), interval(row, f"{name}_ci_low", f"{name}_ci_high")]
        cells += [number(row["proportional_slope"], 3), p_value(row["proportional_p"]), printable(row["note"])]
        rows.append(cells)
    shared = {row[-1] for row in rows}
    if len(shared) == 1:
        rows = [[*row[:-1], ""] for row in rows]
    note = (
        "Intervals of the limits are exact (noncentral t, Carkeet 2015) where each patient has one case, else "
        "approximate. A slope "
        "that is not 0 "
        "means that the difference grows or shrinks with the size: then the percent or the ratio is the scale to read."
    )
    return PrintedTable("Limits of agreement on three scales", note, *noted(header, rows))


def regression_printed(table: pd.DataFrame) -> PrintedTable:
    """Deming and Passing-Bablok lines of automatic on manual values."""
    header = ["quantity", "method", "cases (patients)", "slope", "95 % CI", "intercept", "95 % CI", "interval", "note"]
    rows = []
    for row in records(table):
        cells = [words(row["value"]), row["method"], cases(row)]
        for name in ("slope", "intercept"):
            cells += [number(row[name], 3), interval(row, f"{name}_ci_low", f"{name}_ci_high", 3)]
        rows.append([*cells, printable(row["interval"]), printable(row["note"])])
    note = (
        "Both readers have errors, so that ordinary regression would flatten the line. Agreement: slope 1, intercept 0."
    )
    return PrintedTable("Regression of automatic on manual", note, *noted(header, rows))


def equivalence_printed(table: pd.DataFrame) -> PrintedTable:
    """Two one-sided tests against a margin."""
    header = ["quantity", "margin", "cases (patients)", "difference", "90 % CI", "p", "equivalent", "note"]
    rows = []
    for row in records(table):
        known = row["is_equivalent"]
        answer = NOTHING if known is None or known != known else "yes" if known else "not shown"
        cells = [words(row["value"]), f"± {number(row['margin'])}", cases(row), number(row["mean_difference"])]
        rows.append([*cells, interval(row), p_value(row["p"]), answer, printable(row["note"])])
    note = (
        "Two one-sided t-tests, one value per patient. p > 0.05 of a test for a difference is no agreement; the "
        "90 % interval "
        "within the margin is. A margin counts only if it was fixed before the data were seen."
    )
    return PrintedTable("Equivalence", note, *noted(header, rows))


def paired_printed(table: pd.DataFrame) -> PrintedTable:
    """The mean difference by five ways to treat two hips of one patient."""
    header = ["quantity", "method", "cases (patients)", "automatic − manual", "SE", "95 % CI", "p", "note"]
    rows = []
    for row in records(table):
        cells = [words(row["value"]), row["method"], cases(row), number(row["mean_difference"]), number(row["se"])]
        rows.append([*cells, interval(row), p_value(row["p"]), printable(row["note"])])
    note = "Hips of one patient are alike: the first row takes them for independent and claims the most."
    return PrintedTable("Difference, by the treatment of two hips of a patient", note, *noted(header, rows))


def grades_printed(table: pd.DataFrame) -> PrintedTable:
    """Accuracy and kappa of grades."""
    header = ["grade", "cases (patients)", "accuracy (%)", "95 % CI", "kappa", "linear", "95 % CI", "quadratic"]
    header += ["95 % CI", "interval", "note"]
    rows = []
    for row in records(table):
        percent = {name: 100 * row[name] for name in ("accuracy", "accuracy_ci_low", "accuracy_ci_high")}
        cells = [words(row["value"]), cases(row), number(percent["accuracy"], 1)]
        cells += [interval(percent, "accuracy_ci_low", "accuracy_ci_high", 1), number(row["kappa"])]
        for name in ("kappa_linear", "kappa_quadratic"):
            cells += [number(row[name]), interval(row, f"{name}_ci_low", f"{name}_ci_high")]
        rows.append([*cells, printable(row["interval"]), printable(row["note"])])
    note = "Hips without a lesion have no grade and are left out. Accuracy depends on how many hips each grade has."
    return PrintedTable("Grades", note, *noted(header, rows))


def confusion_printed(table: pd.DataFrame, value: str) -> PrintedTable:
    """Counts of a grade: manual in rows, automatic in columns."""
    square = table[table["value"] == value].pivot(index="manual_grade", columns="automatic_grade", values="n_cases")
    order = table.loc[table["value"] == value, "manual_grade"].drop_duplicates().tolist()
    rows = [[f"manual {one}", *(str(int(square.loc[one, other])) for other in order)] for one in order]
    return PrintedTable(f"{words(value)}: cases", "", ["", *(f"automatic {one}" for one in order)], rows)


def groups_printed(tables: Tables) -> PrintedTable:
    """Early against advanced: shift, rank-biserial, AUC, and p values of four tests."""
    header = ["quantity", "reader", "early, advanced", "shift", "95 % CI", "AUC", "95 % CI", "rank-biserial"]
    header += ["p exact", "p asymptotic", "p clustered", "p over stages", "note"]
    clustered = {(row["value"], row["reader"]): row for row in records(tables["clustered_groups"])}
    stages = {(row["value"], row["reader"]): row for row in records(tables["stages"])}
    rows = []
    for row in records(tables["groups"]):
        key = row["value"], row["reader"]
        counts = (
            f"{row['first_n_cases']} ({row['first_n_patients']}), {row['second_n_cases']} ({row['second_n_patients']})"
        )
        cells = [words(row["value"]), printable(row["reader"]), counts]
        cells += [number(row["shift"]), interval(row, "shift_ci_low", "shift_ci_high")]
        cells += [number(row["auc"]), interval(row, "auc_ci_low", "auc_ci_high"), number(row["rank_biserial"])]
        cells += [p_value(row["p_exact"]), p_value(row["p_asymptotic"]), p_value(clustered[key]["p"])]
        rows.append([*cells, p_value(stages[key]["p"]), printable(row["note"])])
    note = (
        "Cases (patients). Shift: Hodges-Lehmann, advanced − early. AUC of telling advanced from early by size, "
        "DeLong's interval. "
        "Exact and asymptotic: Mann-Whitney U, one value per patient; clustered: Datta and Satten, all hips; over "
        "stages: "
        "Kruskal-Wallis."
    )
    return PrintedTable("Early and advanced stages", note, *noted(header, rows))


def segmentation_printed(table: pd.DataFrame, reader: str, label: str) -> PrintedTable:
    """Results of one network and structure, overall, by stage and by size."""
    header = ["stratum", "measure", "n (patients)", "missed", "false positive", "mean ± SD", "95 % CI", "median", "IQR"]
    rows = []
    for row in records(table[(table["reader"] == reader) & (table["label"] == label)]):
        one = metric(row["metric"])
        digits = one.decimals
        spread = number(row["mean"], digits) + ("" if pd.isna(row["sd"]) else f" ± {number(row['sd'], digits)}")
        cells = [printable(row["stratum"]), one.printed, f"{row['n']} ({row['n_patients']})"]
        cells += [str(row["n_missed"]), str(row["n_false_positive"]), spread, interval(row, digits=digits)]
        rows.append([*cells, number(row["median"], digits), interval(row, "q1", "q3", digits)])
    note = "The interval is of the mean (bootstrap by patient). Stage and size are the manual reader's."
    return PrintedTable(f"{words(label)}, {printable(reader)}", note, header, rows)


def detection_printed(table: pd.DataFrame) -> PrintedTable:
    """Whether lesions are found at all."""
    header = [
        "network",
        "with a lesion",
        "found",
        "sensitivity",
        "95 % CI",
        "without",
        "clear",
        "specificity",
        "95 % CI",
    ]
    rows = []
    for row in records(table):
        cells = [printable(row["reader"]), str(row["n_with"]), str(row["n_found"]), number(row["sensitivity"])]
        cells += [interval(row), str(row["n_without"]), str(row["n_clear"]), number(row["specificity"])]
        rows.append([*cells, interval(row, "specificity_ci_low", "specificity_ci_high")])
    note = "Per hip: any voxel of a lesion in a hip that has one, none in a hip that has none. Wilson's intervals."
    return PrintedTable("Lesions found", note, header, rows)


def second_reader_printed(table: pd.DataFrame) -> PrintedTable:
    """Reader against reader beside network against reader."""
    header = ["quantity", "second reader", "measure", "cases (patients)", "reader − reader", "95 % CI"]
    header += ["network − reader", "95 % CI", "difference", "95 % CI", "note"]
    rows = []
    for row in records(table):
        cells = [words(row["value"]), printable(row["second"]), words(row["measure"]), cases(row)]
        for name in ("reader_reader", "automatic_reader"):
            cells += [number(row[name], 3), interval(row, f"{name}_ci_low", f"{name}_ci_high", 3)]
        rows.append([*cells, number(row["difference"], 3), interval(row, digits=3), printable(row["note"])])
    note = (
        "The same cases. Difference: network's agreement − second reader's, patients drawn together. Of ccc and "
        "pearson r more is "
        "better, of the differences less."
    )
    return PrintedTable("A second reader", note, *noted(header, rows))


def statistics_printed(
    tables: Tables, values: Collection[str], reader: str, labels: Iterable[str]
) -> list[tuple[str, list[PrintedTable]]]:
    """Headings and their tables, as far as there are results.

    Args:
        tables: of `all_statistics`.
        values: the quantities that are shown; the files have all.
        reader: the network in question.
        labels: structures whose segmentation is shown.
    """
    shown = tables | {name: table[table["value"].isin(values)] for name, table in tables.items() if name in SIZES}
    tables = {name: table for name, table in shown.items() if len(table)}
    size = [reliability_printed(tables), limits_printed(tables["limits"]), regression_printed(tables["regression"])]
    if "equivalence" in tables:
        size.append(equivalence_printed(tables["equivalence"]))
    size.append(paired_printed(tables["paired"]))
    found = [("Agreement of size in detail", size)]
    if "second_reader" in tables:
        found.append(("Against a second reader", [second_reader_printed(tables["second_reader"])]))
    if "grades" in tables:
        matrices = [confusion_printed(tables["confusion"], value) for value in tables["grades"]["value"]]
        found.append(("Grades", [grades_printed(tables["grades"]), *matrices]))
    if "groups" in tables:
        found.append(("Stages", [groups_printed(tables)]))
    if "segmentation" in tables:
        parts = [segmentation_printed(tables["segmentation"], reader, label) for label in labels]
        parts += [detection_printed(tables["detection"])] if "detection" in tables else []
        found.append(("Segmentation by stage and size", [part for part in parts if part.rows]))
    return found
