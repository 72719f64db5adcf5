"""What comes out: labels and probabilities of one image, with the way they were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avnnet.data.files import write_image
from avnnet.data.files.seg_nrrd import SEGMENTATION_SUFFIX, write_segmentation
from avnnet.data.softmax import Softmax
from avnnet.image import Image, LabelMap
from avnnet.labels import Side
from avnnet.measure.rows import measure
from avnnet.measure.volumes import volumes

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
        provenance: how it was made: networks, side, centre.
        flags: what a reader should look at, such as a mask that touches the border of the crop.
    """

    image: Image
    labels: LabelMap
    probabilities: Softmax
    provenance: dict[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def volumes(self) -> pd.DataFrame:
        """One row: the volume of each structure in cm³, and the part's percentage of the whole."""
        return volumes(self.labels)

    def quantities(self, setting: Setting | None = None) -> pd.DataFrame:
        """One row with every quantity of the hip: volumes, surfaces, angles, grades, collapse, location.

        Of another label scheme than the hip's it holds the volumes.

        Args:
            setting: pelvic tilt, landmarks of the acetabulum, standard errors.
        """
        return measure(self.labels, self.provenance.get("side") or "", setting)

    def plot(self) -> Figure:
        """Three planes through the structure, a plain copy beside the contours."""
        from avnnet.plots import overlay

        return overlay(self.image, {"automatic": self.labels})

    def save(self, path: str | Path) -> Path:
        """The path written: the label map as NIfTI, NRRD or MetaImage, or as segments of 3D Slicer (`.seg.nrrd`)."""
        if Path(path).name.lower().endswith(SEGMENTATION_SUFFIX):
            side = self.provenance.get("side")
            return write_segmentation(self.labels, path, Side(side) if side else None)
        return write_image(self.labels, path)
