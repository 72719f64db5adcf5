"""What a scan of a hip can be at most: checked on the header of every format, before memory is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

from avnnet.errors import InvalidGeometry, ResourceLimitExceeded, UnsupportedDimensions

MAX_BYTES = 2 << 30  # a large hip scan of 512 x 512 x 200 voxels of four bytes has a tenth of it
MAX_SIZE = 4096  # voxels along one axis
MIN_SPACING_MM, MAX_SPACING_MM = 0.05, 20.0
MAX_EXTENT_MM = 1000.0  # twice the field of view of a whole-body scanner
MAX_POSITION_MM = 10_000.0  # from the scanner's centre, which a table leaves by 2 m; floats keep 1 um there
MIN_SLICES = 4  # of a volume, on every axis
MAX_SURPLUS_BYTES = 1 << 20  # behind the voxels that a header promises: some writers pad, a bomb goes on


def check_dimensions(sizes: Sequence[int], name: str) -> None:
    """Refuse an image that is not three-dimensional with one value per voxel; further axes of size 1 do not count.

    Args:
        sizes: of every axis: those in space, then time, channels and others.
        name: the file, for the message.

    Raises:
        UnsupportedDimensions: if it is not.
    """
    if len(sizes) < 3 or any(size > 1 for size in sizes[3:]):
        raise UnsupportedDimensions(
            f"{name}: an image must be 3D with one value per voxel; its header promises {len(sizes)}D of "
            f"{' x '.join(map(str, sizes))}; split or convert it first"
        )


def check_size(shape: Sequence[int], bytes_per_voxel: int, name: str) -> None:
    """Refuse an image that is too large to be read.

    Args:
        shape: voxels per axis, in any order and of any number of axes.
        bytes_per_voxel: what one voxel takes in memory.
        name: the file or folder, for the message.

    Raises:
        InvalidGeometry: if an axis has no voxel.
        ResourceLimitExceeded: if an axis has more than `MAX_SIZE` voxels, or all together take more than `MAX_BYTES`.

    Examples:
        >>> check_size((28, 112, 96), 2, "hip.nii.gz")
        >>> check_size((32767, 32767, 32767), 2, "hip.nii.gz")
        Traceback (most recent call last):
        ...
        avnnet.errors.ResourceLimitExceeded: hip.nii.gz: an axis of an image has at most 4096 voxels; its header \
promises 32767 x 32767 x 32767. Cut out the hip, or export the file again if its header is damaged
    """
    said = " x ".join(map(str, shape))
    if min(shape) < 1:
        raise InvalidGeometry(
            f"{name}: every axis of an image has a voxel; its header promises {said}. Export it again"
        )
    if max(shape) > MAX_SIZE:
        raise ResourceLimitExceeded(
            f"{name}: an axis of an image has at most {MAX_SIZE} voxels; its header promises {said}. "
            "Cut out the hip, or export the file again if its header is damaged"
        )
    size = math.prod(shape) * bytes_per_voxel
    if size > MAX_BYTES:
        raise ResourceLimitExceeded(
            f"{name}: an image takes at most {MAX_BYTES / 2**30:g} GiB; its header promises {said} voxels, which take "
            f"{size / 2**30:.3g} GiB. Cut out the hip, or export the file again if its header is damaged"
        )


def check_spacing(spacing_mm: Sequence[float], shape: Sequence[int], name: str) -> None:
    """Refuse a spacing that no scan has.

    Args:
        spacing_mm: distance of voxel centres per axis, mm.
        shape: voxels per axis, in the order of `spacing_mm`.
        name: the file or folder, for the message.

    Raises:
        InvalidGeometry: if a spacing is not finite, or no scan has it, or the image would be longer than a patient's
            hips.

    Examples:
        >>> check_spacing((3.3, 0.6, 0.7), (28, 112, 96), "hip.nii.gz")
        >>> check_spacing((3.3, 0.0, 0.7), (28, 112, 96), "hip.nii.gz")
        Traceback (most recent call last):
        ...
        avnnet.errors.InvalidGeometry: hip.nii.gz: voxels lie 0.05 to 20 mm apart; its header says 3.3 x 0 x 0.7 mm. \
Export it again, or correct its header
    """
    said = " x ".join(f"{spacing:.6g}" for spacing in spacing_mm)
    if not all(MIN_SPACING_MM <= spacing <= MAX_SPACING_MM for spacing in spacing_mm):  # false of NaN too
        raise InvalidGeometry(
            f"{name}: voxels lie {MIN_SPACING_MM:g} to {MAX_SPACING_MM:g} mm apart; its header says {said} mm. "
            "Export it again, or correct its header"
        )
    extent_mm = [spacing * size for spacing, size in zip(spacing_mm, shape, strict=True)]
    if max(extent_mm) > MAX_EXTENT_MM:
        raise InvalidGeometry(
            f"{name}: an image is at most {MAX_EXTENT_MM:g} mm long; its header says "
            f"{' x '.join(f'{extent:.4g}' for extent in extent_mm)} mm. Cut out the hip, or correct its header"
        )


def check_position(origin_mm: Sequence[float], name: str) -> None:
    """Refuse an image that lies where no scanner reaches.

    Args:
        origin_mm: of the first voxel, in mm.
        name: the file or folder, for the message.

    Raises:
        InvalidGeometry: if a number is not finite, or too far from the scanner's centre.

    Examples:
        >>> check_position((10.0, 1e30, 5.0), "hip.nii.gz")
        Traceback (most recent call last):
        ...
        avnnet.errors.InvalidGeometry: hip.nii.gz: the first voxel lies at most 10000 mm from the scanner's centre; \
its header says (10, 1e+30, 5) mm. Export it again, or correct its header
    """
    if not all(abs(number) <= MAX_POSITION_MM for number in origin_mm):  # false of NaN too
        raise InvalidGeometry(
            f"{name}: the first voxel lies at most {MAX_POSITION_MM:g} mm from the scanner's centre; its header says "
            f"({', '.join(f'{number:.6g}' for number in origin_mm)}) mm. Export it again, or correct its header"
        )
