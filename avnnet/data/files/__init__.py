"""Image files in and out: NIfTI, NRRD, MetaImage, MGH and DICOM to `Image` and `LabelMap`, and back."""

from avnnet.data.files.formats import SUFFIXES, WRITTEN_SUFFIXES, check_suffix
from avnnet.data.files.images import ImageFiles, ids_of, read_grid, read_image, read_labels, write_image
from avnnet.data.files.names import SEPARATOR, channel_files, image_name, images_in
from avnnet.data.files.pair import is_voxels_of_another
from avnnet.data.files.single import files_of

__all__ = [
    "SEPARATOR",
    "SUFFIXES",
    "WRITTEN_SUFFIXES",
    "ImageFiles",
    "channel_files",
    "check_suffix",
    "files_of",
    "ids_of",
    "image_name",
    "images_in",
    "is_voxels_of_another",
    "read_grid",
    "read_image",
    "read_labels",
    "write_image",
]
