"""A hip-like NIfTI file by nibabel, and ways to spoil it byte by byte."""

import gzip

import nibabel
import numpy as np
import pytest
from nibabel.nifti1 import header_dtype

from avnnet.data.files import read_grid, read_image

SIZES = (9, 11, 8)  # x, y, z
SPACING_MM = (0.7, 0.6, 3.3)
VALUES = np.random.default_rng(5).integers(-700, 1800, SIZES).astype(np.int16)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def affine(axes=((0.8, 0.6, 0.0), (-0.6, 0.8, 0.0), (0.0, 0.0, 1.0)), origin=(-91.5, 22.25, 7.125)):
    """RAS, oblique by default."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(axes) * SPACING_MM
    matrix[:3, 3] = origin
    return matrix


def nifti(path, values=VALUES, qform=None, sform=None, kind=nibabel.Nifti1Image, **fields):
    """A file with qform and sform as given, both the oblique ones by default, and then other header fields."""
    image = kind(values, affine(), dtype=values.dtype)
    image.header.set_xyzt_units("mm")
    image.set_qform(affine() if qform is None else qform, code=1)
    image.set_sform(affine() if sform is None else sform, code=1)
    image.to_filename(path)
    return edit(path, **fields) if fields else path


def edit(path, **fields):
    """Writes other numbers into the fields of a NIfTI-1 header, wherever nibabel says that they stand."""
    packed = path.read_bytes()
    content = bytearray(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
    header = np.frombuffer(content, header_dtype, count=1)[0]  # a view: what is set is written
    for field, value in fields.items():
        header[field] = value
    path.write_bytes(gzip.compress(bytes(content)) if packed[:2] == b"\x1f\x8b" else content)
    return path


def refused(path, error, match=None, **words):
    """Both readers refuse a file for the same reason."""
    for read in (read_image, read_grid):
        with pytest.raises(error, match=match):
            read(path, **words)


def is_where_nibabel_says(grid, ras, within_mm=1e-4):
    """Whether the voxels of a grid lie where a RAS matrix of nibabel puts them."""
    corners = np.array(np.meshgrid(*[(0, size - 1) for size in grid.shape])).reshape(3, -1).T
    theirs = (LPS @ ras @ np.column_stack([corners[:, ::-1], np.ones(len(corners))]).T).T[:, :3]
    return np.abs(grid.to_lps(corners) - theirs).max() <= within_mm
