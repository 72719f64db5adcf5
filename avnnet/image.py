"""Arrays with a position in the patient: intensities, of one channel or several, and label ids."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from avnnet.errors import GeometryMismatch, InvalidLabelValues
from avnnet.flags import NO_FLAGS, Flags
from avnnet.grid import Grid
from avnnet.labels import HIP, IGNORED, LabelScheme, Side


@dataclass(frozen=True, repr=False)
class DicomReferences:
    """Which DICOM objects an image was read from: what a DICOM object made of it must name; kept in memory only.

    Their UIDs lead to a patient, so no text of this shows one.

    Args:
        study_uid: of the study; "" where the slices do not agree, as for the next two.
        series_uid: of the series.
        frame_of_reference_uid: of the coordinates that positions are in.
        sop_class_uid: what kind of object each slice's file is, of one kind or "".
        sop_instance_uids: of the file of each slice, in the order of the array's slices.
        frame_numbers: of each slice in its file, from 1; all 1 of a classic series.

    Source: DICOM PS3.3, 10.3, Image SOP Instance Reference Macro.

    Examples:
        >>> DicomReferences("1.2", "1.2.3", "1.2.4", "", ("1.2.3.1", "1.2.3.2"), (1, 1))
        DicomReferences(of 2 slices)
    """

    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    sop_class_uid: str
    sop_instance_uids: tuple[str, ...]
    frame_numbers: tuple[int, ...]

    def __repr__(self) -> str:
        return f"DicomReferences(of {len(self.sop_instance_uids)} slices)"


@dataclass(frozen=True)
class Source:
    """What an image's file says beside its voxels.

    Args:
        flags: what a reader should know of it, such as `Flag.LOSSY_SOURCE`.
        laterality: the body side that its header names, or None.
        preferred_transform: "sform" or "qform", where the two of a NIfTI file contradict each other and the reader was
            told which of them holds; else None.
        dicom: the DICOM objects that it was read from, slice by slice; None of other files, and of an image that was
            cut out or resampled, whose slices are no longer theirs. No text shows it.
    """

    flags: Flags = NO_FLAGS
    laterality: Side | None = None
    preferred_transform: str | None = None
    dicom: DicomReferences | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "flags", Flags(self.flags))


@dataclass(frozen=True, eq=False)
class Image:
    """Intensities on a grid.

    Args:
        array: `(z, y, x)` numbers in arbitrary units, or `(C, z, y, x)` of several channels, such as the in-phase,
            opposed-phase, water and fat images of a Dixon sequence.
        grid: where they lie.
        source: what its file says beside.

    Raises:
        GeometryMismatch: if the array's last three axes are not the grid's.

    Examples:
        >>> Image(np.zeros((2, 3, 4)), Grid((2, 3, 4))).channels.shape
        (1, 2, 3, 4)
        >>> Image(np.zeros((4, 2, 3, 4)), Grid((2, 3, 4))).channels.shape
        (4, 2, 3, 4)
    """

    array: np.ndarray
    grid: Grid
    source: Source = field(default=Source(), kw_only=True)

    def __post_init__(self) -> None:
        if self.array.ndim not in (3, 4) or not self.array.size or tuple(self.array.shape[-3:]) != self.grid.shape:
            raise GeometryMismatch(
                f"an array of shape {tuple(self.array.shape)} cannot lie on a grid of shape {self.grid.shape}"
            )

    @property
    def channels(self) -> np.ndarray:
        """`(C, z, y, x)`: the array with its channels, of which a plain image has one."""
        return self.array if self.array.ndim == 4 else self.array[None]


@dataclass(frozen=True, eq=False)
class LabelMap(Image):
    """Label ids on a grid, with the scheme that names them.

    Args:
        array: `(z, y, x)` integers; 0 is background.
        grid: where they lie.
        source: what its file says beside.
        scheme: names of the ids.
        ignored: `(z, y, x)` booleans of the voxels that count nowhere, which are background in `array`; None where
            every voxel counts. `leaving_out` makes both.

    Raises:
        GeometryMismatch: if the array's shape, or that of the ignored voxels, is not the grid's.
        InvalidLabelValues: if the array is not of integers or holds an id that the scheme does not name; if ignored
            voxels are not booleans, or have a label.

    Examples:
        >>> labels = LabelMap(np.array([[[0, 1, 2, 2]]]), Grid((1, 1, 4)))
        >>> int(labels.mask("necrosis").sum()), int(labels.mask("head").sum())
        (2, 3)
    """

    scheme: LabelScheme = field(default=HIP)
    ignored: np.ndarray | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.array.ndim != 3:
            raise GeometryMismatch(f"a label map has no channels; found an array of shape {self.array.shape}")
        if self.array.dtype.kind not in "iu":
            raise InvalidLabelValues(f"label ids must be integers; found {self.array.dtype}")
        if self.array.size and (self.array.min() < 0 or self.array.max() >= self.scheme.classes):
            values, counts = np.unique(self.array, return_counts=True)
            found = {int(v): int(n) for v, n in zip(values[:12], counts[:12], strict=True)}
            left_open = (
                f". If {IGNORED} is left open: data.has_ignored, evaluate --has-ignored" if IGNORED in values else ""
            )
            raise InvalidLabelValues(
                f"label values must be 0 (background) or one of {self.scheme.names}; "
                f"found value: voxels {found}{' and more' if len(values) > 12 else ''}. "
                f"Map the values of the mask, or give the label scheme that it was drawn with{left_open}"
            )
        if self.ignored is None:
            return
        _check_lies_on(self.ignored, self.grid)
        if self.ignored.dtype != bool or self.array[self.ignored].any():
            raise InvalidLabelValues(
                f"ignored voxels are booleans and have no label; found {self.ignored.dtype}. Use leaving_out(...)"
            )

    def mask(self, name: str) -> np.ndarray:
        """`(z, y, x)` booleans of one structure of the scheme, or of the whole.

        Raises:
            InvalidScheme: if the scheme has no such structure.
        """
        return np.isin(self.array, self.scheme.ids(name))

    def leaving_out(self, ignored: np.ndarray | None) -> LabelMap:
        """The same labels without voxels that count nowhere; itself where there are none.

        Args:
            ignored: `(z, y, x)` booleans, such as `ignored` of another reader's mask, or None.

        Raises:
            GeometryMismatch: if their shape is not the grid's.

        Examples:
            >>> labels = LabelMap(np.array([[[0, 1, 2, 2]]]), Grid((1, 1, 4)))
            >>> known = labels.leaving_out(np.array([[[False, False, False, True]]]))
            >>> known.array.tolist(), int(known.ignored.sum())
            ([[[0, 1, 2, 0]]], 1)
        """
        if ignored is None or ignored is self.ignored or not ignored.any():
            return self
        _check_lies_on(ignored, self.grid)
        every = ignored if self.ignored is None else self.ignored | ignored
        return replace(self, array=np.where(ignored, 0, self.array), ignored=every)

    def touches_ignored(self, name: str) -> bool:
        """Whether a voxel of a structure shares a face with an ignored one, so that its surface there is not known.

        Args:
            name: of a structure of the scheme, or of the whole.

        Raises:
            InvalidScheme: if the scheme has no such structure.

        Examples:
            >>> labels = LabelMap(np.array([[[1, 2, 0, 0]]]), Grid((1, 1, 4)))
            >>> known = labels.leaving_out(np.array([[[False, False, True, True]]]))
            >>> known.touches_ignored("necrosis"), known.touches_ignored("vital")
            (True, False)
        """
        if self.ignored is None:
            return False
        mask = self.mask(name)
        for axis in range(mask.ndim):
            here, there = np.moveaxis(mask, axis, 0), np.moveaxis(self.ignored, axis, 0)
            if (here[1:] & there[:-1]).any() or (here[:-1] & there[1:]).any():
                return True
        return False


def _check_lies_on(ignored: np.ndarray, grid: Grid) -> None:
    if ignored.shape != grid.shape:
        raise GeometryMismatch(
            f"ignored voxels of shape {ignored.shape} cannot lie on a grid of shape {grid.shape}; take them from a "
            "mask on the same grid"
        )
