"""What it takes in nnU-Net, MONAI and avnnet: lines of the files in docs/compared that a user writes, as a table.

Counted are lines that are neither blank nor a comment, after `ruff format` with lines of 120 characters. The table in
docs/ablation_compared.md is what this prints.

Run: python benchmarks/lines_to_extend.py
"""

from pathlib import Path

COMPARED = Path(__file__).parents[1] / "docs" / "compared"
TOOLS = {"nnunet": "nnU-Net 2.8.1", "monai": "MONAI 1.6", "avnnet": "avnnet"}
TASKS = {
    "base": "a training, before anything is changed",
    "block": "a new block",
    "network": "a new network",
    "monai_network": "a network of MONAI's",
    "loss": "a new loss",
    "augmentation": "a new augmentation",
    "normalisation": "an own normalisation",
    "sampler": "an own sampler",
    "ablation": "three variants, the same 5 folds, 3 seeds, a table with intervals",
    "loading": "the trained model of an own class, used elsewhere",
}


def main() -> None:
    print(table())


def table(folder: Path = COMPARED) -> str:
    """Markdown: a row per task, a column per tool, and in a cell the lines of each file with a link to it."""
    tasks = {name: words for name, words in TASKS.items() if (folder / name).is_dir()}
    rows = [[words, *(_cell(folder, name, tool) for tool in TOOLS)] for name, words in tasks.items()]
    lines = [["", *TOOLS.values()], ["---"] * (1 + len(TOOLS)), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def counted(text: str) -> int:
    """Lines that are neither blank nor a comment.

    >>> counted("# a comment\\n\\nx = 1  # one\\n")
    1
    """
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in text.splitlines())


def _cell(folder: Path, task: str, tool: str) -> str:
    files = sorted((folder / task / tool).glob("*.*"))
    lines = {path: counted(path.read_text(encoding="utf-8")) for path in files}
    links = [f"[{n}]({path.relative_to(folder.parent).as_posix()})" for path, n in lines.items()]
    if len(links) < 2:
        return "".join(links) or "0"
    return f"{sum(lines.values())} = {' + '.join(links)}"


if __name__ == "__main__":
    main()
