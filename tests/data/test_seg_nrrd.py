"""Segments as 3D Slicer reads them."""

import nrrd
import numpy as np
import pytest
import slicerio

from avnnet.data.files.seg_nrrd import write_segmentation
from avnnet.data.files.structures import read_structures
from avnnet.errors import OutputNotWritable
from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.labels import Side

OBLIQUE = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
GRID = Grid((5, 6, 7), (3.3, 0.7, 0.4), (-101.0, 22.2, 7.5), OBLIQUE)


@pytest.fixture
def labels():
    array = np.zeros(GRID.shape, np.uint8)
    array[1:4, 1:5, 2:6] = 1
    array[2, 2:4, 3] = 2
    return LabelMap(array, GRID)


def test_slicers_own_reader_finds_names_values_and_terms(labels, tmp_path):
    read = slicerio.read_segmentation(str(write_segmentation(labels, tmp_path / "hip.seg.nrrd", Side.LEFT)))
    vital, necrosis = read["segments"]
    assert (vital["name"], vital["labelValue"]) == ("vital", 1)
    assert (necrosis["name"], necrosis["labelValue"]) == ("necrosis", 2)
    assert necrosis["color"] == [0.85, 0.2, 0.2]
    terms = necrosis["terminology"]
    assert terms["type"] == ["SCT", "6574001", "Necrosis"]
    assert terms["anatomicRegion"] == ["SCT", "2812003", "Femoral head"]
    assert terms["anatomicRegionModifier"] == ["SCT", "7771000", "Left"]
    assert vital["terminology"]["type"] == ["SCT", "272673000", "Bone"]


def test_another_nrrd_reader_finds_the_same_voxels_in_the_same_places(labels, tmp_path):
    values, header = nrrd.read(str(write_segmentation(labels, tmp_path / "hip.seg.nrrd")))
    assert header["space"] == "left-posterior-superior"
    assert np.array_equal(values.T, labels.array)
    assert np.allclose(header["space origin"], GRID.origin, atol=1e-9)
    assert np.allclose(header["space directions"][::-1].T, GRID.affine[:3, :3], atol=1e-9)


def test_an_extent_holds_exactly_its_segment(labels, tmp_path):
    _, header = nrrd.read(str(write_segmentation(labels, tmp_path / "hip.seg.nrrd")))
    assert header["Segment0_Extent"] == "2 5 1 4 1 3"
    assert header["Segment1_Extent"] == "3 3 2 3 2 2"


def test_a_segment_of_nothing_is_kept(labels, tmp_path):
    healthy = LabelMap(np.minimum(labels.array, 1), GRID)
    path = write_segmentation(healthy, tmp_path / "hip.seg.nrrd")
    assert [one["name"] for one in slicerio.read_segmentation(str(path))["segments"]] == ["vital", "necrosis"]
    assert np.array_equal(read_structures(path).array, healthy.array)


def test_what_was_written_is_read_back_by_the_names_of_its_segments(labels, tmp_path):
    back = read_structures(write_segmentation(labels, tmp_path / "hip.seg.nrrd", Side.RIGHT))
    assert np.array_equal(back.array, labels.array)
    assert back.grid.is_close(GRID)


def test_a_folder_that_is_a_file_is_refused(labels, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputNotWritable):
        write_segmentation(labels, tmp_path / "file" / "hip.seg.nrrd")
