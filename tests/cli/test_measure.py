"""`avnnet measure` on masks of many programs."""

import nibabel
import numpy as np
import pandas as pd
import pytest

from avnnet.cli import main
from avnnet.data.files import write_image
from avnnet.data.files.structures import read_structures
from avnnet.errors import UnreadableFile
from avnnet.image import LabelMap
from avnnet.tables import read_table
from tests.faults.nifti_files import nifti
from tests.measure.conftest import off_axis_deg


@pytest.fixture
def masks(head, tmp_path):
    """Two masks of one hip, the later with the larger lesion."""
    for name, half_deg in (("before", 35), ("after", 45)):
        labels = head(lambda p, half_deg=half_deg: off_axis_deg(p) < half_deg)
        write_image(labels, tmp_path / "masks" / f"{name}.nii.gz")
    return tmp_path / "masks"


def measured(out):
    return read_table(out / "measurements.csv").set_index("case_id")


def test_a_folder_of_masks_gives_a_table_pictures_and_a_map(masks, tmp_path):
    assert main(["measure", str(masks), "--side", "right", "--out", str(tmp_path / "o")]) == 0
    table = measured(tmp_path / "o")
    assert table.loc["after", "necrosis_cm3"] > table.loc["before", "necrosis_cm3"]
    assert len(read_table(tmp_path / "o" / "location.csv")) == 2 * 288
    assert (tmp_path / "o" / "heat_map.png").exists()
    assert (tmp_path / "o" / "figures" / "after_angles.png").exists()


def test_the_difference_to_an_earlier_scan_is_now_less_before(masks, tmp_path):
    words = [
        "--previous",
        str(masks / "before.nii.gz"),
        "--side",
        "right",
        "--out",
        str(tmp_path / "o"),
        "--no-pictures",
    ]
    assert main(["measure", str(masks / "after.nii.gz"), *words]) == 0
    table = read_table(tmp_path / "o" / "change.csv").set_index("quantity")
    assert float(table.loc["modified_kerboul_deg", "difference"]) == pytest.approx(40, abs=6)


def test_meshes_are_closed_and_hold_the_volume_of_the_head_in_lps_mm(masks, tmp_path):
    import trimesh

    words = ["--mesh", "--side", "left", "--out", str(tmp_path / "o"), "--no-pictures"]
    assert main(["measure", str(masks / "after.nii.gz"), *words]) == 0
    head = trimesh.load(tmp_path / "o" / "mesh" / "after_head.stl")
    assert head.is_watertight
    row = measured(tmp_path / "o").loc["after"]
    assert head.volume / 1000 == pytest.approx(row["head_cm3"], rel=0.01)
    assert head.bounds.mean(axis=0) == pytest.approx([31.3, -12.4, 55.7], abs=6)


def test_the_mesh_of_a_thin_lesion_keeps_its_volume_and_stays_closed_in_32_bits(head, tmp_path):
    import trimesh

    labels = head(lambda p: (off_axis_deg(p) < 60) & (np.linalg.norm(p, axis=-1) > 21))
    write_image(labels, tmp_path / "thin.nii.gz")
    words = ["--mesh", "--side", "right", "--out", str(tmp_path / "o"), "--no-pictures"]
    assert main(["measure", str(tmp_path / "thin.nii.gz"), *words]) == 0
    for name, count in (("head", (labels.array > 0).sum()), ("lesion", labels.mask("necrosis").sum())):
        mesh = trimesh.load(tmp_path / "o" / "mesh" / f"thin_{name}.stl")
        assert mesh.is_watertight
        assert mesh.volume == pytest.approx(count * labels.grid.voxel_mm3, rel=0.01)


def test_ids_of_another_program_are_named_and_the_rest_is_background(head, tmp_path):
    labels = head(lambda p: off_axis_deg(p) < 45)
    other = np.select([labels.array == 1, labels.array == 2], [75, 120], 0).astype(np.uint8)
    other[0, 0, 0] = 9
    write_image(type(labels).__mro__[1](other, labels.grid), tmp_path / "total.nii.gz")
    words = ["--out", str(tmp_path / "o"), "--no-pictures", "--side", "right"]
    assert main(["measure", str(tmp_path / "total.nii.gz"), *words]) == 3
    assert main(["measure", str(tmp_path / "total.nii.gz"), *words, "--vital", "75", "--necrosis", "120"]) == 0
    write_image(labels, tmp_path / "plain.nii.gz")
    assert main(["measure", str(tmp_path / "plain.nii.gz"), *words[:1], str(tmp_path / "p"), *words[2:]]) == 0
    here, there = measured(tmp_path / "o").iloc[0], measured(tmp_path / "p").iloc[0]
    assert here["modified_kerboul_deg"] == there["modified_kerboul_deg"]


@pytest.fixture
def conflict(masks, tmp_path):
    """A mask whose sform, mirrored in x, contradicts its qform."""
    good = nibabel.load(masks / "after.nii.gz")
    values, there = np.asanyarray(good.dataobj), good.affine
    return nifti(tmp_path / "conflict.nii.gz", values, qform=there, sform=np.diag([-1, 1, 1, 1]) @ there)


@pytest.mark.parametrize(("prefer", "sign"), [("qform", 1), ("sform", -1)])
def test_n15_a_mask_whose_transforms_conflict_is_measured_where_the_option_says_and_flagged(
    conflict, masks, tmp_path, prefer, sign
):
    words = ["--side", "right", "--no-pictures"]
    assert main(["measure", str(conflict), *words, "--out", str(tmp_path / "o")]) == 3
    assert "--prefer sform" in measured(tmp_path / "o").loc["conflict", "error"]
    assert main(["measure", str(conflict), *words, "--out", str(tmp_path / "o"), "--prefer", prefer]) == 0
    row = measured(tmp_path / "o").loc["conflict"]
    assert row["head_centre_x_mm"] == pytest.approx(sign * 31.3, abs=0.5)
    assert f"{prefer}_preferred" in row["flags"].split()
    both = [str(masks / "after.nii.gz"), *words]
    assert main(["measure", *both, "--out", str(tmp_path / "p")]) == 0
    assert main(["measure", *both, "--out", str(tmp_path / "q"), "--prefer", prefer]) == 0
    assert (tmp_path / "p" / "measurements.csv").read_bytes() == (tmp_path / "q" / "measurements.csv").read_bytes()


@pytest.mark.parametrize("word", ["--image", "--previous"])
def test_n15_the_choice_holds_for_the_scan_and_the_earlier_mask_too(conflict, masks, tmp_path, word):
    words = ["measure", str(masks / "after.nii.gz"), "--side", "right", "--out", str(tmp_path / "o"), word]
    assert main([*words, str(conflict)]) in (2, 3)
    assert main([*words, str(conflict), "--prefer", "qform"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--vital", "1"], "which structure is the necrosis"),
        (["--vital", "1", "--head", "1", "--necrosis", "2"], "not both"),
        (["--edge", "1,2,3"], "both landmarks"),
        (["--percent-se", "0"], "above 0"),
        (["--tilt", "120"], "45 degrees at most"),
        (["--previous", "gone.nii.gz"], "no file or folder gone.nii.gz"),
        (["--edge=0,0,0", "--teardrop=0,0,5"], "20 to 120 mm"),
    ],
)
def test_words_that_do_not_fit_together_are_refused_with_the_way_out(masks, tmp_path, capsys, words, said):
    assert main(["measure", str(masks / "after.nii.gz"), "--out", str(tmp_path / "o"), *words]) == 2
    assert said in capsys.readouterr().err


def test_an_empty_mask_is_a_row_and_a_missing_one_is_an_error(head, tmp_path, capsys):
    labels = head()
    write_image(LabelMap(np.zeros_like(labels.array), labels.grid), tmp_path / "empty.nii.gz")
    assert main(["measure", str(tmp_path / "empty.nii.gz"), "--out", str(tmp_path / "o"), "--mesh"]) == 0
    assert measured(tmp_path / "o").loc["empty", "flags"] == "no_head"
    assert main(["measure", str(tmp_path / "gone.nii.gz"), "--out", str(tmp_path / "o")]) == 2
    assert "no mask, folder or cohort" in capsys.readouterr().err


@pytest.mark.parametrize("fault", [UnreadableFile("cut off"), RuntimeError("no such thing")], ids=repr)
def test_a_mask_that_fails_in_any_way_is_a_row_and_the_others_are_measured(masks, tmp_path, monkeypatch, fault, capsys):
    alone, both = tmp_path / "alone", tmp_path / "both"
    words = ["--side", "right", "--no-pictures", "--out"]
    assert main(["measure", str(masks / "after.nii.gz"), *words, str(alone)]) == 0

    def read(path, *rest, **how):
        if path.name.startswith("before"):
            raise fault
        return read_structures(path, *rest, **how)

    monkeypatch.setattr("avnnet.cases.measure.read_structures", read)
    assert main(["measure", str(masks), *words, str(both)]) == 3
    assert f"before failed: {type(fault).__name__}: {fault}" in capsys.readouterr().out
    table = read_table(both / "measurements.csv")
    assert dict(zip(table["case_id"], table["error"], strict=True)) == {
        "after": "",
        "before": f"{type(fault).__name__}: {fault}",
    }
    whole = table[table["case_id"] == "after"].reset_index(drop=True)
    pd.testing.assert_frame_equal(whole, read_table(alone / "measurements.csv"), check_dtype=False)
    assert (both / "location.csv").read_bytes() == (alone / "location.csv").read_bytes()
