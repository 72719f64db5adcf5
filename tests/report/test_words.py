"""The words of the report beside its numbers."""

import json

import numpy as np
import pandas as pd
import pytest

from avnnet.record import StudyRecord
from avnnet.report.checklist import checklist
from avnnet.report.flow import flow_printed
from avnnet.report.formats import as_latex, as_markdown
from avnnet.report.methods import methods_paragraphs
from avnnet.report.tables import write_tables
from avnnet.stats import Question
from tests.report.conftest import ABOUT, write_study


def test_the_methods_say_what_is_known_and_nothing_else():
    text = " ".join(methods_paragraphs(ABOUT, part="necrosis", whole="head", draws=10_000))
    for words in ("unet2d, unet3d and ensemble", "5-fold cross-validation", "10,000 draws", "torch 2.10.0", "digital"):
        assert words in text
    unknown = " ".join(methods_paragraphs(StudyRecord(), part="necrosis", whole="head", draws=100))
    assert "fold" not in unknown
    assert "segmented by" not in unknown
    assert "Software" not in unknown


def test_the_checklist_claims_only_what_the_tables_hold():
    full = dict(
        row for row in checklist(ABOUT, has_stages=True, has_second_reader=True, n_failed=2).rows if len(row) == 2
    )
    bare = dict(
        row
        for row in checklist(StudyRecord(), has_stages=False, has_second_reader=False, n_failed=0).rows
        if len(row) == 2
    )
    assert full["Agreement between readers"] == "in this report"
    assert bare["Agreement between readers"] == "no second reader in the tables"
    assert "(2)" in full["Flow of cases, missing and failed ones"]
    assert bare["Partitions by patient"] == "yours to write"
    assert full["Who drew it, with what training and tool"] == "a computer, exactly"


def test_the_flow_counts_cases_patients_failures_and_stages(hips):
    measurements, _ = hips
    table = measurements.copy()
    lost = (table["case_id"] == "c00") & (table["reader"] == "unet3d")
    table.loc[lost, "error"], table.loc[lost, "necrosis_cm3"] = "GeometryMismatch: x", np.nan
    rows = {row[0]: row[1:] for row in flow_printed(table, QUESTION).rows}
    assert rows["cases in the table"] == ["21", "14"]
    assert rows["with an error of any reader"] == ["1", "1"]
    assert rows["with every quantity of manual and unet3d"] == ["20", "13"]
    assert rows["of patients with several cases"] == ["14", "7"]
    stages = {name: int(cells[0]) for name, cells in rows.items() if name.startswith("stage ")}
    assert sum(stages.values()) == 21


QUESTION = Question(("necrosis_cm3",), "unet3d")


@pytest.mark.parametrize("text", ["a|b", "50 % & _x_", "<script>", "\\end{tabular}", "−1 ± 2 cm³"])
def test_text_stays_text_in_markdown_and_latex(text):
    markdown = as_markdown(["name"], [[text]]).splitlines()
    assert len(markdown) == 3
    assert markdown[2].replace("\\|", "").count("|") == 2
    assert "<script>" not in markdown[2]
    row = as_latex(["name"], [[text]]).splitlines()[4]
    plain = row.removesuffix(r" \\")
    for special in "%&_#":
        assert plain.count(special) == plain.count(f"\\{special}")
    assert "\\end{" not in plain


def test_results_json_fits_its_schema_and_holds_neither_nan_nor_infinity(tmp_path, hips):
    jsonschema = pytest.importorskip("jsonschema")
    measurements, agreement = (table.copy() for table in hips)
    agreement["hd95_mm"] = agreement["hd95_mm"].astype(float)
    agreement.loc[0, ["hd95_mm", "assd_mm"]] = np.inf
    tables = write_tables(write_study(tmp_path, measurements, agreement))
    text = (tmp_path / "results.json").read_text()
    assert "NaN" not in text

    def no_constant(name: str) -> None:
        raise AssertionError(name)

    record = json.loads(text, parse_constant=no_constant)
    jsonschema.validate(record, json.loads((tmp_path / "results.schema.json").read_text()))
    assert sorted(record["tables"]) == sorted(tables)
    assert record["question"]["automatic"] in ("unet2d", "unet3d", "ensemble")
    back = pd.DataFrame(record["tables"]["agreement_statistics"])
    assert back["bias"].tolist() == pytest.approx(tables["agreement_statistics"]["bias"].tolist())
