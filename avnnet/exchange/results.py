"""nnU-Net's results folder as it lies on the disk: `plans.json`, `dataset.json`, and a checkpoint per fold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avnnet.errors import InvalidRecipe, InvalidResults, MissingFile, NotCarried
from avnnet.exchange.words import BACKGROUND, IGNORE
from avnnet.labels import LabelScheme
from avnnet.recipe import parse

MAX_JSON_BYTES = 16 << 20
CONFIGURATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
PLAN_KEYS = ("dataset_name", "transpose_forward", "configurations", "foreground_intensity_properties_per_channel")
CONFIGURATION_KEYS = ("patch_size", "spacing", "normalization_schemes", "use_mask_for_norm", "architecture")


@dataclass(frozen=True, eq=False)
class Results:
    """What stands in a results folder.

    Args:
        folder: of one configuration: nnUNetTrainer__nnUNetPlans__3d_fullres.
        plans: the content of `plans.json`.
        dataset: the content of `dataset.json`.
        checkpoints: the folds' files, in the order of the folds.
    """

    folder: Path
    plans: Mapping[str, Any]
    dataset: Mapping[str, Any]
    checkpoints: Sequence[Path]

    @property
    def channels(self) -> int:
        """How many channels an image has."""
        names = self.dataset.get("channel_names", self.dataset.get("modality"))
        if not isinstance(names, Mapping) or not names:
            raise InvalidResults("dataset.json lacks channel_names; copy it again")
        return len(names)

    def configuration(self, name: str) -> dict[str, Any]:
        """A configuration of the plans, with what it inherits.

        Args:
            name: as a checkpoint has it.

        Raises:
            InvalidResults: if the plans lack it or one of its keys.
            NotCarried: if it is a part of a cascade, or of low resolution.

        Examples:
            >>> found = dict.fromkeys(CONFIGURATION_KEYS, 1)
            >>> plans = {"configurations": {"2d": found, "2d_wide": {"inherits_from": "2d", "spacing": 2}}}
            >>> Results(Path(), plans, {}, []).configuration("2d_wide")["spacing"]
            2
        """
        known = self.plans["configurations"]
        found: dict[str, Any] = {}
        at: Any = name
        for _ in range(len(known) + 1):
            if not isinstance(at, str) or not CONFIGURATION.fullmatch(at) or not isinstance(known.get(at), Mapping):
                raise InvalidResults(f"plans.json has no configuration {str(at)[:80]!r}; it has {sorted(known)[:8]}")
            found = {**known[at], **found}
            at = known[at].get("inherits_from")
            if at is None:
                break
        else:
            raise InvalidResults(f"the configuration {name} of plans.json inherits from itself; copy it again")
        if found.get("previous_stage") or found.get("next_stage") or "lowres" in name:
            raise NotCarried(
                f"{name} is a stage of nnU-Net's cascade, and avnnet has none; train and import 3d_fullres or 2d"
            )
        lacking = [key for key in CONFIGURATION_KEYS if key not in found]
        if lacking:
            raise InvalidResults(
                f"the configuration {name} of plans.json lacks {', '.join(lacking)}, which nnU-Net writes since "
                "version 2.4; open the results with a newer nnU-Net and plan again"
            )
        return found


def read_results(folder: str | Path, checkpoint: str = "checkpoint_final.pth") -> Results:
    """What stands in a results folder; no checkpoint is opened.

    Args:
        folder: of one configuration, or of a data set that has one.
        checkpoint: the name of the folds' files.

    Raises:
        MissingFile: if there is none, or no fold in it.
        InvalidResults: if a file is damaged, of another version, or lacks a key.
    """
    folder = _of_one_configuration(Path(folder))
    plans, dataset = _json(folder / "plans.json", PLAN_KEYS), _json(folder / "dataset.json", ("labels",))
    if not isinstance(plans["configurations"], Mapping):
        raise InvalidResults("configurations of plans.json are names with what they hold; copy it again")
    folds = sorted(folder.glob(f"fold_*/{checkpoint}"))
    numbered = [path for path in folds if path.parent.name.removeprefix("fold_").isdecimal()]
    numbered.sort(key=lambda path: int(path.parent.name.removeprefix("fold_")))
    found = numbered or folds  # fold_all, where there is nothing else
    if not found:
        others = sorted({path.name for path in folder.glob("fold_*/*.pth")})
        raise MissingFile(
            f"no fold_*/{checkpoint} in {folder.name}; "
            + (f"say --checkpoint {others[0]}" if others else "copy it again")
        )
    return Results(folder, plans, dataset, found)


def _of_one_configuration(folder: Path) -> Path:
    if not folder.is_dir():
        raise MissingFile(
            f"no folder {folder}; give nnUNet_results/DatasetXXX_NAME/nnUNetTrainer__nnUNetPlans__3d_fullres"
        )
    if (folder / "plans.json").is_file():
        return folder
    inside = sorted(path.parent for path in folder.glob("*__*__*/plans.json"))
    if len(inside) != 1:
        names = ", ".join(path.name for path in inside)
        raise MissingFile(
            f"{folder} holds {len(inside)} results folders with a plans.json{f' ({names})' if names else ''}; give "
            "one, or several of them one after the other"
        )
    return inside[0]


def _json(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    if not path.is_file():
        raise MissingFile(f"no {path.name} in {path.parent}; copy the whole results folder")
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise InvalidResults(f"{path.name} takes more than {MAX_JSON_BYTES >> 20} MiB, which none does")
        content = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, InvalidRecipe) as error:
        raise InvalidResults(f"{path.name} is no JSON that nnU-Net wrote; copy it again") from error
    if not isinstance(content, dict):
        raise InvalidResults(f"{path.name} holds a {type(content).__name__} and no keys; copy it again")
    lacking = [key for key in keys if key not in content]
    if lacking:
        old = " It is of nnU-Net version 1" if "plans_per_stage" in content or "modality" in content else ""
        raise InvalidResults(f"{path.name} lacks {', '.join(lacking)}.{old or ' Copy it again'}")
    return content


def scheme_of(dataset: Mapping[str, Any], *, part: str | None = None, whole: str = "whole") -> LabelScheme:
    """The label scheme of a `dataset.json`; names become words with `_` between.

    Args:
        dataset: its content.
        part: the label whose share is given; the last one without it.
        whole: the name of all labels together.

    Raises:
        NotCarried: if there are regions, or ids are not 0, 1, 2, ...
        InvalidScheme: if names are equal, or `part` is none of them.

    Examples:
        >>> scheme_of({"labels": {"background": 0, "femoral head": 1, "necrosis": 2, "ignore": 3}}).names
        {1: 'femoral_head', 2: 'necrosis'}
    """
    labels = dataset["labels"]
    if not isinstance(labels, Mapping) or BACKGROUND not in labels:
        raise InvalidResults("labels of dataset.json are names with ids, background among them; copy it again")
    ids = {name: value for name, value in labels.items() if name != IGNORE}
    regions = [name for name, value in ids.items() if isinstance(value, list)]
    if regions:
        raise NotCarried(
            f"{regions[0][:80]} is a region of several labels: such a network says of each region whether a voxel is "
            "in it, and nnU-Net marks what is above one half. avnnet takes the most probable label. Train on labels"
        )
    odd = [value for value in ids.values() if isinstance(value, bool) or not str(value).isdecimal()]
    found = sorted(int(value) for value in ids.values()) if not odd else []
    if odd or found != list(range(len(ids))) or int(ids[BACKGROUND]) != 0 or len(ids) < 2:
        raise NotCarried(
            f"label ids are 0 for background, then 1, 2, 3, ... without gaps; dataset.json has "
            f"{str(list(ids.values()))[:80]}"
        )
    names = {int(value): _word(name) for name, value in ids.items() if name != BACKGROUND}
    names = dict(sorted(names.items()))
    return LabelScheme(names, part=list(names.values())[-1] if part is None else part, whole=whole)


def _word(name: str) -> str:
    word = re.sub(r"\W+", "_", name).strip("_")
    return word if word.isidentifier() else f"label_{word}"
