"""What a reader should know of an image and of a mask before the mask is trusted."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from avnnet.data.softmax import Softmax
from avnnet.flags import Flag, Flags
from avnnet.image import Image, LabelMap
from avnnet.labels import Side
from avnnet.measure.volumes import missing_structures

THICK_MM, THICK_RATIO = 2.5, 4.0
"""Slices this thick, and this many times the pixel: a lesion of 4 mm radius is off by 5 % and more (docs)."""
MIN_SNR = 5.0
"""Of the bone outside the lesion: below it the eye does not find a lesion either (Rose A. J Opt Soc Am 1948;38:196)."""
CORE_VOXELS = 2
MIN_CORE_VOXELS = 500


def mask_flags(labels: LabelMap, probabilities: Softmax) -> Flags:
    """The flags of a mask: a structure is missing, or cut by the image or the crop.

    Args:
        labels: the label map.
        probabilities: where the networks looked.

    Examples:
        >>> from avnnet.grid import Grid
        >>> grid, array = Grid((5, 5, 5)), np.zeros((5, 5, 5), int)
        >>> array[2, 2, 2:] = [1, 2, 2]  # up to the border of the image
        >>> where = Softmax(np.zeros((3, 5, 5, 5), np.float32), (0, 0, 0), grid)
        >>> [str(flag) for flag in mask_flags(LabelMap(array, grid), where)]
        ['fov_truncated']
    """
    found = labels.array > 0
    flags: list[Flag] = []
    for axis, box in enumerate(probabilities.box):
        whole = labels.grid.shape[axis]
        for index, is_border in ((box.start, box.start == 0), (box.stop - 1, box.stop == whole)):
            if found.take(index, axis=axis).any():
                flags.append(Flag.FOV_TRUNCATED if is_border else Flag.CROP_TOUCHED)
    return Flags(flags) | missing_structures(labels)


def image_flags(image: Image, side: Side | None) -> Flags:
    """The flags of an image: what its file said, thick slices, and a header that names the other side.

    Args:
        image: the scan.
        side: of the hip that was found or given in it.

    Examples:
        >>> from avnnet.grid import Grid
        >>> thick = Image(np.zeros((4, 5, 6)), Grid((4, 5, 6), (3.3, 0.4, 0.4)))
        >>> [str(flag) for flag in image_flags(thick, Side.RIGHT)]
        ['anisotropic']
    """
    flags: list[Flag] = []
    thickest, thinnest = max(image.grid.spacing), min(image.grid.spacing)
    if thickest >= THICK_MM and thickest >= THICK_RATIO * thinnest:
        flags.append(Flag.ANISOTROPIC)
    said = image.source.laterality
    if side is not None and said is not None and said != side:
        flags.append(Flag.LATERALITY_CONFLICT)
    return image.source.flags | flags


def noise_flags(image: Image, labels: LabelMap) -> Flags:
    """The flag of an image in which the bone outside the lesion is too noisy for a lesion to be seen, or none.

    Args:
        image: the scan; of several channels the first.
        labels: its mask.

    Examples:
        >>> from avnnet.grid import Grid
        >>> labels = LabelMap(np.pad(np.ones((12, 12, 12), int), 1), Grid((14, 14, 14)))
        >>> noise = np.random.default_rng(1).normal(size=(14, 14, 14))  # of SD 1
        >>> images = [Image(signal + noise, labels.grid) for signal in (100, 2)]
        >>> [[str(flag) for flag in noise_flags(image, labels)] for image in images]
        [[], ['low_snr']]
    """
    ratio = signal_to_noise(image, labels)
    return Flags([Flag.LOW_SNR] if ratio < MIN_SNR else [])


def signal_to_noise(image: Image, labels: LabelMap) -> float:
    """The median signal of the whole structure without its part, over the noise; NaN where too little of it is there.

    The noise is what a product of second differences along the two finest axes leaves, which takes out anatomy that
    changes evenly. Noise that the scanner has interpolated is smoother than that, and taken for less than it is.

    Args:
        image: the scan; of several channels the first.
        labels: its mask.

    Source:
        Immerkær J. Fast noise variance estimation. Comput Vis Image Underst 1996;64:300-302, with the median absolute
        deviation for the mean.
    """
    scheme = labels.scheme
    plain = (labels.array > 0) & ~labels.mask(scheme.part)
    if plain.sum() < MIN_CORE_VOXELS:
        return float("nan")
    box = tuple(
        slice(max(int(axis.min()) - CORE_VOXELS, 0), int(axis.max()) + CORE_VOXELS + 1) for axis in np.nonzero(plain)
    )
    core = ndimage.binary_erosion(plain[box], iterations=CORE_VOXELS)
    if core.sum() < MIN_CORE_VOXELS:
        return float("nan")
    values = image.channels[0][box].astype(np.float64)
    differences = values
    for axis in np.argsort(image.grid.spacing)[:2]:
        differences = ndimage.correlate1d(differences, [1.0, -2.0, 1.0], axis=int(axis))
    noise = 1.4826 * np.median(np.abs(differences[core])) / 6  # sqrt(1 + 4 + 1) for each axis
    return float(np.median(values[core]) / noise) if noise > 0 else float("inf")
