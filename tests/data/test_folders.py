import pandas as pd
import pytest

from avnnet.cli import main
from avnnet.data.cohort import read_cohort
from avnnet.data.files import images_in, read_image
from avnnet.data.folders import cohort_of_folder
from avnnet.errors import InvalidCohort, MissingFile


def touch(folder, *names: str):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def rows(folder) -> list[tuple[str, ...]]:
    return list(cohort_of_folder(folder)[["case_id", "image", "label"]].itertuples(index=False, name=None))


def test_an_nnunet_raw_data_set_is_listed_without_its_channel_numbers(tmp_path):
    touch(tmp_path, "imagesTr/hip_07_0000.nii.gz", "labelsTr/hip_07.nii.gz", "dataset.json", "imagesTs/x_0000.nii.gz")
    assert rows(tmp_path) == [("hip_07", "imagesTr/hip_07_0000.nii.gz", "labelsTr/hip_07.nii.gz")]


def test_the_decathlons_names_without_channel_numbers_are_listed(tmp_path):
    touch(tmp_path, "imagesTr/a_1.nii.gz", "labelsTr/a_1.nii.gz", "imagesTr/._a_1.nii.gz")
    assert rows(tmp_path) == [("a_1", "imagesTr/a_1.nii.gz", "labelsTr/a_1.nii.gz")]


def test_folders_of_images_and_masks_may_have_other_formats(tmp_path):
    touch(tmp_path, "images/a.nii.gz", "masks/a.seg.nrrd")
    assert rows(tmp_path) == [("a", "images/a.nii.gz", "masks/a.seg.nrrd")]


def test_pairs_and_freesurfers_files_are_images_of_a_folder_too(tmp_path):
    touch(
        tmp_path, "images/a.mgz", "images/b.hdr", "images/b.img", "images/c.HDR.GZ", "images/c.IMG.GZ", "images/d.nhdr"
    )
    touch(
        tmp_path,
        "images/d.raw.gz",
        "masks/a.mgh",
        "masks/b.img.gz",
        "masks/b.hdr.gz",
        "masks/c.nii",
        "masks/d.seg.nhdr",
    )
    assert rows(tmp_path) == [
        ("a", "images/a.mgz", "masks/a.mgh"),
        ("b", "images/b.hdr", "masks/b.hdr.gz"),
        ("c", "images/c.HDR.GZ", "masks/c.nii"),
        ("d", "images/d.nhdr", "masks/d.seg.nhdr"),
    ]


def test_half_a_pair_is_listed_so_that_it_is_named_when_it_is_read(tmp_path):
    assert list(images_in(touch(tmp_path, "a.hdr", "b.img", "c.hdr", "c.img"))) == ["a", "b", "c"]
    with pytest.raises(MissingFile, match="the other is not beside it"):
        read_image(images_in(tmp_path)["b"])


def test_a_pair_beside_another_image_of_its_name_is_refused(tmp_path):
    with pytest.raises(InvalidCohort, match=r"a\.hdr and a\.nii"):
        images_in(touch(tmp_path, "a.nii", "a.hdr", "a.img"))


@pytest.mark.parametrize("word", ["_label", "-seg", ".mask", "_SEG"])
def test_a_flat_folder_of_pairs_is_listed(tmp_path, word):
    touch(tmp_path, "a.nii.gz", f"a{word}.nii.gz", "notes.txt")
    assert rows(tmp_path) == [("a", "a.nii.gz", f"a{word}.nii.gz")]


def test_an_image_without_its_mask_is_named(tmp_path):
    touch(tmp_path, "imagesTr/a_0000.nii.gz", "imagesTr/b_0000.nii.gz", "labelsTr/a.nii.gz")
    with pytest.raises(MissingFile, match=r"1 names have .*: b"):
        cohort_of_folder(tmp_path)


def test_nnunets_channels_become_one_cell_in_the_order_of_their_numbers(tmp_path):
    touch(tmp_path, "imagesTr/a_0001.nii.gz", "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz")
    assert rows(tmp_path) == [("a", "imagesTr/a_0000.nii.gz;imagesTr/a_0001.nii.gz", "labelsTr/a.nii.gz")]


def test_a_case_that_lacks_a_channel_is_named(tmp_path):
    touch(tmp_path, *(f"imagesTr/{name}.nii.gz" for name in ("a_0000", "a_0001", "b_0001")))
    with pytest.raises(InvalidCohort, match=r"case b: .*b lacks 0000"):
        cohort_of_folder(touch(tmp_path, "labelsTr/a.nii.gz", "labelsTr/b.nii.gz"))


def test_cases_that_end_in_four_digits_are_no_channels(tmp_path):
    touch(tmp_path, *(f"{kind}/hip_{n}.nii.gz" for kind in ("images", "labels") for n in ("0001", "0002")))
    assert [row[0] for row in rows(tmp_path)] == ["hip_0001", "hip_0002"]


@pytest.mark.parametrize("names", [(), ("a.nii.gz", "b.nii.gz"), ("images/a.txt", "labels/a.txt")])
def test_a_folder_without_pairs_says_what_was_expected(tmp_path, names):
    with pytest.raises(InvalidCohort, match="imagesTr and labelsTr"):
        cohort_of_folder(touch(tmp_path, *names))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingFile, match="gone"):
        cohort_of_folder(tmp_path / "gone")


def test_two_files_of_one_name_are_refused(tmp_path):
    with pytest.raises(InvalidCohort, match=r"a\.nii and a\.nrrd"):
        images_in(touch(tmp_path, "a.nii", "a.nrrd"))


def test_the_command_writes_a_cohort_that_can_be_read_and_is_not_overwritten(tmp_path, capsys):
    touch(tmp_path, "images/007.nii.gz", "labels/007.nii.gz")
    assert main(["cohort", str(tmp_path)]) == 0
    assert [case.case_id for case in read_cohort(tmp_path / "cohort.csv")] == ["007"]
    pd.read_csv(tmp_path / "cohort.csv", dtype=str).assign(side="left").to_csv(tmp_path / "cohort.csv", index=False)
    assert main(["cohort", str(tmp_path)]) == 2
    assert "there already" in capsys.readouterr().err
    assert [case.side for case in read_cohort(tmp_path / "cohort.csv")] == ["left"]
