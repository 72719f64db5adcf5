"""Claims on real MRI; the data lie beside the repository and are not part of it."""

from pathlib import Path

import numpy as np
import pytest
from torch.nn.functional import one_hot

from avnnet.data.checks import check_cohort
from avnnet.data.cohort import Cohort, read_cohort
from avnnet.data.files import read_image, read_labels
from avnnet.data.preprocess import Preprocess
from avnnet.labels import LabelScheme

HIPPOCAMPUS = Path(__file__).parents[3] / "shared" / "data" / "hippocampus" / "cohort.csv"
SCHEME = LabelScheme({1: "anterior", 2: "posterior"}, part="anterior", whole="hippocampus")

pytestmark = pytest.mark.skipif(not HIPPOCAMPUS.exists(), reason="no real MRI in ../shared/data/hippocampus")


@pytest.fixture(scope="module")
def some() -> Cohort:
    cohort = read_cohort(HIPPOCAMPUS)
    return Cohort(cohort.table.iloc[::20], cohort.root)


def test_the_cohort_passes_the_checks_and_has_no_hips(some):
    check_cohort(some, SCHEME)
    assert {case.side for case in some} == {None}
    assert {case.arco_stage for case in some} == {""}


def test_masks_of_1_mm_images_come_back_exactly(some):
    for case in some:
        image, labels = read_image(case.image), read_labels(case.label, SCHEME)
        prepared = Preprocess([1.0, 1.0, 1.0]).prepare(image, labels)
        exact = one_hot(prepared.label[0].long(), 3).movedim(-1, 0).float()
        assert np.array_equal(
            Preprocess([1.0] * 3).restore(exact, prepared.placement).labels(SCHEME).array, labels.array
        )


def test_images_on_very_different_scales_become_alike(some):
    maxima = [float(read_image(case.image).array.max()) for case in some]
    assert max(maxima) > 10 * min(maxima)
    for case in some:
        values = Preprocess([1.0] * 3).prepare(read_image(case.image)).image
        assert float(values.mean()) == pytest.approx(0, abs=1e-4)
        assert float(values.std()) == pytest.approx(1, abs=1e-4)
        assert float(values.abs().max()) < 8
