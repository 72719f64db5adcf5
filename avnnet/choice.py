"""Words to choose from, which name the choices when another is given; free of heavy imports, for the command line."""

from __future__ import annotations

from enum import StrEnum
from typing import NoReturn

from avnnet.errors import InvalidConfig


class Choice(StrEnum):
    """Base of enumerations whose members are also plain words, for configs, tables and notebooks.

    Raises:
        InvalidConfig: when made from a word that is none of them.

    Examples:
        >>> class Fruit(Choice):
        ...     APPLE = "apple"
        >>> Fruit("apple") == "apple"
        True
    """

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        raise InvalidConfig(f"{cls.__name__} is one of {[str(one) for one in cls]}; found {value!r}")


class Transform(Choice):
    """The two places where a NIfTI file can say where its voxels lie."""

    SFORM = "sform"
    QFORM = "qform"


class Decimal(Choice):
    """The sign between whole numbers and decimals."""

    POINT = "point"
    COMMA = "comma"


class SignalMode(Choice):
    """The sequences of digital hips by name; see `avnnet.phantom.modes.draw_sequence`."""

    VIBE = "vibe"
    VIBE_GD = "vibe-gd"
    VIBE_WE = "vibe-we"
    VIBE_WE_GD = "vibe-we-gd"
    VIBE_FS = "vibe-fs"
    VIBE_FS_GD = "vibe-fs-gd"
    DIXON = "dixon"
    PD_TSE = "pd-tse"
    RANDOM = "random"


class Plane(Choice):
    """The orientation of the slices of a digital hip."""

    OBLIQUE = "oblique"  # axial, tilted along the femoral neck
    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


class Size(Choice):
    """How finely the field of view of a digital hip is sampled."""

    FULL = "full"  # as the abstract's images
    LAPTOP = "laptop"  # the same field with half the voxels along each axis


class FileFormat(Choice):
    """How the images of a digital cohort are stored; masks are NIfTI."""

    NIFTI = "nifti"
    DICOM = "dicom"


class Planner(Choice):
    """nnU-Net's planners: what a network is made of, and how large it may be."""

    DEFAULT = "default"
    RESENC_M = "resenc-m"  # residual encoders, for GPUs of 8, 24 and 40 GB
    RESENC_L = "resenc-l"
    RESENC_XL = "resenc-xl"


class Budget(Choice):
    """What a planned network is trained on."""

    GPU = "gpu"
    CPU = "cpu"  # two cores, for some minutes
