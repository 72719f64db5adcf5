"""The command line: one module per command, its words and what it does together.

A module has `add(commands)`, which adds the command and its words, and `run(args)`, which does it and returns how many
cases failed. What takes long to import is imported inside `run`, so that every `--help` is quick.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import shlex
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from avnnet.cli import (
    ablate,
    cohort,
    compare,
    evaluate,
    export,
    fit,
    import_,
    measure,
    phantom,
    plan,
    predict,
    report,
    scan,
    stats,
    study,
)
from avnnet.errors import AvnnetError

# in the order of the help
COMMANDS = (
    study,
    fit,
    plan,
    ablate,
    predict,
    evaluate,
    compare,
    measure,
    stats,
    report,
    scan,
    cohort,
    export,
    import_,
    phantom,
)

# exit codes: 0 all well, 2 the command or its input cannot be used, 3 some cases failed, 130 stopped by hand
USAGE, SOME_FAILED, STOPPED = 2, 3, 130

EPILOG = """
a first study on digital hips:
  avnnet phantom cohort runs/hips --size laptop
  avnnet study runs/hips/cohort.csv --out runs/study \\
    --nets experiments/laptop/unet2d.yaml experiments/laptop/unet3d.yaml
  avnnet predict runs/study/model runs/hips/images/hip-001.nii.gz --centre=30,12,-5 --side right --out runs/masks

research use only: not a medical device.
"""


class _Parser(argparse.ArgumentParser):
    """A parser that takes `-95,12,-5` for a value, not an option: most centres begin with a minus."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._negative_number_matcher = re.compile(r"^-\.?\d[\d.,eE+-]*$")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; what it parses has `run`, the command's own."""
    root: argparse.ArgumentParser = _Parser(
        prog="avnnet",
        description="Volumetry of femoral head necrosis on 3D hip MRI: segment, measure, compare.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of a command line.

    Args:
        argv: the words behind `avnnet`; those of the process by default.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        args = parser().parse_args(words, argparse.Namespace(typed=shlex.join(["avnnet", *words])))
        failed: int = args.run(args)
        sys.stdout.flush()
        return SOME_FAILED if failed else 0
    except AvnnetError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("stopped; the same command goes on after the last whole epoch, or the last image", file=sys.stderr)
        return STOPPED


def run() -> NoReturn:
    """The command line of this process, which ends with its exit code."""
    code = main()
    gc.freeze()  # the interpreter would look through all objects once more before it lets go of them, for a second
    sys.exit(code)
