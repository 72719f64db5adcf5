"""`python -m tests.faults.fuzz --count 24000`, or `--seed N` for one mutant; `--keep FOLDER` leaves its files there."""

import argparse
import tempfile
from pathlib import Path

from tests.faults.fuzz.campaign import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    if args.seed is None:
        print(run(range(args.start, args.start + args.count)))
        return
    from tests.faults.fuzz.mutant import outcome

    with tempfile.TemporaryDirectory() as place:
        print(outcome(args.seed, (args.keep or Path(place)) / "mutant"))


if __name__ == "__main__":
    main()
