"""Many images through one model: none is done twice, and one that fails does not stop the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.atomic import write_text_atomically
from avnnet.data.files import read_image
from avnnet.data.integrity import content_hash
from avnnet.image import Image
from avnnet.inference.ensemble import ENSEMBLE
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import HIP, Side
from avnnet.measure import quantity_columns
from avnnet.progress import Reporter


@dataclass(frozen=True)
class Job:
    """An image to segment.

    Args:
        name: of the mask: `NAME.nii.gz`.
        files: the image's file or DICOM folder, or one per channel.
        side: the body side, if it is known.
        centre_mm: the head centre, LPS mm `(x, y, z)`; None slides a window over the whole image.
    """

    name: str
    files: Sequence[Path]
    side: Side | None = None
    centre_mm: tuple[float, float, float] | None = None


def predict_jobs(
    model: Segmenter, jobs: Sequence[Job], out: Path, *, model_sha256: str, reporter: Reporter
) -> pd.DataFrame:
    """One row per image, in order: every quantity, flags, and the error of one that failed.

    Writes `NAME.nii.gz` and after it `NAME.json`, which says what the mask was made from: an image whose two files
    belong to the same model, image, side and centre is not segmented again. Failed ones are.

    Args:
        model: the ensemble.
        jobs: the images; their names differ.
        out: folder of the masks.
        model_sha256: hash of the model's `model.json`, which holds those of its weights.
        reporter: told of each image.
    """
    measured_columns = quantity_columns() if model.scheme == HIP else model.scheme.volume_columns
    columns = ["case_id", "side", "reader", *measured_columns, "flags", "error"]
    rows: list[dict[str, Any]] = []
    with reporter.steps("segmenting", len(jobs)) as step:
        for done, job in enumerate(jobs, start=1):
            row = {"case_id": job.name, "side": job.side or "", "reader": ENSEMBLE, "flags": "", "error": ""}
            note = job.name
            try:
                image = read_image(job.files)
                made_from = {
                    "model_sha256": model_sha256,
                    "files_sha256": content_hash(*job.files),
                    "side": job.side,
                    "centre_mm": None if job.centre_mm is None else list(job.centre_mm),
                    "precision": model.precision,
                }
                measured = _measured_before(out, job.name, made_from)
                if measured is None:
                    measured = _segment(model, job, image, out, made_from)
                else:
                    note = f"{job.name}, done before"
                row |= measured
            except Exception as error:  # the other images go on, and this one's row says why it is missing
                reporter.say(f"{job.name} failed: {type(error).__name__}: {error}")
                row["error"] = f"{type(error).__name__}: {error}"
            rows.append(row)
            step(done, note)
    return pd.DataFrame(rows, columns=columns)


def _files(out: Path, name: str) -> tuple[Path, Path]:
    return out / f"{name}.nii.gz", out / f"{name}.json"


def _measured_before(out: Path, name: str, made_from: dict[str, Any]) -> dict[str, Any] | None:
    mask, record = _files(out, name)
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        if content["made_from"] != made_from or content["mask_sha256"] != content_hash(mask):
            return None
        measured = dict(content["measured"])
    except (OSError, ValueError, KeyError, TypeError):  # not there yet, or not ours: the image is segmented
        return None
    return {key: float("nan") if value is None else value for key, value in measured.items()}


def _segment(model: Segmenter, job: Job, image: Image, out: Path, made_from: dict[str, Any]) -> dict[str, Any]:
    mask, record = _files(out, job.name)
    segmentation = model.predict(image, side=job.side, centre_mm=job.centre_mm)
    segmentation.save(mask)
    measured = {str(name): value for name, value in segmentation.quantities().iloc[0].items()}
    measured["flags"] = " ".join(dict.fromkeys([*segmentation.flags, *measured["flags"].split()]))
    content = {
        "avnnet": version("avnnet"),
        "made_from": made_from,
        "networks": segmentation.provenance["networks"],
        "mask_sha256": content_hash(mask),
        "measured": {key: None if value != value else value for key, value in measured.items()},  # JSON has no NaN
    }
    write_text_atomically(record, json.dumps(content, indent=1))  # last: it says that the image is done
    return measured
