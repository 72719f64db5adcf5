"""Whatever page code, tests and docs cite is in the repository, and the section that they cite stands on it."""

import re
from pathlib import Path

import pytest
from markdown.extensions.toc import slugify

ROOT = Path(__file__).parents[1]
FOLDERS = {"avnnet": ("*.py",), "tests": ("*.py",), "benchmarks": ("*.py",), "docs": ("*.md", "*.ipynb")}
PAGE = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*[\w-]+\.md)(?:#([\w.-]*[\w-]))?")
# by avnnet beside its tables, by benchmarks, and by a test
WRITTEN = {"study_table.md", "differences.md", "costs.md", "cuda.md", "race.md", "page.md"}


def headings(page: Path) -> list[str]:
    """The anchors of a page, as the site gives them to its headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [slugify(re.sub(r"[`*]", "", title), "-") for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]


def citations() -> list[tuple[str, str, str]]:
    """File, page and section ("" for the whole page) of every citation."""
    found = []
    for folder, patterns in FOLDERS.items():
        for path in sorted(path for pattern in patterns for path in (ROOT / folder).rglob(pattern)):
            if path != Path(__file__):
                pages = PAGE.findall(path.read_text(encoding="utf-8"))
                found += [(path.relative_to(ROOT).as_posix(), *one) for one in pages if one[0] not in WRITTEN]
    return found


def unfounded(cited: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Citations of a page or a section that is not there."""
    missing = []
    for citing, page, section in cited:
        # from the root, from the folder of the file that cites it, or a page of docs by its name
        places = [ROOT / page, (ROOT / citing).parent / page, ROOT / "docs" / page]
        place = next((place for place in places if place.is_file()), None)
        is_object = page.startswith("api/")  # a name of the code, whose anchor the strict build checks
        if place is None or (section and not is_object and section not in headings(place)):
            missing.append((citing, page, section))
    return missing


def test_every_page_that_is_cited_is_in_the_repository_and_has_the_section():
    cited = citations()
    assert len([page for _, page, section in cited if page == "docs/sources.md" and section]) > 30
    assert unfounded(cited) == []


@pytest.mark.parametrize(
    ("page", "section"), [("docs/nowhere.md", ""), ("docs/sources.md", "no-such-section"), ("clinical.md", "")]
)
def test_a_citation_of_what_is_not_there_is_found(page, section):
    citation = ("avnnet/phantom/lesion.py", page, section)
    assert unfounded([citation]) == [citation]


def test_no_section_of_the_sources_has_the_name_of_another():
    found = headings(ROOT / "docs" / "sources.md")
    assert sorted(set(found)) == sorted(found)


def test_every_publication_in_the_sources_has_its_reference_and_a_link_to_it():
    body, references = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8").split("## References")
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+) \|$", references, re.MULTILINE)[1:])
    assert set(re.findall(r"\[([^\]]+)\](?!\()", body)) == set(rows)
    links = dict(re.findall(r"^\[([^\]]+)\]: (\S+)$", references, re.MULTILINE))
    assert set(links) == set(rows)
    assert [name for name, link in links.items() if link.removeprefix("https://doi.org/").startswith("10.")] == [
        name for name, row in rows.items() if " doi 10." in row
    ]
    assert [
        name for name, link in links.items() if link.startswith("https://doi.org/") and link[16:] not in rows[name]
    ] == []
