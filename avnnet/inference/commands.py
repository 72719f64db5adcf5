"""The commands that predict: what the command line calls."""

from __future__ import annotations

import argparse

import pandas as pd
import torch

from avnnet.data.files import channel_files, image_name, read_image
from avnnet.errors import InvalidCohort, InvalidConfig
from avnnet.inference.model_folder import load_model
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
    images = [channel_files(word) for word in args.images]
    names = [image_name(files[0]) for files in images]
    if len(set(names)) != len(names):
        raise InvalidCohort("images are named by their file names, which must differ; rename or predict one by one")
    model = load_model(args.model, device=chosen_device(args.device))
    reporter.say(model.summary())
    rows, failed = [], 0
    with reporter.steps("segmenting", len(names)) as step:
        for done, (name, files) in enumerate(zip(names, images, strict=True), start=1):
            row = pd.DataFrame({"case_id": [name], "side": [args.side or ""], "reader": ["ensemble"]})
            try:
                segmentation = model.predict(read_image(files), side=args.side, centre_mm=args.centre)
                segmentation.save(args.out / f"{name}.nii.gz")
                row = pd.concat([row, segmentation.volumes()], axis=1)
                rows.append(row.assign(flags=" ".join(segmentation.flags), error=""))
            except Exception as error:  # the other images go on, and this one's row says why it is missing
                failed += 1
                reporter.say(f"{name} failed: {type(error).__name__}: {error}")
                rows.append(row.assign(flags="", error=f"{type(error).__name__}: {error}"))
            step(done, name)
    table = pd.concat(rows, ignore_index=True)
    write_table(table, args.out / "measurements.csv")
    print(table.drop(columns=["reader"]).to_string(index=False, float_format="{:.2f}".format))
    reporter.say(f"masks and measurements.csv: {args.out}")
    return failed


def chosen_device(word: str) -> str:
    """The device that `--device` names; "auto" takes CUDA where there is one.

    Raises:
        InvalidConfig: if there is no such device.
    """
    device = ("cuda" if torch.cuda.is_available() else "cpu") if word == "auto" else word
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidConfig(f"no device for --device {word} ({reason}); take cpu or auto") from error
    return device
