"""All statistics and the report of a made-up study of 200 cases, with 10,000 bootstrap draws: seconds and memory.

Targets: 60 s and 1 GiB. Every third patient has two hips, which is the slower way: intervals by bootstrap.

Run: python benchmarks/statistics_speed.py
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from avnnet.tables import write_table

CASES = 200
NETWORKS = ("unet2d", "unet3d", "ensemble")
TARGET_S, TARGET_GIB = 60.0, 1.0


def made_up(folder: Path, *, two_hips: bool) -> None:
    """Writes measurements.csv and agreement.csv of a study like the abstract's."""
    generator = np.random.default_rng(1)
    measured, agreed = [], []
    patients = [number for number in range(CASES) for _ in range(2 if two_hips and number % 3 == 0 else 1)][:CASES]
    for case, patient in enumerate(patients):
        key = {"patient_id": f"P{patient:03d}", "case_id": f"C{case:03d}", "side": "left"}
        size, head = float(generator.gamma(1.3, 6)), float(generator.normal(48, 6))
        stage = ("I", "II", "IIIA", "IIIB")[int(generator.integers(4))]
        for reader in ("manual", "manual_2", *NETWORKS):
            part = max(size + (0 if reader == "manual" else float(generator.normal(-0.3, 1.2))), 0.05)
            share = 100 * part / head
            grade = "A" if share < 15 else "B" if share <= 30 else "C"
            sizes = {"vital_cm3": head - part, "necrosis_cm3": part, "head_cm3": head, "necrosis_percent": share}
            more = {"arco_stage": stage, "reader": reader, "error": "", "flags": "", "steinberg_grade": grade}
            measured.append(key | more | sizes)
            if reader in NETWORKS:
                for label, level in (("vital", 0.93), ("necrosis", 0.75), ("head", 0.96)):
                    dice = float(np.clip(generator.normal(level, 0.08), 0, 1))
                    distances = {"hd95_mm": 9 * (1 - dice), "assd_mm": 2 * (1 - dice), "surface_dice_1mm": dice}
                    row = {"reader": reader, "label": label, "dice": dice, "outcome": "both_present"}
                    agreed.append(key | row | distances)
    write_table(pd.DataFrame(measured), folder / "measurements.csv")
    write_table(pd.DataFrame(agreed), folder / "agreement.csv")


def main() -> int:
    missed = False
    for two_hips in (False, True):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            made_up(folder, two_hips=two_hips)
            words = ["stats", "measurements.csv", "--agreement", "agreement.csv", "--margin", "necrosis_percent=4"]
            start = time.perf_counter()
            command = [sys.executable, "-m", "avnnet.cli", *words, "--out", "out", "--draws", "10000"]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - start
            gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
            tables = json.loads((folder / "out" / "results.json").read_text())["tables"]
            kind = "two hips of every third patient" if two_hips else "one hip per patient"
            print(f"{CASES} cases, {kind}: {seconds:.1f} s, {gib:.2f} GiB, {len(tables)} tables")
            missed |= seconds > TARGET_S or gib > TARGET_GIB
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
