"""A network as a MONAI bundle, which MONAI runs without avnnet."""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import monai
import numpy as np
import torch

from avnnet.atomic import check_absent, whole_folder
from avnnet.exchange.bundle_config import PROGRAM, inference_config
from avnnet.exchange.card import card, chosen_member
from avnnet.exchange.program import Sizes, save_program, traced
from avnnet.inference import windows
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter

SCHEMA = "https://project-monai.github.io/schema/meta_schema_20240725.json"
WEIGHTS = "models/model.pt"


def write_monai_bundle(model: Segmenter, folder: str | Path, *, number: int | None = None) -> Sizes:
    """The sizes that the bundle's program takes which was written.

    The network travels as a program of torch.export: MONAI has no class for most networks of avnnet, and TorchScript,
    which torch gives up, answers sizes that it was not traced for.

    Args:
        model: a trained model.
        folder: the bundle to make.
        number: which network of the model, from 1; None where it has one.

    Raises:
        OutputNotWritable: if the folder exists.
        InvalidConfig: if the model has several networks and none is chosen, or MONAI has no transform for its
            normalisation.
        InvalidNetwork: if torch.export does not take the network.
    """
    folder = Path(folder)
    check_absent(folder)
    member = chosen_member(model, number)
    said = card(model, member)
    config = inference_config(member, said["axes"])
    found = traced(member)
    said["sizes"] = found.sizes.card()
    with whole_folder(folder) as partial:
        for name in ("configs", "models", "docs", "scripts"):
            (partial / name).mkdir()
        (partial / "scripts" / "__init__.py").touch()
        (partial / "scripts" / "windows.py").write_text(inspect.getsource(windows), encoding="utf-8")
        save_program(found.program, partial / PROGRAM, said)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tensors that stand in two places
            torch.save(torch.export.unflatten(found.program).state_dict(), partial / WEIGHTS)
        _write(partial / "configs" / "inference.json", config)
        _write(partial / "configs" / "metadata.json", metadata(member, said))
        (partial / "docs" / "README.md").write_text(_readme(said), encoding="utf-8")
    return found.sizes


def metadata(member: Member, said: dict[str, Any]) -> dict[str, Any]:
    """`configs/metadata.json` of a bundle, as MONAI's schema wants it, with avnnet's card.

    Args:
        member: the network.
        said: its card.
    """
    net, patch = member.net, member.tiling.patch[-member.net.ndim :]
    classes = dict(said["labels"])
    tensor = {"type": "image", "spatial_shape": patch, "dtype": "float32", "is_patch_data": True}
    return {
        "schema": SCHEMA,
        "version": "0.1.0",
        "changelog": {"0.1.0": f"written by avnnet {said['avnnet_version']}"},
        "monai_version": monai.__version__,
        "pytorch_version": torch.__version__.partition("+")[0],
        "numpy_version": np.__version__,
        "required_packages_version": {"nibabel": "5.3"},
        "name": member.name,
        "task": f"Segmentation of {', '.join(list(classes.values())[1:])}",
        "description": f"A {net.ndim}D network of avnnet, as a program of torch.export, with its preparation.",
        "authors": "of the model: those who trained it",
        "copyright": "of the model: of those who trained it",
        "intended_use": said["warning"],
        "data_type": "nibabel",
        "network_data_format": {
            "inputs": {
                "image": {
                    **tensor,
                    "format": "magnitude",
                    "num_channels": net.in_channels,
                    "value_range": [],
                    "channel_def": {str(one): f"channel {one + 1}" for one in range(net.in_channels)},
                }
            },
            "outputs": {
                "pred": {
                    **tensor,
                    "type": "probabilities",
                    "format": "segmentation",
                    "num_channels": net.classes,
                    "value_range": [0, 1],
                    "channel_def": classes,
                }
            },
        },
        "avnnet": said,
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _cleaned(steps: Sequence[str] | None) -> str:
    return f"; avnnet takes away more by {', '.join(steps)}, which the bundle does not do" if steps else ""


def _readme(said: dict[str, Any]) -> str:
    channels = said["channels"]
    files = "`*.nii.gz`" if channels == 1 else f"`CASE_0000.nii.gz` to `CASE_{channels - 1:04d}.nii.gz`"
    return f"""# {said["network"]}

{said["warning"]}

```
python -m monai.bundle run --config_file configs/inference.json --bundle_root . --dataset_dir IMAGES --output_dir MASKS
```

IMAGES holds {files}. Labels of the masks: {", ".join(f"{index} {name}" for index, name in said["labels"].items())}.

- It slides over the whole image, as `avnnet predict` does without a centre and a locator. Axes of the network:
  {", ".join(said["axes"])}; spacing {said["spacing_mm"]} mm.
- Left hips: {said["left_hips"]}. The bundle mirrors nothing by side, for it does not know it.
- `scripts/windows.py` lays tiles over an image and weighs them, as nnU-Net does.
- `models/model.pt2` is `torch.export`'s: {said["input"]}; each axis a multiple of {said["sizes"]["multiples_of"]} from
  {said["sizes"]["least"]} to {said["sizes"]["most"]}, others are refused. `models/model.pt` has its weights alone.
- Masks are the most probable labels{_cleaned(said["cleaning"])}.
- A config and a program are code: run only those of people whom you trust.
"""
