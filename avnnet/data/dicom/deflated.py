"""Deflated DICOM files: how much they hold, before pydicom unpacks all of it at once."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

from pydicom.uid import DeflatedExplicitVRLittleEndian

from avnnet.errors import ResourceLimitExceeded, UnreadableFile

MAX_UNPACKED_BYTES = 512 << 20  # of one file; its reader has it in memory twice
BLOCK_BYTES = 1 << 20
START_BYTES = 1024  # the transfer syntax stands here, in the file meta information
META_AT, GROUP_LENGTH = 132, b"\x02\0\0\0UL\x04\0"


def check_deflated(stream: BinaryIO) -> None:
    """Refuse a deflated file that grows beyond all limits; others are left as they are, at their first byte.

    Args:
        stream: a DICOM file at its first byte.

    Raises:
        ResourceLimitExceeded: if it unpacks to more than a hip scan has.
        UnreadableFile: if it does not say where its deflated part begins.
    """
    start = stream.read(START_BYTES)
    if DeflatedExplicitVRLittleEndian.encode() in start:
        if start[META_AT : META_AT + len(GROUP_LENGTH)] != GROUP_LENGTH:
            raise UnreadableFile(
                "a deflated DICOM file must say how long its file meta information is; export the series again"
            )
        at = META_AT + len(GROUP_LENGTH)
        stream.seek(at + 4 + struct.unpack_from("<I", start, at)[0])
        _unpack(stream)
    stream.seek(0)


def _unpack(stream: BinaryIO) -> None:
    unpacked, inflater = 0, zlib.decompressobj(-zlib.MAX_WBITS)
    while packed := stream.read(BLOCK_BYTES):
        while packed and not inflater.eof:
            unpacked += len(inflater.decompress(packed, BLOCK_BYTES))
            packed = inflater.unconsumed_tail
            if unpacked > MAX_UNPACKED_BYTES:
                raise ResourceLimitExceeded(
                    f"a deflated DICOM file unpacks to at most {MAX_UNPACKED_BYTES >> 20} MiB; this one to more. "
                    "Export the series uncompressed"
                )
