"""Every fault that a test names by its code has a row in docs/faults.md, and every row has a test or says why not."""

import re
from pathlib import Path

from avnnet import errors
from avnnet.flags import Flag

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "faults.md").read_text(encoding="utf-8")
# code: what is wrong, outcome, test
ROWS = {row[0]: row[1:] for row in re.findall(r"^\| ([A-Z]\d+) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)}


def codes_by_file() -> dict[str, set[str]]:
    """The codes in the names of tests, by file."""
    found = {}
    for path in TESTS.rglob("test_*.py"):
        names = re.findall(r"def test_((?:[a-z]\d+_)+)", path.read_text(encoding="utf-8"))
        found[path.relative_to(TESTS).as_posix()] = {code.upper() for name in names for code in name.split("_")[:-1]}
    return found


def files_of(code: str) -> list[str]:
    return re.findall(r"`([\w/]+\.py)`", ROWS[code][2])


def test_every_row_of_the_page_is_read_and_no_code_stands_twice():
    assert len(ROWS) > 100
    assert len(re.findall(r"^\| [A-Z]\d+ \|", PAGE, re.MULTILINE)) == len(ROWS)


def test_every_code_in_the_name_of_a_test_has_a_row_that_names_the_file():
    named = [(code, file) for file, codes in codes_by_file().items() for code in codes]
    assert [(code, file) for code, file in named if code not in ROWS or file not in files_of(code)] == []


def test_every_row_names_files_with_tests_of_its_code_or_says_why_there_are_none():
    codes = codes_by_file()
    wrong = []
    for code, (_, _, tests) in ROWS.items():
        has_none = re.match(r"none( by code)?: .+", tests) is not None
        is_tested = bool(files_of(code)) and all(code in codes.get(file, ()) for file in files_of(code))
        if has_none == is_tested or not set(files_of(code)) <= set(codes):
            wrong.append(code)
    assert wrong == []


def test_every_outcome_names_errors_and_flags_that_there_are():
    words = [(code, word) for code, row in ROWS.items() for word in re.findall(r"`([A-Za-z]\w+)`", row[1])]
    assert len(words) > 60
    assert [one for one in words if not hasattr(errors, one[1]) and one[1] not in set(map(str, Flag))] == []


def test_every_row_that_code_tests_and_docs_cite_is_there():
    root = TESTS.parent
    cited = []
    for path in [*TESTS.rglob("*.py"), *(root / "avnnet").rglob("*.py"), *(root / "docs").glob("*.md")]:
        for words in re.findall(r"\b[Rr]ows? ((?:[A-Z]\d+(?:, | to | and )?)+)", path.read_text(encoding="utf-8")):
            cited += [(code, path.name) for code in re.findall(r"[A-Z]\d+", words)]
    assert len(cited) > 20
    assert [one for one in cited if one[0] not in ROWS] == []
