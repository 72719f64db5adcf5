"""Checkpoints that were cut, made to run code or put in from elsewhere."""

import os
import shutil

import pytest
import torch

from avnnet.data.integrity import content_hash
from avnnet.errors import CheckpointCorrupt, UnsafeCheckpoint
from avnnet.training.checkpoint import latest_checkpoint

LAST, BEFORE = "epoch-00001.ckpt", "epoch-00000.ckpt"


@pytest.fixture
def folder(finished, tmp_path):
    study, _ = finished
    return shutil.copytree(study.out / "fold0" / "unet3d" / "checkpoints", tmp_path / "run" / "checkpoints")


def sign(path) -> None:
    path.with_suffix(".sha256").write_text(content_hash(path))


def test_the_last_two_checkpoints_are_kept_with_their_checksums(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "epoch-00000.ckpt", "epoch-00000.sha256", "epoch-00001.ckpt", "epoch-00001.sha256",
    ]  # fmt: skip
    assert latest_checkpoint(folder).name == LAST


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_c01_a_cut_checkpoint_falls_back_to_the_one_before(folder, share):
    whole = (folder / LAST).read_bytes()
    (folder / LAST).write_bytes(whole[: int(len(whole) * share)])
    assert latest_checkpoint(folder).name == BEFORE


def test_c01_one_flipped_bit_falls_back_to_the_one_before(folder):
    data = bytearray((folder / LAST).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / LAST).write_bytes(data)
    assert latest_checkpoint(folder).name == BEFORE


def test_c02_a_checkpoint_put_in_from_elsewhere_is_not_read(folder):
    torch.save({"state_dict": {}}, folder / "epoch-00009.ckpt")
    assert latest_checkpoint(folder).name == LAST


def test_damaged_checkpoints_alone_are_an_error_and_no_new_beginning(folder):
    for name in (LAST, BEFORE):
        (folder / name).write_bytes(b"cut")
    with pytest.raises(CheckpointCorrupt, match="all 2 checkpoints"):
        latest_checkpoint(folder)


def test_a_folder_without_checkpoints_is_a_beginning(tmp_path):
    assert latest_checkpoint(tmp_path) is None


class Armed:
    """Writes a marker when it is unpickled."""

    def __init__(self, marker) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_c04_a_pickle_that_runs_code_is_not_loaded_even_with_a_checksum(folder, tmp_path):
    torch.save({"state_dict": Armed(tmp_path / "marker")}, folder / LAST)
    sign(folder / LAST)
    with pytest.raises(UnsafeCheckpoint, match=LAST):
        latest_checkpoint(folder)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("key", ["_instantiator", "hyper_parameters"])
def test_c05_a_checkpoint_that_names_what_to_build_is_refused(folder, tmp_path, key):
    content = torch.load(folder / LAST, weights_only=True)
    command = {"_instantiator": "os.system", "command": f"mkdir {tmp_path / 'marker'}"}
    torch.save({**content, key: command}, folder / LAST)
    sign(folder / LAST)
    with pytest.raises(UnsafeCheckpoint, match=key):
        latest_checkpoint(folder)
    assert not (tmp_path / "marker").exists()


def test_c06_a_storage_shorter_than_its_tensor_is_no_crash(folder):
    import zipfile

    path = folder / LAST
    cut = path.with_suffix(".cut")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(cut, "w", zipfile.ZIP_STORED) as target:
        for item in source.infolist():
            data = source.read(item)
            is_storage = "/data/" in item.filename and len(data) > 64
            target.writestr(item, data[: len(data) // 2] if is_storage else data)
    cut.replace(path)
    sign(path)
    assert latest_checkpoint(folder).name == BEFORE
