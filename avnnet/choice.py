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
    """The sequences of digital hips by name.

    Attributes:
        VIBE: "vibe", a T1 VIBE near TR 15 ms, TE 3.3 ms and 15 degrees.
        VIBE_GD: "vibe-gd", with gadolinium in the joint.
        VIBE_WE: "vibe-we", with water excitation.
        VIBE_WE_GD: "vibe-we-gd", with both.
        VIBE_FS: "vibe-fs", with spectral fat suppression.
        VIBE_FS_GD: "vibe-fs-gd", with that and gadolinium.
        DIXON: "dixon", four channels: in phase, opposed phase, water, fat.
        PD_TSE: "pd-tse", a proton-density weighted spin echo.
        RANDOM: "random", random contrasts.
    """

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
    """The orientation of the slices of a digital hip.

    Attributes:
        OBLIQUE: "oblique", axial and tilted along the femoral neck.
        AXIAL: "axial".
        CORONAL: "coronal".
        SAGITTAL: "sagittal".
    """

    OBLIQUE = "oblique"
    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


class Size(Choice):
    """How finely the field of view of a digital hip is sampled.

    Attributes:
        FULL: "full", as the abstract's images.
        LAPTOP: "laptop", the same field with half the voxels along each axis.
    """

    FULL = "full"
    LAPTOP = "laptop"


class FileFormat(Choice):
    """How the images of a digital cohort are stored; masks are NIfTI.

    Attributes:
        NIFTI: "nifti", a file per image.
        DICOM: "dicom", a folder per image, a file per slice.
    """

    NIFTI = "nifti"
    DICOM = "dicom"


class Planner(Choice):
    """nnU-Net's planners: what a network is made of, and how large it may be.

    Attributes:
        DEFAULT: "default", a plain U-Net, made for a GPU of 8 GB.
        RESENC_M: "resenc-m", a residual encoder, for 8 GB.
        RESENC_L: "resenc-l", the same for 24 GB.
        RESENC_XL: "resenc-xl", the same for 40 GB.
    """

    DEFAULT = "default"
    RESENC_M = "resenc-m"
    RESENC_L = "resenc-l"
    RESENC_XL = "resenc-xl"


class Budget(Choice):
    """What a planned network is trained on.

    Attributes:
        GPU: "gpu".
        CPU: "cpu", two cores, for some minutes.
    """

    GPU = "gpu"
    CPU = "cpu"


class DatasetFormat(Choice):
    """Whose data set a cohort is written as.

    Attributes:
        NNUNET: "nnunet", nnU-Net's raw data: `imagesTr`, `labelsTr`, `dataset.json`, `splits_final.json`.
    """

    NNUNET = "nnunet"


class ModelFormat(Choice):
    """Whose model a model is written as.

    Attributes:
        NNUNET: "nnunet", a results folder of nnU-Net's, which `nnUNetv2_predict` runs.
        ONNX: "onnx", the network alone, a file for onnxruntime and its like.
        TORCH_EXPORT: "torch-export", the network alone, a file for torch without avnnet.
        MONAI_BUNDLE: "monai-bundle", the network with its preparation, a folder for MONAI without avnnet.
    """

    NNUNET = "nnunet"
    ONNX = "onnx"
    TORCH_EXPORT = "torch-export"
    MONAI_BUNDLE = "monai-bundle"
