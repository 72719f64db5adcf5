"""Images to SimpleITK and back: the only place where array order meets ITK's order."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from avnnet.errors import UnsupportedDimensions
from avnnet.grid import Grid
from avnnet.image import Image


def to_sitk(image: Image) -> sitk.Image:
    """A SimpleITK image with the same voxels in the same places.

    Args:
        image: `(z, y, x)` array on its grid; ITK's axes are the array's in reverse order.
    """
    array = image.array
    itk = sitk.GetImageFromArray(array.astype(np.uint8) if array.dtype == bool else np.ascontiguousarray(array))
    itk.SetSpacing(image.grid.spacing[::-1])
    itk.SetOrigin(image.grid.origin)
    itk.SetDirection(np.asarray(image.grid.direction)[:, ::-1].ravel().tolist())
    return itk


def grid_of(itk: sitk.Image) -> Grid:
    """The grid of a three-dimensional SimpleITK image.

    Raises:
        UnsupportedDimensions: if the image is not 3D, or has several values per voxel.
        InvalidGeometry: if its spacing or direction cannot be.
    """
    if itk.GetDimension() != 3 or itk.GetNumberOfComponentsPerPixel() != 1:
        raise UnsupportedDimensions(
            f"an image must be 3D with one value per voxel; found {itk.GetDimension()}D of size {itk.GetSize()} "
            f"with {itk.GetNumberOfComponentsPerPixel()} values per voxel; split or convert it first"
        )
    direction = np.asarray(itk.GetDirection()).reshape(3, 3)[:, ::-1]
    return Grid(
        itk.GetSize()[::-1],
        itk.GetSpacing()[::-1],
        itk.GetOrigin(),
        tuple(tuple(row) for row in direction.tolist()),
    )


def from_sitk(itk: sitk.Image) -> Image:
    """The image with an own copy of the voxels, in the file's axis order reversed to `(z, y, x)`.

    Raises:
        UnsupportedDimensions: if the image is not 3D, or has several values per voxel.
        InvalidGeometry: if its spacing or direction cannot be.
    """
    return Image(sitk.GetArrayFromImage(itk), grid_of(itk))
