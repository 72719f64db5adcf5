"""The report: complete, self-contained, and safe with hostile text."""

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from avnnet.labels import LabelScheme
from avnnet.record import NetworkRecord
from avnnet.report import write_report
from avnnet.report.methods import methods_paragraphs
from avnnet.tables import write_table
from tests.report.conftest import ABOUT, write_study

HIPPOCAMPUS = LabelScheme({1: "anterior", 2: "posterior"}, part="anterior", whole="hippocampus")
RENAMED = {"necrosis": "anterior", "vital": "posterior", "head": "hippocampus"}
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data) -> None:
        self.text += data

    def all(self, name) -> list[dict]:
        return [attributes for tag, attributes in self.tags if tag == name]


def test_the_report_needs_no_other_file_and_runs_nothing(written):
    path = written
    page = Page(path)
    assert path.name == "report.html"
    assert {"script", "link", "iframe", "object", "form"}.isdisjoint(tag for tag, _ in page.tags)
    assert page.all("meta")[1] == {"http-equiv": "Content-Security-Policy", "content": POLICY}
    assert len(page.all("img")) == 7
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in page.all("img"))
    assert all(image["alt"] for image in page.all("img"))
    assert "http" not in path.read_text().replace("http-equiv", "")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_the_report_says_what_it_is_and_how_it_was_made(written):
    text = " ".join(Page(written).text.split())
    for words in (
        "21 cases of 14 patients, 5-fold cross-validation",
        "Digital hips with known truth, not patients",
        "HD95 is the larger of the two directed 95th percentiles",
        "avnnet study --cohort cohort.csv",
        "found by the network",
        "crop.shape",
        "Research use only",
    ):
        assert words in text
    assert "missed" in text
    assert "undefined" in text


@pytest.fixture(scope="module")
def marked(tmp_path_factory, hips):
    """The report of a clinical study of one fold with a failed case, a flagged one and a config."""
    measurements, agreement = (table.copy() for table in hips)
    failed = (measurements["case_id"] == "c03") & (measurements["reader"] == "unet2d")
    measurements.loc[failed, ["necrosis_cm3", "vital_cm3", "head_cm3", "necrosis_percent"]] = np.nan
    measurements.loc[failed, "error"] = "case c03: the head was not found; give its centre"
    agreement = agreement[~((agreement["case_id"] == "c03") & (agreement["reader"] == "unet2d"))]
    flagged = measurements.assign(flags=np.where(measurements["case_id"] == "c02", "crop_touched", ""))
    training = {"unet3d": NetworkRecord("model:\n  channels: [8]\n", "32-true", "asked for")}
    about = {"training": training, "folds_done": (2,), "digital": False}
    return write_report(write_study(tmp_path_factory.mktemp("marked"), flagged, agreement, **about))


def test_a_clinical_study_has_no_banner(marked, written):
    assert "Digital hips" in Page(written).text
    assert "Digital hips" not in Page(marked).text


def test_the_same_tables_give_the_same_report(folder, written):
    assert write_report(folder).read_bytes() == written.read_bytes()


def test_hostile_text_of_the_cohort_stays_text(tmp_path, hips, written):
    measurements, agreement = (table.copy() for table in hips)
    plain = Page(written)
    hostile = '<script>alert(1)</script><img src=x onerror=alert(1)>"{{7*7}}\u202e'
    failed = (measurements["case_id"] == "c00") & (measurements["reader"] == "unet2d")
    measurements["case_id"] = measurements["case_id"].replace("c00", hostile)
    agreement["case_id"] = agreement["case_id"].replace("c00", hostile)
    measurements.loc[failed, "error"] = hostile
    for table in (measurements, agreement):
        table["reader"] = table["reader"].replace("unet3d", "<b>{% raw %}" + "x" * 80)
    page = Page(write_report(write_study(tmp_path, measurements, agreement, title=hostile, command=hostile)))
    assert "{{7*7}}" in page.text
    assert "\u202e" not in page.text
    assert "<b>{% raw %}" + "x" * 51 + "…" in page.text
    assert {"script", "b"}.isdisjoint(tag for tag, _ in page.tags)
    # the failed case is a table of its own instead of the word "None."
    added = ["thead", *["tr"] * 2, *["th"] * 4, "tbody", *["td"] * 4]
    assert len([tag for tag, _ in page.tags if tag == "img"]) == len(plain.all("img"))
    assert len(page.tags) == len(plain.tags) - 1 + len(added) + 2  # and a div with the table in it


def test_failed_cases_stand_with_their_reason(marked):
    text = Page(marked).text
    assert "case c03: the head was not found; give its centre" in text
    assert "2 failed" in text
    assert "2 of them failed" in text


def test_flags_and_the_lines_of_a_config_are_shown(marked):
    page = Page(marked)
    assert "crop_touched" in page.text
    assert "only of fold 2" in page.text
    assert "<pre>model:\n  channels: [8]</pre>" in marked.read_text()


def test_overlays_of_the_folder_are_shown_and_other_files_are_not(folder, figure_png):
    figures = folder / "figures"
    figures.mkdir()
    (figures / "c00-left.png").write_bytes(figure_png)
    (figures / "c01.png").write_bytes(b"<svg onload=alert(1)>")
    (figures / "notes.txt").write_text("x")
    page = Page(write_report(folder))
    assert len(page.all("img")) == 8
    assert "c00-left" in page.text
    assert "notes" not in page.text


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({}, "trained without its patient"),
        ({"folds": None, "seen_in_training": 0}, "None of the images were in the training"),
        ({"folds": None, "seen_in_training": 3}, "3 of the images were in the training"),
        ({"folds": None}, ""),
    ],
)
def test_a_report_says_of_the_training_only_what_is_known(about, said):
    text = " ".join(methods_paragraphs(replace(ABOUT, **about), part="necrosis", whole="head", draws=100))
    claims = ("trained without its patient", "in the training of the networks")
    assert said in text
    assert any(claim in text for claim in claims) == bool(said)


def test_the_curves_of_a_training_are_shown_where_there_are_any(folder, written):
    without = Page(written)
    table = pd.DataFrame({"network": "unet3d", "fold": 0, "epoch": [0, 1], "seconds": [9.0, 18.0], "train_loss": 0.4})
    write_table(table.assign(val_dice_vital=[0.7, 0.8], val_dice_necrosis=np.nan), folder / "training.csv")
    page = Page(write_report(folder))
    assert "Training" not in without.text
    assert len(page.all("img")) == len(without.all("img")) + 1
    assert "Validation Dice of vital" in page.text


def test_another_scheme_without_stages_and_sides_is_reported(tmp_path, hips):
    measurements, agreement = (table.copy() for table in hips)
    for table in (measurements, agreement):
        table["case_id"] += table.pop("side")
    columns = {f"{old}_{unit}": f"{new}_{unit}" for old, new in RENAMED.items() for unit in ("cm3", "percent")}
    measurements = measurements.rename(columns=columns).drop(columns="arco_stage")
    agreement["label"] = agreement["label"].map(RENAMED)
    folder = write_study(tmp_path, measurements, agreement, scheme=HIPPOCAMPUS, digital=False, title="Hippocampus")
    page = Page(write_report(folder))
    assert "no stages in this cohort" in page.text
    assert "anterior (cm³)" in page.text
    assert "necrosis" not in page.text
    assert len(page.all("img")) == 5


def test_one_network_and_two_patients_are_enough_for_a_report(tmp_path, hips):
    few = [t[t["patient_id"].isin(["p00", "p01"]) & t["reader"].isin(["manual", "unet3d"])] for t in hips]
    text = Page(write_report(write_study(tmp_path, *few))).text
    assert "Networks compared" not in text
    assert "fewer than 3 patients" in text


def test_numbers_are_printed_as_journals_do(folder):
    table = pd.read_csv(folder / "agreement.csv").astype({"hd95_mm": float})
    first = table["label"] == "necrosis"
    table.loc[first, ["dice", "hd95_mm", "assd_mm"]] = [0.0, np.inf, np.inf]
    table.loc[first, "outcome"] = "missed"
    table.to_csv(folder / "agreement.csv", index=False)
    text = Page(write_report(folder)).text
    assert "∞" in text
    assert "21 missed" in text
    assert "<0.001" in text
    assert "nan" not in text.lower().replace("finance", "")
