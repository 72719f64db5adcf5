"""MONAI transforms: spacing and a crop around the femoral head, composed so that only the crop is resampled."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import Compose, Crop, LazyTransform, MapTransform, Pad, Spacingd
from torch import Tensor

CENTRE_KEY = "head_centre_mm"


def _index_of(affine: Any, point_mm: Sequence[float]) -> np.ndarray:
    matrix = np.asarray(affine, float)
    return np.linalg.solve(matrix[:3, :3], np.asarray(point_mm, float) - matrix[:3, 3])


class CutAroundHeadd(MapTransform):
    """Cuts the source voxels that a head-centred crop can need, and repeats the edge where the image ends.

    An own step before the resampling, because MONAI's resampler converts and pads its whole input: cutting
    first makes its cost that of the crop. The first voxel of the cut keeps the phase of the source grid.

    Args:
        keys: channel-first MetaTensors `(C, *S)`.
        size: size of the crop in voxels.
        spacing_mm: spacing of the crop's voxels in mm.
        centre_key: where the head centre stands, in mm of the MetaTensors' affine.
    """

    def __init__(
        self,
        keys: KeysCollection,
        size: Sequence[int],
        spacing_mm: Sequence[float],
        centre_key: str = CENTRE_KEY,
    ) -> None:
        super().__init__(keys)
        self.size, self.spacing_mm, self.centre_key = tuple(size), tuple(spacing_mm), centre_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The dict with its images cut."""
        out = dict(data)
        for key in self.key_iterator(out):
            image: Tensor = out[key]
            shape = np.asarray(image.shape[1:])
            source_mm = np.linalg.norm(np.asarray(out[key].affine, float)[:3, :3], axis=0)
            centre = _index_of(out[key].affine, out[self.centre_key])
            # two voxels of either grid: the crop's start is rounded, and interpolation looks one voxel further
            reach = (np.asarray(self.size) / 2 + 2) * np.asarray(self.spacing_mm) / source_mm + 2
            start = np.floor(centre - reach).astype(int)
            stop = np.ceil(centre + reach).astype(int) + 1
            inner = [slice(max(a, 0), max(min(b, n), 0)) for a, b, n in zip(start, stop, shape, strict=True)]
            image = Crop()(image, tuple(inner))
            before, after = np.maximum(-start, 0), np.maximum(stop - shape, 0)
            if before.any() or after.any():
                widths = ((0, 0), *((int(a), int(b)) for a, b in zip(before, after, strict=True)))
                image = Pad(to_pad=widths, mode="edge")(image)  # type: ignore[arg-type]  # any number of pairs
            out[key] = image
        return out


class HeadCentredCropd(MapTransform, LazyTransform):
    """Crops `size` voxels around the head centre; lazy, so that with `Spacingd` one resampling does both.

    The crop lies on the voxels of the (resampled) grid: the middle of the crop is within half a voxel of the
    head centre. The image must reach as far as the crop: `CutAroundHeadd` sees to that.

    Args:
        keys: channel-first MetaTensors `(C, *S)`.
        size: size of the crop in voxels.
        centre_key: where the head centre stands, in mm of the MetaTensors' affine.
        lazy: whether to leave the work to one resampling at the end.
    """

    def __init__(
        self, keys: KeysCollection, size: Sequence[int], centre_key: str = CENTRE_KEY, lazy: bool = False
    ) -> None:
        MapTransform.__init__(self, keys)
        LazyTransform.__init__(self, lazy)
        self.size, self.centre_key = tuple(size), centre_key

    def __call__(self, data: Mapping[Hashable, Any], lazy: bool | None = None) -> dict[Hashable, Any]:
        """The dict with its images cropped to `size`, now or when the pending transforms are applied."""
        out = dict(data)
        for key in self.key_iterator(out):
            image: MetaTensor = out[key]
            centre = _index_of(image.peek_pending_affine(), out[self.centre_key])
            start = np.floor(centre - (np.asarray(self.size) - 1) / 2 + 0.5).astype(int)
            box = tuple(slice(int(a), int(a) + n) for a, n in zip(start, self.size, strict=True))
            out[key] = Crop()(image, box, lazy=self.lazy if lazy is None else lazy)
        return out


def spacing_and_crop(
    keys: Sequence[str], modes: Sequence[str], spacing_mm: Sequence[float], crop: Sequence[int] | None
) -> Compose:
    """The transforms from a canonical image to the voxels a network sees.

    Args:
        keys: channel-first MetaTensors `(C, *S)` whose affine holds spacing and origin in mm.
        modes: interpolation per key, "bilinear" for images and "nearest" for labels.
        spacing_mm: spacing of the result in mm.
        crop: size of the head-centred crop in voxels, or None for the whole image.

    Examples:
        >>> image = MetaTensor(torch.zeros(1, 40, 40, 40), affine=torch.eye(4))
        >>> done = spacing_and_crop(["image"], ["bilinear"], (2.0, 1.0, 1.0), (8, 16, 16))(
        ...     {"image": image, CENTRE_KEY: (20.0, 20.0, 20.0)})
        >>> done["image"].shape, np.diag(done["image"].affine).tolist()
        (torch.Size([1, 8, 16, 16]), [2.0, 1.0, 1.0, 1.0])
    """
    spacing = Spacingd(keys, pixdim=spacing_mm, mode=modes, padding_mode="border", dtype=np.float32)
    if crop is None:
        return Compose([spacing])
    # a pending crop has no interpolation mode and no dtype of its own, and without the overrides MONAI's combined
    # resampling falls back to linear, which shrinks labels, and to float64, which takes twice the time
    overrides = {
        key: {"mode": mode, "padding_mode": "border", "dtype": torch.float32}
        for key, mode in zip(keys, modes, strict=True)
    }
    steps = [CutAroundHeadd(keys, crop, spacing_mm), spacing, HeadCentredCropd(keys, crop)]
    return Compose(steps, lazy=True, overrides=overrides)
