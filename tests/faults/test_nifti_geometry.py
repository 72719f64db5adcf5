"""Where NIfTI voxels lie: where nibabel says, or refused (rows of docs/faults.md)."""

import itertools

import nibabel
import numpy as np
import pytest

from avnnet.data.files import read_grid, read_image, read_labels, write_image
from avnnet.data.files.structures import Structures, read_structures
from avnnet.errors import (
    GeometryConflict,
    InvalidConfig,
    InvalidGeometry,
    MissingGeometry,
    NonOrthogonalDirection,
)
from avnnet.flags import Flag
from tests.faults.nifti_files import LPS, SIZES, SPACING_MM, VALUES, affine, edit, is_where_nibabel_says, nifti, refused

MIRRORED = np.diag([-1.0, 1.0, 1.0, 1.0]) @ affine()


@pytest.fixture
def plain(tmp_path):
    return nifti(tmp_path / "hip.nii")


def sheared(degrees):
    """The oblique matrix with its second axis leaning towards the first."""
    shear = np.eye(4)
    shear[0, 1] = np.tan(np.deg2rad(degrees)) * SPACING_MM[1] / SPACING_MM[0]
    return affine() @ shear


@pytest.mark.parametrize("axis", [1, 2, 3])
@pytest.mark.parametrize("step", [0, np.nan, np.inf, -1, 1e-30, 1e6, 0.049, 20.1])
@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (1, 1)], ids=["qform", "sform", "both"])
def test_n13_a_spacing_that_no_scan_has_is_refused(plain, axis, step, codes):
    pixdim = [1, *SPACING_MM, 0, 0, 0, 0]
    pixdim[axis] = step
    edit(plain, pixdim=pixdim, qform_code=codes[0], sform_code=codes[1])
    refused(plain, InvalidGeometry, r"0\.05 to 20 mm apart")


def test_n13_an_image_longer_than_a_metre_is_refused(tmp_path):
    long = np.diag([0.7, 0.6, 19.0, 1.0])
    path = nifti(tmp_path / "hip.nii", np.zeros((4, 5, 60), np.uint8), qform=long, sform=long)
    refused(path, InvalidGeometry, "at most 1000 mm long; its header says 2.8 x 3 x 1140 mm")


def test_n14_a_file_without_any_geometry_is_refused(plain):
    refused(edit(plain, qform_code=0, sform_code=0), MissingGeometry, "left and right are unknown")
    refused(plain, MissingGeometry, prefer="sform")


@pytest.mark.parametrize(
    "sform",
    [MIRRORED, np.diag([1, 1, -1, 1]) @ affine(), affine(origin=(-91.5 + 0.35, 22.25, 7.125)), affine(np.eye(3))],
    ids=["mirrored in x", "mirrored in z", "moved by half a voxel", "turned"],
)
def test_n15_a_qform_and_an_sform_that_contradict_each_other_are_refused_unless_one_is_chosen(tmp_path, sform):
    path = nifti(tmp_path / "hip.nii.gz", (VALUES > 900).astype(np.uint8), sform=sform)
    refused(path, GeometryConflict, r'mm apart.*--prefer sform or --prefer qform of avnnet predict.*prefer="sform"')
    for prefer, matrix in (("sform", sform), ("qform", affine())):
        for grid in (
            read_image(path, prefer=prefer).grid,
            read_grid(path, prefer=prefer),
            read_labels(path, prefer=prefer).grid,
        ):
            assert is_where_nibabel_says(grid, matrix)


@pytest.mark.parametrize("prefer", ["sform", "qform"])
def test_n15_a_choice_that_made_a_difference_is_said_by_the_image_and_no_other_is(tmp_path, plain, prefer):
    path = nifti(tmp_path / "conflict.nii", (VALUES > 900).astype(np.uint8), sform=MIRRORED)
    write_image(read_image(path, prefer=prefer), tmp_path / "mended.nii.gz")
    for read in (read_image, read_labels, lambda one, prefer: read_image([one, one], prefer=prefer)):
        assert read(path, prefer=prefer).source.preferred_transform == prefer
        assert read(tmp_path / "mended.nii.gz", prefer=prefer).source.preferred_transform is None
    structures = Structures(vital=["1"], necrosis=["2"])
    assert read_structures(path, structures, prefer=prefer).source.preferred_transform == prefer
    assert read_image(plain, prefer=prefer).source.preferred_transform is None
    broken = edit(plain, srow_x=np.zeros(4)) if prefer == "qform" else edit(plain, quatern_b=2)
    assert read_image(broken, prefer=prefer).source.preferred_transform == prefer


def test_n15_a_file_is_mended_by_reading_it_with_a_choice_and_writing_it(tmp_path):
    path = nifti(tmp_path / "conflict.nii", sform=MIRRORED)
    mended = read_image(write_image(read_image(path, prefer="sform"), tmp_path / "mended.nii"))
    assert is_where_nibabel_says(mended.grid, MIRRORED)
    assert np.array_equal(mended.array.T, VALUES)


def test_n15_the_preferred_of_two_that_agree_or_the_only_one_is_taken(plain):
    for fields in ({}, {"qform_code": 0}, {"qform_code": 1, "sform_code": 0}):
        edit(plain, **fields)
        for prefer in (None, "sform", "qform"):
            assert is_where_nibabel_says(read_grid(plain, prefer=prefer), affine())


def test_n15_another_word_than_sform_and_qform_is_refused(plain):
    refused(plain, InvalidConfig, "sform", prefer="aform")


def test_n16_a_difference_of_rounding_is_none(tmp_path):
    rounded = affine() + 1e-4 * np.random.default_rng(2).choice([-1, 1], (4, 4)) * [[1], [1], [1], [0]]
    path = nifti(tmp_path / "hip.nii.gz", sform=rounded)
    assert is_where_nibabel_says(read_image(path).grid, nibabel.load(path).affine, within_mm=5e-3)
    for prefer in ("sform", "qform"):
        assert read_image(path, prefer=prefer).grid == read_grid(path, prefer=prefer) == read_grid(path)


def test_n16_a_quaternion_that_lost_its_first_number_to_rounding_is_no_conflict(tmp_path):
    angle = np.pi - 6e-4  # the cosine of its half is 3e-4, and its square what single precision rounds away
    turn = [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    path = nifti(tmp_path / "hip.nii.gz", np.zeros((500, 400, 3), np.uint8), qform=affine(turn), sform=affine(turn))
    assert is_where_nibabel_says(read_image(path).grid, affine(turn), within_mm=1e-3)


@pytest.mark.parametrize("code", [0, 1], ids=["sform only", "with qform"])
def test_n17_axes_that_lean_by_five_degrees_are_refused(tmp_path, code):
    path = nifti(tmp_path / "hip.nii.gz", sform=sheared(5), qform_code=code)
    refused(path, NonOrthogonalDirection, "orthogonal")


@pytest.mark.parametrize("code", [0, 1], ids=["sform only", "with qform"])
def test_n17_axes_that_lean_by_a_hundredth_of_a_degree_are_put_upright_and_flagged(tmp_path, code):
    path = nifti(tmp_path / "hip.nii.gz", sform=sheared(0.01), qform_code=code)
    image = read_image(path)
    assert image.source.flags == (Flag.REPAIRED_DIRECTION,)
    assert np.array_equal(image.array.T, VALUES)
    direction = np.array(image.grid.direction)
    assert np.allclose(direction.T @ direction, np.eye(3), atol=1e-12)
    assert is_where_nibabel_says(image.grid, sheared(0.01), within_mm=2e-3)
    assert read_grid(path) == image.grid


def test_n17_axes_that_stand_upright_are_left_as_they_are(plain):
    assert read_image(plain).source.flags == ()


@pytest.mark.parametrize("row", ["srow_x", "srow_y", "srow_z"])
@pytest.mark.parametrize("numbers", [np.zeros(4), np.full(4, np.nan), [np.inf, 0, 0, 0], np.full(4, 3e38)], ids=str)
@pytest.mark.parametrize("oblique", [True, False])
def test_n18_an_sform_without_a_row_or_with_other_than_numbers_is_refused(tmp_path, row, numbers, oblique):
    matrix = affine() if oblique else affine(np.eye(3))
    for code in (0, 1):
        path = nifti(tmp_path / "hip.nii", qform=matrix, sform=matrix, qform_code=code, **{row: numbers})
        refused(path, InvalidGeometry)
    assert is_where_nibabel_says(read_grid(path, prefer="qform"), matrix)  # the broken one is not looked at


@pytest.mark.parametrize(
    "fields", [{"quatern_b": np.nan}, {"quatern_c": 1.1}, {"qoffset_x": np.inf}, {"quatern_d": -np.inf}], ids=str
)
def test_n18_a_qform_that_is_no_rotation_is_refused(plain, fields):
    refused(edit(plain, sform_code=0, **fields), InvalidGeometry)


@pytest.mark.parametrize("factor", [0, 1, -1])
def test_n18_the_sign_of_a_qform_is_that_of_its_third_axis(plain, factor):
    edit(plain, sform_code=0, pixdim=[factor, *SPACING_MM, 0, 0, 0, 0])
    assert is_where_nibabel_says(read_grid(plain), affine() @ np.diag([1, 1, factor or 1, 1]))
    refused(edit(plain, pixdim=[2, *SPACING_MM, 0, 0, 0, 0]), InvalidGeometry, r"pixdim\[0\] is -1 or 1")


@pytest.mark.parametrize("code", [0, 1], ids=["sform only", "with qform"])
def test_n19_a_spacing_that_the_sform_contradicts_is_refused(plain, code):
    ones = affine() @ np.diag([1, 1, 1 / 3.3, 1])
    edit(plain, qform_code=code, srow_x=ones[0], srow_y=ones[1], srow_z=ones[2])
    refused(plain, GeometryConflict, "must say the same")
    assert read_grid(plain, prefer="sform").spacing[0] == pytest.approx(1)
    if code == 0:
        refused(plain, GeometryConflict, r"0\.7 x 0\.6 x 3\.3 mm by pixdim and 0\.7 x 0\.6 x 1 mm", prefer="qform")


@pytest.mark.parametrize(("code", "in_mm"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (8, 1), (10, 1), (11, 0.001)])
@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (1, 1)], ids=["qform", "sform", "both"])
def test_n21_lengths_in_metres_and_microns_become_mm_and_unknown_ones_are_mm(plain, code, in_mm, codes):
    matrix = affine() / in_mm
    steps = np.array(SPACING_MM) / in_mm
    edit(plain, xyzt_units=code, qform_code=codes[0], sform_code=codes[1], pixdim=[1, *steps, 0, 0, 0, 0])
    edit(plain, srow_x=matrix[0], srow_y=matrix[1], srow_z=matrix[2])
    edit(plain, qoffset_x=matrix[0, 3], qoffset_y=matrix[1, 3], qoffset_z=matrix[2, 3])
    assert is_where_nibabel_says(read_grid(plain), affine())


@pytest.mark.parametrize("code", [4, 5, 6, 7])
def test_n21_an_undefined_unit_is_refused(plain, code):
    refused(edit(plain, xyzt_units=code), InvalidGeometry, f"unit {code}")


@pytest.mark.parametrize("order", itertools.permutations(range(3)), ids=str)
@pytest.mark.parametrize("signs", itertools.product([1, -1], repeat=3), ids=str)
def test_n28_every_axis_order_and_both_hands_are_the_same_image(tmp_path, order, signs):
    reordered = nibabel.Nifti1Image(VALUES, affine()).as_reoriented(np.column_stack([order, signs]))
    path = tmp_path / "hip.nii.gz"
    reordered.to_filename(path)
    image = read_image(path)
    assert is_where_nibabel_says(image.grid, reordered.affine)
    index = np.array(list(np.ndindex(*SIZES)))
    points = (LPS @ affine() @ np.column_stack([index, np.ones(len(index))]).T).T[:, :3]
    found = np.rint(image.grid.to_index(points)).astype(int)
    assert np.array_equal(image.array[tuple(found.T)], VALUES.ravel())
