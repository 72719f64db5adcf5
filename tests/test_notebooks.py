"""The notebooks of docs/, run in a copy of their place in a clone, as a newcomer runs them."""

import re
from pathlib import Path

import nbformat
import pytest
from nbmake.nb_run import NotebookRun

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
PATIENCE_S = 1200  # for a cell, on a machine that does other things too
SHARED = ROOT.parent / "shared"  # data beside the repository, which are not part of it

# the quick run takes the first study alone, with fewer hips and a shorter training but the same code in every cell
SHORTER = {
    "first_study": {
        "patients=12": "patients=4",
        "(40, 96, 96), (2.5, 1.75, 1.75)": "(32, 60, 56), (3.2, 2.8, 3.0)",
        "per_epoch=12": "per_epoch=3",
        "max_epochs=4": "max_epochs=2",
    },
}
NEEDED = {"ablation": SHARED / "data" / "hippocampus" / "imagesTr"}


def marks_of(path: Path) -> list[pytest.MarkDecorator]:
    needed = NEEDED.get(path.stem, ROOT)
    return [pytest.mark.skipif(not needed.exists(), reason=f"no {needed.relative_to(ROOT.parent)} beside the clone")]


RUNS = [
    *[
        pytest.param((path, SHORTER[path.stem]), id=path.stem, marks=marks_of(path))
        for path in NOTEBOOKS
        if path.stem in SHORTER
    ],
    *[
        pytest.param((path, {}), id=f"{path.stem} as it stands", marks=[pytest.mark.slow, *marks_of(path)])
        for path in NOTEBOOKS
    ],
]

each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module", params=RUNS)
def done(request, tmp_path_factory):
    """What a run of a notebook gave, and the clone that it ran in."""
    clone = tmp_path_factory.mktemp("beside") / "clone"
    clone.mkdir()
    (clone.parent / "shared").symlink_to(SHARED)
    (clone / "experiments").symlink_to(ROOT / "experiments")
    (clone / "docs" / "notebooks").mkdir(parents=True)
    notebook, shorter = request.param
    text = notebook.read_text(encoding="utf-8")
    for written, instead in shorter.items():
        assert text.count(written) == 1
        text = text.replace(written, instead)
    copy = clone / "docs" / "notebooks" / notebook.name
    copy.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path_factory.mktemp("jupyter")))
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        return NotebookRun(copy, PATIENCE_S, kernel="python3").execute(), clone


def outputs(result) -> list:
    return [output for cell in result.nb.cells if cell.cell_type == "code" for output in cell.outputs]


def test_a_notebook_runs_from_top_to_bottom(done):
    result, _ = done
    assert result.error is None, result.error.trace


def test_every_figure_of_a_notebook_is_seen(done):
    results = [output.data for output in outputs(done[0]) if output.output_type == "execute_result"]
    assert any("image/png" in data for data in results)
    assert [d["text/plain"] for d in results if d["text/plain"].startswith(("<Figure", "<Axes")) and len(d) == 1] == []


def test_a_notebook_warns_of_nothing(done):
    assert [o.text for o in outputs(done[0]) if o.output_type == "stream" and o.name == "stderr"] == []


def test_a_notebook_says_that_its_figures_are_not_clinical(done):
    text = done[0].nb.cells[0].source
    assert "digital" in text or "imagesTr" in str(done[0].nb.cells[1].source)
    assert "research use only" in text


def test_a_notebook_writes_to_the_runs_folder_of_its_clone_alone(done):
    result, clone = done
    written = {path.relative_to(clone).parts[0] for path in clone.rglob("*") if path.is_file()}
    assert written == {"docs", "runs"}
    assert len([path for path in (clone / "docs").rglob("*") if path.is_file()]) == 1
    assert str(clone) not in str(outputs(result))


@each_notebook
def test_a_committed_notebook_holds_no_outputs(notebook):
    content = nbformat.read(notebook, as_version=4)
    nbformat.validate(content)
    cells = [cell for cell in content.cells if cell.cell_type == "code"]
    assert [cell.id for cell in cells if cell.outputs or cell.execution_count is not None or cell.metadata] == []
    assert content.metadata.language_info == {"name": "python"}


@each_notebook
def test_what_a_notebook_imports_of_avnnet_can_be_had(notebook):
    content = nbformat.read(notebook, as_version=4)
    lines = [line for cell in content.cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    imports = [line for line in lines if re.match(r"(from|import) avnnet", line)]
    assert imports
    exec("\n".join(imports), {})


def test_a_notebook_whose_data_are_missing_says_where_they_are_to_be_had(tmp_path, monkeypatch):
    content = nbformat.read(ROOT / "docs" / "notebooks" / "ablation.ipynb", as_version=4)
    first = next(cell for cell in content.cells if cell.cell_type == "code")
    (tmp_path / "clone" / "experiments").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "clone")
    with pytest.raises(
        FileNotFoundError, match=r"no imagesTr in .*Task04_Hippocampus.tar from medicaldecathlon.com.*set DATA"
    ):
        exec(compile(first.source, "first cell", "exec"), {})
