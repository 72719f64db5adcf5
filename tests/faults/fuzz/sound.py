"""Small sound files of every kind, as bytes: what the mutations start from."""

from __future__ import annotations

import copy
import json
import tempfile
from functools import cache, partial
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import SimpleITK as sitk
import torch
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from avnnet.data.contrast import Contrast
from avnnet.data.dicom import write_series
from avnnet.data.files import write_image
from avnnet.data.files.seg_nrrd import write_segmentation
from avnnet.data.files.sitk import to_sitk
from avnnet.data.preprocess import Preprocess
from avnnet.data.scope import Scope
from avnnet.exchange import export_nnunet
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.inference.member import Member
from avnnet.inference.model_folder import save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import UNet3D
from tests.faults.conftest import edit, enhanced

CANARY = "Zqxjk"
GRID = Grid((6, 10, 12), (3.3, 1.1, 0.7), (-10.5, 20.25, 5.0))
VALUES = np.random.default_rng(1).integers(0, 900, GRID.shape).astype(np.int16)
IMAGE = Image(VALUES, GRID)
LABELS = LabelMap((VALUES % 3).astype(np.uint8), GRID)
KINDS = (
    "classic",
    "enhanced",
    "implicit",
    "deflated",
    "nifti",
    "nrrd",
    "metaimage",
    "segmentation",
    "pair",
    "mgh",
    "nhdr",
    "bare",
    "model",
    "weights",
    "results",
)


@cache
def sound(kind: str) -> dict[str, bytes]:
    """The files of a kind by name, below their folder."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "sound"
        _MAKERS[kind](folder)
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


def _series(folder: Path) -> Path:
    write_series(IMAGE, folder, patient_id=f"{CANARY}1", laterality="R")
    names = {"PatientName": CANARY, "StudyDescription": CANARY, "PatientBirthDate": "19600102"}
    for path in folder.iterdir():
        edit(path, RescaleSlope="1.0", RescaleIntercept="0.0", EchoTime="4.5", **names)
    return folder


def _enhanced(folder: Path) -> None:
    folder.mkdir()
    path = enhanced(_series(folder / "classic"), folder / "e.dcm")
    whole = pydicom.dcmread(path)
    shared = whole.SharedFunctionalGroupsSequence[0]
    scale, kind, echo = (copy.deepcopy(pydicom.Dataset()) for _ in range(3))
    scale.RescaleSlope, scale.RescaleIntercept = "1.0", "0.0"
    kind.FrameType, echo.EffectiveEchoTime = ["ORIGINAL", "PRIMARY", "M", "NONE"], 4.5
    shared.PixelValueTransformationSequence, shared.MRImageFrameTypeSequence = [scale], [kind]
    shared.MREchoSequence = [echo]
    whole.save_as(path)


def _rewritten(folder: Path, syntax: UID) -> None:
    for path in _series(folder).iterdir():
        whole = pydicom.dcmread(path)
        whole.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(path, whole, implicit_vr=syntax.is_implicit_VR, little_endian=True)


def _nifti(folder: Path) -> None:
    folder.mkdir()
    affine = np.diag([-0.7, -1.1, 3.3, 1.0])
    affine[:3, 3] = 10.5, -20.25, 5.0
    image = nibabel.Nifti1Image(np.ascontiguousarray(VALUES.T), affine)
    image.set_qform(affine, code=1)
    image.set_sform(affine, code=1)
    image.header.set_xyzt_units("mm")
    image.header.set_slope_inter(1.5, -3.0)
    image.to_filename(folder / "a.nii")


def _pair(folder: Path) -> None:
    _nifti(folder)
    image = nibabel.load(folder / "a.nii")
    nibabel.Nifti1Pair(np.asarray(image.dataobj).astype(np.int16), None, image.header).to_filename(folder / "a.img")
    (folder / "a.nii").unlink()


def _mgh(folder: Path) -> None:
    folder.mkdir()
    affine = np.array([[-0.7, 0, 0, 10.5], [0, 0, 3.3, -20.25], [0, -1.1, 0, 5], [0, 0, 0, 1]])
    nibabel.MGHImage(np.ascontiguousarray(VALUES.T), affine).to_filename(folder / "a.mgh")
    with open(folder / "a.mgh", "ab") as file:
        file.write(f"mri_convert {CANARY}.dcm".encode())


def _bare(folder: Path) -> None:
    """Files that their content alone tells, one of each format."""
    folder.mkdir()
    for number, suffix in enumerate((".nii", ".nrrd", ".mha")):
        write_image(IMAGE, folder / f"a{suffix}").rename(folder / f"a.{number}")


def _nhdr(folder: Path) -> None:
    folder.mkdir()
    sitk.WriteImage(to_sitk(IMAGE), str(folder / "plain.nhdr"), useCompression=False)
    sitk.WriteImage(to_sitk(LABELS), str(folder / "mask.nhdr"), useCompression=True)


def _nrrd(folder: Path) -> None:
    folder.mkdir()
    sitk.WriteImage(to_sitk(IMAGE), str(folder / "a.nrrd"), useCompression=False)


def _metaimage(folder: Path) -> None:
    folder.mkdir()
    write_image(IMAGE, folder / "packed.mha")
    sitk.WriteImage(to_sitk(IMAGE), str(folder / "plain.mhd"), useCompression=False)


def _segmentation(folder: Path) -> None:
    folder.mkdir()
    write_segmentation(LABELS, folder / "a.seg.nrrd")


def _model(folder: Path) -> None:
    torch.manual_seed(0)
    net = UNet3D([2, 3], [[1, 2, 2]])
    contrast = Contrast([[0.1] * 8], [0.2], True)
    scope = Scope([[0.4, 0.4, 1.0], [0.5, 0.5, 3.0]], [38.0, 60.0])
    preprocess = Preprocess([1.0, 0.5, 0.5], [8, 16, 16])
    tiling = Tiling([8, 16, 16], mirror_axes=[0])
    save_model(Segmenter([Member(net, preprocess, tiling, "unet3d", ["x"], "d", contrast, scope)], HIP), folder)
    content = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(content))


def _results(folder: Path) -> None:
    """A results folder of nnU-Net."""
    torch.manual_seed(0)
    net = UNet3D([2, 3], [[1, 2, 2]])
    preprocess = Preprocess([1.0, 0.5, 0.5], None, clip_percentiles=[0.0, 100.0])
    member = Member(net, preprocess, Tiling([8, 16, 16], mirror_axes=[0, 1, 2]), "unet3d")
    export_nnunet(Segmenter([member], HIP), folder / "Dataset501_Hips")


_MAKERS = {
    "classic": _series, "enhanced": _enhanced, "implicit": partial(_rewritten, syntax=ImplicitVRLittleEndian),
    "deflated": partial(_rewritten, syntax=DeflatedExplicitVRLittleEndian), "nifti": _nifti, "nrrd": _nrrd,
    "metaimage": _metaimage, "pair": _pair, "mgh": _mgh, "nhdr": _nhdr, "bare": _bare,
    "segmentation": _segmentation, "model": _model, "weights": _model, "results": _results,
}  # fmt: skip
