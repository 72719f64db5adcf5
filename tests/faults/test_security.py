"""What was typed somewhere by somebody runs nowhere and leads nowhere (rows S01 to S04, S07 and S08)."""

import ast
import csv
import socket
from pathlib import Path
from urllib.request import urlopen
from xml.etree import ElementTree

import pandas as pd
import pytest
import torch

from avnnet.cli import main
from avnnet.data.files import write_image
from avnnet.data.preprocess import Preprocess
from avnnet.image import LabelMap
from avnnet.inference.member import Member
from avnnet.inference.model_folder import save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import UNet3D
from avnnet.report import write_report
from avnnet.tables import write_table
from tests.faults.conftest import edit_all
from tests.faults.test_labels import GRID, drawn
from tests.report.conftest import write_study
from tests.report.test_html import Page
from tests.stats.conftest import made_up_study

OUTPUTS = {"c0001.nii.gz", "c0001.json", "keys.csv", "measurements.csv"}
TOO_LONG = pytest.param("x" * 300, marks=pytest.mark.filterwarnings("ignore:The value length:UserWarning"))
HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(1)>"{{7*7}}{% raw %}'
FORMULAS = ['=HYPERLINK("http://x")', "+1", "-1", "@x", "\tx"]
ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("avnnet", "experiments", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
RUNNING_MODULES = {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
RUNNING_CALLS = {"eval", "exec", "yaml.load", "yaml.full_load", "yaml.unsafe_load", "os.system", "os.popen"}
RUNNING_METHODS = {"read_pickle", "load_from_checkpoint"}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(0)
    member = Member(UNet3D([4, 8], [[2, 2, 2]]), Preprocess([4.0] * 3, [16] * 3), Tiling([16] * 3), "unet3d")
    return save_model(Segmenter([member], HIP), tmp_path_factory.mktemp("model"))


def predict(model, *words):
    return main(["predict", str(model), *map(str, words)])


def all_below(folder):
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("identity", ["../../x", "..\\x", "a\0b", "CON", TOO_LONG, "\u202egnp.x"])
def test_s01_an_identity_names_no_file_and_changes_no_result(model, series, tmp_path, identity, capsys):
    seen = []
    out = tmp_path / "a" / "b" / "out"
    for given in ("p1", identity):
        edit_all(series, PatientID=given, PatientName=given, SeriesDescription=given)
        before = all_below(tmp_path)
        assert predict(model, series, "--out", out) == 0
        assert main(["scan", str(series)]) == 0
        assert {path.name for path in out.iterdir()} == OUTPUTS
        assert all_below(tmp_path) - before <= {out / name for name in OUTPUTS}
        printed = "".join(line for line in capsys.readouterr().out.splitlines() if not line.startswith("["))
        seen.append(((out / "measurements.csv").read_text(), (out / "keys.csv").read_text(), printed))
    assert seen[0] == seen[1]


def test_s02_stages_flags_settings_and_names_of_pictures_stay_text(tmp_path):
    measurements, agreement = made_up_study(patients=7)
    measurements["arco_stage"] = measurements["arco_stage"].replace("II", HOSTILE)
    measurements["side"] = measurements["side"].replace("left", HOSTILE)
    agreement["side"] = agreement["side"].replace("left", HOSTILE)
    for table in (measurements, agreement):
        table["reader"] = table["reader"].replace("unet2d", HOSTILE)
    measurements["flags"] = HOSTILE
    told = dict.fromkeys(("cohort", "centre", "title", "command"), HOSTILE)
    nested = {HOSTILE: {HOSTILE: HOSTILE}}
    write_study(
        tmp_path, measurements, agreement, networks=(HOSTILE,), versions={HOSTILE: HOSTILE}, settings=nested, **told
    )
    (tmp_path / "figures").mkdir()
    picture = tmp_path / "figures" / f"{HOSTILE.replace('/', '')}.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    page = Page(write_report(tmp_path))
    assert page.text.count("{{7*7}}{% raw") > 5
    assert {"script", "iframe", "object"}.isdisjoint(tag for tag, _ in page.tags)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    drawings = list((tmp_path / "figures").glob("*.svg"))
    assert drawings
    for drawing in drawings:
        for element in ElementTree.parse(drawing).iter():
            assert not element.tag.endswith(("script", "foreignObject", "image"))
            assert not any(name.startswith("on") for name in element.attrib)


def test_s03_formulas_are_text_and_negative_numbers_are_numbers(tmp_path):
    numbers = [-2.12, -1.0, 3.0, float("-inf"), -1e-9]
    path = write_table(pd.DataFrame({"text": FORMULAS, "bias_cm3": numbers}), tmp_path / "t.csv")
    with open(path, newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    assert [row[0] for row in rows] == [f"'{formula}" for formula in FORMULAS]
    assert [float(row[1]) for row in rows] == numbers


def test_s03_a_column_that_a_cohort_carries_along_holds_no_formula(tmp_path):
    mask = write_image(LabelMap(drawn(), GRID, HIP), tmp_path / "mask.nii.gz").name
    cohort = {"patient_id": FORMULAS, "case_id": list("abcde"), "image": mask, "label": mask}
    carried = {"series_description": FORMULAS, "change_cm3": [-1.5] * 5}
    pd.DataFrame(cohort | carried).to_csv(tmp_path / "c.csv", index=False)
    assert main(["measure", str(tmp_path / "c.csv"), "--out", str(tmp_path / "o"), "--no-pictures"]) == 0
    table = pd.read_csv(tmp_path / "o" / "measurements.csv")
    for name in ("patient_id", "series_description"):
        assert table[name].tolist() == [f"'{formula}" for formula in FORMULAS]
    assert table["change_cm3"].tolist() == [-1.5] * 5


def test_s03_the_name_of_an_image_is_no_formula_where_names_are_kept(model, image, tmp_path):
    names = ["=HYPERLINK(1)", "-1"]
    images = [write_image(image, tmp_path / f"{name}.nii.gz") for name in names]
    assert predict(model, *images, "--out", tmp_path / "o", "--keep-names") == 0
    assert pd.read_csv(tmp_path / "o" / "measurements.csv")["case_id"].tolist() == [f"'{name}" for name in names]


def test_s07_scan_predict_and_report_reach_for_no_network(model, series, tmp_path, monkeypatch):
    reached = []

    def refuse(*words, **_):
        reached.append(words)
        raise OSError("there is no network")

    for place, name in ((socket.socket, "__init__"), (socket, "getaddrinfo"), (socket, "gethostbyname")):
        monkeypatch.setattr(place, name, refuse)
    with pytest.raises(OSError, match="no network"):
        urlopen("http://127.0.0.1:9")
    reached.clear()
    study = write_study(tmp_path / "study", *made_up_study(patients=7))
    assert main(["scan", str(series)]) == 0
    assert predict(model, series, "--out", tmp_path / "o") == 0
    assert main(["report", str(study)]) == 0
    assert reached == []
    assert all(path.exists() for path in (tmp_path / "o" / "c0001.nii.gz", study / "report.html"))


def dotted(node):
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def what_runs(source):
    """What would run code that a file, or a shell, says."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.partition(".")[0] in RUNNING_MODULES)
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{one.name}" for one in node.names}
            is_running = str(node.module).partition(".")[0] in RUNNING_MODULES
            yield from names & {*RUNNING_CALLS, "torch.load", "yaml.*", "torch.*"}
            yield from names - {"pickle.UnpicklingError"} if is_running else ()
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            said = {word.arg: getattr(word.value, "value", "?") for word in node.keywords}
            if name in RUNNING_CALLS or name.rpartition(".")[2] in RUNNING_METHODS:
                yield name
            if name == "torch.load" and said.get("weights_only") is not True:
                yield name
            yield from (f"{name}({word})" for word in ("shell", "allow_pickle") if said.get(word, False) is not False)


RUN = """import pickle|import a, dill|from pickle import loads|from torch import load|from yaml import load as y|eval(x)
f(exec(x))|yaml.load(x, yaml.Loader)|subprocess.run(x, shell=True)|np.load(x, allow_pickle=True)|g(allow_pickle=y)
torch.load(x)|torch.load(x, weights_only=False)|torch.load(x, weights_only=y)|Model.load_from_checkpoint(x)"""
HARMLESS = """net.eval()|yaml.safe_load(x)|np.load(x)|np.load(x, allow_pickle=False)|torch.load(x, weights_only=True)
subprocess.run([x])|from pickle import UnpicklingError|json.load(x)"""


def test_s08_the_search_finds_what_would_run_and_nothing_else():
    assert [code for code in RUN.replace("\n", "|").split("|") if not list(what_runs(code))] == []
    assert [code for code in HARMLESS.replace("\n", "|").split("|") if list(what_runs(code))] == []


def test_s08_nothing_runs_what_a_file_says():
    assert len(SOURCES) > 150
    found = {str(path.relative_to(ROOT)): list(what_runs(path.read_text())) for path in SOURCES}
    assert {path: names for path, names in found.items() if names} == {}
