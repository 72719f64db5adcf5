"""`avnnet predict`: segments images with a trained model."""

from __future__ import annotations

import argparse

from avnnet.data.files import channel_files, image_name
from avnnet.data.integrity import content_hash
from avnnet.errors import InvalidCohort, InvalidConfig
from avnnet.inference.batch import Job, predict_jobs
from avnnet.inference.device import chosen_device
from avnnet.inference.keys import KEYS, case_keys
from avnnet.inference.model_folder import LOCATOR, load_model
from avnnet.labels import Side
from avnnet.progress import Reporter
from avnnet.tables import write_table


def predict(args: argparse.Namespace) -> int:
    """The number of images that failed; their rows in `measurements.csv` say why.

    Raises:
        InvalidConfig: if there is no such device, or one centre or series for several images.
        InvalidCohort: if two images have the same name.
        MissingFile, InvalidRecipe, ModelMismatch: if the model cannot be used.
    """
    reporter = Reporter()
    for word in ("centre", "series"):
        if getattr(args, word) is not None and len(args.images) > 1:
            raise InvalidConfig(f"--{word} is that of one image; found {len(args.images)}. Predict them one by one")
    side = Side(args.side) if args.side else None
    images = [channel_files(words) for words in args.images]
    model = load_model(args.model, device=chosen_device(args.device))
    names = [image_name(files[0]) for files in images] if args.keep_names else case_keys(args.out, images)
    if len(set(names)) != len(names):
        raise InvalidCohort("two of the images have one name, or are the same image; rename one or predict it apart")
    jobs = [
        Job(name, files, side, args.centre, args.series, args.prefer) for name, files in zip(names, images, strict=True)
    ]
    reporter.say(model.summary())
    parts = [args.model / "model.json", args.model / LOCATOR / "model.json"]
    model_sha256 = content_hash(*(path for path in parts if path.is_file()))
    table = predict_jobs(model, jobs, args.out, model_sha256=model_sha256, reporter=reporter, suffix=f".{args.format}")
    write_table(table, args.out / "measurements.csv")
    shown = ["case_id", "side", *model.scheme.volume_columns, "flags", "error"]
    print(table[shown].to_string(index=False, float_format="{:.2f}".format))
    reporter.say(f"masks and measurements.csv: {args.out}")
    if not args.keep_names:
        reporter.say(f"{KEYS} says which case is which image: keep it to yourself")
    return int((table["error"] != "").sum())
