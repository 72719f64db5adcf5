"""The tables of the documentation that are made from the code: `python -m avnnet.report.pages docs`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from avnnet.atomic import write_text_atomically
from avnnet.columns import SECTIONS
from avnnet.errors import MissingFile
from avnnet.flags import Flag
from avnnet.metrics.catalogue import METRICS, SUMMARISED

BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

PIPE = r"\|"

FINITE = (
    "mean and SD over the cases with a finite distance; median over all defined distances, with infinity ranked worst: "
    "a network cannot score better by missing a structure"
)


def table_of(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table.

    Args:
        header: the names of its columns.
        rows: cells, in Markdown; a `|` within one is escaped.

    Examples:
        >>> print(table_of(["Flag", "Meaning"], [["`holes`", "the head has holes"]]), end="")
        | Flag | Meaning |
        |---|---|
        | `holes` | the head has holes |
        >>> print(table_of(["Formula"], [["|p| / R"]]), end="")
        | Formula |
        |---|
        | \\|p\\| / R |
    """
    lines = [f"| {' | '.join(cell.replace('|', PIPE) for cell in cells)} |" for cells in (header, *rows)]
    return "\n".join([lines[0], "|---" * len(header) + "|", *lines[1:], ""])


def flags_table() -> str:
    """Every flag, what it says and what to do."""
    return table_of(["Flag", "Meaning", "What to do"], [[f"`{one}`", one.meaning, one.advice] for one in Flag])


def quantities_tables() -> str:
    """Every quantity of a hip with its meaning, formula and source, in sections."""
    header = ["Column", "Meaning", "Formula", "Source"]
    parts = []
    for title, section in SECTIONS.items():
        rows = [[f"`{one.name}`", one.meaning, one.formula, one.source] for one in section]
        parts.append(f"## {title}\n\n{table_of(header, rows)}")
    return "\n".join(parts)


def metrics_table() -> str:
    """The columns of `agreement.csv` that hold metrics."""
    better = {True: "more", False: "less"}
    rows = [[f"`{one.name}`", one.meaning, one.unit, better[one.is_higher_better]] for one in METRICS]
    return table_of(["Column", "Meaning", "Unit", "Better is"], rows)


def summary_table() -> str:
    """The columns of `dice.csv` that hold metrics."""
    rows = []
    for one in SUMMARISED:
        columns = ", ".join(f"`{one.name}_{name}`" for name in ("mean", "sd", "median"))
        rows.append([columns, FINITE if one.is_distance else "over the n cases"])
    return table_of(["Column", "Meaning"], rows)


BLOCKS = {"flags": flags_table, "quantities": quantities_tables, "metrics": metrics_table, "summary": summary_table}


def generated(page: str) -> str:
    """A page with every block between `<!-- generated: NAME -->` and `<!-- end -->` as the code has it now.

    Args:
        page: in Markdown.

    Raises:
        KeyError: if a block has a name that is none of `BLOCKS`.

    Examples:
        >>> page = "Read on. <!-- generated: flags -->" + chr(10) + "old" + chr(10) + "<!-- end -->"
        >>> "`holes`" in generated(page), generated(generated(page)) == generated(page)
        (True, True)
    """
    return BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n{found[3]}", page)


def write_pages(folder: Path) -> list[Path]:
    """The pages of a folder whose blocks were not up to date, written anew.

    Args:
        folder: with Markdown pages.

    Raises:
        MissingFile: if there is no page in it.
    """
    pages = sorted(folder.rglob("*.md"))
    if not pages:
        raise MissingFile(f"no Markdown pages in {folder.name}; give the folder docs")
    changed = []
    for path in pages:
        text = path.read_text(encoding="utf-8")
        if (now := generated(text)) != text:
            changed.append(write_text_atomically(path, now))
    return changed


if __name__ == "__main__":
    for one in write_pages(Path(sys.argv[1] if len(sys.argv) > 1 else "docs")):
        print(one)
