"""What the held-out cases of a study decide: how masks are cleaned, and which of its networks are enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from avnnet.readers import ENSEMBLE

NOTHING, AND = "nothing", " + "
ALLOWED_LOSS = 0.01  # of mean Dice, of every label


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


def fast_table(agreement: pd.DataFrame, gflop: Mapping[str, float]) -> pd.DataFrame:
    """A row per choice of networks and label: Dice on held-out cases, what is lost, and whether the choice is taken.

    Each configuration alone is held against all of them together, on the cases that both have, and so is the choice of
    all, which loses nothing. In cross-validation every one of them is a single network, that of the fold, as it is in
    the choice. The cheapest is taken that loses at most 0.01 of the mean Dice of every label. A label that no case has
    says nothing.

    Args:
        agreement: case_id, reader, label and dice of a study's held-out cases.
        gflop: of a network of each configuration, for one hip.

    Returns:
        networks, label, n_cases, dice, dice_of_all, loss, gflop, is_taken; the cheapest first.

    Examples:
        >>> rows = [("a", "unet2d", 0.890), ("a", "unet3d", 0.896), ("a", "ensemble", 0.9)]
        >>> agreement = pd.DataFrame(rows, columns=["case_id", "reader", "dice"]).assign(label="head")
        >>> fast_table(agreement, {"unet3d": 9.0, "unet2d": 4.0})[["networks", "loss", "is_taken"]].to_numpy().tolist()
        [['unet2d', 0.01, True], ['unet3d', 0.004, False], ['unet2d + unet3d', 0.0, False]]
    """
    names = sorted(gflop, key=lambda name: (gflop[name], name))
    dice = agreement.pivot_table(index=["case_id", "label"], columns="reader", values="dice", sort=False)
    choices: dict[str, tuple[str, float]] = {name: (name, gflop[name]) for name in names}
    choices[AND.join(names)] = ENSEMBLE, sum(gflop.values())
    rows = []
    for choice, (reader, cost) in choices.items():
        if reader not in dice or ENSEMBLE not in dice:  # all its cases failed
            continue
        both = pd.DataFrame({"dice": dice[reader], "dice_of_all": dice[ENSEMBLE]}).dropna()
        for label, found in both.groupby("label", sort=False):
            means = found["dice"].mean(), found["dice_of_all"].mean()
            loss = (found["dice_of_all"] - found["dice"]).mean()
            rows.append([choice, label, len(found), *(round(float(one), 6) for one in (*means, loss)), cost])
    table = pd.DataFrame(rows, columns=["networks", "label", "n_cases", "dice", "dice_of_all", "loss", "gflop"])
    worst = table.groupby("networks", sort=False)["loss"].max()
    enough = worst.index[worst <= ALLOWED_LOSS]
    return table.assign(is_taken=table["networks"] == (enough[0] if len(enough) else ""))
