"""Seconds of `import avnnet` and `avnnet --help`, each beside an empty Python process.

Run: python benchmarks/start_up.py
"""

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 11


def seconds(command: list[str]) -> list[float]:
    """Wall seconds of whole processes, after one that warms the file cache."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return times[1:]


def main() -> None:
    avnnet = shutil.which("avnnet", path=str(Path(sys.executable).parent)) or "avnnet"
    commands = {
        "empty process": [sys.executable, "-c", "pass"],
        "import avnnet": [sys.executable, "-c", "import avnnet"],
        "avnnet --help": [avnnet, "--help"],
    }
    print(f"{'whole process':16s} {'median s':>9s} {'max s':>7s}   ({RUNS} runs each)")
    for name, command in commands.items():
        times = seconds(command)
        print(f"{name:16s} {statistics.median(times):9.3f} {max(times):7.3f}")


if __name__ == "__main__":
    main()
