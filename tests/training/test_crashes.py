"""Row K2: whatever write a training is killed at, the next call goes on and ends with the same weights."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import write_net

EPOCHS = 2


@pytest.fixture(scope="module")
def found(hips, tmp_path_factory):
    """What was left after a kill at every write of a training, and what the next call made of it."""
    folder = tmp_path_factory.mktemp("crashes")
    config = write_net(folder, "unet3d", max_epochs=EPOCHS, folds=2)
    words = [sys.executable, "-m", "tests.training.crashes", str(config), str(hips), str(folder)]
    done = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_k2_a_training_is_killed_at_every_write(found):
    assert all(kill["exit code"] == -9 for kill in found["kills"])
    # config and run record; per epoch the log, a checkpoint and its checksum; run record, weights and model.json
    assert len(found["kills"]) == 2 * (2 + 3 * EPOCHS + 3)


def test_k2_what_is_left_is_whole(found):
    order = [None, *(f"epoch-{epoch:05d}.ckpt" for epoch in range(EPOCHS))]
    newest = [order.index(kill["checkpoint"]) for kill in found["kills"]]
    assert newest == sorted(newest)  # a later kill never leaves an older checkpoint
    assert newest[0] == 0
    assert newest[-1] == EPOCHS
    assert all(kill["epochs"] == list(range(len(kill["epochs"]))) for kill in found["kills"])


def test_k2_the_next_call_ends_with_the_same_weights_and_every_epoch_once(found):
    assert found["whole"][0] == 0
    assert found["whole"][2] == list(range(EPOCHS))
    assert [kill["where"] for kill in found["kills"] if kill["again"] != found["whole"]] == []
