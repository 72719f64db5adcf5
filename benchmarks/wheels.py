"""Fills the folder wheels/ with what avnnet needs on a bare GPU machine beside torch and the usual scientific packages.

What is lacking follows from the metadata of the environment that this runs in: whatever avnnet and pytest need, less
whatever the packages in PRESENT need. The versions are those installed here. The folder is ignored by git.

Run: .venv/bin/python benchmarks/wheels.py --python 3.12
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PRESENT = (
    "torch", "pytorch-lightning", "numpy", "scipy", "pandas", "scikit-image", "scikit-learn", "statsmodels",
    "matplotlib", "rich", "safetensors", "jinja2",
)  # fmt: skip
"""What the bare machine has, with all that these need."""
# the decoders of compressed DICOM pixels: 18 MB, and no DICOM file is read there
LEFT_OUT = {"pylibjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "pyjpegls", "python-gdcm"}
MAX_MB = 60.0
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
FOLDER = Path(__file__).resolve().parents[1] / "wheels"
# pip takes a tag by its exact number
PLATFORMS = [f"manylinux_2_{n}_x86_64" for n in (35, 34, 31, 28, 27, 24, 17)] + ["manylinux2014_x86_64"]


def needed_by(names: Iterable[str], python: str) -> set[str]:
    """The distributions that these need, themselves included, on Linux with a Python such as "3.12".

    Those that are not installed here are passed over: nothing could be said about their versions.
    """
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    left, seen, found = [Requirement(name) for name in names], set(), set()
    while left:
        asked = left.pop()
        if str(asked) in seen:
            continue
        seen.add(str(asked))
        try:
            requires = distribution(asked.name).requires or []
        except PackageNotFoundError:
            continue
        found.add(canonicalize_name(asked.name))
        for needs in map(Requirement, requires):
            extras = asked.extras or {""}
            if needs.marker is None or any(needs.marker.evaluate({**environment, "extra": one}) for one in extras):
                left.append(needs)
    return found


def lacking_there(python: str) -> list[str]:
    """The names of what the bare machine lacks, sorted."""
    return sorted(needed_by(["avnnet", "pytest"], python) - needed_by(PRESENT, python) - LEFT_OUT - {"avnnet"})


def fill(folder: Path, python: str) -> list[Path]:
    """The wheels, downloaded; the folder is made anew.

    Raises:
        SystemExit: if pip finds none, or they are more than 60 MB.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pins = [f"{name}=={distribution(name).version}" for name in lacking_there(python)]
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    words = ["--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", python, *platforms]
    words = [*PIP, "download", *words, "-d", str(folder)]
    if subprocess.run([*words, *pins], check=False).returncode:
        raise SystemExit(f"pip found no wheel of each for Python {python}: {', '.join(pins)}; see its message above")
    wheels = sorted(folder.glob("*.whl"))
    total_mb = sum(wheel.stat().st_size for wheel in wheels) / 1e6
    for wheel in wheels:
        print(f"{wheel.stat().st_size / 1e6:7.2f} MB  {wheel.name}")
    print(f"{total_mb:7.2f} MB  in {folder}")
    if total_mb > MAX_MB:
        raise SystemExit(f"the wheels may have {MAX_MB:.0f} MB; found {total_mb:.1f}: leave one out (LEFT_OUT)")
    return wheels


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    parser.add_argument("--python", default=here, help=f"Python of the GPU machine, such as 3.12 (default {here})")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder to make (default wheels/)")
    args = parser.parse_args()
    if not re.fullmatch(r"3\.\d{1,2}", args.python):
        parser.error(f"--python takes a version such as 3.12; found {args.python}")
    if args.out.exists() and any(path.suffix != ".whl" for path in args.out.iterdir()):
        parser.error(f"{args.out} holds other things than wheels; choose another folder")
    fill(args.out, args.python)
    return 0


if __name__ == "__main__":
    sys.exit(main())
