"""The page on losses of one's own, from its file to a study."""

import re
import sys
from pathlib import Path

import yaml

from avnnet.errors import InvalidConfig, NonFiniteLoss
from avnnet.tables import read_table
from avnnet.training.study.run import run_study
from tests.training.conftest import QUIET

PAGE = (Path(__file__).parents[2] / "docs" / "your_own_loss.md").read_text(encoding="utf-8")
MAX_LINES = 15


def block(title: str, language: str) -> str:
    """The block of the page that begins with a comment of this name."""
    return next(
        text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if text.startswith(f"# {title}")
    )


def test_a_loss_of_ones_own_is_one_file_of_few_lines_and_runs_in_a_study(
    plan, net_yaml, tmp_path, monkeypatch, no_report
):
    lines = [line for line in block("my_losses.py", "python").splitlines() if line and not line.startswith("#")]
    assert len(lines) <= MAX_LINES
    (tmp_path / "my_losses.py").write_text(block("my_losses.py", "python"))
    (tmp_path / "squared.yaml").write_text(block("squared.yaml", "yaml"))
    monkeypatch.syspath_prepend(tmp_path)
    base = net_yaml("unet3d", steps_per_epoch=2)
    overlaid = Path(f"{base}+{tmp_path / 'squared.yaml'}")
    study = plan(nets=[base, overlaid], only_fold=0)
    try:
        assert run_study(study, QUIET) == 0
    finally:
        sys.modules.pop("my_losses", None)
    runs = study.out / "fold0"
    written = yaml.safe_load((runs / "unet3d-squared" / "config.yaml").read_text())["model"]["loss"]
    assert written == {"class_path": "my_losses.SquaredError", "init_args": {"weight": 2.0}}
    losses = [read_table(runs / name / "metrics.csv")["train_loss"].iloc[0] for name in ("unet3d", "unet3d-squared")]
    assert losses[0] != losses[1]


def test_the_page_names_the_errors_that_there_are():
    named = {word for word in re.findall(r"`(\w+)`", PAGE) if word.endswith(("Config", "NonFiniteLoss"))}
    assert named <= {InvalidConfig.__name__, NonFiniteLoss.__name__}
    assert NonFiniteLoss.__name__ in named
