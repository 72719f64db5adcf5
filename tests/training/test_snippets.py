"""The Python of README and docs, run as it stands beside a finished study."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from avnnet.data.cohort import read_cohort
from avnnet.phantom import CohortPlan, Size, usual, write_cohort

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NUMBERS = [ROOT / "docs" / name for name in ("what_the_numbers_mean.md", "measurements.md")]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).with_suffix("").as_posix()


def snippets(page: Path) -> str:
    """All Python blocks of a page, one after the other, as a reader would type them."""
    return "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page)], ids=name_of)
def test_the_python_of_a_page_runs(page, finished, hips, tmp_path, monkeypatch, request):
    study, _ = finished
    (tmp_path / "runs" / "demo").mkdir(parents=True)
    (tmp_path / "runs" / "demo" / "study").symlink_to(study.out)
    (tmp_path / "runs" / "demo" / "hips").symlink_to(hips.parent)
    (tmp_path / "runs" / "laptop-unet3d-gated-fold0").symlink_to(study.out / "fold0" / "unet3d")
    if "runs/ablation" in snippets(page):
        (tmp_path / "runs" / "ablation").symlink_to(request.getfixturevalue("ablated") / "runs" / "ablation")
    (tmp_path / "runs" / "laptop-unet3d-normalised-fold0").symlink_to(study.out / "fold0" / "unet3d")
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "__main__"}
    exec(compile(snippets(page), page.name, "exec"), names)
    assert {"model", "truth", "row", "panel", "plan", "loss"} & set(names)  # what the pages come to


def commands(page: Path) -> list[list[str]]:
    """The words behind `avnnet` of every command in a page's shell blocks."""
    blocks = "\n".join(re.findall(r"```\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    lines = re.findall(r"^avnnet .*$", blocks.replace("\\\n", " "), re.MULTILINE)
    return [shlex.split(line, comments=True)[1:] for line in lines]


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=name_of)
def test_every_command_in_a_page_is_one_that_the_program_takes(page, capsys):
    from avnnet.cli import parser

    refused = []
    for words in commands(page):
        try:
            parser().parse_args(words)
        except SystemExit as stop:
            refused += [words] if stop.code else []
    assert (refused, capsys.readouterr().err) == ([], "")


def test_every_column_and_flag_that_a_study_writes_is_explained(finished):
    study, _ = finished
    explained = {word for page in NUMBERS for word in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))}
    tables = [*study.out.glob("*.csv"), *study.out.glob("tables/*.csv"), *study.out.glob("fold0/*/metrics.csv")]
    columns = {name for path in tables for name in pd.read_csv(path, nrows=0).columns}
    flags = set(" ".join(pd.read_csv(study.out / "measurements.csv")["flags"].dropna()).split())
    assert len(tables) >= 8
    # NAME_ci_low and NAME_ci_high are explained once, for every NAME
    names = {re.sub(r"_ci_(low|high)$", "", column) for column in columns}
    assert (names | flags) - explained == set()


def test_the_click_in_the_first_hour_is_that_of_the_demos_first_hip(tmp_path):
    demo = CohortPlan(patients=1, acquisition=usual(Size.LAPTOP), other_hip_every=0)
    hip = read_cohort(write_cohort(demo, tmp_path / "hips")).cases[0]
    x, y, z = hip.centre_mm
    page = (ROOT / "docs" / "first_hour.md").read_text(encoding="utf-8")
    assert f"--centre={x:.2f},{y:.2f},{z:.2f} --side {hip.side}" in page


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_and_config_in_a_page_exists(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    configs = re.findall(r"experiments/\w+/\w+\.yaml", text)
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing + [config for config in configs if not (ROOT / config).exists()] == []
