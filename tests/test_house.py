"""The architecture, tested like anything else."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "avnnet").rglob("*.py"))
CEILING = 300
MOST_FILES = 25


@pytest.mark.parametrize("folder", ["avnnet", "tests", "benchmarks"])
def test_no_file_is_longer_than_the_ceiling(folder):
    lengths = {path: len(path.read_text().splitlines()) for path in (ROOT / folder).rglob("*.py")}
    assert {str(path): length for path, length in lengths.items() if length > CEILING} == {}


def test_no_package_has_more_files_than_can_be_looked_over():
    counts = Counter(path.parent for path in SOURCES)
    assert {str(package): count for package, count in counts.items() if count > MOST_FILES} == {}


def test_every_room_has_a_name():
    nameless = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [path for path in SOURCES if nameless & {path.stem, *path.parts}] == []


def test_the_package_checks_with_errors_and_not_with_assert():
    found = [p.name for p in SOURCES for node in ast.walk(ast.parse(p.read_text())) if isinstance(node, ast.Assert)]
    assert found == []


def test_import_avnnet_loads_neither_torch_nor_pandas():
    code = "import sys, avnnet; print([m for m in ('torch', 'pandas', 'numpy', 'monai') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["cases.compare", "cases.measure", "report", "data.folders", "stats"])
def test_tables_masks_and_reports_need_no_torch(module):
    code = f"import sys, avnnet.{module}; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_every_public_name_can_be_had():
    import avnnet

    for name in avnnet.__all__:
        assert getattr(avnnet, name) is not None
    assert set(avnnet.__all__) <= set(dir(avnnet))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = avnnet.nonsense


def test_every_public_quantity_has_a_unit():
    # numbers with a dimension that leave the library; shapes, counts and shares have none
    taken = re.compile("volume|area|distance|radius|depth|spacing|thickness|angle")
    given = re.compile(f"{taken.pattern}|length|width|phase|along")
    wrong = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                wrong += [f"{path.name}:{node.name}"] if given.fullmatch(node.name) else []
                wrong += [f"{path.name}:{node.name}({a.arg})" for a in node.args.args if taken.fullmatch(a.arg)]
    assert wrong == []


def test_the_changelog_and_the_citation_name_the_version():
    import avnnet

    assert f"## {avnnet.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"version: {avnnet.__version__}" in (ROOT / "CITATION.cff").read_text()


def test_no_docstring_begins_with_what_does_not_come_back():
    # a check says what it refuses
    wrong = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                wrong += [path.name] * (ast.get_docstring(node) or "").startswith(("Nothing, if", "None, "))
    assert wrong == []
