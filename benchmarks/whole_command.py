"""Minutes, processor time and peak memory of a whole command, and the Dice of the study it makes.

Run: python benchmarks/whole_command.py --study runs/demo/study -- make demo
     python benchmarks/whole_command.py --study runs/hippocampus -- avnnet study COHORT.csv --nets ... --out ...
"""

import argparse
import contextlib
import csv
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

# the standard library alone: it must run before `make demo` has installed anything
COLUMNS = ["reader", "label", "n", "n_missed", "n_undefined", "dice_mean", "dice_sd", "dice_median"]


class Memory(threading.Thread):
    """The largest memory of a process and its descendants together, what they share counted once (PSS; Linux)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak_kib, self.is_over = pid, 0, threading.Event()
        self.start()

    def run(self) -> None:
        """Looks twice a second."""
        while not self.is_over.wait(0.5):
            self.peak_kib = max(self.peak_kib, sum(pss_kib(pid) for pid in descendants(self.pid)))

    def said(self) -> str:
        """The peak in words; empty where the system does not tell."""
        return f", of all together {self.peak_kib / 1024**2:.2f} GiB" if self.peak_kib else ""


def descendants(pid: int) -> list[int]:
    """A process and all that it has begun."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def pss_kib(pid: int) -> int:
    """A process's proportional set size; 0 where it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True, help="the study's folder, for its Dice")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND WORDS")
    args = parser.parse_args()
    words = args.command[1:] if args.command[:1] == ["--"] else args.command
    start = time.perf_counter()
    process = subprocess.Popen(words)
    memory = Memory(process.pid)
    code = process.wait()
    memory.is_over.set()
    minutes = (time.perf_counter() - start) / 60
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # on a machine that others use too, processor time says more than the clock
    work = (used.ru_utime + used.ru_stime) / 60
    print(
        f"\nexit code {code}, {minutes:.1f} minutes, {work:.1f} minutes of processor time, peak memory of the largest "
        f"process {used.ru_maxrss / 1024**2:.2f} GiB{memory.said()}"
    )
    print(" ".join(f"{name:>12s}" for name in COLUMNS))
    with open(args.study / "tables" / "dice.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            print(" ".join(f"{row[name][:6] if '.' in row[name] else row[name]:>12s}" for name in COLUMNS))
    return code


if __name__ == "__main__":
    sys.exit(main())
