"""Where NRRD and MetaImage voxels lie, with the faults of NIfTI that they can have too (rows of docs/faults.md)."""

import numpy as np
import pytest

from avnnet.data.files import read_grid, read_image
from avnnet.errors import InvalidGeometry, MissingGeometry, NonOrthogonalDirection
from avnnet.flags import Flag
from tests.faults.nifti_files import refused
from tests.faults.text_header_files import ATTACHED, GRID, edit, is_the_image, written


@pytest.mark.parametrize("step", ["0", "nan", "inf", "1e-30", "1e6", "20.1"])
@pytest.mark.parametrize("name", ATTACHED)
def test_n13_a_spacing_that_no_scan_has_is_refused(tmp_path, name, step):
    refused(edit(written(tmp_path / name), ("3.25", step)), InvalidGeometry, r"0\.05 to 20 mm apart")


def test_n13_a_negative_spacing_is_refused(tmp_path):
    refused(edit(written(tmp_path / "plain.mha"), ("3.25", "-3.25")), InvalidGeometry)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("plain.nrrd", [("space: left-posterior-superior", "space dimension: 3")]),
        ("plain.nrrd", [("left-posterior-superior", "3D-right-handed")]),
        ("plain.nrrd", [("space: left-posterior-superior\n", ""), ("space directions", "# "), ("space origin", "# ")]),
        ("plain.nrrd", [("space origin", "# ")]),
        ("plain.mha", [("TransformMatrix", "Matrix")]),
        ("plain.mha", [("Offset", "Off")]),
        ("plain.mha", [("ElementSpacing", "Spacing")]),
    ],
)
def test_n14_a_file_that_does_not_say_where_its_voxels_lie_is_refused(tmp_path, name, changes):
    refused(edit(written(tmp_path / name), *changes), MissingGeometry, "does not say where its voxels lie")


@pytest.mark.parametrize(("space", "signs"), [("RAS", (-1, -1, 1)), ("left-anterior-superior", (1, -1, 1))])
def test_n14_every_anatomical_space_is_understood(tmp_path, space, signs):
    path = edit(written(tmp_path / "plain.nrrd"), ("left-posterior-superior", space))
    assert np.allclose(read_grid(path).to_lps((1, 2, 3)), GRID.to_lps((1, 2, 3)) * signs)


@pytest.mark.parametrize(
    ("name", "axis"),
    [("plain.nrrd", ("(0,0,3.25)", "({},0,3.25)")), ("plain.mha", ("1 0 0 0 0 1", "1 0 0 {} 0 1"))],
)
def test_n17_a_small_shear_is_repaired_and_flagged_and_a_large_one_refused(tmp_path, name, axis):
    length = 3.25 if name.endswith("nrrd") else 1
    small, large = (axis[1].format(f"{length * np.tan(np.deg2rad(degrees)):.6f}") for degrees in (0.01, 5))
    path = edit(written(tmp_path / name), (axis[0], small))
    assert read_image(path).source.flags == (Flag.REPAIRED_DIRECTION,)
    assert read_grid(path) == read_image(path).grid
    refused(edit(path, (small, large)), NonOrthogonalDirection)


def test_n18_axes_that_lie_in_one_plane_are_refused(tmp_path):
    refused(edit(written(tmp_path / "plain.mha"), ("0 -1 0 1 0 0", "0 -1 0 0 1 0")), InvalidGeometry)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("plain.nrrd", "space origin", 'space units: "m" "m" "m"\nspace origin'),
        ("plain.mha", "Offset", "DistanceUnits = um\nOffset"),
    ],
)
def test_n21_another_unit_than_mm_is_refused(tmp_path, name, old, new):
    refused(edit(written(tmp_path / name), (old, new)), InvalidGeometry, "must be in mm")


def test_n21_mm_are_understood(tmp_path):
    assert is_the_image(
        edit(written(tmp_path / "plain.nrrd"), ("space origin", 'space units: "mm" "mm" "mm"\nspace origin'))
    )
