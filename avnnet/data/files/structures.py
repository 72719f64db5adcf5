"""The two labels of a hip from a mask of any program: by ids, or by the names of 3D Slicer's segments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from avnnet.data.files.images import ids_of, read_image, read_labels
from avnnet.data.files.seg_nrrd import SEGMENTATION_SUFFIXES
from avnnet.data.files.single import check_whole
from avnnet.data.files.sitk import from_sitk
from avnnet.errors import InvalidConfig, InvalidLabelValues, MissingFile, UnreadableFile
from avnnet.image import Image, LabelMap

VITAL, NECROSIS = "vital", "necrosis"
MAX_VALUE = 2**16 - 1
Words = Sequence[str]


@dataclass(frozen=True)
class Structures:
    """Which structures of a mask are the vital bone and the necrosis: ids, or names of segments.

    Args:
        vital: vital bone of the head.
        necrosis: its necrosis.
        head: the whole head, instead of `vital`: what of it is not necrosis is vital.

    Raises:
        InvalidConfig: if both `vital` and `head` are given, or no necrosis.
    """

    vital: Words = ()
    necrosis: Words = ()
    head: Words = ()

    def __post_init__(self) -> None:
        if self.vital and self.head:
            raise InvalidConfig(
                "give the vital bone or the whole head, not both: vital bone is the head without its necrosis"
            )
        if (self.vital or self.head) and not self.necrosis:
            raise InvalidConfig("say which structure is the necrosis too, an id or the name of a segment")
        if self.necrosis and not (self.vital or self.head):
            raise InvalidConfig("say which structure is the vital bone, or the whole head, too")


def read_structures(path: str | Path, structures: Structures | None = None, *, prefer: str | None = None) -> LabelMap:
    """The vital bone and the necrosis of a hip, out of a mask of any program.

    Args:
        path: an image file as `read_image` takes it, or a `.seg.nrrd` or `.seg.nhdr` of 3D Slicer, whose segments may
            overlap: necrosis goes over bone.
        structures: which are which; other structures are background. By default ids 1 and 2, or segments called
            "vital" and "necrosis".
        prefer: as `read_image` takes it.

    Raises:
        InvalidLabelValues: if a structure is not in the mask, or values are not whole numbers.
        MissingFile, UnsupportedFormat, UnreadableFile, UnsupportedDimensions, GeometryConflict: as `read_image`.
    """
    structures = structures or Structures()
    path = Path(path)
    if not path.name.lower().endswith(SEGMENTATION_SUFFIXES):
        if not structures.necrosis:
            return read_labels(path, prefer=prefer)
        image = read_image(path, prefer=prefer)
        values = ids_of(image.array, path.name)
        return _composed(image, structures, lambda word: values == _id(word, values, path))
    layers, segments = _segmentation(path)
    named = structures if structures.necrosis else Structures(vital=[VITAL], necrosis=[NECROSIS])

    def mask_of(word: str) -> np.ndarray:
        found = [one for one in segments if word.lower() in (one.name.lower(), one.identity.lower())]
        if not found:
            names = ", ".join(repr(one.name) for one in segments) or "none"
            raise InvalidLabelValues(
                f"{path.name} has no segment {word!r}; its segments are {names}. "
                "Name them: --vital NAME --necrosis NAME"
            )
        mask: np.ndarray = layers.channels[found[0].layer] == found[0].value
        return mask

    return _composed(Image(layers.channels[0], layers.grid), named, mask_of)


def _composed(image: Image, structures: Structures, mask_of: Callable[[str], np.ndarray]) -> LabelMap:
    def union(words: Words) -> np.ndarray:
        return np.logical_or.reduce([mask_of(word) for word in words])

    bone, dead = union(structures.vital or structures.head), union(structures.necrosis)
    labels = bone.astype(np.uint8)
    labels[dead & bone if structures.head else dead] = 2
    return LabelMap(labels, image.grid, source=image.source)


def _id(word: str, values: np.ndarray, path: Path) -> int:
    try:
        return int(word)
    except ValueError:
        found = np.unique(values)[:12].tolist()
        raise InvalidLabelValues(
            f"{path.name} has ids and no names of segments; give numbers instead of {word!r}. Its values: {found}"
        ) from None


@dataclass(frozen=True)
class _Segment:
    identity: str
    name: str
    value: int
    layer: int


def _segmentation(path: Path) -> tuple[Image, list[_Segment]]:
    if not path.is_file():
        raise MissingFile(f"no mask {path}")
    check_whole(path)
    try:
        itk = sitk.ReadImage(str(path))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise UnreadableFile(f"{path.name} cannot be read as a segmentation ({reason}); save it again") from error
    count = itk.GetNumberOfComponentsPerPixel()
    keys = sorted(itk.GetMetaDataKeys())
    try:
        said = {key: itk.GetMetaData(key) for key in keys}
    except TypeError as error:  # a key that is no text, which ITK gives and does not take
        raise UnreadableFile(f"{path.name} has a header that is no text; save it again") from error

    def whole(key: str, default: int, most: int) -> int:
        text = said.get(key, "").strip() or str(default)
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) > most:
            raise UnreadableFile(f"{path.name}: {key} must be a whole number from 0 to {most}; save it again")
        return int(text)

    segments = [
        _Segment(
            said.get(f"Segment{n}_ID", ""),
            said.get(f"Segment{n}_Name", ""),
            whole(f"Segment{n}_LabelValue", 1, MAX_VALUE),
            whole(f"Segment{n}_Layer", 0, count - 1),
        )
        for n in sorted(int(number) for key in said for number in re.findall(r"(?a)^Segment(\d{1,9})_ID$", key))
    ]
    if count == 1:
        return from_sitk(itk), segments
    layers = [from_sitk(sitk.VectorIndexSelectionCast(itk, layer)) for layer in range(count)]
    return Image(np.stack([layer.array for layer in layers]), layers[0].grid), segments
