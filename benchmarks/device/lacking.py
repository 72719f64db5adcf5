"""Packages that the machine lacks, from wheels that were brought along."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from benchmarks.device.errors import NotReady

IMPORTED = ("monai", "SimpleITK", "pydicom", "jsonargparse", "trimesh", "pytest")
"""Modules whose absence shows that wheels are needed."""
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
WAY_OUT = (
    "make them where there are registries, `.venv/bin/python benchmarks/wheels.py --python {version}`, and bring the "
    "folder wheels/ along (or name it: --wheels FOLDER)"
)


def lacking_here() -> list[str]:
    """The modules that cannot be imported."""
    return [name for name in IMPORTED if find_spec(name) is None]


def install(wheels: Path, target: Path) -> list[str]:
    """The distributions that were lacking, now installed into `target`; what the machine has stays as it is.

    Args:
        wheels: folder of wheels.
        target: folder to put on the path.

    Raises:
        NotReady: if something is lacking, and is not among the wheels or does not fit this Python.
    """
    lacking = lacking_here()
    if not lacking:
        return []
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    way_out = WAY_OUT.format(version=version)
    files = sorted(wheels.glob("*.whl")) if wheels.is_dir() else []
    if not files:
        raise NotReady(f"this Python lacks {', '.join(lacking)}, and there are no wheels in {wheels}; {way_out}")
    names = [name for name in sorted({file.name.split("-")[0] for file in files}) if not _is_installed(name)]
    words = ["--no-index", "--no-deps", "--no-compile", "--no-cache-dir", "--find-links", str(wheels)]
    words = [*PIP, "install", *words, "--target", str(target), *names]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[-400:]
        raise NotReady(f"the wheels in {wheels} do not fit Python {version} ({said}); {way_out}")
    there = {path.name for path in target.iterdir()}
    still = [name for name in lacking if name not in there]
    if still:
        raise NotReady(f"the wheels in {wheels} hold no {', '.join(still)}; {way_out}")
    return names


def _is_installed(name: str) -> bool:
    try:
        distribution(re.sub(r"[-_.]+", "-", name))
    except PackageNotFoundError:
        return False
    return True
