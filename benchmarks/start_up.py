"""Seconds of `import avnnet`, `avnnet --help` and of a wrong key of `avnnet fit`, beside an empty Python process.

Run: python benchmarks/start_up.py
"""

import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 11
CONFIG = Path(__file__).parents[1] / "experiments" / "laptop" / "unet3d.yaml"


def seconds(command: list[str], code: int) -> tuple[list[float], list[float]]:
    """Wall and CPU seconds of whole processes, after one that warms the file cache."""
    wall, cpu = [], []
    for _ in range(RUNS + 1):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode != code:
            raise SystemExit(f"{command} ended with {done.returncode}, not {code}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall.append(time.perf_counter() - start)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return wall[1:], cpu[1:]


def main() -> None:
    avnnet = shutil.which("avnnet", path=str(Path(sys.executable).parent)) or "avnnet"
    commands = {
        "empty process": ([sys.executable, "-c", "pass"], 0),
        "import avnnet": ([sys.executable, "-c", "import avnnet"], 0),
        "avnnet --help": ([avnnet, "--help"], 0),
        "fit, wrong word": ([avnnet, "fit", "-c", str(CONFIG), "--data.cohrt=cohort.csv"], 2),
    }
    print(f"{'whole process':16s} {'median s':>9s} {'max s':>7s} {'CPU s':>7s}   ({RUNS} runs each)")
    for name, (command, code) in commands.items():
        wall, cpu = seconds(command, code)
        print(f"{name:16s} {statistics.median(wall):9.3f} {max(wall):7.3f} {statistics.median(cpu):7.3f}")


if __name__ == "__main__":
    main()
