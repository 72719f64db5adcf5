"""`avnnet predict`: segments images with a trained model."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.cases.keys import KEYS, case_keys
from avnnet.cases.predict import Job, predict_jobs
from avnnet.data.dicom import is_dicom
from avnnet.data.files import channel_files, image_name
from avnnet.errors import InvalidCohort, InvalidConfig, MissingFile
from avnnet.inference.device import chosen_device
from avnnet.inference.model_folder import load_model
from avnnet.labels import HIP, Side
from avnnet.progress import Reporter
from avnnet.tables import write_table


def predict(args: argparse.Namespace) -> int:
    """The number of images that failed; their rows in `measurements.csv` say why.

    Raises:
        InvalidConfig: if there is no such device, one centre or series for several images, or a table for an image.
        InvalidCohort: if two images have the same name, or a channel has none.
        MissingFile: if there is no such image or model.
        InvalidRecipe, ModelMismatch: if the model cannot be used.
    """
    reporter = Reporter()
    for word in ("centre", "series"):
        if getattr(args, word) is not None and len(args.images) > 1:
            raise InvalidConfig(f"--{word} is that of one image; found {len(args.images)}. Predict them one by one")
    side = Side(args.side) if args.side else None
    images = [_files(words, f"image {nth} of {len(args.images)}") for nth, words in enumerate(args.images, start=1)]
    if args.series is not None and images[0][0].is_file() and not is_dicom(images[0][0]):
        raise InvalidConfig("--series chooses among those of a DICOM folder; this is an image file: leave it out")
    model = load_model(args.model, device=chosen_device(args.device))
    names = [image_name(files[0]) for files in images] if args.keep_names else case_keys(args.out, images)
    if len(set(names)) != len(names):
        raise InvalidCohort("two of the images have one name, or are the same image; rename one or predict it apart")
    jobs = [
        Job(name, files, side, args.centre, args.series, args.prefer) for name, files in zip(names, images, strict=True)
    ]
    reporter.say(model.summary())
    if args.centre is None and model.locator is None and model.scheme == HIP:
        reporter.say(
            "no locator and no --centre: a window slides over each whole image; it takes longer and can mark more than "
            "one head. Give --centre and --side, or train a locator in the study: --locator LOCATOR.yaml"
        )
    table = predict_jobs(model, jobs, args.out, reporter=reporter, suffix=f".{args.format}")
    write_table(table, args.out / "measurements.csv")
    shown = ["case_id", "side", *model.scheme.volume_columns, "flags", "error"]
    named = table[shown].assign(error=table["error"].str.split(":").str[0])
    print(named.to_string(index=False, float_format="{:.2f}".format))
    reporter.say(f"masks and measurements.csv: {args.out}")
    if not args.keep_names:
        reporter.say(f"{KEYS} says which case is which image: keep it to yourself")
    return int((table["error"] != "").sum())


def _files(words: str, which: str) -> tuple[Path, ...]:
    """The files of an image's channels; they are not named in messages, for they may be called after a patient."""
    if words.lower().endswith(".csv"):
        raise InvalidConfig(f"{which} is a table; images are files or folders. A cohort.csv goes to avnnet evaluate")
    try:
        files = channel_files(words)
    except InvalidCohort as error:
        raise InvalidCohort(f"{which}: {error}") from error
    lacking = [nth for nth, file in enumerate(files, start=1) if not file.exists()]
    if lacking:
        channel = f", channel {lacking[0]}," if len(files) > 1 else ""
        raise MissingFile(f"{which}{channel} does not exist; look at the path")
    return files
