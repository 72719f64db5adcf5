import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from avnnet.cases.compare import pair_masks
from avnnet.cli import main
from avnnet.data.files import write_image
from avnnet.data.files.sitk import to_sitk
from avnnet.errors import InvalidCohort, MissingFile
from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.tables import read_table
from tests.faults.nifti_files import SIZES, affine, nifti

GRID = Grid((8, 12, 10), (3.0, 1.0, 2.0))


def mask(shift: int = 0, grid: Grid = GRID) -> LabelMap:
    array = np.zeros(grid.shape, np.uint8)
    array[2:6, 2 + shift : 8 + shift, 2:8] = 1
    array[3:5, 3 + shift : 6 + shift, 3:6] = 2
    return LabelMap(array, grid)


@pytest.fixture
def folders(tmp_path):
    for number in range(4):
        write_image(mask(), tmp_path / "manual" / f"hip-{number}.nii.gz")
        write_image(mask(number % 2), tmp_path / "automatic" / f"hip-{number}.nrrd")
    return tmp_path / "manual", tmp_path / "automatic"


def test_masks_are_matched_by_name_whatever_their_format(folders):
    assert [pair.case_id for pair in pair_masks(*folders)] == [f"hip-{n}" for n in range(4)]


def test_a_slicer_segmentation_has_the_name_of_its_image(tmp_path):
    write_image(mask(), tmp_path / "a" / "hip-1.nii.gz")
    write_image(mask(), tmp_path / "b" / "hip-1.seg.nrrd")
    assert [pair.case_id for pair in pair_masks(tmp_path / "a", tmp_path / "b")] == ["hip-1"]


def test_masks_of_freesurfer_of_pairs_and_of_detached_nrrd_are_compared_and_measured_like_others(tmp_path):
    for name, kind in (("a.mgz", nibabel.MGHImage), ("b.img", nibabel.Nifti1Pair), ("c.img.gz", nibabel.Nifti1Pair)):
        whole = nibabel.load(write_image(mask(), tmp_path / "manual" / f"{name[0]}.nii.gz"))
        (tmp_path / "automatic").mkdir(exist_ok=True)
        kind(np.asarray(whole.dataobj), whole.affine).to_filename(tmp_path / "automatic" / name)
    write_image(mask(), tmp_path / "manual" / "d.mha")
    sitk.WriteImage(to_sitk(mask()), str(tmp_path / "automatic" / "d.nhdr"))
    folders = [str(tmp_path / name) for name in ("manual", "automatic")]
    assert main(["compare", *folders, "--out", str(tmp_path / "o")]) == 0
    table = read_table(tmp_path / "o" / "agreement.csv")
    assert sorted(set(table["case_id"])) == ["a", "b", "c", "d"]
    assert set(table["dice"]) == {1.0}
    volumes = []
    for folder in folders:
        assert main(["measure", folder, "--side", "right", "--out", f"{folder}-measured"]) == 0
        volumes.append(read_table(tmp_path / f"{folder}-measured" / "measurements.csv")[["case_id", "necrosis_cm3"]])
    assert volumes[0].equals(volumes[1])


def test_compare_writes_the_tables_of_a_study_and_a_report(folders, tmp_path, capsys):
    words = ["--margin", "necrosis_percent=60", "necrosis_cm3=1"]
    assert main(["compare", *map(str, folders), "--out", str(tmp_path / "o"), *words]) == 0
    assert (tmp_path / "o" / "tables" / "equivalence.csv").exists()
    table = read_table(tmp_path / "o" / "agreement.csv")
    dice = table[table["label"] == "head"].set_index("case_id")["dice"]
    assert dice["hip-0"] == 1
    assert dice["hip-1"] == pytest.approx(5 / 6)  # a block of six moved by one
    assert (tmp_path / "o" / "report.html").exists()
    assert "Dice" in capsys.readouterr().out


def test_two_single_masks_are_compared_whatever_their_names(folders, tmp_path):
    one, other = (str(next(iter(sorted(folder.iterdir())))) for folder in folders)
    assert main(["compare", one, other, "--out", str(tmp_path / "o")]) == 0


def test_a_mask_without_a_partner_and_one_on_another_grid_are_rows(folders, tmp_path):
    manual, automatic = folders
    (automatic / "hip-2.nrrd").unlink()
    moved = Grid(GRID.shape, GRID.spacing, (5.0, 0.0, 0.0))
    write_image(mask(grid=moved), automatic / "hip-3.nrrd")
    assert main(["compare", str(manual), str(automatic), "--out", str(tmp_path / "o")]) == 3
    errors = read_table(tmp_path / "o" / "measurements.csv").groupby("case_id")["error"].first()
    assert errors["hip-2"].startswith("MissingFile: no automatic mask")
    assert errors["hip-3"].startswith("GeometryMismatch")
    assert errors["hip-0"] == ""


def test_n15_masks_whose_transforms_conflict_are_compared_where_the_option_says_and_flagged(tmp_path):
    ids = np.zeros(SIZES, np.uint8)
    ids[2:7, 2:9, 2:6] = 1
    ids[4, 4, 4] = 2
    away = affine(origin=(0, 0, 0))
    manual = nifti(tmp_path / "manual.nii.gz", ids)
    words = ["compare", str(manual), str(nifti(tmp_path / "automatic.nii.gz", ids, sform=away))]
    words += ["--out", str(tmp_path / "o")]
    assert main(words) == 2
    assert main([*words, "--prefer", "sform"]) == 2  # chosen is the other place, where the manual mask is not
    assert main([*words, "--prefer", "qform"]) == 0
    assert read_table(tmp_path / "o" / "agreement.csv")["dice"].tolist() == [1, 1, 1]
    flags = read_table(tmp_path / "o" / "measurements.csv").set_index("reader")["flags"].str.split()
    assert "qform_preferred" in flags["automatic"]
    assert "qform_preferred" not in flags["manual"]


def test_other_labels_are_named_on_the_command_line(folders, tmp_path):
    words = ["--labels", "1=anterior,2=posterior", "--part", "anterior", "--whole", "hippocampus"]
    assert main(["compare", *map(str, folders), "--out", str(tmp_path / "o"), *words]) == 0
    assert set(read_table(tmp_path / "o" / "agreement.csv")["label"]) == {"anterior", "posterior", "hippocampus"}


def test_folders_without_a_common_name_show_their_names(folders, tmp_path):
    write_image(mask(), tmp_path / "other" / "knee-1.nii.gz")
    with pytest.raises(InvalidCohort, match=r"hip-0.*knee-1"):
        pair_masks(folders[0], tmp_path / "other")


def test_a_file_and_a_folder_or_a_missing_path_are_refused(folders, tmp_path):
    with pytest.raises(InvalidCohort, match="one of each"):
        pair_masks(folders[0], next(folders[1].iterdir()))
    with pytest.raises(MissingFile, match="gone"):
        pair_masks(folders[0], tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFile, match="no masks in"):
        pair_masks(folders[0], tmp_path / "empty")


def test_report_makes_the_same_page_again_from_the_tables_alone(folders, tmp_path):
    out = tmp_path / "o"
    main(["compare", *map(str, folders), "--out", str(out)])
    page = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    for table in (out / "tables").iterdir():
        table.unlink()
    assert main(["report", str(out)]) == 0
    assert (out / "report.html").read_bytes() == page


def test_report_of_a_folder_without_tables_says_what_is_missing(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "study.json" in capsys.readouterr().err
