# gated.py and log_cosh.py as above
import sys

import pandas as pd
from gated import make_net as gated
from log_cosh import loss as log_cosh
from monai.networks.nets import DynUNet
from scipy import stats
from sklearn.model_selection import GroupKFold
from statsmodels.stats.multitest import multipletests
from training import CLASSES, dice, train

BASE, FOLDS, SEEDS, EPOCHS = "plain", 5, (1, 2, 3), 50


def plain():
    return DynUNet(3, 1, CLASSES, [3] * 4, [1, 2, 2, 2], [2, 2, 2], filters=[16, 32, 64, 128])


def rows(cases):
    variants = {BASE: (plain, None), "gated": (gated, None), "log_cosh": (plain, log_cosh)}
    folds = GroupKFold(FOLDS, shuffle=True, random_state=1)
    for kept, held_out in folds.split(cases, groups=[case["patient_id"] for case in cases]):
        training, validation = [cases[i] for i in kept], [cases[i] for i in held_out]
        for name, (make_net, loss) in variants.items():
            for seed in SEEDS:
                net = train(make_net, training, loss, seed=seed, epochs=EPOCHS)
                for case, of_case in zip(validation, dice(net, validation).tolist(), strict=True):
                    for label, value in enumerate(of_case, 1):
                        yield name, seed, case["patient_id"], label, value


def compared(table):
    means = table.groupby(["label", "variant", "patient_id"])["dice"].mean().unstack("variant")
    lines = []
    for label, of_label in means.groupby("label"):
        for name in of_label.columns.drop(BASE):
            test = stats.ttest_1samp((of_label[name] - of_label[BASE]).dropna(), 0)
            difference = (of_label[name] - of_label[BASE]).mean()
            lines.append([label, name, difference, *test.confidence_interval(), test.pvalue])
    found = pd.DataFrame(lines, columns=["label", "variant", "difference", "ci_low", "ci_high", "p"])
    return found.assign(p_holm=multipletests(found["p"], method="holm")[1])


if __name__ == "__main__":
    cases = pd.read_csv(sys.argv[1]).to_dict("records")
    table = pd.DataFrame(rows(cases), columns=["variant", "seed", "patient_id", "label", "dice"])
    print(compared(table))
