"""Many images through one model: none is done twice, and one that fails does not stop the others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.atomic import write_text_atomically
from avnnet.data.files import read_image
from avnnet.data.files.streams import check_regular
from avnnet.data.integrity import content_hash, image_hash
from avnnet.errors import MissingFile
from avnnet.flags import Flag
from avnnet.image import Image
from avnnet.inference.ensemble import ENSEMBLE
from avnnet.inference.implant import implants_in
from avnnet.inference.segmentation import Segmentation
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import HIP, Side
from avnnet.measure import quantity_columns
from avnnet.progress import Reporter, count_within

SHORTEST_NAME = 3  # "." and "1" are parts of other words, and nobody's name


@dataclass(frozen=True)
class Job:
    """An image to segment.

    Args:
        name: of the masks: `NAME.nii.gz` where the centre is given, else `NAME_right.nii.gz` and `NAME_left.nii.gz`.
        files: the image's file or DICOM folder, or one per channel.
        side: the body side, if it is known.
        centre_mm: the head centre, LPS mm `(x, y, z)`; None has the model's locator find every head, and a model
            without one slide a window over the whole image.
        series: which series of a DICOM folder, as `avnnet scan` counts them; None takes the only one.
        prefer: "sform" or "qform", as `read_image` takes it; None refuses a NIfTI file whose two contradict each other.
    """

    name: str
    files: Sequence[Path]
    side: Side | None = None
    centre_mm: tuple[float, float, float] | None = None
    series: int | None = None
    prefer: str | None = None


def predict_jobs(
    model: Segmenter,
    jobs: Sequence[Job],
    out: Path,
    *,
    model_sha256: str,
    reporter: Reporter,
    suffix: str = ".nii.gz",
) -> pd.DataFrame:
    """One row per hip, in order: every quantity, flags, and the error of an image that failed.

    Writes the masks and after them `NAME.json`, which says what they were made from: an image whose files belong to
    the same model, image, side, centre and choices is not segmented again. Failed ones are. An image without a head is
    a row with the flag `head_not_found` and no quantity, and so is a hip without one where an implant seems to stand.

    Args:
        model: the ensemble.
        jobs: the images; their names differ.
        out: folder of the masks.
        model_sha256: hash of the model's `model.json`, which holds those of its weights.
        reporter: told of each image and of every network's turn.
        suffix: of the masks: ".nii.gz", ".nrrd", ".mha" or ".seg.nrrd".
    """
    measured_columns = quantity_columns() if model.scheme == HIP else model.scheme.volume_columns
    columns = ["case_id", "side", "reader", *measured_columns, "flags", "error"]
    rows: list[dict[str, Any]] = []
    with reporter.steps("segmenting", len(jobs)) as step:
        for done, job in enumerate(jobs, start=1):
            key = {"case_id": job.name, "side": job.side or "", "reader": ENSEMBLE, "flags": "", "error": ""}
            note = job.name
            try:
                made_from = _made_from(model, job, model_sha256, suffix)
                hips = _done_before(out, job.name, made_from)
                if hips is None:
                    told = count_within(step, done - 1, job.name, "network")
                    hips = _segment(model, job, out, made_from, suffix, told)
                else:
                    note = f"{job.name}, done before"
                rows += [key | {"side": hip["side"]} | hip["measured"] for hip in hips]
            except Exception as error:  # the other images go on, and this one's row says why it is missing
                words = f"{type(error).__name__}: {_without_names(str(error), job)}"
                reporter.say(f"{job.name} failed: {words}")
                rows.append(key | {"error": words})
            step(done, note)
    return pd.DataFrame(rows, columns=columns)


def _without_names(text: str, job: Job) -> str:
    """An error's words with the case's name for those of its files, which may be a patient's."""
    for file in job.files:
        for name in (str(file.resolve()), str(file), file.name):
            if len(name) >= SHORTEST_NAME:
                text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda _: job.name, text)
    return text


def _made_from(model: Segmenter, job: Job, model_sha256: str, suffix: str) -> dict[str, Any]:
    lacking = [file for file in job.files if not file.exists()]
    if lacking:
        raise MissingFile(f"{len(lacking)} of {len(job.files)} files of this image do not exist; look at the path")
    for file in job.files:
        if not file.is_dir():
            check_regular(file)  # the hash of a pipe would wait for ever
    return {
        "model_sha256": model_sha256,
        "files_sha256": content_hash(*job.files),
        "series": job.series,
        "prefer": job.prefer,
        "side": job.side,
        "centre_mm": None if job.centre_mm is None else list(job.centre_mm),
        "precision": model.precision,
        "suffix": suffix,
    }


def _done_before(out: Path, name: str, made_from: dict[str, Any]) -> list[dict[str, Any]] | None:
    try:
        content = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
        if content["made_from"] != made_from:
            return None
        hips = [dict(hip) for hip in content["hips"]]
        if any(hip["mask"] and hip["mask_sha256"] != content_hash(out / str(hip["mask"])) for hip in hips):
            return None
        nan = float("nan")
        for hip in hips:
            hip["measured"] = {key: nan if value is None else value for key, value in hip["measured"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # not there yet, or not ours: the image is segmented
    return hips


def _segment(
    model: Segmenter,
    job: Job,
    out: Path,
    made_from: dict[str, Any],
    suffix: str,
    on_progress: Callable[[int, int], None],
) -> list[dict[str, Any]]:
    image = read_image(job.files, series=job.series, prefer=job.prefer)
    is_located = job.centre_mm is None and model.locator is not None
    seen = [Flag.SEEN_IN_TRAINING] if image_hash(image) in model.trained_on else []
    if is_located:
        found = model.predict_hips(image, side=job.side, on_progress=on_progress)
    else:
        found = [model.predict(image, side=job.side, centre_mm=job.centre_mm, on_progress=on_progress)]
    hips: list[dict[str, Any]] = []
    for hip in found:
        side = str(hip.provenance["side"] or "")
        mask = out / f"{job.name}{'_' + side if is_located and side else ''}{suffix}"
        hip.save(mask)
        place = {"mask": mask.name, "mask_sha256": content_hash(mask), "side": side}
        hips.append(place | {"centre_mm": hip.provenance["centre_mm"], "measured": _measured(hip, seen)})
    if is_located:
        hips += _without_head(image, job.side, found)
    content = {
        "avnnet": version("avnnet"),
        "made_from": made_from,
        "preferred_transform": image.source.preferred_transform,
        "networks": [member.name for member in model.members],
        "hips": [hip | {"measured": {k: None if v != v else v for k, v in hip["measured"].items()}} for hip in hips],
    }  # JSON has no NaN
    write_text_atomically(out / f"{job.name}.json", json.dumps(content, indent=1))  # last: it says that all is done
    return hips


def _without_head(image: Image, side: Side | None, found: Sequence[Segmentation]) -> list[dict[str, Any]]:
    """Hips of which nothing can be measured: those where an implant stands, or the only one if no head was found."""
    voids = implants_in(image, [hip.provenance["centre_mm"] for hip in found])
    flags = {void.side: f"{Flag.HEAD_NOT_FOUND} {Flag.IMPLANT_SUSPECTED}" for void in voids}
    asked = {one: words for one, words in flags.items() if side is None or one == side}
    if not found and not asked:
        asked = {side: str(Flag.HEAD_NOT_FOUND)}
    nothing = {"mask": "", "mask_sha256": "", "centre_mm": None}
    return [nothing | {"side": one or "", "measured": {"flags": words}} for one, words in asked.items()]


def _measured(hip: Segmentation, flags: Sequence[str]) -> dict[str, Any]:
    measured = {str(name): value for name, value in hip.quantities().iloc[0].items()}
    measured["flags"] = " ".join(dict.fromkeys([*hip.flags, *flags, *measured["flags"].split()]))
    return measured
