"""One image, a row for each of its hips: with a head, with metal in its place, or with neither (rows V05 and V14)."""

import numpy as np
import pandas as pd
import pytest

from avnnet.cases.predict import Job, predict_jobs
from avnnet.data.files import write_image
from avnnet.data.integrity import image_hash
from avnnet.data.preprocess import Preprocess
from avnnet.flags import Flag
from avnnet.inference.heads import FoundHead
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP, Side
from avnnet.phantom import SignalMode
from avnnet.progress import Reporter
from tests.inference.conftest import Threshold
from tests.inference.test_implant import scanned, with_metal
from tests.inference.test_segmenter import Knows

CROP = [20, 24, 24]
IMPLANT = f"{Flag.HEAD_NOT_FOUND} {Flag.IMPLANT_SUSPECTED}"


@pytest.fixture(scope="module")
def made():
    return scanned()


def predicted(image, out, *found: FoundHead, side=None, seen=()) -> pd.DataFrame:
    oracle = Member(Threshold(), Preprocess([3.0] * 3, CROP), Tiling(CROP), "oracle", seen)
    model = Segmenter([oracle], HIP, locator=Knows(*found), sha256="m")
    job = Job("c0001", [write_image(image, out / "hips.nii.gz")], side)
    table = predict_jobs(model, [job], out, reporter=Reporter(is_quiet=True))
    assert table["error"].tolist() == [""] * len(table)
    again = predict_jobs(model, [job], out, reporter=Reporter(is_quiet=True))
    pd.testing.assert_frame_equal(again, table)  # what was done before is the same rows
    return table


def head(made, side: Side) -> FoundHead:
    return FoundHead(made.truths[side].centre_mm, made.truths[side].radius_mm, side)


@pytest.mark.parametrize("side", list(Side))
def test_v14_the_hip_with_metal_is_a_row_without_quantities_and_the_other_is_measured(made, tmp_path, side):
    (other,) = set(Side) - {side}
    metal = with_metal(made.image, made.truths[side].centre_mm, 20.0)
    table = predicted(metal, tmp_path, head(made, other)).set_index("side")
    assert table.loc[side, "flags"] == IMPLANT
    assert np.isnan(table.loc[side, "head_cm3"])
    assert table.loc[other, "head_cm3"] > 0
    assert Flag.IMPLANT_SUSPECTED not in table.loc[other, "flags"].split()
    assert {path.name for path in tmp_path.glob("c0001*.nii.gz")} == {f"c0001_{other}.nii.gz"}


def test_v14_only_the_side_that_is_asked_for_has_a_row(made, tmp_path):
    metal = with_metal(made.image, made.truths[Side.LEFT].centre_mm, 20.0)
    table = predicted(metal, tmp_path, head(made, Side.RIGHT), side=Side.RIGHT)
    assert table["side"].tolist() == ["right"]
    table = predicted(metal, tmp_path / "other", side=Side.LEFT)
    assert table[["side", "flags"]].to_numpy().tolist() == [["left", IMPLANT]]


def test_v05_an_image_without_a_head_has_a_row_without_volumes(made, tmp_path):
    table = predicted(made.image, tmp_path)
    assert table[["side", "flags"]].to_numpy().tolist() == [["", "head_not_found"]]
    assert table[["head_cm3", "necrosis_cm3", "necrosis_percent"]].isna().to_numpy().all()


def test_l16_an_image_that_the_networks_were_trained_on_is_marked(made, tmp_path):
    for name, seen, is_marked in (("a", [image_hash(made.image)], True), ("b", [], False)):
        table = predicted(made.image, tmp_path / name, head(made, Side.RIGHT), seen=seen)
        assert (Flag.SEEN_IN_TRAINING in table.loc[0, "flags"].split()) == is_marked


def test_no_hip_of_another_sequence_is_taken_for_metal(tmp_path):
    fat_free = scanned(SignalMode.VIBE_FS)
    heads = [head(fat_free, side) for side in Side]
    flags = " ".join(predicted(fat_free.image, tmp_path, *heads)["flags"])
    assert Flag.IMPLANT_SUSPECTED not in flags.split()
