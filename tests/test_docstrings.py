"""Every number has its source or an example that runs: the docstrings, counted.

What counts is a public function, or a public method of a public class, that returns something, but for

- the command line, drawings, progress and the formats of files (`ELSEWHERE`), and whatever takes or gives a `Path`;
- properties of one line, context managers, and methods of a protocol, which have no body;
- what hands over a figure, a machine of torch or Lightning, or a table put into words (`NO_QUANTITY`).

What is asked is an example or a `Source` in its docstring. An example of its class that calls the method is as good.
"""

import ast
import doctest
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
ELSEWHERE = ("cli", "plots", "atomic", "progress", "data.dicom", "data.files")
NO_QUANTITY = ("Path", "Figure", "AbstractContextManager", "DataLoader", "LambdaLR", "PrintedTable")
FLOOR_PERCENT = 85


class Told(NamedTuple):
    """A computing function, and whether a docstring shows it at work or names its source."""

    name: str
    is_told: bool


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def computes(function: ast.FunctionDef) -> bool:
    """Whether the function gives something that it has worked out from what it was given."""
    given = ast.unparse(function.returns) if function.returns else "None"
    decorators = {ast.unparse(d).split(".")[-1] for d in function.decorator_list}
    arguments = [node for node in ast.walk(function.args) if isinstance(node, ast.arg)]
    taken = [ast.unparse(a.annotation) for a in arguments if a.annotation]
    body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return not (
        function.name.startswith("_")
        or given in ("None", "NoReturn")
        or any(word in given for word in NO_QUANTITY)
        or any("Path" in word for word in taken)
        or not body
        or (len(body) == 1 and decorators & {"property", "cached_property"})
        or "contextmanager" in decorators
    )


def is_source(docstring: str) -> bool:
    return re.search(r"\bSources?:\s*\S", docstring) is not None


def is_told(function: ast.FunctionDef, owner: ast.ClassDef | None) -> bool:
    own = ast.get_docstring(function) or ""
    of_class = [e.source for e in doctest.DocTestParser().get_examples(ast.get_docstring(owner) or "")] if owner else []
    return (
        bool(doctest.DocTestParser().get_examples(own))
        or is_source(own)
        or any(re.search(rf"\.{function.name}\b", line) for line in of_class)
    )


def told() -> Iterator[Told]:
    for path in sorted((ROOT / "avnnet").rglob("*.py")):
        module = module_of(path)
        if any(module == f"avnnet.{room}" or module.startswith(f"avnnet.{room}.") for room in ELSEWHERE):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            owner = node if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else None
            for function in owner.body if owner else [node]:
                if isinstance(function, ast.FunctionDef) and computes(function):
                    name = ".".join([module, *([owner.name] if owner else []), function.name])
                    yield Told(name, is_told(function, owner))


@pytest.fixture(scope="module")
def functions() -> list[Told]:
    return list(told())


def run_by_doctest(module: str) -> set[str]:
    """The names whose examples doctest collects: those of a cached property, say, it leaves out in silence."""
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module))
    return {test.name for test in found if any(not e.options.get(doctest.SKIP) for e in test.examples)}


def with_prompts(path: Path) -> set[str]:
    """The full names of all that has a prompt in its docstring, public or not."""
    found = set()

    def look(node: ast.AST, name: str) -> None:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            if ">>>" in (ast.get_docstring(node) or ""):
                found.add(name)
            for child in node.body:
                look(child, f"{name}.{getattr(child, 'name', '')}")

    look(ast.parse(path.read_text(encoding="utf-8")), module_of(path))
    return found


def test_most_functions_that_compute_something_have_a_source_or_an_example(functions):
    without = [f.name for f in functions if not f.is_told]
    percent = 100 * (1 - len(without) / len(functions))
    print(f"{percent:.1f} % of {len(functions)}; without:", *without, sep="\n")
    assert percent >= FLOOR_PERCENT


def test_the_counter_sees_what_it_should(functions):
    names = {f.name: f.is_told for f in functions}
    assert names["avnnet.stats.proportions.wilson_interval"]  # an example
    assert names["avnnet.stats.paired.cohen_dz"]  # a source
    assert "avnnet.grid.Grid.voxel_mm3" not in names  # a property of one line
    assert "avnnet.data.splits.write_folds" not in names  # gives nothing
    assert "avnnet.data.cohort.read_cohort" not in names  # a file
    untold = ast.parse("def doubled_mm(length_mm: float) -> float:\n    'Twice.'\n    return 2 * length_mm").body[0]
    assert computes(untold)
    assert not is_told(untold, None)


def test_every_example_is_run_by_the_test_suite():
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert "--doctest-modules" in options["addopts"].split()
    assert "avnnet" in options["testpaths"]
    shown = {name: path for path in (ROOT / "avnnet").rglob("*.py") for name in with_prompts(path)}
    assert len(shown) > 80
    run = {name for module in {module_of(path) for path in shown.values()} for name in run_by_doctest(module)}
    assert sorted(set(shown) - run) == []


def test_prompts_stand_under_the_heading_that_the_site_draws():
    wrong = []
    for path in (ROOT / "avnnet").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                text = ast.get_docstring(node) or ""
                if ">>>" in text and "Examples:" not in text.split(">>>")[0]:
                    wrong.append(f"{path.name}:{getattr(node, 'name', '')}")
    assert wrong == []
