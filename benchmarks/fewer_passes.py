"""What fewer networks of a model lose on a cohort that none of them saw.

All networks; the folds of each configuration; the first network of each configuration, alone and together; what
`--fast` takes; and of each configuration one network whose weights are the mean of its folds'.

Run: python benchmarks/fewer_passes.py MODEL COHORT.csv
"""

import argparse
import time
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch

from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_image, read_labels
from avnnet.inference.effort import hip_gflop, shape_seen
from avnnet.inference.engines import chosen_engine
from avnnet.inference.member import Member
from avnnet.inference.model_folder import load_model
from avnnet.inference.segmenter import Segmenter
from avnnet.metrics import dice


def averaged(members: Sequence[Member]) -> Member:
    """One network whose weights are the mean of several."""
    net = deepcopy(members[0].net)
    states = [member.net.state_dict() for member in members]
    net.load_state_dict({name: torch.stack([one[name] for one in states]).mean(dim=0) for name in states[0]})
    first = members[0]
    return Member(net, first.preprocess, first.tiling, f"{first.name}, mean weights")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("cohort", type=Path)
    args = parser.parse_args()
    engine = chosen_engine("auto", "cpu", None, print)
    model = load_model(args.model, engine=engine)
    by_name = {name: [one for one in model.members if one.name == name] for name in model.ensemble.names}
    choices: dict[str, list[Member]] = {"all networks": list(model.members)}
    choices |= {f"{name}, {len(some)} folds": some for name, some in by_name.items()}
    choices |= {f"{name}, first fold": some[:1] for name, some in by_name.items()}
    choices["first fold of each"] = [some[0] for some in by_name.values()]
    if model.fast is not None:
        choices["--fast"] = model.as_fast().members
    choices |= {f"{name}, mean weights": [averaged(some)] for name, some in by_name.items()}
    names = [model.scheme.whole, *model.scheme.names.values()]
    cases = read_cohort(args.cohort).cases
    print(f"{len(cases)} cases; Dice {', '.join(names)}; GFLOP and seconds a hip, networks and mask")
    scans = [(case, read_image(case.image), read_labels(case.label, model.scheme)) for case in cases]
    for name, members in choices.items():
        chosen = Segmenter(members, model.scheme, engine=engine, cleaning=model.cleaning)
        gflop = sum(hip_gflop(one, shape_seen(one, model.members)) for one in members)
        found, seconds = [], []
        for case, image, manual in scans:
            start = time.perf_counter()
            hip = chosen.predict(image, side=case.side, centre_mm=case.centre_mm)
            seconds.append(time.perf_counter() - start)
            found.append([dice(manual.mask(one), hip.labels.mask(one)) for one in names])
        means = " ".join(f"{value:.4f}" for value in np.nanmean(found, axis=0))
        print(f"{name:26s} {means}  {gflop:8.1f} GFLOP {np.median(seconds):6.2f} s", flush=True)


if __name__ == "__main__":
    main()
