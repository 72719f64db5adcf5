"""What comes out: labels and probabilities of one hip, with the way they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from avnnet.data.files import write_image
from avnnet.data.files.seg_nrrd import SEGMENTATION_SUFFIX, write_segmentation
from avnnet.data.softmax import Softmax
from avnnet.flags import NO_FLAGS, Flag, Flags
from avnnet.image import Image, LabelMap
from avnnet.labels import LabelScheme, Side
from avnnet.measure.rows import measure
from avnnet.measure.volumes import volumes
from avnnet.readers import AUTOMATIC

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from avnnet.measure.quantities import Setting


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The segmentation of one hip.

    Args:
        image: the scan.
        labels: the most probable label per voxel, on the scan's own grid.
        probabilities: the ensemble's softmax.
        side: of the body, as given or found; None where nobody knows it.
        centre_mm: of the head, as given or found, LPS mm `(x, y, z)`; None where a window slid over the whole image.
        radius_mm: of the head that the locator found; None where it was not asked.
        networks: the name of every network that had a say, folds of one configuration by the same name.
        flags: what a reader should look at, such as a mask that touches the border of the crop.
        by_network: the same of each configuration alone, by name, where that was asked for.

    Raises:
        InvalidConfig: if the side is another word than "right" or "left".

    Examples:
        >>> from avnnet.grid import Grid
        >>> grid = Grid((10, 20, 30))
        >>> labels = LabelMap(np.repeat([1, 2], 3000).reshape(10, 20, 30), grid)
        >>> nowhere = Softmax(np.zeros((3, 1, 1, 1), np.float32), (0, 0, 0), grid)
        >>> hip = Segmentation(Image(np.zeros(grid.shape), grid), labels, nowhere, "left")
        >>> hip.volumes().iloc[0].to_dict()
        {'vital_cm3': 3.0, 'necrosis_cm3': 3.0, 'head_cm3': 6.0, 'necrosis_percent': 50.0}
    """

    image: Image
    labels: LabelMap
    probabilities: Softmax
    side: Side | None = None
    centre_mm: tuple[float, float, float] | None = None
    radius_mm: float | None = None
    networks: tuple[str, ...] = ()
    flags: Flags = NO_FLAGS
    by_network: Mapping[str, Segmentation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "side", None if self.side is None else Side(self.side))
        if self.centre_mm is not None:
            x, y, z = (float(value) for value in self.centre_mm)
            object.__setattr__(self, "centre_mm", (x, y, z))
        object.__setattr__(self, "networks", tuple(self.networks))
        object.__setattr__(self, "flags", Flags(self.flags))

    @property
    def is_found(self) -> bool:
        """Whether there is a head that was looked at; without one the mask is empty and means nothing."""
        return Flag.HEAD_NOT_FOUND not in self.flags

    def volumes(self) -> pd.DataFrame:
        """One row: the volume of each structure in cm³, and the part's percentage of the whole."""
        return volumes(self.labels)

    def quantities(self, setting: Setting | None = None) -> pd.DataFrame:
        """One row with every quantity of the hip: volumes, surfaces, angles, grades, collapse, location.

        Of another label scheme than the hip's it holds the volumes.

        Args:
            setting: pelvic tilt, landmarks of the acetabulum, standard errors.
        """
        return measure(self.labels, self.side, setting)

    def plot(self) -> Figure:
        """Three planes through the structure, a plain copy beside the contours."""
        from avnnet.plots import overlay

        return overlay(self.image, {AUTOMATIC: self.labels})

    def save(self, path: str | Path) -> Path:
        """The path written: the label map as NIfTI, NRRD or MetaImage, or as segments of 3D Slicer (`.seg.nrrd`)."""
        if Path(path).name.lower().endswith(SEGMENTATION_SUFFIX):
            return write_segmentation(self.labels, path, self.side)
        return write_image(self.labels, path)


def nothing_found(
    image: Image, scheme: LabelScheme, side: Side | None, networks: tuple[str, ...], flags: Flags
) -> Segmentation:
    """The segmentation of a hip without a head: an empty mask, certain to be background.

    Args:
        image: the scan.
        scheme: names of the label ids.
        side: of the hip that was looked for, if it is known.
        networks: as of `Segmentation`.
        flags: why there is nothing.

    Examples:
        >>> from avnnet.grid import Grid
        >>> from avnnet.labels import HIP
        >>> image = Image(np.zeros((4, 4, 4)), Grid((4, 4, 4)))
        >>> nothing = nothing_found(image, HIP, None, (), (Flag.HEAD_NOT_FOUND,))
        >>> nothing.is_found, int(nothing.labels.array.sum())
        (False, 0)
    """
    certain = np.zeros((scheme.classes, 1, 1, 1), np.float32)
    certain[0] = 1
    labels = LabelMap(np.zeros(image.grid.shape, np.uint8), image.grid, scheme)
    return Segmentation(image, labels, Softmax(certain, (0, 0, 0), image.grid), side, networks=networks, flags=flags)
