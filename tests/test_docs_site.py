"""The documentation site, built as `make docs` builds it: strictly, from the repository alone."""

import ast
import html
import importlib
import inspect
import os
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

import avnnet
from avnnet.choice import FileFormat, Plane, SignalMode, Size
from avnnet.labels import Side

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
LISTED = ["avnnet", "avnnet.report", *(f"avnnet.{name}" for name in avnnet._PACKAGES)]
ELSEWHERE = re.compile(r"\s*(https?:)?//")
CODE = re.compile(r"```.*?```", re.DOTALL)


class Loads(HTMLParser):
    """What a page loads by itself: every address in it but those that a reader must click."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("a", "form"):
            self.addresses += [v or "" for name, v in attrs if name in ("src", "href", "srcset", "data", "poster")]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the site and what the builder said."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    # not --quiet: it keeps the warnings from --strict too
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    silent = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return folder, subprocess.run(words, cwd=ROOT, env=silent, capture_output=True, text=True)


@pytest.fixture
def pages(built):
    folder, _ = built
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}


@pytest.fixture(scope="module")
def config():
    return yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


def documented(folder: Path) -> dict[str, str]:
    """Every documented object and its page, from the inventory."""
    packed = (folder / "objects.inv").read_bytes().split(b"zlib.\n", 1)[1]
    rows = [line.split(" ") for line in zlib.decompress(packed).decode().splitlines()]
    return {row[0]: row[3] for row in rows}


def public_names() -> list[str]:
    """The import paths of the public classes and functions of avnnet and its packages."""
    names = []
    for listed in LISTED:
        package = importlib.import_module(listed)
        objects = [getattr(package, name) for name in getattr(package, "__all__", [])]
        names += [f"{o.__module__}.{o.__qualname__}" for o in objects if inspect.isclass(o) or inspect.isfunction(o)]
    return sorted({*names, "avnnet.HIP"})


def files_of_nav(entry) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    return [file for part in parts for file in files_of_nav(part)]


def test_the_site_builds_without_a_warning(built):
    _, done = built
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("INFO ")]
    assert (done.returncode, said) == (0, [])


def test_every_public_class_and_function_stands_on_an_api_page(built):
    folder, _ = built
    found = documented(folder)
    assert [name for name in public_names() if not found.get(name, "").startswith("api/")] == []


def test_every_section_of_a_docstring_is_drawn_as_one(pages):
    api = {name: text for name, text in pages.items() if name.startswith("api/")}
    assert any("&gt;&gt;&gt;" in text for text in api.values())
    # under "Example:", which the parser does not know ("Examples:" it does), prompts are taken for quotations
    assert [name for name, text in api.items() if "<blockquote" in text] == []
    # a line with a colon and an indented line below it is taken for a section of its own
    kinds = {kind for text in api.values() for kind in re.findall(r'<details class="(\w+)', text)}
    assert kinds <= {"source", "shapes"}


def is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def test_what_a_function_returns_is_drawn_with_its_type(pages):
    # with a colon in its first line, what stands before it is taken for the type
    returns = re.compile(r">Returns:</span></p>.*?<code>(.*?)</code>", re.DOTALL)
    drawn = [html.unescape(re.sub("<.*?>", "", one)) for text in pages.values() for one in returns.findall(text)]
    assert len(drawn) > 20
    assert [one for one in drawn if not is_expression(one)] == []


def test_a_choice_shows_the_words_to_choose_from(pages):
    drawn = html.unescape(re.sub("<.*?>", "", pages["api/index.html"] + pages["api/phantom.html"]))
    text = " ".join(drawn.split())
    words = [word for choice in (Side, SignalMode, Plane, Size, FileFormat) for word in choice]
    assert [word for word in words if f'{word.name} – "{word}"' not in text] == []


def test_the_names_of_readers_stand_on_an_api_page_with_their_meaning(built, pages):
    folder, _ = built
    found = documented(folder)
    names = ["MANUAL", "SECOND", "AUTOMATIC", "MASK", "ENSEMBLE", "LOCATED", "RESERVED", "is_human", "humans"]
    places = {found.get(f"avnnet.readers.{name}", "").split("#")[0] for name in names}
    assert places == {"api/measure.html"}
    assert "Masks of which nobody says who made them." in pages["api/measure.html"]


def test_every_row_of_a_table_has_the_cells_of_its_header():
    # a bar within a cell would begin another one, and the last one would be lost
    wrong, tables = [], 0
    for path in DOCS.rglob("*.md"):
        lines = CODE.sub("", path.read_text(encoding="utf-8")).splitlines()
        cells = 0
        for above, line in zip(["", *lines], lines, strict=False):
            if line.startswith("|"):
                here = len(re.findall(r"(?<!\\)\|", line))
                cells, tables = (cells, tables) if above.startswith("|") else (here, tables + 1)
                wrong += [(path.name, line)] if here != cells else []
    assert tables > 60
    assert wrong == []


def test_no_page_loads_anything_from_the_network(built, pages):
    folder, _ = built
    found = []
    for name, text in pages.items():
        reader = Loads()
        reader.feed(text)
        found += [(name, address) for address in reader.addresses if ELSEWHERE.match(address)]
        # what the theme's script fetches from elsewhere: a diagram's library, a repository's stars
        found += [(name, word) for word in ('class="mermaid"', 'data-md-component="source"') if word in text]
    styles = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*.css")} | pages
    for name, text in styles.items():
        found += [(name, match[0]) for match in re.finditer(r"(url\(|@import)\s*[\"']?\s*(https?:)?//", text)]
    assert pages
    assert found == []


def test_every_page_stands_in_the_navigation_once(config):
    written = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    assert sorted(files_of_nav(config["nav"])) == written


def test_the_config_is_plain_enough_for_another_builder(config):
    # safe_load has read it, so it names no Python; a successor of the builder knows these two plugins
    assert [next(iter(p)) if isinstance(p, dict) else p for p in config["plugins"]] == ["search", "mkdocstrings"]
    assert "hooks" not in config


def test_no_page_names_a_place_of_this_machine(pages):
    assert [name for name, text in pages.items() if str(ROOT) in text or str(Path.home()) + "/" in text] == []
