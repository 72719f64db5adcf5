"""Published tables and made-up studies for the tests of the statistics."""

import numpy as np
import pandas as pd
import pytest

from avnnet.labels import HIP

STAGES = ["I", "II", "II", "IIIA", "IIIA", "IIIB", "IV"]


def long_table(value: str = "value", **readers) -> pd.DataFrame:
    """Case x reader from one list per reader; every case is a patient of its own."""
    parts = [
        pd.DataFrame({"patient_id": range(len(v)), "case_id": range(len(v)), "reader": name, value: v})
        for name, v in readers.items()
    ]
    return pd.concat(parts, ignore_index=True)


def made_up_study(patients: int = 14, seed: int = 7, *, stages: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measurements and agreement of made-up hips: every other patient has two."""
    generator = np.random.default_rng(seed)
    measured, agreed = [], []
    for patient in range(patients):
        for side in ("right", "left")[: 1 + patient % 2]:
            case = {"patient_id": f"p{patient:02d}", "case_id": f"c{patient:02d}", "side": side}
            stage = {"arco_stage": STAGES[patient % len(STAGES)]} if stages else {}
            size = generator.gamma(2, 4) + 4 * (patient % 7)
            for reader in ("manual", "unet2d", "unet3d", "ensemble"):
                noise = 0.0 if reader == "manual" else generator.normal(-0.5, 1.0)
                part = max(size + noise, 0.1)
                row = {
                    "necrosis_cm3": part,
                    "vital_cm3": 50 - part,
                    "head_cm3": 50.0,
                    "necrosis_percent": 2 * part,
                }
                measured.append(case | stage | {"reader": reader, "error": ""} | row)
                if reader != "manual":
                    for label in HIP.structures:
                        dice = np.clip(generator.normal({"necrosis": 0.7}.get(label, 0.9), 0.08), 0, 1)
                        dice += 0.02 * (reader == "ensemble")
                        row = {
                            "label": label,
                            "dice": dice,
                            "hd95_mm": 8 * (1.1 - dice),
                            "assd_mm": 1.1 - dice,
                        }
                        row |= {"volume_error_cm3": noise, "outcome": "both_present"}
                        agreed.append(case | {"reader": reader} | row)
    return pd.DataFrame(measured), pd.DataFrame(agreed)


@pytest.fixture
def study():
    return made_up_study()


@pytest.fixture
def pefr():
    """Bland and Altman 1986, Table 1: peak expiratory flow in l/min, first readings."""
    wright = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    return long_table("pefr", mini=mini, wright=wright)


@pytest.fixture
def sleep():
    """Student 1908: extra hours of sleep with two drugs."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    return long_table("hours", g1=first, g2=second)
