"""NRRD and MetaImage files whose headers can be edited as text."""

import numpy as np
import SimpleITK as sitk

from avnnet.data.files import read_grid, read_image
from avnnet.data.files.sitk import to_sitk
from avnnet.grid import Grid
from avnnet.image import Image

# numbers that are written with few digits, to be found and replaced in the text of a header
TURNED = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0))
GRID = Grid((8, 11, 9), (3.25, 0.625, 0.75), (-91.5, 22.25, 7.125), TURNED)
VALUES = np.random.default_rng(5).integers(-700, 1800, GRID.shape).astype(np.int16)
NAMES = ["packed.nrrd", "plain.nrrd", "packed.mha", "plain.mha", "packed.mhd", "plain.mhd", "packed.nhdr", "plain.nhdr"]
ATTACHED = NAMES[:4]


def written(path):
    sitk.WriteImage(to_sitk(Image(VALUES, GRID)), str(path), useCompression=path.name.startswith("packed"))
    return path


def edit(path, *changes):
    """Replaces words of a header."""
    content = path.read_bytes()
    for old, new in changes:
        assert content.count(old.encode(), 0, 800) == 1, old
        content = content.replace(old.encode(), new.encode(), 1)
    path.write_bytes(content)
    return path


def is_the_image(path):
    image = read_image(path)
    return np.array_equal(image.array, VALUES) and image.grid.is_close(GRID) and read_grid(path) == image.grid
