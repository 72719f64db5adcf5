"""Printed tables as Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "±": r"$\pm$", "³": "$^3$", "²": "$^2$",
    "∞": r"$\infty$", "°": r"$^\circ$", "<": "$<$", ">": "$>$",
}  # fmt: skip


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in GitHub's Markdown.

    Args:
        header: names of the columns.
        rows: cells of text.

    Examples:
        >>> print(as_markdown(["a"], [["1 | 2"]]), end="")
        | a |
        |---|
        | 1 \\| 2 |
    """

    def line(cells: Sequence[str]) -> str:
        safe = (cell.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;") for cell in cells)
        return f"| {' | '.join(safe)} |"

    return "\n".join([line(header), "|" + "---|" * len(header), *map(line, rows)]) + "\n"


def as_latex(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A `tabular` of booktabs, text escaped.

    Args:
        header: names of the columns.
        rows: cells of text.

    Examples:
        >>> print(as_latex(["p"], [["50 %"]]), end="")
        \\begin{tabular}{l}
        \\toprule
        p \\\\
        \\midrule
        50 \\% \\\\
        \\bottomrule
        \\end{tabular}
    """

    def line(cells: Sequence[str]) -> str:
        return " & ".join("".join(LATEX.get(c, c) for c in cell) for cell in cells) + r" \\"

    first = [rf"\begin{{tabular}}{{{'l' * len(header)}}}", r"\toprule", line(header), r"\midrule"]
    return "\n".join([*first, *map(line, rows), r"\bottomrule", r"\end{tabular}"]) + "\n"
