"""`avnnet stats` on anybody's table."""

import subprocess
import sys

import pandas as pd
import pytest

from avnnet.cli import main
from avnnet.tables import read_table, write_table
from tests.stats.conftest import long_table, made_up_study

READINGS = {"A": [10.2, 5.2, 22.2, 12.1, 7.0, 3.3], "net": [9.8, 6.1, 19.8, 13.3, 7.2, 3.0]}


@pytest.fixture
def volumes(tmp_path):
    return write_table(long_table("volume_ml", **READINGS), tmp_path / "volumes.csv")


def run(table, out, *words):
    return main(["stats", str(table), "--out", str(out), "--draws", "100", *words])


def test_a_table_of_any_quantity_and_names_has_every_statistic_and_a_report(volumes, tmp_path):
    out = tmp_path / "out"
    assert run(volumes, out, "--value", "volume_ml", "--manual", "A", "--margin", "volume_ml=3") == 0
    names = {path.stem for path in (out / "tables").glob("*.csv")}
    assert {"icc", "limits", "concordance", "regression", "equivalence", "paired"} <= names
    assert "volume (ml)" in (out / "report.html").read_text()
    assert len(list((out / "figures").glob("*.svg"))) == 2
    assert (out / "results.json").exists()
    assert main(["report", str(out)]) == 0


def test_a_studys_tables_give_the_segmentation_too(tmp_path):
    measurements, agreement = made_up_study()
    table = write_table(measurements, tmp_path / "m.csv")
    write_table(agreement, tmp_path / "a.csv")
    assert run(table, tmp_path / "out", "--agreement", str(tmp_path / "a.csv")) == 0
    found = read_table(tmp_path / "out" / "tables" / "segmentation.csv")
    assert {"all", "stage IIIA"} <= set(found["stratum"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which column is to be compared"),
        (["--value", "volume_ml"], "--automatic"),
        (["--value", "volume_ml", "--manual", "B"], "no reader 'B'"),
        (["--value", "volume_ml", "--manual", "A", "--margin", "other=2"], "compared column"),
        (["--value", "weight", "--manual", "A"], "no column ['weight']"),
        (["--value", "volume_ml", "--manual", "A", "--automatic", "C"], "no reader 'C'"),
        (["--value", "volume_ml", "--manual", "A", "--draws", "0"], "at least 100 draws"),
        (["--value", "volume_ml", "--agreement", "gone.csv", "--manual", "A"], "gone.csv"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_way_out(volumes, tmp_path, capsys, words, said):
    assert run(volumes, tmp_path / "out", *words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("word", ["volume_ml=x", "volume_ml", "=2", "volume_ml=0", "volume_ml=-1", "volume_ml=nan"])
def test_a_margin_is_a_column_and_a_number_above_0(volumes, tmp_path, capsys, word):
    with pytest.raises(SystemExit):
        run(volumes, tmp_path / "out", "--value", "volume_ml", "--manual", "A", "--margin", word)
    assert "COLUMN=NUMBER above 0" in capsys.readouterr().err


def test_a_table_without_patients_says_what_to_do(tmp_path, capsys):
    write_table(long_table("volume_ml", **READINGS).drop(columns="patient_id"), tmp_path / "v.csv")
    assert run(tmp_path / "v.csv", tmp_path / "out", "--value", "volume_ml") == 2
    assert "patient_id" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patient_id,case_id,reader,volume_ml\n", "has no rows"),
        ("patient_id;case_id;reader;volume_ml\n1;1;A;1,234\n", "can be 1.234 or 1234"),
        ("patient_id;case_id;reader;volume_ml\n1;1;A;1,5\n1;1;net;1.5\n", "write both in one way"),
        ("Patient;A;net\n1;3;4\n", "--manual-column"),
        ("", "not a table"),
        ("patient_id,case_id,reader,volume_ml\n1,1,A,many\n1,1,net,3\n", "must hold numbers"),
        ("patient_id,case_id,reader,volume_ml\n1,1,A,2\n2,1,net,3\n", "belongs to patient"),
        ("patient_id,case_id,reader,volume_ml\n1,1,A,2\n1,1,A,3\n1,1,net,3\n", "repeat case_id"),
    ],
)
def test_a_file_that_is_no_tidy_table_is_refused_by_name(tmp_path, capsys, text, said):
    (tmp_path / "v.csv").write_text(text)
    assert run(tmp_path / "v.csv", tmp_path / "out", "--value", "volume_ml", "--manual", "A") == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_patients_have_a_report_and_no_number_that_is_made_up(tmp_path, n):
    few = {name: values[:n] for name, values in READINGS.items()}
    write_table(long_table("volume_ml", **few), tmp_path / "v.csv")
    assert run(tmp_path / "v.csv", tmp_path / "out", "--value", "volume_ml", "--manual", "A") == 0
    table = pd.read_csv(tmp_path / "out" / "tables" / "concordance.csv")
    assert table["ccc"].notna().all() == (n > 2)
    if n < 3:
        assert table["note"].str.contains("fewer than").all()


def test_constant_and_hostile_tables_have_a_report(tmp_path):
    table = long_table("volume_ml", manual=[5.0] * 4, net=[5.0] * 4)
    table["case_id"] = table["case_id"].map({0: "=1+1", 1: "<script>x</script>", 2: "{{7*7}}", 3: "@x"})
    write_table(table, tmp_path / "v.csv")
    assert run(tmp_path / "v.csv", tmp_path / "out", "--value", "volume_ml") == 0
    assert "<script" not in (tmp_path / "out" / "report.html").read_text()
    assert pd.read_csv(tmp_path / "out" / "tables" / "icc.csv")["estimate"].isna().all()


def test_stats_needs_neither_torch_nor_an_image_library_nor_pyplot(volumes, tmp_path):
    words = [
        "stats",
        str(volumes),
        "--value",
        "volume_ml",
        "--manual",
        "A",
        "--out",
        str(tmp_path / "o"),
        "--draws",
        "100",
    ]
    heavy = ("torch", "monai", "SimpleITK", "pytorch_lightning", "sklearn", "matplotlib.pyplot", "statsmodels.api")
    script = (
        f"import sys; from avnnet.cli import main; code = main({words!r}); "
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip().endswith("[]")
