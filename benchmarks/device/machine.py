"""The machine itself, and the tests marked `gpu` on it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from xml.etree import ElementTree

from benchmarks.device.bench import GIB, ROOT, Bench
from benchmarks.device.errors import NotReady, StepFailed

TOLD = ("torch", "monai", "pytorch-lightning", "numpy")


def look(bench: Bench) -> Iterator[dict[str, object]]:
    """What runs where; refuses to go on without a GPU."""
    import torch

    versions = {name: _version(name) for name in TOLD}
    facts = f"Python {platform.python_version()}, {os.cpu_count()} processors, "
    facts += ", ".join(f"{name} {number}" for name, number in versions.items())
    if bench.is_dry:
        yield {"what": "the CPU, at toy size", "note": facts}
        return
    if not torch.cuda.is_available():
        raise NotReady(
            f"torch {torch.__version__} (CUDA {torch.version.cuda}) finds no CUDA device here; run it on a machine "
            "with a GPU, or with --dry for every step on the CPU at toy size"
        )
    gpu = torch.cuda.get_device_properties(0)
    yield {
        "what": gpu.name,
        "note": f"{gpu.total_memory / GIB:.0f} GiB, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}, "
        + facts,
    }


def run_tests(bench: Bench) -> Iterator[dict[str, object]]:
    """How many of the tests marked `gpu` passed, and each that did not."""
    files = sorted(path for path in (ROOT / "tests").rglob("test_*.py") if "@pytest.mark.gpu" in path.read_text())
    if bench.is_dry:
        yield {"what": "marked gpu", "note": f"left out without a GPU; they stand in {len(files)} files"}
        return
    found = bench.folder / "tests.xml"
    # notices of other versions than those of constraints.txt are no failures, and neither are plugins of the machine
    words = ["-m", "pytest", "-m", "gpu", "-W", "default", "-p", "no:cacheprovider", f"--junitxml={found}"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(
        [sys.executable, *words, *map(str, files)], cwd=ROOT, env=environment, stdout=sys.stderr, check=False
    )
    if not found.exists():
        raise StepFailed("pytest wrote no results; see the log")
    suite = next(ElementTree.parse(found).iter("testsuite"))
    count = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    bad = count["failures"] + count["errors"]
    passed = count["tests"] - bad - count["skipped"]
    note = f"{passed} passed, {bad} failed, {count['skipped']} skipped"
    yield {"what": "marked gpu", "seconds": float(suite.get("time", 0)), "note": note}
    for case in suite.iter("testcase"):
        for kind in ("failure", "error"):
            for problem in case.iter(kind):
                yield {"what": case.get("name"), "error": (problem.get("message") or kind)[:300]}
    if not passed:
        raise StepFailed(f"no test passed: {note}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "lacking"
