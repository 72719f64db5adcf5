"""Many images through one model: none is done twice, and one that fails does not stop the others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.cases.ledger import Ledger
from avnnet.cases.loop import Turn, each_case, in_words
from avnnet.data.files import read_image
from avnnet.data.files.streams import check_regular
from avnnet.data.integrity import image_files_hash, image_hash
from avnnet.errors import MissingFile
from avnnet.flags import Flag, Flags
from avnnet.image import Image
from avnnet.inference.segmentation import Segmentation
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import Side
from avnnet.measure import case_row, empty_row, measurement_columns, measurement_row
from avnnet.progress import Reporter
from avnnet.readers import ENSEMBLE

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
    model: Segmenter, jobs: Sequence[Job], out: Path, *, reporter: Reporter, suffix: str = ".nii.gz"
) -> pd.DataFrame:
    """One row per hip, in order: every quantity, flags, and the error of an image that failed.

    Writes the masks and after them `NAME.json`, which says what they were made from: an image whose files belong to
    the same model, image, side, centre and choices is not segmented again. Failed ones are. An image without a head is
    a row with the flag `head_not_found` and no quantity, and so is a hip without one where an implant seems to stand.
    Nobody says whose images these are: each counts as one of a patient of its own.

    Args:
        model: the ensemble.
        jobs: the images; their names differ.
        out: folder of the masks.
        reporter: told of each image and of every network's turn.
        suffix: of the masks: ".nii.gz", ".nrrd", ".mha" or ".seg.nrrd".
    """
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        scans = _ahead(reader, jobs, lambda job: _opened(model, job, out, suffix))
        rows = each_case(
            jobs,
            lambda job, turn: _rows(model, job, scans, out, suffix, writer, turn),
            lambda job, why: [_cells(empty_row(case_row(job.name, job.side), ENSEMBLE, error=why))],
            name=lambda job: job.name,
            title="segmenting",
            reporter=reporter,
            words=lambda job, error: _without_names(in_words(error), job),
        )
    return pd.DataFrame(rows, columns=measurement_columns(model.scheme))


def _cells(row: pd.DataFrame) -> dict[str, Any]:
    return {str(name): value for name, value in row.iloc[0].items()}


def _without_names(text: str, job: Job) -> str:
    """An error's words with the case's name for those of its files, which may be a patient's."""
    for file in job.files:
        for name in (str(file.resolve()), str(file), file.name):
            if len(name) >= SHORTEST_NAME:
                text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda _: job.name, text)
    return text


@dataclass(frozen=True, eq=False)
class _Opened:
    """A job with what is known of it before a network looks: its record, or else its image."""

    ledger: Ledger
    made_from: dict[str, Any]
    record: dict[str, Any] | None
    image: Image | None
    seen: Flags


def _ahead(
    reader: ThreadPoolExecutor, jobs: Sequence[Job], opened: Callable[[Job], _Opened]
) -> Iterator[Future[_Opened]]:
    """The jobs, each opened in a thread while the one before it is computed: never more than one ahead."""
    before: Future[_Opened] | None = None
    for job in jobs:
        begun = reader.submit(opened, job)  # it waits for the one before
        if before is not None:
            yield before
        before = begun
    if before is not None:
        yield before


def _rows(
    model: Segmenter,
    job: Job,
    scans: Iterator[Future[_Opened]],
    out: Path,
    suffix: str,
    writer: ThreadPoolExecutor,
    turn: Turn,
) -> list[dict[str, Any]]:
    scan = next(scans).result()
    if scan.record is not None:
        turn.note = f"{job.name}, done before"
        hips = scan.record["hips"]
    else:
        hips = _segment(model, job, scan, out, suffix, writer, turn)
    return [_recorded(job, hip) for hip in hips]


def _opened(model: Segmenter, job: Job, out: Path, suffix: str) -> _Opened:
    ledger = Ledger(out / f"{job.name}.json")
    made_from = _made_from(model, job, suffix)
    record = ledger.read(made_from)
    if record is not None:
        return _Opened(ledger, made_from, record, None, Flags())
    image = read_image(job.files, series=job.series, prefer=job.prefer)
    seen = Flags([Flag.SEEN_IN_TRAINING] if image_hash(image) in model.trained_on else [])
    return _Opened(ledger, made_from, None, image, seen)


def _recorded(job: Job, hip: dict[str, Any]) -> dict[str, Any]:
    """The cells of a hip whose quantities stand in the record; JSON has no NaN."""
    case = case_row(job.name, Side(hip["side"]) if hip["side"] else None)
    measured = {name: float("nan") if value is None else value for name, value in hip["measured"].items()}
    return _cells(empty_row(case, ENSEMBLE)) | measured


def recorded_rows(path: Path) -> pd.DataFrame:
    """The rows of an image that stand in its record; no row if it is damaged.

    Args:
        path: of the record, `NAME.json` beside the masks.

    Examples:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp()) / "c0001.json"
        >>> _ = path.write_text('{"hips": [{"side": "left", "measured": {"head_cm3": 50.1}}]}')
        >>> recorded_rows(path)[["case_id", "side", "head_cm3"]].to_numpy().tolist()
        [['c0001', 'left', 50.1]]
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return pd.DataFrame([_recorded(Job(path.stem, []), hip) for hip in record["hips"]])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return pd.DataFrame()


def _made_from(model: Segmenter, job: Job, suffix: str) -> dict[str, Any]:
    lacking = [file for file in job.files if not file.exists()]
    if lacking:
        raise MissingFile(f"{len(lacking)} of {len(job.files)} files of this image do not exist; look at the path")
    for file in job.files:
        if not file.is_dir():
            check_regular(file)  # the hash of a pipe would wait for ever
    return {
        "model_sha256": model.sha256,
        "files_sha256": image_files_hash(*job.files),
        "series": job.series,
        "prefer": job.prefer,
        "side": job.side,
        "centre_mm": None if job.centre_mm is None else list(job.centre_mm),
        "precision": model.engine.said,
        "is_fast": model.is_fast,
        "suffix": suffix,
    }


def _segment(
    model: Segmenter, job: Job, scan: _Opened, out: Path, suffix: str, writer: ThreadPoolExecutor, turn: Turn
) -> list[dict[str, Any]]:
    image, is_located = scan.image, job.centre_mm is None and model.locator is not None
    if image is None:
        raise ValueError("a job that is done before has no image to segment")

    def written(hip: Segmentation) -> dict[str, Any]:
        mask = out / f"{job.name}{f'_{hip.side}' if is_located and hip.side else ''}{suffix}"
        place = {"mask": hip.save(mask).name if hip.is_found else "", "side": hip.side, "centre_mm": hip.centre_mm}
        return place | {"measured": _measured(hip, scan.seen)}

    # a hip is written and measured while the networks see the next one
    begun: list[Future[dict[str, Any]]] = []
    model.hips(
        image,
        side=job.side,
        centre_mm=job.centre_mm,
        on_progress=turn.on_network,
        on_hip=lambda hip: begun.append(writer.submit(written, hip)),
    )
    hips = [one.result() for one in begun]
    # last: it says that all is done
    scan.ledger.write(
        scan.made_from,
        [out / hip["mask"] for hip in hips if hip["mask"]],
        preferred_transform=image.source.preferred_transform,
        networks=[member.name for member in model.members],
        hips=hips,
    )
    return hips


def _measured(hip: Segmentation, seen: Flags) -> dict[str, Any]:
    """All quantities and flags of a hip, plain; only the flags where there is no head to measure."""
    case = case_row("", hip.side)
    if hip.is_found:
        row = measurement_row(case, ENSEMBLE, hip.labels, hip.flags | seen)
    else:
        row = empty_row(case, ENSEMBLE, flags=hip.flags)
    cells = _cells(row.drop(columns=[*case.columns, "reader"]))
    return {name: None if value != value else value for name, value in cells.items()}
