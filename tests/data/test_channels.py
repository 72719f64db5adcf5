"""Images of several channels, such as in / opposed / water / fat of a Dixon sequence."""

import numpy as np
import pytest
import torch

from avnnet.data.augment import Augment
from avnnet.data.checks import check_cohort
from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_grid, read_image, write_image
from avnnet.data.integrity import image_hash
from avnnet.data.preprocess import Preprocess
from avnnet.errors import ConstantImage, GeometryMismatch, InvalidCohort, UnsupportedDimensions
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import HIP, Side
from avnnet.plots import overlay

GRID = Grid((12, 20, 18), (2.0, 1.1, 1.3), (5.0, 6.0, 7.0))
CENTRE_MM = tuple(GRID.to_lps((6.2, 9.3, 8.8)))
HEAD = "patient_id,case_id,image,label"


def noise(seed: int) -> Image:
    return Image(np.random.default_rng(seed).normal(size=GRID.shape).astype(np.float32), GRID)


def stacked(*images: Image) -> Image:
    return Image(np.stack([image.array for image in images]), GRID)


def channel_paths(tmp_path, *images: Image):
    return [write_image(image, tmp_path / f"channel{n}.nii.gz") for n, image in enumerate(images)]


def test_files_become_channels_in_the_order_given(tmp_path):
    paths = channel_paths(tmp_path, noise(1), noise(2))
    image = read_image(paths[::-1])
    assert image.channels.shape == (2, *GRID.shape)
    assert np.array_equal(image.channels[0], noise(2).array)
    assert read_grid(paths).is_close(GRID, tolerance_mm=1e-4)


def test_one_file_stays_a_plain_image(tmp_path):
    (path,) = channel_paths(tmp_path, noise(1))
    assert read_image([path]).array.ndim == read_image(path).array.ndim == 3


@pytest.mark.parametrize("read", [read_image, read_grid])
def test_a_channel_on_another_grid_is_named(tmp_path, read):
    moved = Image(noise(2).array, Grid(GRID.shape, GRID.spacing, (5.0, 6.0, 7.5)))
    with pytest.raises(GeometryMismatch, match=r"channel0.*7\) mm LPS, channel1.*7\.5\) mm LPS"):
        read(channel_paths(tmp_path, noise(1), moved))


def test_a_cohort_names_channels_with_semicolons(tmp_path):
    channel_paths(tmp_path, noise(1), noise(2))
    labels = np.zeros(GRID.shape, np.uint8)
    labels[4:8, 4:8, 4:8], labels[5, 5, 5] = 1, 2
    write_image(LabelMap(labels, GRID), tmp_path / "l.nii.gz")
    (tmp_path / "c.csv").write_text(f"{HEAD}\np,a,channel0.nii.gz; channel1.nii.gz,l.nii.gz\n")
    cohort = read_cohort(tmp_path / "c.csv")
    assert cohort.channels == 2
    check_cohort(cohort, HIP)
    assert read_image(cohort.cases[0].image).channels.shape == (2, *GRID.shape)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("p,a,x.nii;,l.nii", "case a: .*one is empty"),
        ("p,a,x.nii,l.nii\nq,b,x.nii;y.nii,l.nii", "case b: .*has 1, this"),
    ],
)
def test_a_cohort_with_other_channels_is_refused(tmp_path, rows, words):
    (tmp_path / "c.csv").write_text(f"{HEAD}\n{rows}\n")
    with pytest.raises(InvalidCohort, match=words):
        read_cohort(tmp_path / "c.csv")


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_each_channel_is_prepared_as_if_it_were_alone(side):
    preprocess = Preprocess([2.0, 1.0, 1.2], crop=[8, 12, 12])
    together = preprocess.prepare(stacked(noise(1), noise(2)), side=side, centre_mm=CENTRE_MM).image
    alone = [preprocess.prepare(noise(n), side=side, centre_mm=CENTRE_MM).image for n in (1, 2)]
    assert torch.equal(together, torch.cat(alone))


def test_an_empty_channel_is_named():
    with pytest.raises(ConstantImage, match="channel 2"):
        Preprocess(GRID.spacing).prepare(stacked(noise(1), Image(np.zeros(GRID.shape), GRID)))


def test_the_channels_of_a_sample_vary_apart():
    image = torch.from_numpy(noise(1).array)[None].repeat(2, 1, 1, 1)
    varied = Augment(noise_p=1, brightness_p=1).intensities(image, np.random.default_rng(0))
    assert varied.shape == image.shape
    assert not torch.equal(varied[0], varied[1])


def test_a_label_map_has_no_channels_and_a_file_holds_one(tmp_path):
    with pytest.raises(GeometryMismatch, match="no channels"):
        LabelMap(np.zeros((1, *GRID.shape), np.uint8), GRID)
    with pytest.raises(UnsupportedDimensions, match="the 2 of this image"):
        write_image(stacked(noise(1), noise(2)), tmp_path / "two.nii.gz")


def test_the_order_of_channels_counts_for_the_hash():
    assert image_hash(stacked(noise(1), noise(2))) != image_hash(stacked(noise(2), noise(1)))
    assert image_hash(stacked(noise(1))) == image_hash(noise(1))


def test_a_plot_shows_the_channel_asked_for():
    flat = Image(np.zeros(GRID.shape), GRID)
    pixels = [overlay(stacked(flat, noise(1)), {}, channel=n).axes[0].images[0].get_array() for n in (0, 1)]
    assert float(pixels[0].max()) == 0 < float(pixels[1].max())
