"""benchmarks/cuda.py: every step at toy size, and what a step that fails, hangs or dies costs."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import distribution
from pathlib import Path

import pytest
import torch

from avnnet.training.config.experiment import load_experiment
from benchmarks.device import lacking
from benchmarks.device.bench import ABSTRACT
from benchmarks.device.errors import NotReady
from benchmarks.device.plan import STEPS, limit_s
from benchmarks.device.report import Report
from benchmarks.device.speed import dynunet_like
from benchmarks.device.watch import Watch
from benchmarks.wheels import LEFT_OUT, PRESENT, lacking_there

ROOT = Path(__file__).parents[1]
NAMES = ["sound", "raises", "hangs", "dies", "breaks", "last"]
# tells as `benchmarks.device.worker` does, of steps that behave as they are called
WORKER = """
import json, os, sys, time
def tell(**line): print(json.dumps(line), flush=True)
for name in sys.argv[1:]:
    tell(begin=name, limit_s=0.2)
    if name == "refuses": tell(refused="no device")
    tell(row={"what": "first", "steps_per_s": 2.5})
    if name == "hangs": time.sleep(30)
    if name == "dies": os._exit(3)
    tell(end=name, error="ValueError: odd" if name in ("raises", "breaks") else None)
    if name == "breaks": sys.exit(5)
"""
# without torch, which takes seconds to import
WATCH = """
import sys, time
from pathlib import Path
from benchmarks.device.report import Report
from benchmarks.device.watch import Watch
folder, worker, *names = sys.argv[1:]
until_s, log = time.time() + 60, Path(folder) / "log"
report = Report(Path(folder), {})
Watch(lambda left: [sys.executable, "-c", worker, *left], report, until_s=until_s, log=log, grace_s=60).run(names)
"""


def cuda(*words: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "benchmarks" / "cuda.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})


def watch(report: Report, *, seconds: float = 60) -> Watch:
    def command(names: list[str]) -> list[str]:
        return [sys.executable, "-c", WORKER, *names]

    log = report.folder / "log"
    return Watch(command, report, until_s=time.time() + seconds, log=log, grace_s=3, start_s=60)


def test_every_step_runs_on_the_cpu_at_toy_size(tmp_path):
    done = cuda("--dry", "--minutes", "60", "--out", str(tmp_path))  # a busy machine may be slow
    log = (tmp_path / "cuda.log").read_text()
    assert done.returncode == 0, done.stdout + done.stderr + log
    told = json.loads((tmp_path / "cuda.json").read_text())
    assert told["finished"]
    assert {row["step"] for row in told["rows"]} == {step.name for step in STEPS}
    equal = [row["dice"] for row in told["rows"] if "32-true to the CPU" in row.get("what", "")]
    assert equal == [1.0] * 3
    table = (tmp_path / "cuda.md").read_text()
    assert {line.count(" | ") for line in re.sub(r"\|-.*\n", "", table).splitlines()} == {7}


@pytest.mark.parametrize("name", ["unet2d", "unet3d"])
def test_the_dynunet_that_ours_is_held_against_has_the_same_kernels(name):
    net = load_experiment([ABSTRACT / f"{name}.yaml"], ["--trainer.accelerator=cpu"]).model.net
    ours, monais = (sorted(tuple(w.shape) for w in n.parameters() if w.ndim > 2) for n in (net, dynunet_like(net)))
    assert ours == monais


def test_a_step_that_raises_hangs_or_dies_costs_its_own_row_and_no_other(tmp_path):
    report = Report(tmp_path, {})
    watch(report).run(NAMES)
    assert [row["step"] for row in report.rows if "error" not in row] == NAMES  # each one's first row
    errors = {row["step"]: row["error"] for row in report.failures}
    assert list(errors) == ["raises", "hangs", "dies", "breaks"]
    assert "odd" in errors["raises"]
    assert "killed" in errors["hangs"]
    assert "code 3" in errors["dies"]


def test_a_worker_that_cannot_begin_is_not_started_for_ever(tmp_path):
    report = Report(tmp_path, {})
    until_s = time.time() + 60
    Watch(lambda _: [sys.executable, "-c", ""], report, until_s=until_s, log=tmp_path / "log").run(["one", "two"])
    assert [row["step"] for row in report.failures] == ["one", "two"]


def test_steps_for_which_no_time_is_left_are_named(tmp_path):
    report = Report(tmp_path, {})
    watch(report, seconds=0).run(NAMES)
    assert [row["step"] for row in report.failures] == NAMES
    assert "--minutes" in report.rows[0]["error"]


def test_a_worker_that_finds_no_device_ends_all(tmp_path):
    with pytest.raises(NotReady, match="no device"):
        watch(Report(tmp_path, {})).run(["refuses", "last"])


def test_a_kill_half_way_loses_no_row_that_was_found(tmp_path):
    command = [sys.executable, "-c", WATCH, str(tmp_path), WORKER, *NAMES]
    running = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    until = time.monotonic() + 60
    table = tmp_path / "cuda.md"
    while time.monotonic() < until and not (table.exists() and "hangs" in table.read_text()):
        time.sleep(0.1)
    running.send_signal(signal.SIGKILL)
    running.wait()
    told = json.loads((tmp_path / "cuda.json").read_text())
    assert not told["finished"]
    assert [row["step"] for row in told["rows"]] == ["sound", "raises", "raises", "hangs"]
    assert "Not finished" in table.read_text()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so_and_points_to_the_dry_run(tmp_path):
    done = cuda("--out", str(tmp_path))
    assert done.returncode == 2
    assert "no CUDA device" in done.stderr
    assert "--dry" in done.stderr


def test_without_wheels_it_says_what_is_lacking_and_how_to_make_them(tmp_path, monkeypatch):
    monkeypatch.setattr(lacking, "IMPORTED", ("json", "module_that_nobody_has"))
    with pytest.raises(NotReady, match=r"lacks module_that_nobody_has, .*benchmarks/wheels\.py --python 3"):
        lacking.install(tmp_path / "wheels", tmp_path / "site")


def test_a_wheel_is_installed_beside_what_the_machine_has(tmp_path, monkeypatch):
    monkeypatch.setattr(lacking, "IMPORTED", ("module_that_nobody_has",))
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    write_wheel(wheels, "module_that_nobody_has")
    write_wheel(wheels, "numpy")  # which is there already: another version would stand before it
    assert lacking.install(wheels, tmp_path / "site") == ["module_that_nobody_has"]
    assert (tmp_path / "site" / "module_that_nobody_has" / "__init__.py").exists()
    assert not (tmp_path / "site" / "numpy").exists()


def test_wheels_of_other_packages_are_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(lacking, "IMPORTED", ("module_that_nobody_has",))
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    write_wheel(wheels, "another_module")
    with pytest.raises(NotReady, match="hold no module_that_nobody_has"):
        lacking.install(wheels, tmp_path / "site")


def test_the_wheels_are_what_the_bare_machine_lacks_and_no_more():
    names = lacking_there("3.12")
    assert {"simpleitk", "monai", "pydicom", "jsonargparse", "trimesh", "pytest"} <= set(names)
    assert not {*PRESENT, *LEFT_OUT, "avnnet", "pyyaml", "lightning-utilities", "nibabel"} & set(names)
    assert all(distribution(name).version for name in names)


@pytest.mark.parametrize("minutes", ["0", "0.5", "525600", "nan"])
def test_minutes_out_of_their_limits_are_refused(minutes, tmp_path):
    done = cuda("--minutes", minutes, "--out", str(tmp_path))
    assert done.returncode == 2
    assert "1 to 60" in done.stderr


def test_a_step_gets_its_wish_or_its_share_of_plenty_and_never_more_than_there_is():
    assert limit_s([30, 60, 10], 400) == 120
    assert limit_s([30, 60, 10], 50) == 30
    assert limit_s([30, 60, 10], 20) == 20
    assert limit_s([30, 60, 10], -1) == 0


def write_wheel(folder: Path, name: str) -> None:
    """A wheel of an empty package."""
    import zipfile

    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", "")
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
