"""Variants against their base: analytic truth, limits that are older tests, and coverage by simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from avnnet.errors import StatisticsError
from avnnet.stats import ablation_table
from avnnet.stats.ablation import crossed_interval


def tables(variants, *, patients=8, seeds=3, labels=("vital", "necrosis")):
    """A table of Dice; `variants` maps a name to a function of (patient, seed, label)."""
    rows = [
        {"patient_id": f"p{p}", "case_id": f"c{p}", "variant": name, "seed": s, "label": label, "dice": of(p, s, label)}
        for name, of in variants.items()
        for p in range(patients)
        for s in range(1, seeds + 1)
        for label in labels
    ]
    return pd.DataFrame(rows)


def noisy(seed, shift=0.0):
    values = {}
    generator = np.random.default_rng(seed)
    return lambda *key: shift + values.setdefault(key, generator.normal(0.8, 0.05))


def test_a_constant_shift_is_found_exactly_and_without_width():
    plain = noisy(1)
    rows = ablation_table(tables({"plain": plain, "shifted": lambda *k: plain(*k) + 0.03}), base="plain")
    shifted = rows[rows["variant"] == "shifted"]
    assert shifted["difference"].to_numpy() == pytest.approx([0.03, 0.03], abs=1e-12)
    assert (shifted["ci_high"] - shifted["ci_low"]).tolist() == [0, 0]
    assert shifted["p"].isna().all()
    assert shifted["note"].str.contains("same difference").all()


def test_where_seeds_agree_the_interval_is_that_of_the_paired_t_test_by_patient():
    one = np.random.default_rng(0).normal(0.02, 0.05, 12)
    low, high, df, p, _ = crossed_interval(np.repeat(one[:, None], 3, axis=1))
    expected = stats.ttest_1samp(one, 0)
    assert (low, high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert (df, p) == pytest.approx((11, expected.pvalue))


def test_where_patients_agree_the_interval_is_that_of_a_t_test_of_the_seeds():
    one = np.array([0.01, 0.05, 0.02])
    low, high, df, p, _ = crossed_interval(np.repeat(one[None], 12, axis=0))
    expected = stats.ttest_1samp(one, 0)
    assert (low, high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert (df, p) == pytest.approx((2, expected.pvalue))


@pytest.mark.parametrize(("of_patients", "of_seeds", "rest"), [(1, 0, 0.5), (1, 0.2, 0.5), (1, 0.5, 0.5), (0, 0, 1)])
def test_ninety_five_percent_of_the_intervals_cover_the_truth(of_patients, of_seeds, rest):
    generator, hits = np.random.default_rng(5), 0
    for _ in range(600):
        by_patient, by_seed = generator.normal(size=(20, 1)), generator.normal(size=(1, 3))
        low, high, *_ = crossed_interval(
            of_patients * by_patient + of_seeds * by_seed + rest * generator.normal(size=(20, 3))
        )
        hits += low < 0 < high
    assert 0.91 <= hits / 600 <= 0.985


@pytest.mark.parametrize(("patients", "of_trainings"), [(20, 0.3), (20, 1.0), (100, 0.3), (100, 1.0)])
def test_trainings_that_differ_between_two_folds_are_covered_as_seeds_are(patients, of_trainings):
    """A seed is another training in each fold, which all patients of the fold share."""
    generator, hits, folds = np.random.default_rng(6), 0, np.arange(patients) % 2
    for _ in range(500):
        by_training = of_trainings * generator.normal(size=(2, 3))[folds]
        by_patient, rest = generator.normal(size=(patients, 1)), 0.5 * generator.normal(size=(patients, 3))
        low, high, *_ = crossed_interval(by_patient + by_training + rest)
        hits += low < 0 < high
    assert 0.90 <= hits / 500 <= 0.975


def test_more_patients_do_not_hide_that_the_seeds_differ():
    generator = np.random.default_rng(2)
    seeds = np.array([[0.0, 0.04, 0.08]])
    widths = []
    for patients in (20, 2000):
        low, high, *_ = crossed_interval(seeds + 0.01 * generator.normal(size=(patients, 3)))
        widths.append(high - low)
    assert widths[1] > 0.9 * widths[0]


def test_the_order_of_the_rows_does_not_matter():
    table = tables({"plain": noisy(1), "residual": noisy(2, 0.01)})
    shuffled = table.sample(frac=1, random_state=3)
    key = ["variant", "label"]
    first, second = (ablation_table(t, base="plain").sort_values(key).reset_index(drop=True) for t in (table, shuffled))
    pd.testing.assert_frame_equal(first, second)


def test_holm_is_over_all_variants_and_labels_as_statsmodels_has_it():
    table = tables({"plain": noisy(1), "a": noisy(2, 0.04), "b": noisy(3, 0.01), "c": noisy(4)})
    rows = ablation_table(table, base="plain").dropna(subset="p")
    assert len(rows) == 6
    assert rows["p_holm"].tolist() == pytest.approx(multipletests(rows["p"], method="holm")[1].tolist())


def test_two_hips_of_a_patient_are_one_patient():
    table = tables({"plain": noisy(1), "residual": noisy(2, 0.02)}, labels=("necrosis",))
    doubled = pd.concat([table, table.assign(case_id=table["case_id"] + "-left")])
    once, twice = (ablation_table(t, base="plain").iloc[1] for t in (table, doubled))
    assert (twice["n_cases"], twice["n_patients"]) == (2 * once["n_cases"], once["n_patients"])
    assert twice["ci_low"] == pytest.approx(once["ci_low"])


def test_an_undefined_dice_is_counted_and_never_taken_for_a_perfect_one():
    table = tables({"plain": lambda *_: 0.5, "residual": noisy(2)}, labels=("necrosis",))
    gone = (table["case_id"] == "c0") & (table["variant"] == "residual") & (table["seed"] == 2)
    table.loc[gone, "dice"] = np.nan
    row = ablation_table(table, base="plain").iloc[1]
    assert (row["n_undefined"], row["n_excluded"], row["n_cases"]) == (1, 1, 7)
    whole = table[table["case_id"] != "c0"].query("variant == 'residual'")
    assert row["mean"] == pytest.approx(whole["dice"].mean())


def test_a_case_that_failed_for_one_variant_is_left_out_of_both_and_counted():
    table = tables({"plain": noisy(1), "residual": noisy(2)}, labels=("necrosis",))
    failed = (table["case_id"] == "c3") & (table["variant"] == "residual")
    row = ablation_table(table[~failed], base="plain").iloc[1]
    assert (row["n_excluded"], row["n_cases"], row["n_undefined"]) == (1, 7, 0)


@pytest.mark.parametrize(("patients", "seeds", "words"), [(8, 1, "1 seed says nothing"), (2, 3, "2 patients")])
def test_too_few_are_said_in_words_instead_of_an_interval(patients, seeds, words):
    table = tables({"plain": noisy(1), "residual": noisy(2)}, patients=patients, seeds=seeds)
    rows = ablation_table(table, base="plain").query("variant == 'residual'")
    assert rows["ci_low"].isna().all()
    assert rows["p"].isna().all()
    assert rows["note"].str.contains(words).all()
    assert rows["difference"].notna().all()


def test_what_the_table_lacks_is_named():
    table = tables({"plain": noisy(1), "residual": noisy(2)})
    with pytest.raises(StatisticsError, match=r"no variant 'plane'.*\['plain', 'residual'\]"):
        ablation_table(table, base="plane")
    with pytest.raises(StatisticsError, match=r"no column \['seed'\]"):
        ablation_table(table.drop(columns="seed"), base="plain")
    with pytest.raises(StatisticsError, match="repeat"):
        ablation_table(pd.concat([table, table]), base="plain")
