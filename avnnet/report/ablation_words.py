"""The tables of an ablation as printed words, and what they say."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from avnnet.ablation_record import AblationRecord
from avnnet.metrics.catalogue import metric
from avnnet.report.wording import ERROR_CHARACTERS, PrintedTable, cases, number, p_value, printable, records

FEW_PATIENTS = 20
SIGNIFICANT = 0.05


def signed(value: float, digits: int) -> str:
    """A difference with its sign.

    Examples:
        >>> signed(0.0123, 3), signed(-0.5, 1), signed(float("nan"), 2)
        ('+0.012', '−0.5', '–')
    """
    return number(value, digits) if pd.isna(value) or value < 0 else f"+{number(value, digits)}"


def difference_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of `ablation_table` in words.

    Args:
        table: of `avnnet.stats.ablation_table`.

    Examples:
        >>> columns = ["metric", "label", "variant", "n_cases", "n_patients", "n_excluded", "n_undefined", "mean"]
        >>> columns += ["difference", "ci_low", "ci_high", "p", "p_holm", "sd_patients", "sd_seeds", "note"]
        >>> row = ["dice", "head", "residual", 6, 5, 0, 0, 0.9, 0.02, -0.01, 0.05, 0.1, 0.2, 0.03, 0.01, ""]
        >>> difference_rows(pd.DataFrame([row], columns=columns))[1][0][6:9]
        ['0.900', '+0.020', '−0.010 to +0.050']
    """
    header = ["metric", "structure", "variant", "cases (patients)", "left out", "undefined", "mean", "difference"]
    header += ["95 % CI", "p", "Holm", "SD patients", "SD seeds", "note"]
    rows = []
    for row in records(table):
        one = metric(row["metric"])
        digits = one.decimals
        interval = (
            "–" if pd.isna(row["ci_low"]) else f"{signed(row['ci_low'], digits)} to {signed(row['ci_high'], digits)}"
        )
        cells = [one.printed, printable(row["label"]), printable(row["variant"]), cases(row)]
        cells += [str(row["n_excluded"]), str(row["n_undefined"]), number(row["mean"], digits)]
        cells += [signed(row["difference"], digits), interval, p_value(row["p"]), p_value(row["p_holm"])]
        cells += [number(row["sd_patients"], digits), number(row["sd_seeds"], digits)]
        rows.append([*cells, printable(row["note"], ERROR_CHARACTERS)])
    return header, rows


def differences_printed(table: pd.DataFrame) -> PrintedTable:
    """Every variant against the base, a heading for each metric and structure."""
    header, rows = difference_rows(table.sort_values("label", key=lambda one: one.map(_order(table)), kind="stable"))
    grouped: list[list[str]] = []
    for name in dict.fromkeys(row[0] for row in rows):
        for _, structure, *cells in [row for row in rows if row[0] == name]:
            heading = [f"{name}, {structure}"]
            if heading not in grouped:
                grouped.append(heading)
            grouped.append(cells)
    note = (
        "Difference: variant − base, case by case and seed by seed, then one value per patient and seed. The interval "
        "and p take patients and seeds as random. Holm: adjusted for all variants and structures of a metric. Left "
        "out: cases without a finite value of both networks for every seed. Undefined: values of cases in which "
        "neither mask has the structure. SD: of the patients' and of the seeds' mean differences."
    )
    return PrintedTable("Differences from the base", note, header[2:], grouped)


def _order(table: pd.DataFrame) -> dict[str, int]:
    return {str(name): place for place, name in enumerate(table["label"].unique())}


def cost_printed(table: pd.DataFrame) -> PrintedTable:
    """What each variant costs."""
    header = ["variant", "parameters", "GFLOP, prediction", "GFLOP, step", "trainings", "steps", "TFLOP, training"]
    header += ["minutes", "peak memory (MiB)", "before training (MiB)"]
    rows = [
        [
            printable(row["variant"]),
            f"{row['parameters']:,}",
            _short(row["forward_gflop"]),
            _short(row["step_gflop"]),
            str(row["trainings"]),
            f"{row['steps']:,.0f}",
            _short(row["train_tflop"]),
            _short(row["minutes"]),
            *("–" if pd.isna(row[name]) else f"{row[name]:,.0f}" for name in ("peak_mib", "before_mib")),
        ]
        for row in records(table)
    ]
    note = (
        "FLOP = 2 × MAC; convolutions and matrix products are counted, norms, activations, loss and optimiser are not. "
        "Prediction: one patch, once, without mirror images. Step: forward and backward, whole batch. Steps and "
        "minutes: mean over the trainings, validation included in the minutes. Peak memory: the most that a "
        "new process held that trained on random images, and what it held before, its libraries."
    )
    return PrintedTable("What it costs", note, header, rows)


def _short(value: float) -> str:
    """Three digits.

    Examples:
        >>> _short(1234.5), _short(12.34), _short(0.01234)
        ('1,234', '12.3', '0.0123')
        >>> _short(float("nan"))
        '–'
    """
    if pd.isna(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def changes_printed(record: AblationRecord) -> PrintedTable:
    """What each variant changes of the base's config."""
    rows: list[list[str]] = []
    for name, variant in record.variants.items():
        rows += [
            [printable(name), printable(one.key), printable(one.base), printable(one.variant)]
            for one in variant.changes
        ]
    return PrintedTable("What each variant changes", "", ["variant", "key", "base", "variant's"], rows)


def answers(table: pd.DataFrame, part: str) -> list[str]:
    """A sentence per variant: what it does to the Dice of the structure in question.

    Args:
        table: of `avnnet.stats.ablation_table`.
        part: the structure.

    Examples:
        >>> row = {"metric": "dice", "label": "necrosis", "variant": "residual", "difference": 0.02, "ci_low": -0.01,
        ...     "ci_high": 0.05, "p_holm": 0.2, "base_mean": 0.7, "note": ""}
        >>> answers(pd.DataFrame([row]), "necrosis")[0].partition(";")[0]
        'residual: Dice of necrosis +0.020 (−0.010 to +0.050), p (Holm) 0.20. No difference was shown'
    """
    sentences = []
    rows = table[(table["metric"] == "dice") & (table["label"] == part) & table["base_mean"].notna()]
    for row in records(rows):
        start = f"{printable(row['variant'])}: Dice of {printable(part)} {signed(row['difference'], 3)}"
        if pd.isna(row["ci_low"]):
            sentences.append(f"{start}, {printable(row['note'], ERROR_CHARACTERS)}.")
            continue
        low, high = signed(row["ci_low"], 3), signed(row["ci_high"], 3)
        start += f" ({low} to {high})"
        if pd.isna(row["p_holm"]):
            sentences.append(f"{start}: {printable(row['note'], ERROR_CHARACTERS)}.")
            continue
        start += f", p (Holm) {p_value(row['p_holm'])}."
        if row["p_holm"] < SIGNIFICANT:
            word = "better" if row["difference"] > 0 else "worse"
            sentences.append(f"{start} It is {word} than the base.")
        elif row["ci_low"] > 0 or row["ci_high"] < 0:
            sentences.append(
                f"{start} No difference was shown: alone the interval leaves out 0, but it is one of several "
                "comparisons, of which some do by chance."
            )
        else:
            sentences.append(
                f"{start} No difference was shown; one between {low} and {high} is compatible with the data."
            )
    return sentences


def warnings_of(table: pd.DataFrame) -> list[str]:
    """What a reader must know before any number.

    Args:
        table: of `avnnet.stats.ablation_table`.

    Examples:
        >>> warnings_of(pd.DataFrame({"n_patients": [6], "n_seeds": [1]}))[1]
        'One seed: how much another seed would change is not known, and no interval is given.'
    """
    found = []
    patients, seeds = int(table["n_patients"].max()), int(table["n_seeds"].max())
    if patients < FEW_PATIENTS:
        found.append(
            f"A small cohort: {patients} patients. An interval that holds 0 does not show that there is no difference."
        )
    if seeds == 1:
        found.append("One seed: how much another seed would change is not known, and no interval is given.")
    elif seeds < 3:
        found.append(
            "Two seeds: the error of the seeds is hardly known. The intervals are wide, and hold the truth in as "
            "little as 86 instead of 95 % of such ablations."
        )
    return found


def left_to_do(asked: AblationRecord, done: AblationRecord) -> list[str]:
    """What was asked for and is in no table, as a warning; empty where all is done.

    Args:
        asked: the record of an ablation.
        done: the same without the variants and seeds that no table has.

    Examples:
        >>> from dataclasses import replace
        >>> from avnnet.labels import HIP
        >>> done = AblationRecord("unet3d", {}, (1, 2, 3), 2, 1, "hips.csv", "", True, HIP)
        >>> left_to_do(replace(done, seeds=(1, 2, 3, 4)), done)[0].partition(".")[0]
        'Not finished: the seed 4 was asked for too, and is in no table'
    """
    variants = [printable(name) for name in asked.variants if name not in done.variants]
    seeds = [str(seed) for seed in asked.seeds if seed not in done.seeds]
    left = [*variants, *([f"the seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)}"] if seeds else [])]
    if not left:
        return []
    verb = "were asked for too, and are" if len(variants) + len(seeds) > 1 else "was asked for too, and is"
    return [f"Not finished: {' and '.join(left)} {verb} in no table. The command, given again, goes on with it."]


def methods(record: AblationRecord) -> list[str]:
    """Paragraphs of prose, in the words of a paper.

    Args:
        record: what is known of the ablation.

    Examples:
        >>> from avnnet.ablation_record import VariantRecord
        >>> from avnnet.labels import HIP
        >>> variants = {name: VariantRecord((), "") for name in ("unet3d", "residual")}
        >>> methods(AblationRecord("unet3d", variants, (1, 2, 3), 2, 1, "hips.csv", "", True, HIP))[0].partition(".")[0]
        'unet3d was compared with residual'
    """
    return [" ".join(_trained(record)), " ".join(_compared()), " ".join(_software(record))]


def _trained(record: AblationRecord) -> Iterable[str]:
    others = [printable(name) for name in record.variants if name != record.base]
    yield f"{printable(record.base)} was compared with {', '.join(others) or 'nothing yet'}."
    yield f"{record.folds}-fold cross-validation, folds by patient, the same folds for all."
    yield (
        f"Each variant was trained {len(record.seeds)} times on every fold, with the seeds "
        f"{', '.join(map(str, record.seeds))} of initial weights, order and augmentation: the same cases, in one order."
    )
    if record.minutes is not None:
        yield (
            f"Every training was given {record.minutes:g} minutes: a timing before the first one fixed each variant's "
            "number of steps, the same for all its seeds and folds."
        )
    else:
        yield "Every variant kept the number of steps of its config."
    if record.digital:
        yield "The images are digital hips with known truth: no result is a clinical one."


def _compared() -> Iterable[str]:
    yield metric("dice").definition
    yield (
        "Differences from the base were taken by case and seed and averaged over the cases of a patient. Intervals "
        "and p values take patients and seeds as random and crossed (Dorfman, Berbaum, Metz 1992; degrees of freedom "
        "after Hillis 2007, those of the patients included). p values are two-sided, adjusted after Holm over all "
        "variants and structures of a metric."
    )


def _software(record: AblationRecord) -> Iterable[str]:
    if record.versions:
        named = (f"{printable(name)} {printable(value)}" for name, value in record.versions.items())
        yield f"Software: {', '.join(named)}."
