"""The command line: words to calls, nothing else."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence

from avnnet.atomic import check_links
from avnnet.errors import AvnnetError
from avnnet.options import parser

# exit codes: 0 all well, 2 the command or its input cannot be used, 3 some cases failed, 130 stopped by hand
USAGE, SOME_FAILED, STOPPED = 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of a command line."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["fit"]:
            from avnnet.commands.fit import fit

            return fit(words[1:])
        args = parser().parse_args(words)
        written = getattr(args, "out", None) or (args.folder if args.command == "report" else None)
        if written is not None:
            check_links(written)
        if args.command == "study":
            from avnnet.commands.study import study

            failed = study(args, command=shlex.join(["avnnet", *words]))
        elif args.command == "predict":
            from avnnet.commands.predict import predict

            failed = predict(args)
        elif args.command == "evaluate":
            from avnnet.commands.evaluate import evaluate

            failed = evaluate(args)
        elif args.command == "compare":
            from avnnet.commands.compare import compare

            failed = compare(args)
        elif args.command == "measure":
            from avnnet.commands.measure import measure

            failed = measure(args)
        elif args.command == "report":
            from avnnet.commands.report import report

            failed = report(args)
        elif args.command == "stats":
            from avnnet.commands.stats import stats

            failed = stats(args, command=shlex.join(["avnnet", *words]))
        elif args.command == "scan":
            from avnnet.commands.scan import scan

            failed = scan(args)
        elif args.command == "cohort":
            from avnnet.commands.cohort import cohort

            failed = cohort(args)
        else:
            from avnnet.commands.phantom import phantom

            failed = phantom(args)
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


if __name__ == "__main__":
    sys.exit(main())
