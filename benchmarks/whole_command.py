"""Minutes, processor time and peak memory of a whole command, and the Dice of the study it makes.

Run: python benchmarks/whole_command.py --study runs/demo/study -- make demo
     python benchmarks/whole_command.py --study runs/hippocampus -- avnnet study COHORT.csv --nets ... --out ...
"""

import argparse
import contextlib
import csv
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

# the standard library alone: it must run before `make demo` has installed anything
COLUMNS = ["reader", "label", "n", "n_missed", "n_undefined", "dice_mean", "dice_sd", "dice_median"]


class Watch(threading.Thread):
    """Memory and processor time of a process and its descendants, whoever has begun them (Linux).

    What a system counts of children (getrusage) leaves out those of a server that is not waited for.

    Attributes:
        peak_kib: the largest memory of all together, what they share counted once (PSS).
        largest_kib: the largest memory of one.
        seconds: of the processor, by process, when it was last seen.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.is_over = pid, threading.Event()
        self.peak_kib, self.largest_kib, self.seconds = 0, 0, dict[int, float]()
        self.start()

    def run(self) -> None:
        """Looks twice a second."""
        while not self.is_over.wait(0.5):
            seen = descendants(self.pid)
            self.peak_kib = max(self.peak_kib, sum(kib_of(pid, "smaps_rollup", "Pss:") for pid in seen))
            self.largest_kib = max(self.largest_kib, *(kib_of(pid, "status", "VmHWM:") for pid in seen))
            for pid in seen:
                self.seconds[pid] = max(seconds_of(pid), self.seconds.get(pid, 0))

    def together(self) -> str:
        """The peak of all in words; empty where the system does not tell."""
        return f", of all together {self.peak_kib / 1024**2:.2f} GiB" if self.peak_kib else ""


def descendants(pid: int) -> list[int]:
    """A process and all that it has begun."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def kib_of(pid: int, file: str, name: str) -> int:
    """A number of KiB that the system tells of a process; 0 where it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8").splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return 0


def seconds_of(pid: int) -> float:
    """A process's own time on the processor; 0 where it has ended."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True, help="the study's folder, for its Dice")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND WORDS")
    args = parser.parse_args()
    words = args.command[1:] if args.command[:1] == ["--"] else args.command
    start = time.perf_counter()
    process = subprocess.Popen(words)
    watch = Watch(process.pid)
    code = process.wait()
    watch.is_over.set()
    minutes = (time.perf_counter() - start) / 60
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # on a machine that others use too, processor time says more than the clock
    work = max(used.ru_utime + used.ru_stime, sum(watch.seconds.values())) / 60
    largest = max(used.ru_maxrss, watch.largest_kib) / 1024**2
    print(
        f"\nexit code {code}, {minutes:.1f} minutes, {work:.1f} minutes of processor time, peak memory of the largest "
        f"process {largest:.2f} GiB{watch.together()}"
    )
    print(" ".join(f"{name:>12s}" for name in COLUMNS))
    with open(args.study / "tables" / "dice.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            print(" ".join(f"{row[name][:6] if '.' in row[name] else row[name]:>12s}" for name in COLUMNS))
    return code


if __name__ == "__main__":
    sys.exit(main())
