"""An image to the voxels that a network sees, and softmax back to the image's own grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from monai.data import MetaTensor
from torch import Tensor

from avnnet.data.checks import check_volume
from avnnet.data.limits import MAX_BYTES, MAX_SPACING_MM, MIN_SPACING_MM
from avnnet.data.normalise import Normalisation, ZScore
from avnnet.data.normalised import normalised
from avnnet.data.orientation import FirstAxis, Orientation, orientation_of
from avnnet.data.softmax import Softmax, interpolated
from avnnet.data.transforms import CENTRE_KEY, spacing_and_crop
from avnnet.errors import AvnnetError, GeometryMismatch, InvalidConfig, NonFiniteVoxels, ResourceLimitExceeded
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import Side

CLIP_PERCENTILES = (0.5, 99.5)


def _bytes(shape: Sequence[int]) -> int:
    return math.prod(shape) * torch.float32.itemsize


@dataclass(frozen=True, eq=False)
class Placement:
    """Where prepared voxels came from: all that the way back needs.

    Args:
        grid: the grid of the file.
        orientation: the file's order to canonical order.
        start_mm: centre of the first prepared voxel, in mm along the canonical axes from the file's first one.
        spacing_mm: spacing of the prepared voxels.
    """

    grid: Grid
    orientation: Orientation
    start_mm: tuple[float, ...]
    spacing_mm: tuple[float, ...]

    def onto(self, mask: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        """A mask of the file's grid at prepared voxels, each as the nearest voxel of the file; False outside of it.

        Args:
            mask: bool, on the grid of the file.
            shape: prepared voxels per axis.

        Examples:
            >>> grid, straight = Grid((1, 1, 4)), Orientation((0, 1, 2), (False, False, False))
            >>> finer = Placement(grid, straight, (0.0, 0.0, 1.0), (1.0, 1.0, 0.5))
            >>> finer.onto(np.array([[[True, False, True, True]]]), (1, 1, 7)).astype(int).tolist()
            [[[0, 1, 1, 1, 1, 0, 0]]]
        """
        turned = self.orientation.apply(mask)
        source_mm = np.asarray(self.grid.spacing)[list(self.orientation.axes)]
        found = np.zeros(tuple(shape), bool)
        nearest = [
            np.floor((start + np.arange(n) * step) / own + 0.5).astype(int)
            for start, n, step, own in zip(self.start_mm, shape, self.spacing_mm, source_mm, strict=True)
        ]
        inside = [np.flatnonzero((at >= 0) & (at < n)) for at, n in zip(nearest, turned.shape, strict=True)]
        found[np.ix_(*inside)] = turned[np.ix_(*(at[i] for at, i in zip(nearest, inside, strict=True)))]
        return found


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a network sees of one case.

    Args:
        image: `(C, *S)` float32, each channel normalised.
        label: `(1, *S)` uint8, or None.
        placement: the way back.
        is_cropped: whether it is a crop around the head centre, and not the whole image.
    """

    image: Tensor
    label: Tensor | None
    placement: Placement
    is_cropped: bool


class Preprocess:
    """Canonical order, right-hip frame, spacing, head-centred crop and intensities; and the way back.

    Args:
        spacing_mm: spacing of the voxels that the network sees, canonical order (slice axis first).
        crop: size of the crop around the head centre in voxels; None always takes the whole image.
        first_axis: patient direction of the slice axis: "superior" for axial and axial-oblique slices,
            "posterior" for coronal, "left" for sagittal ones.
        clip_percentiles: of the z-score: intensities are clipped to these percentiles of the prepared voxels.
        normalise: another intensity normalisation in place of the z-score.
        reversed_axes: canonical axes that the network sees the other way round, as it was trained on by another
            program.

    Raises:
        InvalidConfig: if a number is out of its limits (`avnnet.data.limits`), the percentiles are not in order, an
            axis is none of the three, or there are percentiles and another normalisation.

    Examples:
        >>> grid = Grid((8, 16, 16), (1.0, 0.5, 0.5))
        >>> image = Image(np.random.default_rng(1).normal(size=grid.shape), grid)
        >>> prepared = Preprocess([1.0, 0.5, 0.5], crop=[4, 8, 8]).prepare(image, centre_mm=grid.to_lps((4, 8, 8)))
        >>> prepared.image.shape
        torch.Size([1, 4, 8, 8])
    """

    # a model without them is described as it was before there were any
    left_out_at_default: ClassVar[tuple[str, ...]] = ("normalise", "reversed_axes")

    def __init__(
        self,
        spacing_mm: Sequence[float],
        crop: Sequence[int] | None = None,
        first_axis: FirstAxis = "superior",
        clip_percentiles: Sequence[float] = CLIP_PERCENTILES,
        normalise: Normalisation | None = None,
        reversed_axes: Sequence[int] | None = None,
    ) -> None:
        self.spacing_mm, self.first_axis = [float(s) for s in spacing_mm], first_axis
        self.crop = None if crop is None else [int(n) for n in crop]
        self.clip_percentiles, self.normalise = [float(p) for p in clip_percentiles], normalise
        self.reversed_axes = None if not reversed_axes else [int(axis) for axis in reversed_axes]
        if not set(self.reversed_axes or ()) <= {0, 1, 2}:
            raise InvalidConfig(f"reversed_axes are some of 0, 1, 2; found {self.reversed_axes}")
        if len(self.spacing_mm) != 3 or not all(MIN_SPACING_MM <= s <= MAX_SPACING_MM for s in self.spacing_mm):
            raise InvalidConfig(
                f"spacing_mm must be three numbers from {MIN_SPACING_MM:g} to {MAX_SPACING_MM:g}; found "
                f"{self.spacing_mm}"
            )
        if self.crop is not None and (len(self.crop) != 3 or min(self.crop) < 1 or _bytes(self.crop) > MAX_BYTES):
            raise InvalidConfig(
                f"crop must be three voxel counts that take {MAX_BYTES >> 30} GiB at most, or null; found {self.crop}"
            )
        self.normalisation = ZScore(clip_percentiles) if normalise is None else normalise
        if not isinstance(self.normalisation, Normalisation):
            raise InvalidConfig(
                "normalise must be an avnnet.data.normalise.Normalisation, or left out; found a "
                f"{type(normalise).__name__}"
            )
        if normalise is not None and self.clip_percentiles != list(CLIP_PERCENTILES):
            raise InvalidConfig(
                f"clip_percentiles {self.clip_percentiles} are of the z-score, and another normalisation is given; "
                "give them to that, or leave them out"
            )

    def prepare(
        self,
        image: Image,
        label: LabelMap | None = None,
        *,
        side: Side | None = None,
        centre_mm: Sequence[float] | None = None,
    ) -> Prepared:
        """The voxels that the network sees; the crop if a centre is known, else the whole image.

        Args:
            image: the scan, in any axis order.
            label: its label map on the same grid, for training.
            side: the body side; a left hip is mirrored to the right-hip frame.
            centre_mm: head centre, LPS mm `(x, y, z)`.

        Raises:
            GeometryMismatch: if the label lies on another grid, or the centre outside the image.
            NonFiniteVoxels: if the image holds NaN or infinity.
            ConstantImage: if nothing can be seen in the crop.
            NotAVolume: if there are fewer than four slices on an axis.
            ResourceLimitExceeded: if the whole image is asked for, and takes more than 2 GiB.
        """
        if label is not None and not label.grid.is_close(image.grid):
            raise GeometryMismatch(
                f"the image has {image.grid.summary()}, its label {label.grid.summary()}; "
                "resample the label onto the image's grid"
            )
        if centre_mm is not None and not image.grid.contains(centre_mm):
            raise GeometryMismatch(
                f"the head centre {[round(float(c), 1) for c in centre_mm]} mm (x, y, z, LPS) is outside the image: "
                f"{image.grid.summary()}. 3D Slicer shows RAS: change the sign of its first two numbers"
            )
        check_volume(image.grid)
        orientation = orientation_of(
            image.grid,
            first_axis=self.first_axis,
            mirror=side is Side.LEFT,
            reversed_axes=self.reversed_axes or (),
        )
        spacing = np.asarray(image.grid.spacing)[list(orientation.axes)]
        keys = ["image"] if label is None else ["image", "label"]
        data: dict = {"image": self._tensor(image, orientation, spacing)}
        if label is not None:
            data["label"] = self._tensor(label, orientation, spacing)
        crop = self.crop if centre_mm is not None else None
        if crop is None:
            self._check_whole(image, orientation)
        if crop is not None and centre_mm is not None:
            data[CENTRE_KEY] = orientation.index(image.grid.to_index(centre_mm), image.grid.shape) * spacing
        done = spacing_and_crop(keys, ["bilinear", "nearest"][: len(keys)], self.spacing_mm, crop)(data)
        affine = np.asarray(done["image"].affine, float)
        placement = Placement(image.grid, orientation, tuple(affine[:3, 3]), tuple(np.diag(affine)[:3]))
        return Prepared(
            self._normalised(done["image"].as_tensor().float()),
            None if label is None else done["label"].as_tensor().to(torch.uint8),
            placement,
            crop is not None,
        )

    def _check_whole(self, image: Image, orientation: Orientation) -> None:
        turned = [(image.grid.shape[axis], image.grid.spacing[axis]) for axis in orientation.axes]
        shape = [math.ceil(n * own / target) for (n, own), target in zip(turned, self.spacing_mm, strict=True)]
        size = _bytes(shape) * len(image.channels)
        if size > MAX_BYTES:
            raise ResourceLimitExceeded(
                f"the whole image takes {size / 2**30:.3g} GiB with voxels of {self.spacing_mm} mm, "
                f"{MAX_BYTES >> 30} at most are taken; give a head centre, cut the image, or train on coarser voxels"
            )

    @staticmethod
    def _tensor(image: Image, orientation: Orientation, spacing: np.ndarray) -> MetaTensor:
        array = orientation.apply(image.channels)
        if array.dtype == np.uint16 or array.dtype.itemsize > 4 or array.dtype.kind == "f":
            array = array.astype(np.float32)
        affine = torch.from_numpy(np.diag([*spacing, 1.0]))
        return MetaTensor(torch.from_numpy(np.ascontiguousarray(array)), affine=affine)

    def _normalised(self, image: Tensor) -> Tensor:
        one = len(image) == 1
        return torch.stack(
            [self._of_channel(channel, "" if one else f"channel {n}: ") for n, channel in enumerate(image, start=1)]
        )

    def _of_channel(self, channel: Tensor, where: str) -> Tensor:
        count = int((~torch.isfinite(channel)).sum())
        if count:
            raise NonFiniteVoxels(f"{where}{count} voxels are NaN or infinite; fill them before")
        try:
            return normalised(self.normalisation, channel)
        except AvnnetError as error:
            raise type(error)(f"{where}{error}") from error

    def restore(self, probabilities: Tensor, placement: Placement) -> Softmax:
        """Softmax `(K, *S)` of prepared voxels, back on the grid of the file.

        Args:
            probabilities: `(K, *S)`, sum 1 over K.
            placement: what `prepare` gave.

        Examples:
            >>> grid = Grid((8, 16, 16), (1.0, 0.5, 0.5))
            >>> image = Image(np.random.default_rng(1).normal(size=grid.shape), grid)
            >>> preprocess = Preprocess([1.0, 0.5, 0.5], crop=[4, 8, 8])
            >>> prepared = preprocess.prepare(image, centre_mm=grid.to_lps((4, 8, 8)))
            >>> softmax = preprocess.restore(torch.full((2, 4, 8, 8), 0.5), prepared.placement)
            >>> softmax.values.shape, softmax.full().shape
            ((2, 4, 8, 8), (2, 8, 16, 16))
        """
        orientation, grid = placement.orientation, placement.grid
        shape = np.asarray(grid.shape)[list(orientation.axes)]
        source = np.asarray(grid.spacing)[list(orientation.axes)]
        start_mm, step_mm = np.asarray(placement.start_mm), np.asarray(placement.spacing_mm)
        size = np.asarray(probabilities.shape[1:])
        # source voxels whose centre lies inside the prepared voxels, their outer half included
        first = np.ceil((start_mm - step_mm / 2) / source - 1e-3).astype(int).clip(0, shape - 1)
        last = np.floor((start_mm + (size - 0.5) * step_mm) / source + 1e-3).astype(int).clip(0, shape - 1)
        extent = last - first + 1
        offset = first - start_mm / step_mm
        if np.allclose(source, step_mm, rtol=1e-4) and np.allclose(offset, np.rint(offset), atol=1e-3):
            begin = np.rint(offset).astype(int)
            box = tuple(slice(int(a), int(a + n)) for a, n in zip(begin, extent, strict=True))
            values = probabilities[(slice(None), *box)].float().numpy()
        else:
            axes = zip(first, extent, source, start_mm, step_mm, strict=True)
            places = [((at + np.arange(n)) * own - start) / step for at, n, own, start, step in axes]
            values = interpolated(probabilities.float(), places).numpy()
        start, _ = orientation.invert_box(tuple(map(int, first)), tuple(map(int, extent)), grid.shape)
        return Softmax(np.ascontiguousarray(orientation.invert(values)), start, grid)
