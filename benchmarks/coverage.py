"""Do the 95 % intervals hold the truth in 95 % of studies? Simulated studies of n = 30 patients.

A patient's size is normal (SD 7), two readers add errors (SD 2) and a bias of 0.5; groups differ by 5; Dice is a skewed
beta. Coverage of 2,000 studies has a standard error of 0.5 points; the target is 93.5 to 96.5 %.

Run: python benchmarks/coverage.py            (all: about 15 minutes on one core)
     python benchmarks/coverage.py pearson icc --studies 500
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy import stats as scipy_stats

from avnnet.stats import (
    bland_altman,
    bootstrap_interval,
    concordance,
    delong,
    deming,
    grade_agreement,
    hodges_lehmann,
    icc,
    paired_sensitivity,
    passing_bablok,
    pearson,
    second_reader,
    spearman,
    wilson_interval,
)

N, SD, ERROR, BIAS, SHIFT, DRAWS = 30, 7.0, 2.0, 0.5, 5.0, 2000
READER_SD = 1.0
CUTS = (-4.0, 4.0)
Intervals = Iterator[tuple[str, float, float, float]]


def long(**readers: np.ndarray) -> pd.DataFrame:
    keys = {"patient_id": np.arange(N).astype(str), "case_id": np.arange(N).astype(str)}
    return pd.concat([pd.DataFrame(keys | {"reader": name, "x": values}) for name, values in readers.items()])


def readings(generator: np.random.Generator, bias: float = BIAS) -> tuple[np.ndarray, np.ndarray]:
    true = generator.normal(0, SD, N)
    return true + generator.normal(0, ERROR, N), true + bias + generator.normal(0, ERROR, N)


def correlations(g: np.random.Generator) -> Intervals:
    first, second = readings(g)
    table, rho = long(manual=first, net=second), SD**2 / (SD**2 + ERROR**2)
    for name, function, truth in (
        ("Pearson, Fisher", pearson, rho),
        ("Spearman, Bonett-Wright", spearman, 6 / np.pi * np.arcsin(rho / 2)),
    ):
        row = function(table, "x", automatic="net").iloc[0]
        yield name, truth, row["ci_low"], row["ci_high"]
    row = concordance(table, "x", automatic="net").iloc[0]
    truth = 2 * SD**2 / (2 * (SD**2 + ERROR**2) + BIAS**2)
    yield "CCC, z-transform", truth, row["ci_low"], row["ci_high"]
    yield "CCC, asymptotic", truth, row["ci_asymptotic_low"], row["ci_asymptotic_high"]


def limits(g: np.random.Generator) -> Intervals:
    table = long(**dict(zip(("manual", "net"), readings(g), strict=True)))
    sd = np.sqrt(2) * ERROR
    for method in ("approximate", "exact"):
        row = bland_altman(table, "x", automatic="net", method=method).iloc[0]
        upper = row["upper_limit_ci_low"], row["upper_limit_ci_high"]
        yield f"limit of agreement, {method}", BIAS + 1.96 * sd, *upper
    yield "bias, t", BIAS, row["bias_ci_low"], row["bias_ci_high"]


def iccs(g: np.random.Generator) -> Intervals:
    whole = SD**2 + ERROR**2
    same = icc(long(**dict(zip(("manual", "net"), readings(g, 0.0), strict=True))), "x").set_index("form")
    yield "ICC(1,1), F", SD**2 / whole, *same.loc["ICC(1,1)", ["ci_low", "ci_high"]]
    yield "ICC(3,1), F", SD**2 / whole, *same.loc["ICC(3,1)", ["ci_low", "ci_high"]]
    true, offsets = g.normal(0, SD, N), g.normal(0, READER_SD, 4)
    four = {f"r{k}": true + offset + g.normal(0, ERROR, N) for k, offset in enumerate(offsets)}
    row = icc(long(**four), "x").set_index("form").loc["ICC(2,1)"]
    yield "ICC(2,1), 4 random readers", SD**2 / (whole + READER_SD**2), row["ci_low"], row["ci_high"]


def lines(g: np.random.Generator) -> Intervals:
    table = long(**dict(zip(("manual", "net"), readings(g), strict=True)))
    for name, function in (("Deming slope, jackknife", deming), ("Passing-Bablok slope", passing_bablok)):
        row = function(table, "x", automatic="net").iloc[0]
        yield name, 1.0, row["slope_ci_low"], row["slope_ci_high"]


def groups(g: np.random.Generator) -> Intervals:
    first, second = g.normal(0, SD, N // 2), g.normal(SHIFT, SD, N // 2)
    yield "Hodges-Lehmann shift, exact", SHIFT, *hodges_lehmann(first, second)[1:]
    yield "AUC, DeLong", float(scipy_stats.norm.cdf(SHIFT / (SD * np.sqrt(2)))), *delong(first, second)[2:]
    found = int(g.binomial(N, 0.8))
    yield "proportion 0.8, Wilson", 0.8, *wilson_interval(found, N)


def graded(values: np.ndarray) -> np.ndarray:
    return np.array(["A", "B", "C"])[np.digitize(values, CUTS)]


def true_kappa() -> float:
    g = np.random.default_rng(0)
    true = g.normal(0, SD, 2_000_000)
    first, second = (np.digitize(true + g.normal(0, ERROR, len(true)), CUTS) for _ in range(2))
    observed = np.mean((first - second) ** 2)
    a, b = (np.bincount(one, minlength=3) / len(true) for one in (first, second))
    expected = sum(a[i] * b[j] * (i - j) ** 2 for i in range(3) for j in range(3))
    return float(1 - observed / expected)


def grades(g: np.random.Generator) -> Intervals:
    table = long(**{name: graded(values) for name, values in zip(("manual", "net"), readings(g, 0.0), strict=True)})
    row = grade_agreement(table, "x", order=("A", "B", "C"), automatic="net").iloc[0]
    yield "quadratic kappa", KAPPA, row["kappa_quadratic_ci_low"], row["kappa_quadratic_ci_high"]


def bootstrap(g: np.random.Generator) -> Intervals:
    dice = g.beta(6, 2, N)
    mean = bootstrap_interval(range(N), lambda w: w @ dice / w.sum(axis=1), draws=DRAWS)
    yield "mean Dice, BCa", 0.75, *mean
    first, _ = readings(g)
    other = first + g.normal(0, np.sqrt(2) * ERROR, N)
    table = long(manual=first, second=other, net=first + g.normal(0, np.sqrt(2) * ERROR, N))
    row = second_reader(table, "x", second="second", automatic="net", draws=DRAWS).iloc[0]
    yield "second reader, difference of CCC, BCa", 0.0, row["ci_low"], row["ci_high"]


def clustered(g: np.random.Generator) -> Intervals:
    patient = np.concatenate([np.arange(N), np.arange(N // 2)])
    gap = (BIAS + g.normal(0, 1.5, N))[patient] + g.normal(0, 1.5, len(patient))
    keys = {"patient_id": patient.astype(str), "case_id": np.arange(len(patient)).astype(str)}
    parts = [pd.DataFrame(keys | {"reader": name, "x": x}) for name, x in (("manual", 0 * gap), ("net", gap))]
    for row in paired_sensitivity(pd.concat(parts), "x", readers=("manual", "net")).itertuples():
        yield f"difference, half with two hips: {row.method}", BIAS, row.ci_low, row.ci_high


def two_hips(g: np.random.Generator) -> Intervals:
    """Half the patients with two hips, alike in size (SD 7 and 3) and in each reader's error (SD 1 and 2)."""
    patient = np.concatenate([np.arange(N), np.arange(N // 2)])
    size = g.normal(0, SD, N)[patient] + g.normal(0, 3, len(patient))
    keys = {"patient_id": patient.astype(str), "case_id": np.arange(len(patient)).astype(str)}
    parts = []
    for name, bias in (("manual", 0.0), ("net", BIAS)):
        error = g.normal(0, 1, N)[patient] + g.normal(0, ERROR, len(patient))
        parts.append(pd.DataFrame(keys | {"reader": name, "x": size + bias + error}))
    table, shared, wrong = pd.concat(parts), SD**2 + 9, 1 + ERROR**2
    against = {"automatic": "net", "draws": DRAWS}
    row = concordance(table, "x", **against).iloc[0]
    yield "two hips: CCC, bootstrap", 2 * shared / (2 * (shared + wrong) + BIAS**2), row["ci_low"], row["ci_high"]
    row = icc(table, "x", draws=DRAWS).set_index("form").loc["ICC(3,1)"]
    yield "two hips: ICC(3,1), bootstrap", shared / (shared + wrong), row["ci_low"], row["ci_high"]
    for name, function in (("Deming", deming), ("Passing-Bablok", passing_bablok)):
        row = function(table, "x", **against).iloc[0]
        yield f"two hips: {name} slope, bootstrap", 1.0, row["slope_ci_low"], row["slope_ci_high"]
    row = bland_altman(table, "x", automatic="net").iloc[0]
    upper = BIAS + 1.96 * np.sqrt(2 * wrong)
    yield "two hips: limit of agreement, approximate", upper, row["upper_limit_ci_low"], row["upper_limit_ci_high"]


SUITES: dict[str, Callable[[np.random.Generator], Intervals]] = {
    "correlations": correlations, "limits": limits, "icc": iccs, "lines": lines, "groups": groups, "grades": grades,
    "bootstrap": bootstrap, "clustered": clustered, "two_hips": two_hips,
}  # fmt: skip
KAPPA = true_kappa()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--studies", type=int, default=2000)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    for suite in args.suites or SUITES:
        start, held, undefined = time.perf_counter(), {}, {}
        for seed in range(args.studies):
            for name, truth, low, high in SUITES[suite](np.random.default_rng(seed)):
                known = np.isfinite(low) and np.isfinite(high)
                undefined[name] = undefined.get(name, 0) + (not known)
                held.setdefault(name, []).extend([low <= truth <= high] if known else [])
        for name, hits in held.items():
            share, missing = 100 * np.mean(hits), f", {undefined[name]} without an interval" if undefined[name] else ""
            sign = "" if 93.5 <= share <= 96.5 else "  OUTSIDE 93.5 to 96.5"
            print(f"{name:55s} {share:5.1f} % of {len(hits)}{missing}{sign}", flush=True)
        print(f"  ({suite}: {time.perf_counter() - start:.0f} s)", file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
