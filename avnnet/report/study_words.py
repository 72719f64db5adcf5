"""The tables of a study as printed words: the rows that the report and the command line show."""

from __future__ import annotations

import pandas as pd

from avnnet.metrics.catalogue import SUMMARISED
from avnnet.plots.style import words
from avnnet.report.wording import (
    ERROR_CHARACTERS,
    PrintedTable,
    cases,
    interval,
    noted,
    number,
    p_value,
    printable,
    records,
    spread,
)
from avnnet.stats.study import BEST

SECTIONS = {
    "dice": "Overlap with the manual segmentation",
    "networks": "Networks compared with each other",
    "volume": "Size, manual and automatic",
    "stages": "Early (ARCO I, II) and advanced (ARCO III) stages",
}


def study_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of `study_table` in words, without headings.

    Args:
        table: the abstract's table.

    Examples:
        >>> columns = ["section", "quantity", "structure", "reader", "group", "n_cases", "n_patients"]
        >>> row = ["dice", "dice", "head", "unet3d", "", 5, 4, "0.95", "", float("nan"), ""]
        >>> study_rows(pd.DataFrame([row], columns=[*columns, "result", "test", "p", "note"]))[1]
        [['dice', 'Dice', 'head', 'unet3d', '5 (4)', '0.95', '', '', '']]
    """
    header = ["section", "quantity", "structure", "reader", "cases (patients)", "result", "test", "p", "note"]
    rows = []
    for row in records(table):
        reader = f"{row['reader']}: {row['group']}" if row["group"] else row["reader"]
        cells = [row["section"], words(row["quantity"]), row["structure"], reader, cases(row), row["result"]]
        rows.append([printable(c) for c in [*cells, row["test"]]])
        rows[-1] += [p_value(row["p"]) if row["test"] else "", printable(row["note"], ERROR_CHARACTERS)]
    return header, rows


def study_printed(table: pd.DataFrame) -> PrintedTable:
    """The abstract's results with a heading for each section; the report names the best network elsewhere."""
    header, rows = study_rows(table[table["result"] != BEST])
    grouped: list[list[str]] = []
    for section, *cells in rows:
        heading = [SECTIONS.get(section, section)]
        if heading not in grouped:
            grouped.append(heading)
        grouped.append(cells)
    note = (
        "Mean ± standard deviation over cases. Every test has one value per patient, the mean over the "
        "patient's cases, because two hips of one patient are not independent. Differences are automatic − "
        "manual."
    )
    return PrintedTable("Results", note, *noted(header[1:], grouped))


def dice_printed(table: pd.DataFrame) -> PrintedTable:
    """Overlap and surface distances per network and structure, with the counts that the means leave out."""
    header = ["reader", "structure", "n", "missed", "false positive", "undefined", "failed"]
    known = [one for one in SUMMARISED if f"{one.name}_mean" in table]
    header += [cell for one in known for cell in (one.printed, "median")]
    rows = []
    for row in records(table):
        counts = [row["n"], *(row[f"n_{n}"] for n in ("missed", "false_positive", "undefined", "failed"))]
        cells = [printable(row["reader"]), printable(row["label"]), *map(str, counts)]
        for one in known:
            cells += [spread(row, f"{one.name}_", one.decimals), number(row[f"{one.name}_median"], one.decimals)]
        rows.append(cells)
    note = (
        "n: cases with a defined Dice. A missed or false-positive structure counts with Dice 0; a structure "
        "that neither has is undefined and in no mean. HD95 is the larger of the two directed 95th "
        "percentiles of the surface distances; ASSD is the mean of all directed surface distances. Mean ± SD "
        "of distances are of the finite values; their median is of all, with infinity ranked worst."
    )
    return PrintedTable("Overlap and surface distances", note, header, rows)


def volumes_printed(table: pd.DataFrame) -> PrintedTable:
    """Volumes per reader."""
    header = ["reader", "quantity", "n", "failed", "undefined", "mean ± SD", "median"]
    rows = [
        [
            *(printable(row["reader"]), words(row["quantity"])),
            *(str(row[name]) for name in ("n", "n_failed", "n_undefined")),
            *(spread(row), number(row["median"])),
        ]
        for row in records(table)
    ]
    return PrintedTable("Volumes", "Over cases. Voxels times the volume of a voxel.", header, rows)


def readers_printed(table: pd.DataFrame) -> PrintedTable:
    """The networks compared with each other."""
    header = ["structure", "difference in Dice", "cases (patients)", "mean ± SD", "95 % CI", "d", "paired t, p"]
    header += ["Holm", "Wilcoxon, p", "Holm", "note"]
    rows = []
    for row in records(table):
        both = {"mean": row["mean_difference"], "sd": row["sd_difference"]}
        networks = f"{printable(row['second'])} − {printable(row['first'])}"
        cells = [printable(row["label"]), networks, cases(row)]
        cells += [spread(both, digits=3), interval(row, "ci_low", "ci_high", 3), number(row["cohen_dz"])]
        cells += [p_value(row[name]) for name in ("p", "p_holm", "wilcoxon_p", "wilcoxon_p_holm")]
        rows.append([*cells, printable(row["note"])])
    note = (
        "One value per patient. d: mean difference over its SD. Holm: adjusted for the comparisons within a "
        "structure. A "
        "second reader (manual_2) is compared as if it were a network: does one agree with the first reader as well?"
    )
    return PrintedTable("Networks compared", note, *noted(header, rows))


def agreement_printed(table: pd.DataFrame) -> PrintedTable:
    """Bias, limits of agreement and correlation of every network's volumes with the manual ones."""
    header = ["quantity", "reader", "cases (patients)", "bias", "95 % CI", "SD", "limits of agreement"]
    header += ["Pearson r", "95 % CI", "p", "note"]
    rows = []
    for row in records(table):
        cells = [words(row["value"]), printable(row["automatic"]), cases(row), number(row["bias"])]
        cells += [interval(row, "bias_ci_low", "bias_ci_high"), number(row["sd"])]
        cells += [interval(row, "lower_limit", "upper_limit"), number(row["r"])]
        cells += [interval(row, "r_ci_low", "r_ci_high"), p_value(row["r_p"])]
        rows.append([*cells, printable(row["note"] or row["r_note"])])
    note = (
        "Bias = automatic − manual. The limits of agreement, bias ± 1.96 SD, hold 95 % of the differences of "
        "a single case; with several cases per patient the SD adds the variance between and within patients."
    )
    return PrintedTable("Agreement of volumes", note, *noted(header, rows))


def locator_printed(table: pd.DataFrame) -> PrintedTable:
    """Where the locator found the heads, against the spheres of the manual masks."""
    header = ["cases", "head found", "two heads", "side right", "side wrong", "centre error, median", "95 %", "largest"]
    header += ["within 6 mm", "95 % CI", "radius error"]
    rows = []
    for row in records(table):
        cells = [str(row[name]) for name in ("n", "n_found", "n_two_heads")]
        cells += [f"{row['n_side_right']} of {row['n_sided']}", str(row["n_side_wrong"])]
        cells += [f"{number(row[f'centre_error_{name}_mm'])} mm" for name in ("median", "p95", "max")]
        cells += [number(row["within_6_mm"], 3), interval(row, "within_6_mm_ci_low", "within_6_mm_ci_high", 3)]
        radius = {"mean": row["radius_error_mean_mm"], "sd": row["radius_error_sd_mm"]}
        rows.append([*cells, f"{spread(radius)} mm"])
    note = (
        "Found in the whole image by a network that was trained on the other folds, without the cohort's centres and "
        "sides. Centre and radius are those of a sphere fitted to the head's intact surface, against that of the "
        "manual mask. The reader ensemble_located in the other tables is the same ensemble around these centres: what "
        "it lacks is the price of not being told where the head is."
    )
    return PrintedTable("Heads located", note, header, rows)


def cleaning_printed(table: pd.DataFrame) -> PrintedTable:
    """The ways of cleaning a mask, what they do to held-out cases, and which are kept."""
    header = ["step", "label", "cases", "changed", "Dice without", "with", "kept"]
    rows = []
    for row in records(table):
        cells = [words(row["step"]), printable(row["label"]), str(row["n_cases"]), str(row["n_changed"])]
        cells += [number(row["dice_without"], 4), number(row["dice_with"], 4), "yes" if row["is_kept"] else "no"]
        rows.append(cells)
    note = (
        "Each step is tried on the ensemble's masks of the held-out cases, on top of those that were kept before it. "
        "It is kept if the mean Dice over the labels is higher with it, and that of no label lower. One that changes "
        "no case is kept only where it is usual: the largest piece, around a head's centre. What is kept is recorded "
        "in the model and done with every mask; it was chosen on the cases that are reported here."
    )
    return PrintedTable("Cleaning of the masks", note, header, rows)


def fast_printed(table: pd.DataFrame) -> PrintedTable:
    """What fewer networks cost and lose, and which of them `--fast` takes."""
    header = ["networks", "label", "cases", "Dice", "of all", "loss", "GFLOP", "taken by --fast"]
    rows = []
    for row in records(table):
        cells = [printable(row["networks"], ERROR_CHARACTERS), printable(row["label"]), str(row["n_cases"])]
        cells += [number(row[name], 4) for name in ("dice", "dice_of_all", "loss")]
        rows.append([*cells, number(row["gflop"], 1), "yes" if row["is_taken"] else "no"])
    note = (
        "One network of each configuration, as cross-validation has them, on held-out cases; the cheapest choice that "
        "loses at most 0.01 of the mean Dice of every label is what avnnet predict --fast takes of the model. GFLOP: "
        "of one hip. What all folds together are better than one of them, held-out cases cannot say."
    )
    return PrintedTable("Fewer networks", note, header, rows)
