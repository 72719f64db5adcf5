"""A watched folder: scans are done when they are whole, once, and a kill at any moment loses none."""

import json
import shutil

import pandas as pd
import pytest

from avnnet.atomic import alone_in
from avnnet.cases import watch as watch_module
from avnnet.cases.watch import REST_S, Watch
from avnnet.data.dicom import write_series
from avnnet.data.files import read_image, write_image
from avnnet.data.preprocess import Preprocess
from avnnet.errors import InvalidConfig, MissingFile, OutputNotWritable
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.progress import Reporter
from tests.inference.conftest import Threshold

SETTLE_S = 30.0


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def watched(tmp_path):
    (tmp_path / "in").mkdir()
    member = Member(Threshold(), Preprocess([4.0] * 3), Tiling([16, 16, 16]), "oracle")

    def make(**changes) -> Watch:
        said = []
        reporter = Reporter()
        reporter._print = said.append
        given = {"settle_s": SETTLE_S, "clock": Clock()} | changes
        watch = Watch(Segmenter([member], HIP, sha256="m"), tmp_path / "in", tmp_path / "out", reporter, **given)
        watch.said = said
        return watch

    return make


@pytest.fixture
def scan(cohort):
    return read_image(cohort.cases[0].image)


def drop(scan, folder):
    write_series(scan, folder, patient_id="anna")
    return folder


def look_later(watch: Watch, seconds: float = SETTLE_S) -> int:
    done = watch.look()
    watch.clock.now_s += seconds
    return done + watch.look()


def table(watch: Watch) -> pd.DataFrame:
    return pd.read_csv(watch.out / "measurements.csv", keep_default_na=False)


def test_k7_a_series_is_segmented_when_it_has_not_changed_for_a_while_and_only_once(watched, scan):
    watch = watched()
    slices = sorted(drop(scan, watch.folder.parent / "elsewhere").iterdir())
    (watch.folder / "anna").mkdir()
    for one in slices[:-1]:
        shutil.copy2(one, watch.folder / "anna")
        assert look_later(watch, SETTLE_S - 1) == 0  # another slice came each time
    shutil.copy2(slices[-1], watch.folder / "anna")
    assert look_later(watch) == 1
    rows = table(watch)
    assert rows["case_id"].tolist() == ["c0001"]
    assert rows["error"].tolist() == [""]
    assert (watch.out / "c0001.nii.gz").exists()
    assert "anna" not in "".join(watch.said)
    for _ in range(3):
        assert look_later(watch, 2 * REST_S) == 0


def test_k7_a_slice_that_comes_late_has_the_series_segmented_anew_and_its_row_replaced(watched, scan):
    watch = watched()
    series = drop(scan, watch.folder / "series")
    late = sorted(series.iterdir())[len(list(series.iterdir())) // 2]
    shutil.move(late, watch.folder.parent / late.name)
    assert look_later(watch) == 1
    assert table(watch)["error"].str.contains("slice").tolist() == [True]
    assert look_later(watch) == 0  # nothing has changed
    shutil.move(watch.folder.parent / late.name, late)
    assert look_later(watch) == 1
    assert table(watch)["error"].tolist() == [""]


def test_a_watch_that_starts_again_does_nothing_twice_and_reads_no_scan_that_is_done(watched, scan, monkeypatch):
    first = watched()
    for name in ("a", "b"):
        drop(scan, first.folder / name)
    assert look_later(first) == 2
    before = (first.out / "measurements.csv").read_bytes()
    monkeypatch.setattr(watch_module, "predict_jobs", lambda *_, **__: pytest.fail("looked at again"))
    again = watched()
    assert look_later(again) == 0
    assert (again.out / "measurements.csv").read_bytes() == before


@pytest.mark.parametrize("lost", ["watched.json", "measurements.csv"])
def test_k8_a_kill_between_mask_and_table_loses_no_row_and_segments_nothing_again(watched, scan, monkeypatch, lost):
    first = watched()
    drop(scan, first.folder / "a")
    assert look_later(first) == 1
    before = table(first)
    (first.out / lost).unlink()
    if lost == "measurements.csv":  # the scan itself may be gone by then, as routers clear their folders
        shutil.rmtree(first.folder / "a")
        drop(scan, first.folder / "b")
    again = watched()
    monkeypatch.setattr(again.model, "hips", lambda *_, **__: pytest.fail("segmented again")) if (
        lost == "watched.json"
    ) else None
    assert look_later(again) == 1
    rows = table(again)
    assert rows["case_id"].tolist() == (["c0001"] if lost == "watched.json" else ["c0001", "c0002"])
    pd.testing.assert_frame_equal(rows.iloc[:1], before)


def test_rows_of_scans_that_are_gone_stay(watched, scan):
    watch = watched()
    for name in ("a", "b"):
        drop(scan, watch.folder / name)
        assert look_later(watch) == 1
        shutil.rmtree(watch.folder / name)
    assert table(watch)["case_id"].tolist() == ["c0001", "c0002"]


def test_another_model_segments_anew(watched, scan):
    first = watched()
    drop(scan, first.folder / "a")
    assert look_later(first) == 1
    again = watched()
    again.model.sha256 = "another"
    assert look_later(again) == 1
    assert json.loads((again.out / "c0001.json").read_text())["made_from"]["model_sha256"] == "another"
    assert len(table(again)) == 1


def test_image_files_are_scans_and_others_are_not(watched, scan):
    watch = watched()
    write_image(scan, watch.folder / "hip.nii.gz")
    for name in (".hidden.nii.gz", "notes.txt", "slice.dcm"):
        (watch.folder / name).write_text("no image")
    (watch.folder / "empty").mkdir()
    assert look_later(watch) == 1
    assert table(watch)["error"].tolist() == [""]
    assert sum("give each series a folder" in line for line in watch.said) == 1


def test_a_scan_that_changes_while_it_is_segmented_is_not_counted_as_done(watched, scan, monkeypatch):
    watch = watched()
    series = drop(scan, watch.folder / "a")
    original = watch_module.predict_jobs

    def slow(*given, **options):
        rows = original(*given, **options)
        (series / "late").write_text("x")
        return rows

    monkeypatch.setattr(watch_module, "predict_jobs", slow)
    look_later(watch)
    assert not (watch.out / "measurements.csv").exists()
    monkeypatch.setattr(watch_module, "predict_jobs", original)
    (series / "late").unlink()
    assert look_later(watch) == 1
    assert table(watch)["error"].tolist() == [""]


def test_a_full_disk_ends_the_watch_and_leaves_the_scan_to_the_next(watched, scan, monkeypatch):
    watch = watched()
    drop(scan, watch.folder / "a")

    def full(*_, **__):
        raise OutputNotWritable("cannot write a.nii.gz: No space left on device; choose another folder")

    monkeypatch.setattr(watch.model, "hips", full)
    with pytest.raises(OutputNotWritable, match="No space left on device"):
        look_later(watch)
    monkeypatch.undo()
    assert look_later(watched()) == 1


def test_a_stop_lets_the_scan_at_hand_end_and_begins_no_other(watched, scan, monkeypatch):
    watch = watched(settle_s=0.0)
    for name in ("a", "b"):
        drop(scan, watch.folder / name)
    original = watch_module.predict_jobs

    def stopping(*given, **options):
        watch.stop.set()
        return original(*given, **options)

    monkeypatch.setattr(watch_module, "predict_jobs", stopping)
    watch.run()
    assert table(watch)["case_id"].tolist() == ["c0001"]


def test_two_watches_of_one_output_are_refused(watched):
    watch = watched()
    with alone_in(watch.out), pytest.raises(OutputNotWritable, match="another avnnet works in this folder"):
        watch.run()


def test_what_cannot_be_watched_is_refused(watched, tmp_path):
    with pytest.raises(InvalidConfig, match="from 0 to a day; found -1"):
        watched(settle_s=-1.0)
    model, quiet = watched().model, Reporter(is_quiet=True)
    with pytest.raises(MissingFile, match="no folder that could be watched"):
        Watch(model, tmp_path / "nowhere", tmp_path / "out", quiet)
    with pytest.raises(InvalidConfig, match="lies in the watched folder"):
        Watch(model, tmp_path / "in", tmp_path / "in" / "masks", quiet)


def test_a_folder_that_is_away_for_a_while_is_waited_for(watched, scan):
    watch = watched()
    drop(scan, watch.folder / "a")
    away = watch.folder.rename(watch.folder.parent / "away")
    assert look_later(watch) == 0
    assert sum("waiting for it" in line for line in watch.said) == 1
    away.rename(watch.folder)
    assert look_later(watch) == 1


@pytest.mark.parametrize("content", ["", "[1]", '{"c0001": 1}', "{"])
def test_a_damaged_state_segments_nothing_again(watched, scan, monkeypatch, content):
    first = watched()
    drop(scan, first.folder / "a")
    assert look_later(first) == 1
    (first.out / "watched.json").write_text(content)
    again = watched()
    monkeypatch.setattr(again.model, "hips", lambda *_, **__: pytest.fail("segmented again"))
    assert look_later(again) == 1
    assert len(table(again)) == 1
