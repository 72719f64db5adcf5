"""The tables in the docs that are made from the code."""

from pathlib import Path

import pytest

from avnnet.columns import QUANTITIES
from avnnet.errors import MissingFile
from avnnet.flags import Flag
from avnnet.report.pages import BLOCKS, generated, table_of, write_pages

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.stem)
def test_the_committed_page_is_the_one_that_the_code_makes(path):
    page = path.read_text(encoding="utf-8")
    assert generated(page) == page


def test_every_block_stands_on_exactly_one_page():
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    assert {name: text.count(f"<!-- generated: {name} -->") for name in BLOCKS} == dict.fromkeys(BLOCKS, 1)


def test_every_flag_has_one_row_in_the_docs_and_every_quantity_at_least_one():
    rows = [line for path in DOCS.rglob("*.md") for line in path.read_text(encoding="utf-8").splitlines()]
    starts = [line.split(" | ")[0] for line in rows if line.startswith("| `")]
    assert {flag: starts.count(f"| `{flag}`") for flag in Flag} == dict.fromkeys(Flag, 1)
    assert {f"| `{one.name}`" for one in QUANTITIES} <= set(starts)


def test_a_page_is_written_once_and_then_left_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A\n\n<!-- generated: flags -->\nSTALE\n<!-- end -->\n\nafter\n", encoding="utf-8")
    assert write_pages(tmp_path) == [page]
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# A\n")
    assert text.endswith("<!-- end -->\n\nafter\n")
    assert "STALE" not in text
    assert write_pages(tmp_path) == []


def test_a_folder_without_pages_is_refused(tmp_path):
    with pytest.raises(MissingFile, match="Markdown"):
        write_pages(tmp_path)


def test_a_table_has_a_line_per_row_and_as_many_cells_in_each():
    lines = table_of(["a", "b"], [["1", "2"], ["3", ""]]).splitlines()
    assert [line.count("|") for line in lines] == [3, 3, 3, 3]
