"""How a lesion's border is best carried to the surface of the head: 220 rules on 34 digital hips per seed.

The difference of the distances to vital bone and to necrosis is sampled along the rays of both planes, from 0.5 mm
above the surface to 3.5 mm below, and extrapolated to the surface by each rule: through a pair of depths, or by a line
through all samples between two depths. A rule's error is that of the modified Kerboul angle against the truth.

Run: python benchmarks/border_rules.py 7 11 23 31
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator

import numpy as np

from avnnet.measure import measured_head
from avnnet.measure.extent import STEP_DEG, patient_planes
from avnnet.phantom import Acquisition, CohortPlan

DEPTHS_MM = np.arange(-0.5, 3.51, 0.1)
LIMIT_DEG = 5.0
Rule = Callable[[np.ndarray], np.ndarray]
Plane = tuple[float, np.ndarray, np.ndarray]


def sampled(seed: int) -> Iterator[list[Plane]]:
    """Truth in degrees, whether a ray meets joint surface, and samples `(depths, rays)`, for each plane of a hip."""
    angles = np.arange(0, 360, STEP_DEG)
    plan = CohortPlan(patients=34, seed=seed, acquisition=Acquisition(), other_hip_every=0)
    for number in range(1, plan.patients + 1):
        for _, made in plan.scans(number):
            for side, truth in made.truths.items():
                head = measured_head(made.labels[side], side)
                shell, planes = head.shell, []
                exact = truth.coronal_arc_deg, truth.sagittal_arc_deg
                for plane, arc_deg in zip(patient_planes(), exact, strict=True):
                    rays = plane.directions(angles)
                    distance = shell.surface_mm(head.centre_mm, rays, head.reach_mm)
                    met = np.isfinite(distance)
                    points = head.centre_mm + np.where(met, distance, 0.0)[:, None] * rays
                    deep = points - DEPTHS_MM[:, None, None] * rays
                    values = shell._at(shell.toward_necrosis_mm, deep)
                    planes.append((arc_deg, met & head.is_joint(points), values))
                yield planes
        print(f"seed {seed}: {number}/{plan.patients}", file=sys.stderr, end="\r")


def pair(below: float, above: float, at: float) -> Rule:
    first, second = (int(np.argmin(np.abs(DEPTHS_MM - depth))) for depth in (below, above))
    part = (at - DEPTHS_MM[second]) / (DEPTHS_MM[first] - DEPTHS_MM[second])
    return lambda values: values[second] + part * (values[first] - values[second])


def line(low: float, high: float, at: float) -> Rule:
    inside = np.flatnonzero((low - 1e-6 <= DEPTHS_MM) & (high + 1e-6 >= DEPTHS_MM))
    design = np.stack([np.ones(len(inside)), DEPTHS_MM[inside]], axis=1)
    weights = np.array([1.0, at]) @ np.linalg.pinv(design)
    return lambda values: np.tensordot(weights, values[inside], 1)


def rules() -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for low, high, at in itertools.product(
        (-0.3, 0, 0.3, 0.6), (1.2, 1.6, 2.0, 2.4, 2.8), (0.5, 0.2, 0, -0.3, -0.5, -0.8)
    ):
        found[f"line {low:g} to {high:g} mm, read at {at:g}"] = line(low, high, at)
    for below, above, at in itertools.product(
        (1.0, 1.3, 1.6, 2.0, 2.4), (-0.3, 0, 0.3, 0.6), (0.0, -0.3, -0.5, -0.8, -1.1)
    ):
        found[f"pair {below:g} and {above:g} mm, read at {at:g}"] = pair(below, above, at)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", nargs="+", type=int)
    hips = [planes for seed in parser.parse_args().seeds for planes in sampled(seed)]
    rows = []
    for name, rule in rules().items():
        errors = np.array(
            [sum(((rule(v) > 0) & joint).mean() * 360 - exact for exact, joint, v in planes) for planes in hips]
        )
        rows.append((float(np.sqrt((errors**2).mean())), name, errors))
    rows.sort(key=lambda row: row[0])
    print(f"{len(rows)} rules on {len(hips)} hips; the best twelve by root mean square error of the angle (deg)")
    for rms, name, errors in rows[:12]:
        beyond = int((np.abs(errors) > LIMIT_DEG).sum())
        spread = f"bias {errors.mean():+5.2f}  SD {errors.std():5.2f}  worst {np.abs(errors).max():5.2f}"
        print(f"  {name:34s} rms {rms:5.2f}  {spread}  beyond {LIMIT_DEG:g}: {beyond}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
