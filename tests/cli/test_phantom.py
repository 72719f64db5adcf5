"""`avnnet phantom`: cohorts and pictures of digital hips."""

import pandas as pd

from avnnet.cli import main


def test_phantom_writes_a_cohort(tmp_path, monkeypatch):
    words = ["phantom", "cohort", str(tmp_path / "hips"), "--patients", "1", "--size", "laptop", "--sequence", "mixed"]
    assert main(words) == 0
    table = pd.read_csv(tmp_path / "hips" / "cohort.csv")
    assert table["source"].tolist() == ["digital hip"]
