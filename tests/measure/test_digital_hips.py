"""Measurements of digital hips against their truth."""

import numpy as np
import pytest

from avnnet.labels import Side
from avnnet.measure import quantities
from avnnet.phantom import Acquisition, CohortPlan

SMALL = Acquisition((70, 80, 80), (1.0, 0.9, 0.9))


@pytest.mark.parametrize(("seed", "number"), [(53, 31), (53, 4), (23, 2)])
def test_the_sphere_of_a_digital_hip_is_its_own_even_of_a_head_that_is_mostly_necrotic_and_sunk(seed, number):
    plan = CohortPlan(patients=34, seed=seed, acquisition=SMALL, other_hip_every=0)
    [(_, made)] = plan.scans(number)
    [(side, truth)] = made.truths.items()
    row = quantities(made.labels[side], Side(side)).iloc[0]
    found = [row[f"head_centre_{axis}_mm"] for axis in "xyz"]
    assert np.linalg.norm(np.subtract(found, truth.centre_mm)) < 0.4
    assert row["head_radius_mm"] == pytest.approx(truth.radius_mm, abs=0.3)
    assert row["collapse_mm"] == pytest.approx(truth.collapse_mm, abs=0.8)
    assert row["necrosis_percent"] == pytest.approx(truth.necrosis_percent, abs=0.5)
