"""Masks of other programs: segments by name, ids by number."""

import numpy as np
import pytest
import SimpleITK as sitk

from avnnet.data.files.structures import Structures, read_structures
from avnnet.errors import InvalidConfig, InvalidLabelValues, MissingFile, UnsafePath


def segmentation(path, *, layers: bool):
    """A 3D Slicer segmentation: a head of 64 voxels and a lesion of 8 in it, in one layer or in two that overlap."""
    head, lesion = (np.zeros((6, 7, 8), np.uint8) for _ in range(2))
    head[1:5, 1:5, 1:5] = 1
    lesion[1:3, 1:3, 1:3] = 1
    if layers:
        itk = sitk.Compose([sitk.GetImageFromArray(one) for one in (head, lesion)])
    else:
        itk = sitk.GetImageFromArray(np.where(lesion > 0, 2, head).astype(np.uint8))
    for number, name in enumerate(("Femoral head", "AVN")):
        itk.SetMetaData(f"Segment{number}_ID", f"Segment_{number + 1}")
        itk.SetMetaData(f"Segment{number}_Name", name)
        itk.SetMetaData(f"Segment{number}_LabelValue", "1" if layers else str(number + 1))
        itk.SetMetaData(f"Segment{number}_Layer", str(number if layers else 0))
    sitk.WriteImage(itk, str(path))
    return path


def test_segments_are_found_by_name_whether_or_not_they_overlap(tmp_path):
    over = read_structures(
        segmentation(tmp_path / "o.seg.nrrd", layers=True), Structures(head=["femoral head"], necrosis=["AVN"])
    )
    apart = read_structures(
        segmentation(tmp_path / "a.seg.nrrd", layers=False), Structures(vital=["Segment_1"], necrosis=["avn"])
    )
    assert np.bincount(over.array.ravel())[1:].tolist() == [56, 8]
    assert np.array_equal(over.array, apart.array)


@pytest.mark.parametrize("layers", [True, False])
def test_segments_whose_voxels_stand_beside_their_header_are_the_same(tmp_path, layers):
    # in one layer the lesion has taken its voxels out of the head
    named = Structures(**{"head" if layers else "vital": ["femoral head"]}, necrosis=["AVN"])
    one, other = (segmentation(tmp_path / f"a.seg.{suffix}", layers=layers) for suffix in ("nrrd", "nhdr"))
    assert np.array_equal(read_structures(other, named).array, read_structures(one, named).array)
    (tmp_path / "x").mkdir()
    voxels = next(path for path in tmp_path.glob("a.seg.raw*"))
    voxels.rename(tmp_path / "x" / voxels.name)
    with pytest.raises(MissingFile):
        read_structures(other, named)
    other.write_bytes(other.read_bytes().replace(voxels.name.encode(), b"x/" + voxels.name.encode()))
    with pytest.raises(UnsafePath):
        read_structures(other, named)


def test_a_segment_that_is_not_there_names_those_that_are(tmp_path):
    with pytest.raises(InvalidLabelValues, match=r"no segment 'vital'.*'Femoral head', 'AVN'"):
        read_structures(segmentation(tmp_path / "o.seg.nrrd", layers=False))


def test_a_name_for_a_mask_of_ids_is_refused_with_its_values(tmp_path):
    path = tmp_path / "ids.nrrd"
    sitk.WriteImage(sitk.GetImageFromArray(np.array([[[0, 4, 7]]], np.uint8)), str(path))
    with pytest.raises(InvalidLabelValues, match=r"numbers instead of 'AVN'.*\[0, 4, 7\]"):
        read_structures(path, Structures(vital=["4"], necrosis=["AVN"]))
    assert read_structures(path, Structures(vital=["4"], necrosis=["7"])).array.ravel().tolist() == [0, 1, 2]


def test_structures_that_contradict_each_other_are_refused():
    for words in ({"vital": ["1"], "head": ["1"], "necrosis": ["2"]}, {"vital": ["1"]}, {"necrosis": ["1"]}):
        with pytest.raises(InvalidConfig):
            Structures(**words)
