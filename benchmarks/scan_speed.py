"""Seconds and bytes that `avnnet scan` takes for a folder of 10 series of 100 slices, beside reading every file whole.

Run: python benchmarks/scan_speed.py
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from avnnet.data.dicom import find_series, write_series
from avnnet.grid import Grid
from avnnet.image import Image

SERIES, SHAPE = 10, (100, 384, 384)


def read_bytes() -> int:
    """What this process has read so far, from the system's count."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(lines[0].split()[1])


def main() -> None:
    avnnet = shutil.which("avnnet", path=str(Path(sys.executable).parent)) or "avnnet"
    values = np.random.default_rng(1).integers(0, 1000, SHAPE).astype(np.int16)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "export"
        for number in range(1, SERIES + 1):
            image = Image(values, Grid(SHAPE, (1.0, 0.44, 0.44)))
            write_series(image, folder / f"series{number}", patient_id="p", series_number=number)
        whole = sum(path.stat().st_size for path in folder.rglob("*.dcm"))

        start = time.perf_counter()
        for path in folder.rglob("*.dcm"):
            path.read_bytes()
        plain_s = time.perf_counter() - start

        before = read_bytes()
        start = time.perf_counter()
        found = find_series(folder)
        own_s = time.perf_counter() - start
        read = read_bytes() - before

        start = time.perf_counter()
        subprocess.run([avnnet, "scan", str(folder)], check=False, stdout=subprocess.DEVNULL)
        command_s = time.perf_counter() - start
    print(f"{len(found.series)} series, {SERIES * SHAPE[0]} files, {whole / 2**20:.0f} MiB")
    print(f"avnnet scan, the whole command: {command_s:.1f} s; find_series alone: {own_s:.1f} s")
    share = 100 * read / whole
    print(f"it read {read / 2**20:.1f} MiB, {share:.1f} % of the files; reading them whole: {plain_s:.1f} s")


if __name__ == "__main__":
    main()
