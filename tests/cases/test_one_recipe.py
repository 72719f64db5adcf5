"""A hip is the same whoever asks: a command, a study, or a notebook."""

import numpy as np
import pandas as pd
import pytest

from avnnet.cases.evaluate import evaluate_cases
from avnnet.cases.predict import Job, predict_jobs
from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_image, write_image
from avnnet.data.preprocess import Preprocess
from avnnet.flags import Flag
from avnnet.image import LabelMap
from avnnet.inference.engines import Engine
from avnnet.inference.ensemble import Ensemble
from avnnet.inference.heads import FoundHead
from avnnet.inference.locate import Locator
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP, Side
from avnnet.progress import Reporter
from tests.inference.conftest import Threshold
from tests.inference.test_implant import scanned, with_metal
from tests.inference.test_segmenter import Knows

QUIET = Reporter(is_quiet=True)
CROP = [20, 24, 24]
CENTRE = ["centre_x_mm", "centre_y_mm", "centre_z_mm"]


def model(*heads: FoundHead, is_located: bool = True) -> Segmenter:
    oracle = Member(Threshold(), Preprocess([3.0] * 3, CROP), Tiling(CROP), "oracle")
    return Segmenter([oracle], HIP, locator=Knows(*heads) if is_located else None)


@pytest.fixture(scope="module")
def made():
    return scanned()


@pytest.fixture
def one_case(tmp_path):
    """Writes a cohort of one image, whose side and centre are given or not."""

    def write(image, side: str, centre_mm=None):
        path = write_image(image, tmp_path / "hips.nii.gz")
        label = LabelMap(np.zeros(image.grid.shape, np.uint8), image.grid)
        row = {"patient_id": "p", "case_id": "c", "image": path.name, "side": side}
        row |= {"label": write_image(label, tmp_path / "label.nii.gz").name}
        row |= {} if centre_mm is None else dict(zip(CENTRE, map(str, centre_mm), strict=True))
        pd.DataFrame([row]).to_csv(tmp_path / "cohort.csv", index=False)
        return read_cohort(tmp_path / "cohort.csv")

    return write


def flags_of(model: Segmenter, cohort, tmp_path) -> dict[str, str]:
    found = evaluate_cases(cohort, cohort.cases, model, tmp_path / "masks", reporter=QUIET, title="").measurements
    assert (found["error"] == "").all()
    return found.set_index("reader")["flags"].to_dict()


def test_evaluate_flags_a_left_hip_of_which_nobody_says_the_side(made, one_case, tmp_path):
    centre_mm = made.truths[Side.LEFT].centre_mm
    for side, is_doubted in (("", True), ("left", False), ("right", True)):
        flags = flags_of(model(is_located=False), one_case(made.image, side, centre_mm), tmp_path)
        for reader in ("oracle", "ensemble"):
            assert (Flag.SIDE_UNVERIFIED in flags[reader].split()) is is_doubted


def test_evaluate_gives_the_masks_and_flags_that_predict_gives(made, one_case, tmp_path):
    for side, centre_mm in (("left", made.truths[Side.LEFT].centre_mm), ("", made.truths[Side.RIGHT].centre_mm)):
        cohort = one_case(made.image, side, centre_mm)
        asked = model(is_located=False)
        flags = flags_of(asked, cohort, tmp_path)
        hip = asked.predict(read_image(cohort.cases[0].image), side=side or None, centre_mm=centre_mm)
        job = Job("c", cohort.cases[0].image, Side(side) if side else None, centre_mm)
        row = predict_jobs(asked, [job], tmp_path / "predicted", reporter=QUIET).iloc[0]
        assert set(flags["ensemble"].split()) == set(row["flags"].split()) >= set(hip.flags)
        masks = (tmp_path / "masks" / "ensemble" / "c.nii.gz", tmp_path / "predicted" / "c.nii.gz")
        for path in masks:
            assert np.array_equal(read_image([path]).array, hip.labels.array)


def test_a_case_without_side_and_centre_is_segmented_as_the_side_that_was_found(made, one_case, tmp_path):
    truth = made.truths[Side.LEFT]
    head = FoundHead(truth.centre_mm, truth.radius_mm, Side.LEFT)
    flags_of(model(head), one_case(made.image, ""), tmp_path)
    (expected,) = model(head).hips(read_image([tmp_path / "hips.nii.gz"]), heads=[head])
    assert expected.side is Side.LEFT
    for reader in ("oracle", "ensemble", "ensemble_located"):
        written = read_image([tmp_path / "masks" / reader / "c.nii.gz"]).array
        assert np.array_equal(written, expected.labels.array)


def test_evaluate_tells_of_metal_in_the_place_of_a_head(made, one_case, tmp_path):
    metal = with_metal(made.image, made.truths[Side.LEFT].centre_mm, 20.0)
    flags = flags_of(model(), one_case(metal, "left"), tmp_path)
    for reader in ("oracle", "ensemble", "ensemble_located"):
        assert {Flag.HEAD_NOT_FOUND, Flag.IMPLANT_SUSPECTED} <= set(flags[reader].split())


def test_the_locator_obeys_the_precision():
    import torch

    seen = []

    class Watching(Threshold):
        def forward(self, x):
            seen.append(torch.is_autocast_enabled("cpu"))
            return super().forward(x)

    for precision, is_mixed in (("32-true", False), ("bf16-mixed", True)):
        member = Member(Watching(), Preprocess([6.0] * 3), Tiling([16, 16, 16]), "locator")
        Locator(Ensemble([member], HIP, engine=Engine(precision))).find(scanned().image)
        assert set(seen) == {is_mixed}
        seen.clear()
