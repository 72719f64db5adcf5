"""Cross-validation decides which steps of cleaning are kept, as nnU-Net's does."""

import numpy as np
import pandas as pd
import pytest

from avnnet.stats import cleaning_table
from avnnet.stats.decided import kept_steps, named

CHOICES = [[], ["a"], ["b"], ["a", "b"]]


def weighed(values: dict[str, dict[str, list[float]]], usual: str = "nothing") -> pd.DataFrame:
    """A table of choices of steps, each with the Dice of some cases by label."""
    return pd.DataFrame(
        {"case_id": str(case), "usual": usual, "steps": steps, "label": label, "dice": dice}
        for steps, labels in values.items()
        for label, cases in labels.items()
        for case, dice in enumerate(cases)
    )


def of(*means: float, second: tuple[float, ...] | None = None) -> pd.DataFrame:
    """One case, one or two labels: Dice of nothing, a, b, and both."""
    labels = {"head": means} | ({} if second is None else {"necrosis": second})
    return weighed({named(one): {name: [v[n]] for name, v in labels.items()} for n, one in enumerate(CHOICES)})


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        (of(0.8, 0.9, 0.8, 0.9), ("a",)),
        (of(0.8, 0.7, 0.9, 0.95), ("b",)),  # that both together are best is not tried: one after another
        (of(0.8, 0.9, 0.85, 0.95), ("a", "b")),
        (of(0.8, 0.9, 0.95, 0.85), ("a",)),  # b is weighed on top of a
        (of(0.8, 0.8, 0.8, 0.8), ()),
        (of(0.8, 0.9, 0.8, 0.9, second=(0.6, 0.59, 0.6, 0.59)), ()),  # better in the mean, worse for one label
        (of(0.8, 0.9, 0.8, 0.9, second=(0.6, 0.6, 0.6, 0.6)), ("a",)),
    ],
)
def test_a_step_is_kept_if_the_mean_is_better_and_no_label_worse(table, kept):
    assert kept_steps(table) == kept


@pytest.mark.parametrize(("usual", "kept"), [("nothing", ()), ("a", ("a",)), ("a + b", ("a", "b"))])
def test_of_a_step_that_changes_nothing_the_usual_is_kept(usual, kept):
    assert kept_steps(of(0.8, 0.8, 0.8, 0.8).assign(usual=usual)) == kept


def test_a_usual_step_that_makes_masks_worse_is_dropped():
    assert kept_steps(of(0.8, 0.7, 0.8, 0.7).assign(usual="a")) == ()


def test_a_step_that_is_usual_for_some_cases_alone_is_not_usual():
    table = pd.concat([of(0.8, 0.8, 0.8, 0.8).assign(usual="a"), of(0.8, 0.8, 0.8, 0.8).assign(case_id="9")])
    assert kept_steps(table) == ()


def test_the_table_counts_cases_and_those_that_a_step_changes_an_undefined_dice_among_them():
    cases = {"head": [0.8, 0.9, np.nan, 0.0]}
    better = {"head": [0.8, 0.95, np.nan, np.nan]}  # nothing is left of a lesion that is none
    row = cleaning_table(weighed({"nothing": cases, "a": better})).iloc[0]
    assert (row["n_cases"], row["n_changed"]) == (4, 2)
    assert row["dice_without"] == pytest.approx(1.7 / 3)
    assert row["dice_with"] == pytest.approx(1.75 / 2)
    assert row["is_kept"]
