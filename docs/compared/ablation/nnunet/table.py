import json
from pathlib import Path

import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

BASE = "nnUNetTrainer"


def rows(folder):
    for path in Path(folder).glob("seed*/*/*/fold_*/validation/summary.json"):
        for case in json.loads(path.read_text())["metric_per_case"]:
            for label, metrics in case["metrics"].items():
                variant = path.parents[2].name.partition("__")[0]
                yield path.parents[4].name, variant, Path(case["prediction_file"]).name, label, metrics["Dice"]


def compared(table):
    means = table.groupby(["label", "variant", "case_id"])["dice"].mean().unstack("variant")
    lines = []
    for label, of_label in means.groupby("label"):
        for name in of_label.columns.drop(BASE):
            test = stats.ttest_1samp((of_label[name] - of_label[BASE]).dropna(), 0)
            difference = (of_label[name] - of_label[BASE]).mean()
            lines.append([label, name, difference, *test.confidence_interval(), test.pvalue])
    found = pd.DataFrame(lines, columns=["label", "variant", "difference", "ci_low", "ci_high", "p"])
    return found.assign(p_holm=multipletests(found["p"], method="holm")[1])


if __name__ == "__main__":
    table = pd.DataFrame(rows("."), columns=["seed", "variant", "case_id", "label", "dice"])
    print(compared(table))
