"""The pixels of slices, decoded by the plugins of pydicom."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array
from pydicom.uid import HTJ2K, JPEG2000, HTJ2KLossless, HTJ2KLosslessRPCL, JPEG2000Lossless

from avnnet.data.dicom.headers import Frame, silenced
from avnnet.data.dicom.subprocess_decode import Place, decoded_apart
from avnnet.data.limits import check_size
from avnnet.errors import AvnnetError, UndecodablePixels

JPEG_2000 = (JPEG2000, JPEG2000Lossless, HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL)
MAX_INTERCEPT = 2**16  # a larger one goes through floats, so that no sum leaves 32 bits
MAX_STORED = 2**31 - 1 - MAX_INTERCEPT
SIZE_MARKER, START = b"\xff\x51", b"\xff\x4f"  # of a JPEG 2000 codestream


def pixels_of(frames: Sequence[Frame]) -> np.ndarray:
    """`(slices, rows, columns)` rescaled values: whole numbers where they are whole, float64 elsewhere.

    Compressed pixels are decoded in a process of their own, which may crash alone.

    Args:
        frames: slices of one size, in order.

    Raises:
        UndecodablePixels: if pixels cannot be decoded, or are others than the header promises, or their scale makes
            them infinite.
        DecoderCrashed: if the decoder ended its process, or did not end.
        ResourceLimitExceeded: if compressed pixels are of another size, beyond the limits.
    """
    places = [(frame.path, frame.index, frame.size) for frame in frames]
    stored = decoded_apart(places) if any(frame.is_compressed for frame in frames) else stored_values(places)
    if all(_keeps_whole(frame) for frame in frames):
        intercepts = np.array([int(frame.intercept) for frame in frames], np.int32)
        return _smallest(stored + intercepts[:, None, None])
    slopes, intercepts = (np.array([getattr(f, name) for f in frames]) for name in ("slope", "intercept"))
    with np.errstate(over="ignore", invalid="ignore"):
        scaled: np.ndarray = stored * slopes[:, None, None] + intercepts[:, None, None]
    if not np.isfinite(scaled).all():
        raise UndecodablePixels(
            "RescaleSlope and RescaleIntercept must keep every value finite; they do not. Export the series again"
        )
    return scaled


def _keeps_whole(frame: Frame) -> bool:
    return frame.slope == 1 and float(frame.intercept).is_integer() and abs(frame.intercept) <= MAX_INTERCEPT


def stored_values(places: Sequence[Place]) -> np.ndarray:
    """`(slices, rows, columns)` int32 values as they are stored, decoded in this process.

    Args:
        places: path, index of the frame in it, and size (rows, columns) of each slice; one size for all.

    Raises:
        UndecodablePixels, ResourceLimitExceeded: as `pixels_of`.
    """
    opened: dict[Path, FileDataset] = {}
    stack = np.empty((len(places), *places[0][2]), np.int32)
    for nth, (path, index, size) in enumerate(places):
        if path not in opened:
            opened.clear()  # the frames of one file stand one after another, or are one
            opened[path] = _read(path, nth, len(places))
        stack[nth] = _decoded(opened[path], index, size, nth, len(places))
    return stack


def _smallest(stack: np.ndarray) -> np.ndarray:
    """The same whole numbers in 16 bits, if they fit: half the memory."""
    low, high = int(stack.min()), int(stack.max())
    for kind in (np.int16, np.uint16):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return stack.astype(kind)
    return stack


def _where(nth: int, count: int) -> str:
    return f"slice {nth + 1} of {count} along the normal"


def _read(path: Path, nth: int, count: int) -> FileDataset:
    try:
        with silenced():
            return pydicom.dcmread(path, force=True)
    except Exception as error:  # damaged bytes raise whatever the parser meets first
        raise UndecodablePixels(
            f"{_where(nth, count)} cannot be read ({type(error).__name__}); copy or export the series again"
        ) from error


def _decoded(dataset: FileDataset, index: int, size: tuple[int, int], nth: int, count: int) -> np.ndarray:
    try:
        if not dataset.file_meta.get("TransferSyntaxUID"):
            # an old export without file meta information: pydicom has found out how it is written
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        if dataset.file_meta.TransferSyntaxUID in JPEG_2000:
            _check_codestream(dataset, index, size)
        with silenced():
            warnings.simplefilter("error")  # a decoder that only warns has padded, cut or guessed
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            array: np.ndarray = pixel_array(dataset, index=index, raw=True)
    except AvnnetError as error:
        raise type(error)(f"{_where(nth, count)}: {error}") from error
    except Exception as error:  # each plugin has errors of its own
        raise UndecodablePixels(
            f"the pixels of {_where(nth, count)} cannot be decoded ({type(error).__name__}); export the series again, "
            "uncompressed if that can be chosen"
        ) from error
    if array.shape != size:
        raise UndecodablePixels(
            f"{_where(nth, count)} must have {size[0]} x {size[1]} pixels; its decoder gave {array.shape}. "
            "Export the series again"
        )
    if array.dtype.itemsize > 2 and array.max() > MAX_STORED:
        raise UndecodablePixels(
            f"{_where(nth, count)} has stored values above {MAX_STORED}, as no scanner; export the series again"
        )
    return array


def _check_codestream(dataset: FileDataset, index: int, size: tuple[int, int]) -> None:
    """Refuse a JPEG 2000 stream of another size, depth or sign than the header says.

    Source: ISO/IEC 15444-1, A.5.1, image and tile size (SIZ).
    """
    stream = get_frame(dataset.PixelData, index, number_of_frames=int(dataset.get("NumberOfFrames") or 1))
    at = stream.find(START + SIZE_MARKER)
    if at < 0:
        raise UndecodablePixels("its pixels are no JPEG 2000 stream; export the series again")
    x, y, x0, y0 = struct.unpack_from(">4I", stream, at + 8)
    depth = stream[at + 42]
    check_size((1, y - y0, x - x0), 2, "a JPEG 2000 stream")
    found = (y - y0, x - x0, (depth & 0x7F) + 1, depth >> 7)
    said = (*size, int(dataset.BitsStored), int(dataset.PixelRepresentation))
    if found != said:
        raise UndecodablePixels(
            f"its pixels and its header must agree in rows, columns, bits and sign; found {found} and {said}. "
            "Export the series again, uncompressed"
        )
