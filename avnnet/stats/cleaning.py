"""Which steps of cleaning a mask the held-out cases of a study speak for."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

NOTHING, AND = "nothing", " + "


def named(steps: Sequence[str]) -> str:
    """Steps in one word of a table.

    Examples:
        >>> named([]), named(["largest_piece", "part_inside"])
        ('nothing', 'largest_piece + part_inside')
    """
    return AND.join(steps) or NOTHING


def cleaning_table(weighed: pd.DataFrame) -> pd.DataFrame:
    """A row per step and label: Dice of held-out cases without and with the step, and whether it is kept.

    The steps are weighed one after another, each on top of those that were kept. One is kept if the mean over the
    labels' Dice is larger with it, and that of no label smaller. Of a step that changes no case nothing is known: it is
    kept where it is usual.

    Args:
        weighed: a row per case, choice of steps (`named`) and label, with its Dice, and the steps that are usual.

    Returns:
        step, label, n_cases, n_changed, dice_without, dice_with, is_kept.

    Source:
        Isensee F et al. Nat Methods 2021;18:203-211 (post-processing is decided by cross-validation).

    Examples:
        >>> rows = [("a", "nothing", "head", 0.8), ("a", "largest_piece", "head", 0.9)]
        >>> weighed = pd.DataFrame(rows, columns=["case_id", "steps", "label", "dice"]).assign(usual="nothing")
        >>> cleaning_table(weighed)[["step", "n_changed", "dice_without", "dice_with", "is_kept"]].to_numpy().tolist()
        [['largest_piece', 1, 0.8, 0.9, True]]
    """
    steps = [name for name in weighed["steps"].unique() if name != NOTHING and AND not in name]
    by_case = {name: rows.set_index(["case_id", "label"])["dice"] for name, rows in weighed.groupby("steps")}
    usual = [set(name.split(AND)) for name in weighed["usual"].unique()]

    def is_usual(step: str) -> bool:
        return all(step in names for names in usual)

    kept: list[str] = []
    rows = []
    for step in steps:
        without, with_it = by_case[named(kept)], by_case[named([*kept, step])]
        means = [one.groupby("label", sort=False).mean() for one in (without, with_it)]
        gain = means[1] - means[0]
        is_other = (without != with_it) & ~(without.isna() & with_it.isna())
        is_better = bool(gain.mean() > 0 and not (gain < 0).any())
        is_kept = is_better if is_other.any() else is_usual(step)
        for label in means[0].index:
            changed = is_other.xs(label, level="label")
            counts = {"n_cases": len(changed), "n_changed": int(changed.sum())}
            dice = {"dice_without": float(means[0][label]), "dice_with": float(means[1][label])}
            rows.append({"step": step, "label": label, **counts, **dice, "is_kept": is_kept})
        kept += [step] * is_kept
    return pd.DataFrame(rows)


def kept_steps(weighed: pd.DataFrame) -> tuple[str, ...]:
    """The steps that are kept, in their order; as `cleaning_table`.

    Args:
        weighed: as of `cleaning_table`.

    Examples:
        >>> rows = [("a", "nothing", "head", 0.8), ("a", "largest_piece", "head", 0.7)]
        >>> kept_steps(pd.DataFrame(rows, columns=["case_id", "steps", "label", "dice"]).assign(usual="largest_piece"))
        ()
    """
    table = cleaning_table(weighed)
    return tuple(table.loc[table["is_kept"], "step"].unique())
