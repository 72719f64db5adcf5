"""Row K2: whatever write a training is killed at, the next call goes on and ends with the same weights."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EPOCHS = 2


@pytest.fixture(scope="module")
def found(hips, tmp_path_factory):
    """What was left after a kill at every write of a training, and what the next call made of it."""
    folder = tmp_path_factory.mktemp("crashes")
    config = folder / "unet3d.yaml"
    config.write_text(f"""
seed_everything: 7
model:
  net:
    class_path: avnnet.models.UNet3D
    init_args: {{channels: [4, 8], strides: [[2, 2, 2]]}}
data:
  spacing_mm: [4.0, 4.0, 4.0]
  crop: [16, 18, 18]
  patch: [16, 18, 18]
  folds: 2
  batch_size: 2
  steps_per_epoch: 3
trainer: {{max_epochs: {EPOCHS}, precision: 32-true, accelerator: cpu}}
""")
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
