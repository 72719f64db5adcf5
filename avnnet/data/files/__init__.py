"""Image files in and out: NIfTI, NRRD, MetaImage and DICOM to `Image` and `LabelMap`, and back."""

from avnnet.data.files.images import (
    SEPARATOR,
    SUFFIXES,
    WRITTEN_SUFFIXES,
    ImageFiles,
    channel_files,
    check_suffix,
    ids_of,
    image_name,
    images_in,
    read_grid,
    read_image,
    read_labels,
    write_image,
)

__all__ = [
    "SEPARATOR",
    "SUFFIXES",
    "WRITTEN_SUFFIXES",
    "ImageFiles",
    "channel_files",
    "check_suffix",
    "ids_of",
    "image_name",
    "images_in",
    "read_grid",
    "read_image",
    "read_labels",
    "write_image",
]
