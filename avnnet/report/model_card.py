"""The card of a model: what it is for, what it was made from and how good it was found, for whoever is handed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from avnnet.atomic import write_text_atomically
from avnnet.record import StudyRecord
from avnnet.report.formats import as_markdown
from avnnet.report.study_words import dice_printed
from avnnet.report.template import rendered
from avnnet.report.wording import number, printable, records
from avnnet.tables import read_table

CARD = "README.md"
COSTS = "costs.csv"


@dataclass(frozen=True, eq=False)
class ModelFacts:
    """What a card says of the model folder itself.

    Args:
        sha256: names the model.
        networks: a row per configuration: network, n_networks, parameters, mebibytes, voxels, gflop, seconds.
        machine: on which the seconds were measured.
        spacing_mm: `(z, y, x)` that a network sees an image at, by its name.
        channels: of an image.
        n_images: that a network was trained on.
        has_locator: whether heads are found without a centre.
        cleaning: what is taken away from masks.
        fast: the networks of `--fast` in a line; empty where there are none.
    """

    sha256: str
    networks: pd.DataFrame
    machine: str
    spacing_mm: Mapping[str, tuple[float, ...]]
    channels: int
    n_images: int
    has_locator: bool = False
    cleaning: tuple[str, ...] = ()
    fast: str = ""


def model_card(record: StudyRecord, dice: pd.DataFrame | None, facts: ModelFacts) -> str:
    """The text of a card, Markdown. It names no case, no path and no patient.

    Args:
        record: of the study that trained the model.
        dice: `tables/dice.csv` of the study; None where nothing was compared.
        facts: of the model folder.

    Source: Mitchell M et al. FAT* 2019:220-229 (the sections), in the order of Hugging Face's annotated template.

    Examples:
        >>> row = ["unet3d", 5, 4_600_000, 17.5, "80 x 160 x 160", 160.0, 3.2]
        >>> columns = ["network", "n_networks", "parameters", "mebibytes", "voxels", "gflop", "seconds"]
        >>> facts = ModelFacts("ab12", pd.DataFrame([row], columns=columns), "x86", {"unet3d": (1.0, 0.5, 0.5)}, 1, 40)
        >>> text = model_card(StudyRecord(title="5-fold cross-validation", digital=True), None, facts)
        >>> [line for line in text.splitlines() if line.startswith("## ")][:3], "digital hips" in text
        (['## Details', '## Uses', '## Out of scope'], True)
    """
    header = ["network", "number", "parameters", "MiB each", "sees (voxels z x y x x)", "at (mm)", "GFLOP", "seconds"]
    rows = []
    for row in records(facts.networks):
        spacing = " x ".join(number(value, 2) for value in facts.spacing_mm[row["network"]])
        cells = [
            printable(row["network"]),
            str(row["n_networks"]),
            f"{row['parameters']:,}",
            number(row["mebibytes"], 1),
        ]
        rows.append([*cells, row["voxels"], spacing, number(row["gflop"], 1), number(row["seconds"], 2)])
    results = None if dice is None or dice.empty else dice_printed(dice)
    scheme = record.scheme
    content = {
        "title": printable(record.title or "A trained ensemble", 120),
        "facts": facts,
        "networks": as_markdown(header, rows),
        "results": "" if results is None else as_markdown(results.header, results.rows),
        "reading": "" if results is None else results.note,
        "labels": ", ".join(f"{index} {name}" for index, name in scheme.names.items()) if scheme else "not known",
        "whole": scheme.whole if scheme else "",
        "part": scheme.part if scheme else "",
        "digital": record.digital,
        "folds": record.folds,
        "finished": record.finished[:10],
        "avnnet": version("avnnet"),
        "versions": ", ".join(f"{name} {one}" for name, one in record.versions.items()),
    }
    return rendered("model_card.j2", content)


def is_card_of(folder: Path, sha256: str) -> bool:
    """Whether a model folder has a card that tells of a model.

    Args:
        folder: of the model.
        sha256: names the model.

    Examples:
        >>> from tempfile import mkdtemp
        >>> folder = Path(mkdtemp())
        >>> _ = (folder / CARD).write_text("Model ab12, made with ...")
        >>> is_card_of(folder, "ab12"), is_card_of(folder, "cd34")
        (True, False)
    """
    path = folder / CARD
    return path.is_file() and sha256 in path.read_text(encoding="utf-8", errors="replace")


def write_model_card(study: Path, folder: Path, facts: ModelFacts) -> Path:
    """The path of the card, README.md of the model folder.

    Args:
        study: folder with `study.json` and, where masks were compared, `tables/dice.csv`.
        folder: of the model.
        facts: of the model.
    """
    dice = study / "tables" / "dice.csv"
    table = read_table(dice) if dice.is_file() else None
    return write_text_atomically(folder / CARD, model_card(StudyRecord.read(study), table, facts))
