"""`avnnet predict`: segments images with a trained model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from avnnet.cli.lean import lean_imports
from avnnet.cli.model import add_model, asked_model
from avnnet.cli.watch import watch
from avnnet.cli.words import Commands, Point, add_out, add_prefer, choices, point, whole_number
from avnnet.errors import InvalidCohort, InvalidConfig, MissingFile
from avnnet.labels import HIP, Side
from avnnet.progress import Reporter

if TYPE_CHECKING:
    from avnnet.inference.segmenter import Segmenter


def add(commands: Commands) -> None:
    """Adds `predict` to the commands."""
    predict = commands.add_parser(
        "predict",
        help="segment images with a trained model",
        description="Segments images with the ensemble in a model folder; writes a mask per image, a .json that says "
        "what it was made from, and measurements.csv. The same command goes on where it was stopped. Exit code 3: some "
        "images failed, their rows say why.",
    )
    predict.set_defaults(run=run)
    add_model(predict)
    predict.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="an image file (NIfTI, NRRD, MetaImage, FreeSurfer's .mgz; .hdr, .nhdr and .mhd with their voxels beside "
        "them), a DICOM export (a folder, a tree of folders, or a multi-frame file); for a model of several channels "
        "'IN.nii.gz;WATER.nii.gz' in quotes",
    )
    predict.add_argument(
        "--watch",
        action="store_true",
        help="IMAGE is a folder into which scans come, each a folder of its own or an image file: segment every one "
        "once it is whole; Ctrl-C or SIGTERM ends it after the scan at hand, and the same command goes on",
    )
    predict.add_argument(
        "--settle",
        type=float,
        metavar="SECONDS",
        help="with --watch: a scan is whole when nothing of it has changed for so long (default 30)",
    )
    add_out(predict, "folder of the masks")
    predict.add_argument(
        "--centre",
        type=point,
        metavar="X,Y,Z",
        help="head centre in mm, LPS, such as -95,12,-5; 3D Slicer shows RAS: change the sign of its first two. "
        "Without it the locator finds every head; a model without one slides a window over the image, "
        "which is refused where its networks have seen crops around heads alone",
    )
    predict.add_argument(
        "--side",
        choices=choices(Side),
        help="of the hip at --centre, to be given with it: networks see left hips mirrored. Without a centre, only the "
        "hip of this side",
    )
    predict.add_argument(
        "--series",
        type=whole_number,
        metavar="NUMBER",
        help="which series of a DICOM export, as avnnet scan counts them",
    )
    add_prefer(predict)
    predict.add_argument(
        "--format",
        choices=["nii.gz", "nrrd", "mha", "seg.nrrd"],
        default="nii.gz",
        help="of the masks; seg.nrrd: segments of 3D Slicer with names, colours and terms (default nii.gz)",
    )
    predict.add_argument(
        "--keep-names",
        action="store_true",
        help="name the masks after their images, whose names must then be no patients'; without it masks are c0001, "
        "c0002, ... and OUT/keys.csv, which stays with you, says which is which",
    )


def run(args: argparse.Namespace) -> int:
    """The number of images that failed; their rows in `measurements.csv` say why.

    Raises:
        InvalidConfig: if there is no such device, one centre or series for several images, or a table for an image.
        InvalidCohort: if two images have the same name, or a channel has none.
        MissingFile: if there is no such image or model.
        InvalidRecipe, ModelMismatch: if the model cannot be used.
    """
    reporter = Reporter()
    reporter.say("loading torch and the model")
    with lean_imports(is_whole=bool(args.classes)):
        from avnnet.atomic import check_writable
        from avnnet.cases.keys import KEYS, case_keys
        from avnnet.cases.predict import Job, predict_jobs
        from avnnet.cases.watch import SETTLE_S, Watch
        from avnnet.data.dicom import is_dicom
        from avnnet.data.files import image_name
        from avnnet.tables import write_table

    typed: list[str] = args.images
    out: Path = args.out
    centre_mm: Point | None = args.centre
    side = Side(args.side) if args.side else None
    series: int | None = args.series
    prefer: str | None = args.prefer
    suffix: str = f".{args.format}"
    keep_names: bool = args.keep_names
    if args.watch:
        lone = {"--centre": centre_mm, "--series": series, "--keep-names": keep_names or None}
        if given := [word for word, value in lone.items() if value is not None]:
            raise InvalidConfig(f"--watch takes every scan that comes, and names masks by keys; leave out {given[0]}")
        if len(typed) > 1:
            raise InvalidConfig(
                f"--watch watches one folder; found {len(typed)}. Give one, and a command for each other"
            )
        check_writable(out)
        wait_s: float = SETTLE_S if args.settle is None else args.settle
        model = asked_model(args, reporter.say)
        _say_how_heads_are_found(model, None, reporter)
        return watch(Watch(model, Path(typed[0]), out, reporter, suffix, wait_s, side, prefer))
    if args.settle is not None:
        raise InvalidConfig("--settle is how long --watch waits for a scan to be whole; leave it out")
    for word, value in (("centre", centre_mm), ("series", series)):
        if value is not None and len(typed) > 1:
            raise InvalidConfig(f"--{word} is that of one image; found {len(typed)}. Predict them one by one")
    images = [_files(words, f"image {nth} of {len(typed)}") for nth, words in enumerate(typed, start=1)]
    if series is not None and images[0][0].is_file() and not is_dicom(images[0][0]):
        raise InvalidConfig("--series chooses among those of a DICOM folder; this is an image file: leave it out")
    model = asked_model(args, reporter.say)
    check_writable(out)
    names = [image_name(files[0]) for files in images] if keep_names else case_keys(out, images)
    if len(set(names)) != len(names):
        raise InvalidCohort("two of the images have one name, or are the same image; rename one or predict it apart")
    jobs = [Job(name, files, side, centre_mm, series, prefer) for name, files in zip(names, images, strict=True)]
    _say_how_heads_are_found(model, centre_mm, reporter)
    table = predict_jobs(model, jobs, out, reporter=reporter, suffix=suffix)
    write_table(table, out / "measurements.csv")
    shown = ["case_id", "side", *model.scheme.volume_columns, "flags", "error"]
    named = table[shown].assign(error=table["error"].str.split(":").str[0])
    print(named.to_string(index=False, float_format="{:.2f}".format))
    reporter.say(f"masks and measurements.csv: {out}")
    if not keep_names:
        reporter.say(f"{KEYS} says which case is which image: keep it to yourself")
    return int((table["error"] != "").sum())


def _say_how_heads_are_found(model: Segmenter, centre_mm: Point | None, reporter: Reporter) -> None:
    if centre_mm is None and model.locator is None and model.scheme == HIP:
        reporter.say(
            "no locator and no --centre: a window slides over each whole image; it takes longer and can mark more than "
            "one head. Give --centre and --side, or train a locator in the study: --locator LOCATOR.yaml"
        )


def _files(words: str, which: str) -> tuple[Path, ...]:
    """The files of an image's channels; no message names them, for they may be called after a patient."""
    from avnnet.data.files import channel_files

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
