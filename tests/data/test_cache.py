import dataclasses

import pytest
import torch

from avnnet.data import cache as cache_module
from avnnet.data.cache import Cache, load_entry
from avnnet.data.files import read_image, write_image
from avnnet.data.preprocess import Preprocess
from avnnet.image import Image
from avnnet.labels import HIP, Side

PREPROCESS = Preprocess([4.0, 4.0, 4.0], [16, 18, 18])


@pytest.fixture
def case(cohort, tmp_path):
    """A case whose files may be changed."""
    first = cohort.cases[0]
    image, label = tmp_path / "image.nii.gz", tmp_path / "label.nii.gz"
    image.write_bytes(first.image[0].read_bytes())
    label.write_bytes(first.label.read_bytes())
    return dataclasses.replace(first, image=(image,), label=label)


def test_an_entry_holds_what_preprocessing_gives(case, tmp_path):
    image, label = load_entry(Cache(tmp_path / "c").add(case, PREPROCESS, HIP))
    direct = PREPROCESS.prepare(read_image(case.image), side=case.side, centre_mm=case.centre_mm).image
    assert torch.equal(image, direct)
    assert label.dtype == torch.uint8


def test_a_second_call_takes_the_entry_there_is(case, tmp_path):
    cache = Cache(tmp_path / "c")
    first = cache.add(case, PREPROCESS, HIP)
    stamp = first.stat().st_mtime_ns
    assert cache.add(case, PREPROCESS, HIP) == first
    assert first.stat().st_mtime_ns == stamp


def test_the_key_follows_content_parameters_side_centre_and_code(case, tmp_path, monkeypatch):
    cache = Cache(tmp_path)
    keys = {cache.key(case, PREPROCESS, HIP)}
    keys.add(cache.key(case, Preprocess([4.0, 4.0, 3.9], [16, 18, 18]), HIP))
    other = Side.LEFT if case.side is Side.RIGHT else Side.RIGHT
    keys.add(cache.key(dataclasses.replace(case, side=other), PREPROCESS, HIP))
    keys.add(cache.key(dataclasses.replace(case, centre_mm=None), PREPROCESS, HIP))
    image = read_image(case.image)
    write_image(Image(image.array + 1, image.grid), case.image[0])
    keys.add(cache.key(case, PREPROCESS, HIP))
    monkeypatch.setattr(cache_module, "VERSION", -1)
    keys.add(cache.key(case, PREPROCESS, HIP))
    assert len(keys) == 6


def test_names_and_folders_do_not_change_the_key(case, tmp_path):
    moved = tmp_path / "elsewhere.nii.gz"
    moved.write_bytes(case.image[0].read_bytes())
    renamed = dataclasses.replace(case, image=(moved,), case_id="other")
    assert Cache(tmp_path).key(renamed, PREPROCESS, HIP) == Cache(tmp_path).key(case, PREPROCESS, HIP)


def test_a_half_written_entry_is_made_anew(case, tmp_path):
    cache = Cache(tmp_path / "c")
    path = cache.add(case, PREPROCESS, HIP)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert cache.add(case, PREPROCESS, HIP).read_bytes() == whole


def test_no_partial_file_is_left(case, tmp_path):
    Cache(tmp_path / "c").add(case, PREPROCESS, HIP)
    assert len(list((tmp_path / "c").iterdir())) == 1
