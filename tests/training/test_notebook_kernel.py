"""A notebook's kernel that is killed, or interrupted, while it trains."""

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from jupyter_client.manager import KernelManager, start_new_kernel

from avnnet.tables import write_table
from avnnet.training.config.experiment import load_experiment
from avnnet.training.fit import train
from avnnet.training.study.plan import Study
from avnnet.training.study.run import run_study
from tests.conftest import write_net
from tests.training.conftest import QUIET, draw_nothing

PATIENCE_S = 600
EPOCHS = 8
MARK_S = 5000.0
COMPARED = ("fold0/unet3d/model/*", "fold0/*.csv", "measurements.csv", "agreement.csv", "masks/*/*")


@pytest.fixture(scope="module")
def undisturbed(hips, tmp_path_factory) -> Study:
    """A finished study of one fold of one network, trained long enough to be caught at it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    net = write_net(folder, "unet3d", max_epochs=EPOCHS, steps_per_epoch=15)
    study = Study(hips, [net], folder / "study", folds=2, only_fold=0)
    with pytest.MonkeyPatch.context() as patch:
        draw_nothing(patch)
        run_study(study, QUIET)
    return study


@pytest.fixture
def start_kernel(tmp_path, monkeypatch):
    """Starts kernels as Jupyter does, and ends those that are left."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    started = []

    def start():
        started.append(start_new_kernel(startup_timeout=PATIENCE_S))
        return started[-1]

    yield start
    for manager, client in started:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def cell(study: Study) -> str:
    """A cell that runs a study, as a user writes it."""
    return f"""
from pathlib import Path
from avnnet.progress import Reporter
from avnnet.training import Study, run_study

study = Study(
    cohort=Path({str(study.cohort)!r}),
    nets=[Path({str(study.nets[0])!r})],
    out=Path({str(study.out)!r}),
    folds=2,
    only_fold=0,
)
run_study(study, Reporter(is_quiet=True))
"""


def wait_for_epoch(manager: KernelManager, out: Path, epoch: int) -> None:
    """Returns when the checkpoint of an epoch, or of a later one, is there: only the last two stay."""
    folder = out / "fold0" / "unet3d" / "checkpoints"
    end_s = time.monotonic() + PATIENCE_S
    while max((path.name for path in folder.glob("epoch-*.ckpt")), default="") < f"epoch-{epoch:05d}":
        assert manager.is_alive()
        assert time.monotonic() < end_s
        time.sleep(0.01)


def run(client, code: str) -> dict:
    return client.execute_interactive(code, timeout=PATIENCE_S, output_hook=lambda _: None)["content"]


def reply_to(client, asked: str) -> dict:
    """The content of the reply to a cell that was sent before."""
    while True:
        reply = client.get_shell_msg(timeout=PATIENCE_S)
        if reply["parent_header"]["msg_id"] == asked:
            return reply["content"]


def files_of(study: Study) -> dict[str, bytes]:
    paths = [path for pattern in COMPARED for path in sorted(study.out.glob(pattern))]
    return {str(path.relative_to(study.out)): path.read_bytes() for path in paths}


def resumed_from(study: Study) -> str | None:
    return json.loads((study.out / "fold0" / "unet3d" / "run.json").read_text())["resumed_from"]


def test_a_study_goes_on_to_the_same_weights_after_its_kernel_was_killed_and_the_next_one_interrupted_twice(
    undisturbed, start_kernel, tmp_path
):
    study = replace(undisturbed, out=tmp_path / "study")
    log = study.out / "fold0" / "unet3d" / "metrics.csv"
    manager, client = start_kernel()
    client.execute(cell(study))
    wait_for_epoch(manager, study.out, 0)
    os.kill(manager.provisioner.pid, signal.SIGKILL)
    assert not (study.out / "fold0" / "unet3d" / "model").exists()
    write_table(pd.read_csv(log).assign(seconds=MARK_S), log)  # time is counted on, unless a training begins anew

    manager, client = start_kernel()
    for epoch in (2, 4):  # the second interrupt is heard as well
        # a kernel aborts what it is sent right after an error, unless the cell that failed asked it not to
        asked = client.execute(cell(study), stop_on_error=False)
        wait_for_epoch(manager, study.out, epoch)
        manager.interrupt_kernel()
        reply = reply_to(client, asked)
        assert (reply["status"], reply["ename"]) == ("error", "KeyboardInterrupt"), "\n".join(reply["traceback"])
        assert not (study.out / "fold0" / "unet3d" / "model").exists()
    assert run(client, "assert study.folds == 2")["status"] == "ok"  # the same kernel, with its names
    assert run(client, cell(study))["status"] == "ok"
    assert resumed_from(study) is not None
    assert pd.read_csv(log)["epoch"].tolist() == list(range(EPOCHS))
    assert (pd.read_csv(log)["seconds"] >= MARK_S).all()
    assert files_of(study) == files_of(undisturbed)
    assert len(files_of(study)) >= 8


def test_an_interrupted_training_leaves_ctrl_c_as_it_was(undisturbed, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    words = [f"--data.cohort={undisturbed.cohort}", "--data.folds=2", f"--data.cache={tmp_path}"]
    experiment = load_experiment(undisturbed.nets, words)
    experiment.datamodule.reporter = QUIET

    def press(*_) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(experiment, tmp_path / "run", name="unet3d", on_epoch=press)
    assert signal.getsignal(signal.SIGINT) is before
