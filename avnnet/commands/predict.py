"""`avnnet predict`: segments images with a trained model."""

from __future__ import annotations

import argparse

from avnnet.data.files import channel_files, image_name
from avnnet.data.integrity import content_hash
from avnnet.errors import InvalidCohort, InvalidConfig
from avnnet.inference.batch import Job, predict_jobs
from avnnet.inference.device import chosen_device
from avnnet.inference.model_folder import load_model
from avnnet.labels import Side
from avnnet.progress import Reporter
from avnnet.tables import write_table


def predict(args: argparse.Namespace) -> int:
    """The number of images that failed; their rows in `measurements.csv` say why.

    Raises:
        InvalidConfig: if there is no such device, or one centre for several images.
        InvalidCohort: if two images have the same name.
        MissingFile, InvalidRecipe, ModelMismatch: if the model cannot be used.
    """
    reporter = Reporter()
    if args.centre is not None and len(args.images) > 1:
        raise InvalidConfig(
            f"--centre is the head centre of one image; found {len(args.images)}. Predict them one by one"
        )
    side = Side(args.side) if args.side else None
    jobs = [Job(image_name(files[0]), files, side, args.centre) for files in map(channel_files, args.images)]
    if len({job.name for job in jobs}) != len(jobs):
        raise InvalidCohort("images are named by their file names, which must differ; rename or predict one by one")
    model = load_model(args.model, device=chosen_device(args.device))
    reporter.say(model.summary())
    model_sha256 = content_hash(args.model / "model.json")
    table = predict_jobs(model, jobs, args.out, model_sha256=model_sha256, reporter=reporter)
    write_table(table, args.out / "measurements.csv")
    print(table.drop(columns=["reader"]).to_string(index=False, float_format="{:.2f}".format))
    reporter.say(f"masks and measurements.csv: {args.out}")
    return int((table["error"] != "").sum())
