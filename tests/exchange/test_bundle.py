"""A network as a MONAI bundle, run by MONAI in a process that cannot import avnnet."""

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from avnnet.data.files import read_image
from avnnet.data.normalise import (
    FixedWindow,
    ForegroundZScore,
    HistogramScale,
    Normalisation,
    PercentileScale,
    ZScore,
)
from avnnet.data.preprocess import Preprocess
from avnnet.errors import InvalidConfig, OutputNotWritable
from avnnet.exchange import write_monai_bundle
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import UNet2D, UNet3D

KINDS = {
    "3d": (lambda: UNet3D([4, 8], [[1, 2, 2]]), Preprocess([2, 1, 1]), Tiling([6, 16, 16], mirror_axes=[1, 2])),
    "2d": (lambda: UNet2D([4, 8], [[2, 2]]), Preprocess([2, 1.3, 1.3], normalise=ForegroundZScore()),
           Tiling([1, 16, 16], mirror_axes=[2])),
    "coronal": (lambda: UNet2D([4, 8], [[2, 2]]),
                Preprocess([1.3, 1, 2], first_axis="posterior", normalise=HistogramScale(), reversed_axes=[1]),
                Tiling([1, 16, 16])),
    "channels": (lambda: UNet3D([4, 8], [[1, 2, 2]], in_channels=2),
                 Preprocess([2, 1, 1], normalise=FixedWindow(-50, 150, 20, 60)), Tiling([6, 16, 16])),
    "scaled": (lambda: UNet2D([4, 8], [[2, 2]]), Preprocess([2, 1, 1], normalise=PercentileScale()),
               Tiling([1, 16, 16])),
}  # fmt: skip
SLOW = ("2d", "channels", "scaled")
RUN = """
import sys, warnings
sys.modules["avnnet"] = None
warnings.simplefilter("ignore")
from monai.bundle import run, verify_metadata
root, images, out, schema = sys.argv[1:]
if schema:
    verify_metadata(meta_file=root + "/configs/metadata.json", filepath=schema)
run(config_file=root + "/configs/inference.json", meta_file=root + "/configs/metadata.json", bundle_root=root,
    dataset_dir=images, output_dir=out)
"""
# what MONAI's specification of bundles demands; its schema is on the web
REQUIRED = [
    "version", "monai_version", "pytorch_version", "numpy_version", "required_packages_version", "task", "description",
    "authors", "copyright", "network_data_format",
]  # fmt: skip
TENSOR = {"type": "object", "required": ["type", "format", "num_channels", "spatial_shape", "dtype", "value_range"]}
DATA = {name: {"type": "object", "additionalProperties": TENSOR} for name in ("inputs", "outputs")}


def model_of(kind):
    torch.manual_seed(1)
    make, preprocess, tiling = KINDS[kind]
    return Segmenter([Member(make(), preprocess, tiling, "mine")], HIP)


def images_of(folder, channels):
    """Files of an oblique image whose axes are in no usual order."""
    folder.mkdir()
    numbers = np.random.default_rng(0)
    affine = np.eye(4)
    turned = Rotation.from_euler("xyz", [4, 3, 8], degrees=True).as_matrix() @ np.diag([-1.1, 1.2, 2.0])
    affine[:3, :3], affine[:3, 3] = turned[:, [2, 0, 1]], [3, -7, 11]
    names = ["a.nii.gz"] if channels == 1 else [f"a_{channel:04d}.nii.gz" for channel in range(channels)]
    for name in names:
        array = (gaussian_filter(numbers.normal(size=(11, 26, 25)), 1.2) * 100 + 50).astype(np.float32)
        nib.save(nib.Nifti1Image(array, affine), folder / name)
    return [folder / name for name in names]


@pytest.mark.parametrize("kind", ["3d", "coronal", *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW)])
def test_monai_alone_makes_the_masks_that_avnnet_makes(tmp_path, kind):
    model = model_of(kind)
    bundle, images, schema = tmp_path / "bundle", tmp_path / "images", ""
    write_monai_bundle(model, bundle)
    files = images_of(images, model.members[0].net.in_channels)
    if kind == "3d":
        properties = {"network_data_format": {"properties": DATA, "required": ["inputs", "outputs"]}}
        (tmp_path / "schema.json").write_text(json.dumps({"required": REQUIRED, "properties": properties}))
        schema = str(tmp_path / "schema.json")
    words = [sys.executable, "-c", RUN, str(bundle), str(images), str(tmp_path / "masks"), schema]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (path,) = (tmp_path / "masks").glob("*.nii.gz")
    mask = nib.load(path)
    own = model.ensemble.see(read_image(files[0] if len(files) == 1 else files)).softmax.full()
    first, second = np.sort(own, axis=0)[[-1, -2]]
    same = np.asarray(mask.dataobj) == own.argmax(0).T
    assert len(np.unique(own.argmax(0))) > 1
    assert same[(first - second).T > 1e-4].all()  # elsewhere two classes are as good
    assert np.allclose(mask.affine, nib.load(files[0]).affine, atol=1e-5)


def test_the_bundle_has_the_files_that_monai_looks_for(tmp_path):
    write_monai_bundle(model_of("3d"), tmp_path / "bundle")
    found = {path.relative_to(tmp_path / "bundle").as_posix() for path in tmp_path.rglob("*.*") if path.is_file()}
    configs = {"configs/inference.json", "configs/metadata.json"}
    scripts = {"scripts/__init__.py", "scripts/windows.py"}
    assert found == {*configs, *scripts, "models/model.pt", "models/model.pt2", str(Path("docs", "README.md"))}
    said = json.loads((tmp_path / "bundle/configs/metadata.json").read_text())
    assert said["network_data_format"]["outputs"]["pred"]["channel_def"]["2"] == "necrosis"
    assert said["avnnet"]["sizes"] == {"multiples_of": [1, 2, 2], "least": [3, 4, 4], "most": [4096] * 3}


class Mine(ZScore):
    """A normalisation of a user's own."""


def test_a_normalisation_of_ones_own_does_not_travel(tmp_path):
    own: Normalisation = Mine()
    member = Member(UNet2D([4, 8], [[2, 2]]), Preprocess([1, 1, 1], normalise=own), Tiling([1, 8, 8]), "mine")
    with pytest.raises(InvalidConfig, match=r"Mine is a normalisation of your own.*torch-export"):
        write_monai_bundle(Segmenter([member], HIP), tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_filled(tmp_path):
    with pytest.raises(OutputNotWritable, match="there already"):
        write_monai_bundle(model_of("3d"), tmp_path)
