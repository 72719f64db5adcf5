"""Digital hips against the abstract's numbers and against their own truth.

cohort: volumes of 500 index hips against the abstract's means and SDs, by the exact truth, without making images.
voxels: voxelised volumes against exact ones, lesions without a wandering border, at the abstract's voxels.
images: seconds and memory of one hip of 104 x 384 x 384 voxels and of a crop of 80 x 160 x 160, full physics.

Run: python benchmarks/phantom_statistics.py cohort voxels images
"""

import argparse
import resource
import sys
import time
from dataclasses import replace

import numpy as np

from avnnet.grid import Grid
from avnnet.phantom import Acquisition, CohortPlan, SignalMode, hip
from avnnet.phantom.anatomy import draw_anatomy
from avnnet.phantom.head import Head, is_head
from avnnet.phantom.lesion import ADVANCED, draw_lesion
from avnnet.phantom.patients import draw_patient
from avnnet.phantom.shapes import points_of

# mean, SD and n of the abstract's manual volumes
ABSTRACT = {
    "absolute volume (cm3)": (8.2, 7.4, 34),
    "relative volume (%)": (17.0, 15.0, 34),
    "early, relative (%)": (8.0, 8.0, 8),
    "advanced, relative (%)": (20.0, 16.0, 26),
}
HEAD_CM3 = (48.0, 3.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=["cohort", "voxels", "images"])
    parser.add_argument("--hips", type=int, default=500, help="of the cohort (default 500)")
    args = parser.parse_args()
    parts = {"cohort": lambda: cohort(args.hips), "voxels": voxels, "images": images}
    well = [parts[what]() for what in args.what]
    return 0 if all(well) else 1


def cohort(count: int) -> bool:
    """Whether means lie within one standard error of the abstract's, and SDs within 15 %."""
    rows = []
    for number in range(1, count + 1):
        patient = draw_patient(1, number)
        head = drawn_head(number, patient.sex, patient.disease.arco_stage, patient.disease.necrosis_percent)
        necrosis, volume = head.necrosis_mm3(head.extent_mm), head.volume_mm3
        rows.append((necrosis / 1000, 100 * necrosis / volume, patient.disease.arco_stage in ADVANCED, volume / 1000))
    absolute, relative, advanced, volume = (np.array(column) for column in zip(*rows, strict=True))
    found = (absolute, relative, relative[~advanced], relative[advanced])
    print(f"{count} index hips           mean      target        SD      target   n")
    well = True
    for (name, (mean, sd, n)), values in zip(ABSTRACT.items(), found, strict=True):
        error = sd / np.sqrt(n)
        good = abs(values.mean() - mean) <= error and abs(values.std(ddof=1) / sd - 1) <= 0.15
        well &= bool(good)
        spread = f"{values.std(ddof=1):6.2f}  {sd:6.1f} +- 15 %"
        note = "" if good else "MISSED"
        print(f"{name:24s} {values.mean():6.2f} {mean:6.1f} +- {error:4.2f}  {spread} {len(values):4d} {note}")
    good = abs(volume.mean() - HEAD_CM3[0]) <= HEAD_CM3[1]
    target = f"{HEAD_CM3[0]:6.1f} +- {HEAD_CM3[1]:.0f}"
    print(f"head volume (cm3)        {volume.mean():6.2f} {target} {'' if good else 'MISSED'}")
    return well and bool(good)


def drawn_head(seed: int, sex: str, stage: str, percent: float, *, is_smooth: bool = False) -> Head:
    """The head of a random hip, its lesion with a wandering border or without."""
    generator = np.random.default_rng([2, seed])
    anatomy = draw_anatomy(generator, sex=sex)
    lesion = draw_lesion(
        generator,
        arco_stage=stage,
        necrosis_percent=percent,
        head_radius_mm=anatomy.radius_mm,
        neck_axis=anatomy.neck_axis,
    )
    return Head(anatomy, replace(lesion, wander_mm=0.0) if is_smooth else lesion, percent)


def voxels() -> bool:
    """Whether counted volumes are within 0.5 % (head) and 1 % (lesions from 1 cm3) of the exact ones."""
    grid = Grid((60, 132, 132), (1.0, 0.44, 0.44), origin=(-29.0, -29.0, -29.5))
    points = points_of(grid, (0.0, 0.0, 0.0))
    heads, lesions = [], []
    for seed in range(40):
        stage, sex = ("I", "II", "IIIA", "IIIB")[seed % 4], ("female", "male")[seed // 4 % 2]
        head = drawn_head(seed, sex, stage, 3.0 + seed, is_smooth=True)
        inside = is_head(head.anatomy, head.lesion, points)
        dead = inside & (head.lesion.reach_mm(points) < np.float32(head.extent_mm))
        heads.append(100 * (inside.sum() * grid.voxel_mm3 / head.volume_mm3 - 1))
        exact = head.necrosis_mm3(head.extent_mm)
        if exact >= 1000:
            lesions.append(100 * (dead.sum() * grid.voxel_mm3 / exact - 1))
    head_worst, lesion_worst = (float(np.abs(errors).max()) for errors in (heads, lesions))
    print(f"voxels of 1 x 0.44 x 0.44 mm against exact volumes, {len(heads)} heads, {len(lesions)} lesions from 1 cm3")
    print(f"largest error: head {head_worst:.2f} % (target 0.5), lesion {lesion_worst:.2f} % (target 1)")
    return head_worst <= 0.5 and lesion_worst <= 1.0


def images() -> bool:
    """Whether a whole hip takes at most 6 s and 2 GiB, and a crop 1.5 s."""
    well = True
    for name, field, limit_s in (
        ("104 x 384 x 384", Acquisition(), 6.0),
        ("80 x 160 x 160", Acquisition((80, 160, 160)), 1.5),
    ):
        for mode in (SignalMode.VIBE, SignalMode.DIXON):
            times = []
            for seed in range(3):
                start = time.perf_counter()
                hip(np.random.default_rng(seed), necrosis_percent=15, mode=mode, acquisition=field)
                times.append(time.perf_counter() - start)
            well &= float(np.median(times)) <= limit_s or mode is SignalMode.DIXON
            print(f"{name}, {mode}: {np.median(times):.2f} s (target {limit_s:.1f}, one channel)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"peak memory {peak:.2f} GiB (target 2)")
    start = time.perf_counter()
    for _ in CohortPlan(1, acquisition=Acquisition((80, 160, 160))).scans(3):
        pass
    print(f"a patient's two crops: {time.perf_counter() - start:.2f} s")
    return well and peak <= 2


if __name__ == "__main__":
    sys.exit(main())
