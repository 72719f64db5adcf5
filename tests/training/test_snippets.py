"""The Python of README and docs, run as it stands beside a finished study."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def snippets(page: Path) -> str:
    """All Python blocks of a page, one after the other, as a reader would type them."""
    return "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page)], ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(page, finished, hips, tmp_path, monkeypatch):
    study, _ = finished
    (tmp_path / "runs" / "demo").mkdir(parents=True)
    (tmp_path / "runs" / "demo" / "study").symlink_to(study.out)
    (tmp_path / "runs" / "demo" / "hips").symlink_to(hips.parent)
    (tmp_path / "runs" / "laptop-unet3d-fold0").symlink_to(study.out / "fold0" / "unet3d")
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "__main__"}
    exec(compile(snippets(page), page.name, "exec"), names)
    assert "model" in names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_in_a_page_is_one_that_the_program_has(page):
    from avnnet.cli import parser

    commands = parser()._subparsers._group_actions[0].choices
    blocks = "\n".join(re.findall(r"```\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    assert set(re.findall(r"^avnnet (\w+)", blocks, re.MULTILINE)) <= set(commands)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_and_config_in_a_page_exists(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    configs = re.findall(r"experiments/\w+/\w+\.yaml", text)
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing + [config for config in configs if not (ROOT / config).exists()] == []
