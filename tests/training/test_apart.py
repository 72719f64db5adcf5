"""Studies and jobs in several processes: the same files as in one, and whoever dies is named."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from pytorch_lightning.callbacks import Callback
from threadpoolctl import threadpool_info

from avnnet.data.cohort import read_cohort
from avnnet.errors import InvalidConfig, WorkerFailed
from avnnet.inference.model_folder import load_model
from avnnet.progress import Reporter
from avnnet.training.study.apart import Job, run_apart
from avnnet.training.study.first_look import show_first
from avnnet.training.study.plan import Study
from avnnet.training.study.run import run_study
from tests.conftest import write_net
from tests.training.conftest import QUIET

DIES = "AVNNET_TEST_DIES_IN"


class Dies(Callback):
    """Kills its process in the middle of the training that an environment variable names; changes nothing else."""

    def on_train_epoch_end(self, trainer, pl_module):
        if os.environ.get(DIES) == f"fold {trainer.datamodule.fold} of {pl_module.net.ndim} dimensions":
            os.kill(os.getpid(), signal.SIGKILL)


class Lines(Reporter):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__(is_quiet=True)
        self.lines: list[str] = []

    def say(self, text):
        self.lines.append(text)


def bytes_of(out: Path) -> dict[str, bytes]:
    files = [*out.glob("*.csv"), *out.glob("fold*/*.csv"), *out.glob("masks/*/*"), *out.glob("fold*/*/model/*")]
    files += [*out.glob("tables/*.csv"), out / "splits.json", out / "first.png"]
    # the seconds of an epoch differ in every run
    return {str(path.relative_to(out)): path.read_bytes() for path in files if path.name != "training.csv"}


def test_a_study_in_two_processes_of_which_one_is_killed_ends_with_the_files_of_one_process(
    finished, tmp_path, monkeypatch
):
    whole, _ = finished
    for name in ("unet2d", "unet3d"):
        write_net(tmp_path, name, steps_per_epoch=10)
    nets = [tmp_path / f"{name}.yaml" for name in ("unet2d", "unet3d")]
    callback = f"--trainer.callbacks=[{{class_path: {__name__}.Dies}}]"
    study = replace(whole, out=tmp_path / "study", nets=nets, processes=2, overrides=[callback])
    monkeypatch.setenv(DIES, "fold 1 of 2 dimensions")
    said = Lines()
    with pytest.raises(
        WorkerFailed, match=r"fold 2 of 2, training unet2d: .*signal 9.*; also not done: fold 2 of 2, p"
    ):
        run_study(study, said)
    assert (study.out / "fold0" / "done.json").exists()  # what did not need it was done
    assert (study.out / "fold1" / "unet3d" / "model").is_dir()
    monkeypatch.delenv(DIES)
    trained = (study.out / "fold0" / "unet2d" / "model" / "model.json").stat().st_mtime_ns
    assert run_study(study, said) == 0
    assert (study.out / "fold0" / "unet2d" / "model" / "model.json").stat().st_mtime_ns == trained
    assert bytes_of(study.out) == bytes_of(whole.out)
    assert [line for line in said.lines if line.startswith("fold 1 of 2")] == ["fold 1 of 2: done before"]


def test_the_first_held_out_case_is_shown_with_the_volumes_of_the_tables(finished, tmp_path):
    whole, _ = finished
    table = pd.read_csv(whole.out / "fold0" / "measurements.csv")
    (case,) = read_cohort(whole.cohort).subset([table["case_id"].iloc[0]])
    model, said = load_model(whole.out / "fold0" / "unet2d" / "model"), Lines()
    for _ in range(2):  # a picture that is there is not made again
        show_first(case, model, tmp_path, said)
    assert (tmp_path / "first.png").read_bytes() == (whole.out / "first.png").read_bytes()
    line, place = said.lines
    rows = table[table["case_id"] == case.case_id].set_index("reader")
    for name in ("vital", "necrosis"):
        found, drawn = rows.loc["unet2d", f"{name}_cm3"], rows.loc["manual", f"{name}_cm3"]
        assert f"{name} {found:.1f} cm³ (manual {drawn:.1f}, Dice " in line
    assert place.endswith("first.png in the study's folder")


def test_the_picture_is_named_by_the_path_that_was_typed_and_by_no_place_on_the_machine(
    finished, tmp_path, monkeypatch
):
    whole, _ = finished
    monkeypatch.chdir(tmp_path)
    case = read_cohort(whole.cohort).cases[0]
    model, said = load_model(whole.out / "fold0" / "unet2d" / "model"), Lines()
    for folder in (Path("typed"), tmp_path / "whole"):
        show_first(case, model, folder, said)
    assert said.lines[1].endswith(": typed/first.png")
    assert str(tmp_path) not in said.lines[3]


def test_a_first_case_that_cannot_be_segmented_is_left_to_the_tables(finished, tmp_path):
    whole, _ = finished
    case = replace(read_cohort(whole.cohort).cases[0], image=(tmp_path / "gone.nii.gz",))
    said = Lines()
    show_first(case, load_model(whole.out / "fold0" / "unet2d" / "model"), tmp_path, said)
    assert said.lines == []
    assert list(tmp_path.iterdir()) == []


def work(what: str, folder: Path, reporter: Reporter) -> None:
    if what == "fail":
        raise ValueError("no such thing")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    reporter.say(what)
    with reporter.steps(what, 1) as step:
        step(1)
    if what == "word":
        (folder / what).write_text(os.environ["AVNNET_TEST_WORD"])
        return
    pools = {pool["num_threads"] for pool in threadpool_info()}
    (folder / what).write_text(f"{torch.get_num_threads()} {os.environ['OPENBLAS_NUM_THREADS']} {pools}")


def test_jobs_that_fail_or_die_are_named_and_the_others_are_done(tmp_path):
    after = {"early": (), "fail": (), "needs it": ("fail",), "die": ("early",), "late": ("early",)}
    jobs = [
        Job(f"the {name}", (name, tmp_path), tuple(f"the {one}" for one in before)) for name, before in after.items()
    ]
    said, before = Lines(), dict(os.environ)
    with pytest.raises(WorkerFailed) as caught:
        run_apart(jobs, work, 2, said)
    assert "the fail: ValueError: no such thing" in str(caught.value) or "signal 9" in str(caught.value)
    for name in ("the fail", "the needs it", "the die"):
        assert name in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["early", "late"]
    assert {"early", "late"} < set(said.lines)
    share = max(1, torch.get_num_threads() // 2)
    assert (
        tmp_path / "late"
    ).read_text() == f"{share} {share} {{{share}}}"  # of every library, or tables differ in the last digit
    assert before == dict(os.environ)


def test_every_process_has_its_share_of_threads_and_the_environment_of_its_own_run(tmp_path, monkeypatch):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        for processes, share in ((2, 2), (1, 4)):
            monkeypatch.setenv("AVNNET_TEST_WORD", f"of {processes}")
            run_apart([Job("it", (f"share{share}", tmp_path)), Job("word", ("word", tmp_path))], work, processes, QUIET)
            assert (tmp_path / f"share{share}").read_text() == f"{share} {share} {{{share}}}"
            assert (tmp_path / "word").read_text() == f"of {processes}"
    finally:
        torch.set_num_threads(before)


def sleep(folder: Path, reporter: Reporter) -> None:
    (folder / "partial").write_text(str(os.getpid()))
    (folder / "partial").rename(folder / "worker")
    time.sleep(600)


def test_a_killed_parent_takes_its_processes_along(tmp_path):
    words = f"from {__name__} import *; run_apart([Job('sleep', (Path({str(tmp_path)!r}),))], sleep, 2, QUIET)"
    parent = subprocess.Popen([sys.executable, "-c", words], cwd=Path(__file__).parents[2])
    try:
        wait_until((tmp_path / "worker").exists)
    finally:
        parent.kill()
        parent.wait()
    worker = int((tmp_path / "worker").read_text())
    wait_until(lambda: is_gone(worker))


def is_gone(process: int) -> bool:
    path = Path(f"/proc/{process}/stat")
    return not path.exists() or path.read_text().rpartition(")")[2].split()[0] == "Z"  # dead, and nobody has asked how


def wait_until(is_so) -> None:
    end_s = time.monotonic() + 300
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.1)


@pytest.mark.parametrize("processes", [0, -1, 1000])
def test_a_number_of_processes_that_no_machine_has_is_refused(processes, hips, tmp_path):
    with pytest.raises(InvalidConfig, match=f"from 1 to 256.*found {processes}"):
        Study(hips, [], tmp_path, processes=processes)


def test_no_jobs_are_no_work():
    run_apart([], work, 2, QUIET)


def test_a_budget_in_minutes_is_refused_beside_several_processes(tmp_path):
    with pytest.raises(InvalidConfig, match="--minutes times one training at a time; found --processes 2"):
        Study(tmp_path / "cohort.csv", [tmp_path / "unet3d.yaml"], tmp_path / "study", minutes=30, processes=2)
