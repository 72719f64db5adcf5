"""Numbers as people write them; what can be two numbers is refused."""

import numpy as np
import pandas as pd
import pytest

from avnnet.choice import Decimal
from avnnet.decimals import decimals_of, why_no_numbers, with_numbers


def german(number: float) -> str:
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


@pytest.mark.parametrize("write", [german, lambda x: f"{x:,.2f}", lambda x: f"{x:,.2f}".replace(",", "'"), repr])
def test_numbers_come_back_from_every_way_of_writing_them(write):
    numbers = np.round(np.random.default_rng(2).normal(size=200) * 10.0 ** np.arange(200).clip(0, 5), 2)
    cells = pd.DataFrame({"x": [write(float(one)) for one in numbers]})
    assert with_numbers(cells).table["x"].tolist() == numbers.tolist()


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1\u202f234,5", 1234.5), ("\u22123,25", -3.25), ("1,2E+03", 1200.0), ("0,912", 0.912), ("1234,567", 1234.567),
     (" 7 ", 7.0), ("1.234.567", 1234567.0), (",5", 0.5), ("inf", np.inf)],
)  # fmt: skip
def test_a_cell_that_can_be_one_number_only_is_that_number(cell, value):
    assert with_numbers(pd.DataFrame({"x": [cell]})).table["x"].tolist() == [value]


@pytest.mark.parametrize("cell", ["1,234", "12.345", "999,999", "-1,234"])
def test_a_cell_that_can_be_two_numbers_stays_text_until_somebody_says_which(cell):
    cells = pd.DataFrame({"x": [cell]}, index=[2])
    assert "in row 2 can be" in with_numbers(cells).unclear["x"]
    both = {with_numbers(cells, given).table["x"][2] for given in Decimal}
    assert len(both) == 2
    # another column shows that it has decimals, but never that it is a thousand
    sign = next(iter({",", "."} & set(cell)))
    same, opposite = f"10{sign}2", f"10{',.'.replace(sign, '')}2"
    value = float(cell.replace(",", "."))
    assert with_numbers(cells.assign(y=same)).table["x"].tolist() == [value]
    assert "x" in with_numbers(cells.assign(y=opposite)).unclear
    assert "x" in with_numbers(cells.assign(y=same, z=opposite)).unclear


def test_a_thousand_is_one_where_its_own_column_writes_thousands():
    assert with_numbers(pd.DataFrame({"x": ["1,234", "1,234.5"]})).table["x"].tolist() == [1234, 1234.5]
    assert with_numbers(pd.DataFrame({"x": ["1.234", "1.234.567"]})).table["x"].tolist() == [1234, 1234567]
    assert "can be 1.234 or 1234" in with_numbers(pd.DataFrame({"x": ["1,234", "10.5"]})).unclear["x"]


def test_between_commas_a_number_without_one_has_a_decimal_point():
    found = with_numbers(pd.DataFrame({"x": ["12.345"], "y": ["1,234"]}), is_english=True)
    assert found.table["x"].tolist() == [12.345]
    assert set(found.unclear) == {"y"}


def test_both_signs_in_one_column_are_refused_with_the_rows():
    found = with_numbers(pd.DataFrame({"x": ["1", "1.234,5", "1,234.5"]}, index=[2, 3, 5]))
    assert found.unclear["x"] == (
        "'1.234,5' in row 3 has a decimal comma, '1,234.5' in row 5 a decimal point; write both in one way"
    )


def test_the_word_of_the_user_is_not_bent():
    assert "is no number with a decimal point" in with_numbers(pd.DataFrame({"x": ["1,5"]}), Decimal.POINT).unclear["x"]


@pytest.mark.parametrize(
    "text", ["01.02.2026", "1.2.3", "1,2,3", "12,34,567", "--1", "1-2", "e5", ".", "P01", "1,5 cm"]
)
def test_dates_versions_lists_and_ids_are_no_numbers(text):
    assert decimals_of([text]) == set()


def test_codes_stay_text_and_so_does_an_empty_column():
    found = with_numbers(pd.DataFrame({"code": ["007", "12"], "empty": ["", " "], "n": ["1", ""]}))
    assert found.table["code"].tolist() == ["007", "12"]
    assert found.table["empty"].tolist() == ["", " "]
    assert found.table["n"].isna().tolist() == [False, True]
    assert found.unclear == {}


@pytest.mark.parametrize(
    ("cell", "is_shown"),
    [
        ("n/a", True),
        ("#DIV/0!", True),
        ("<0,5", True),
        ("Meier", False),
        ("Kim", False),
        ("01.02.1950", False),
        ("1/2/50", False),
        ("1950-2-1", False),
    ],
)
def test_a_word_among_numbers_is_quoted_only_where_it_can_be_nobodys_name_or_birthday(cell, is_shown):
    said = why_no_numbers(pd.Series(["1,5", cell], index=[2, 3]))
    assert said.startswith("row 3 holds")
    assert (cell in said) == is_shown
