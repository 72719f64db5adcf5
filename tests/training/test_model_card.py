"""What a finished study says of its model: which networks are enough, and the card beside them."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from avnnet.inference.model_folder import load_model
from avnnet.stats.decided import fast_table
from avnnet.tables import read_table
from avnnet.training.study import model as model_module
from avnnet.training.study.run import run_study
from tests.training.conftest import QUIET

SECTIONS = [
    "Details", "Uses", "Out of scope", "Factors", "Metrics", "Training data", "Evaluation data", "Results", "Risks",
    "Citation", "Contact",
]  # fmt: skip


@pytest.fixture
def study(finished, tmp_path):
    done, _ = finished
    return replace(done, out=shutil.copytree(done.out, tmp_path / "study"))


def test_the_model_names_the_networks_that_the_held_out_cases_find_enough(study):
    fast = load_model(study.out / "model").fast
    costs = read_table(study.out / "costs.csv")
    gflop = dict(zip(costs["network"], costs["gflop"], strict=True))
    table = fast_table(read_table(study.out / "agreement.csv"), gflop).query("is_taken")
    assert " + ".join(fast.networks) == table["networks"].iloc[0]
    assert fast.dice == dict(zip(table["label"], table["dice"], strict=True))
    assert fast.gflop_of_all == pytest.approx(2 * sum(gflop.values()), abs=0.01)
    assert read_table(study.out / "tables" / "fast.csv").query("is_taken")["networks"].unique().tolist() == [
        table["networks"].iloc[0]
    ]
    assert "Fewer networks" in (study.out / "report.html").read_text()


def test_no_networks_are_enough_while_a_fold_is_lacking(study, no_report):
    shutil.rmtree(study.out / "fold1")
    run_study(replace(study, only_fold=0), QUIET)
    assert load_model(study.out / "model").fast is None


def test_the_card_has_every_section_and_says_what_the_study_found(study):
    text = (study.out / "model" / "README.md").read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    model = load_model(study.out / "model")
    assert model.sha256 in text
    assert "**Trained and evaluated on digital hips. Its figures say nothing of patients.**" in text
    row = read_table(study.out / "tables" / "dice.csv").query("reader == 'ensemble' and label == 'necrosis'").iloc[0]
    assert re.search(rf"\| ensemble \| necrosis \|.* {row['dice_mean']:.3f} ± ", text)
    assert f"`--fast`: {model.fast.summary()}." in text
    assert not re.search(r"&amp;|&#|\{\{|\{%|\n\n\n\n", text)


def test_the_card_names_neither_cases_nor_paths(study):
    text = (study.out / "model" / "README.md").read_text()
    cases = set(read_table(study.out / "measurements.csv")["case_id"])
    assert not [one for one in cases if one in text]
    assert str(study.out) not in text
    assert str(study.cohort) not in text


def test_what_somebody_wrote_into_the_card_stays_until_the_model_is_another(study, monkeypatch):
    card, path = study.out / "model" / "README.md", study.out / "model" / "model.json"
    card.write_text(card.read_text() + "\nAsk Anna.\n")
    monkeypatch.setattr(model_module, "hip_seconds", lambda *_: 1.0)
    model_module.describe_model(study, [])
    assert "Ask Anna." in card.read_text()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"planned": 9}))
    model_module.describe_model(study, [])
    assert "Ask Anna." not in card.read_text()
