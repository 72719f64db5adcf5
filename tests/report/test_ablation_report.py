"""The report of a made-up ablation."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from avnnet.ablation_record import AblationRecord, ChangeRecord, VariantRecord
from avnnet.errors import InvalidRecord, MissingFile, StatisticsError
from avnnet.labels import HIP
from avnnet.plots import forest_plot, pareto_plot
from avnnet.report import read_ablation, write_ablation_report
from avnnet.report.ablation_words import answers, warnings_of
from avnnet.stats import pareto_front
from avnnet.tables import write_table

CHANGE = ChangeRecord("model.net.init_args.block", '"avnnet.models.ConvBlock"', '"<b>avnnet.models.ResidualBlock"')


LONG = "attention_gates_on_all_skips_of_a_residual_encoder"


def write_made_up(folder, *, patients=24, seeds=3, shift=0.05):
    variants = {
        "unet3d": VariantRecord(("unet3d.yaml",), "trainer: {}", parameters=1000, forward_gflop=1.0, step_gflop=6.0),
        "residual": VariantRecord(
            ("unet3d.yaml", "residual.yaml"), "trainer: {}", changes=(CHANGE,), parameters=1100, forward_gflop=1.2,
            step_gflop=7.2, peak_bytes=600 * 2**20,
        ),
    }  # fmt: skip
    record = AblationRecord(
        base="unet3d", variants=variants, seeds=tuple(range(1, seeds + 1)), folds=2, split_seed=1, cohort="hips.csv",
        cohort_sha256="0" * 64, digital=True, scheme=HIP, versions={"avnnet": "0.1.0"},
    )  # fmt: skip
    generator = np.random.default_rng(0)
    rows, epochs = [], []
    for name in variants:
        for seed in record.seeds:
            for fold in range(2):
                run = {"variant": name, "seed": seed, "fold": fold, "steps_per_epoch": 10}
                epochs += [run | {"epoch": e, "seconds": 30.0 * (e + 1)} for e in range(4)]
            for patient in range(patients):
                for label in ("vital", "necrosis"):
                    dice = 0.7 + shift * (name == "residual") + generator.normal(0, 0.02)
                    case = {"patient_id": f"p{patient}", "case_id": f"c{patient}", "side": "", "fold": patient % 2}
                    of_case = {"label": label, "dice": dice, "hd95_mm": 3.0 - dice, "outcome": "both_present"}
                    rows.append({**case, "variant": name, "seed": seed, **of_case})
    record.write(folder)
    write_table(pd.DataFrame(rows), folder / "agreement.csv")
    write_table(pd.DataFrame(epochs), folder / "training.csv")
    return record


def test_the_report_answers_the_question_and_says_what_the_cohort_is(tmp_path):
    write_made_up(tmp_path)
    page = write_ablation_report(tmp_path).read_text(encoding="utf-8")
    assert "Digital hips with known truth, not patients" in page
    assert re.search(r"residual: Dice of necrosis \+0\.0[45]\d .*It is better than the base", page)
    assert "small cohort" not in page
    assert "&lt;b&gt;avnnet.models.ResidualBlock" in page  # text is escaped
    assert "<script" not in page
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert names == [
        "ablation.json", "agreement.csv", "figures/forest_dice.svg", "figures/forest_hd95_mm.svg",
        "figures/pareto_necrosis.svg", "figures/pareto_vital.svg", "report.html", "results.json", "tables/costs.csv",
        "tables/costs" + ".md", "tables/differences.csv", "tables/differences" + ".md", "training.csv",
    ]  # fmt: skip


def test_few_patients_and_one_seed_are_said_first(tmp_path):
    write_made_up(tmp_path, patients=6, seeds=1)
    page = write_ablation_report(tmp_path).read_text(encoding="utf-8")
    assert page.index("A small cohort: 6 patients") < page.index("The question")
    assert page.index("One seed: how much another seed would change is not known") < page.index("The question")
    results = json.loads((tmp_path / "results.json").read_text())["tables"]["differences"]
    assert {row["ci_low"] for row in results} == {None}


def test_an_ablation_that_was_stopped_while_it_grew_says_what_is_not_in_its_tables(tmp_path):
    record = write_made_up(tmp_path)
    more = dict(record.variants) | {"attention": VariantRecord(("attention.yaml",), "trainer: {}", parameters=7)}
    replace(record, variants=more, seeds=(1, 2, 3, 4, 5)).write(tmp_path)
    page = write_ablation_report(tmp_path).read_text(encoding="utf-8")
    assert "Not finished: attention and the seeds 4, 5 were asked for too, and are in no table" in page
    assert "24 cases of 24 patients, 2 folds, 3 seeds" in page
    assert page.count("attention") == 1
    assert "nan" not in (tmp_path / "tables" / ("costs" + ".md")).read_text()
    assert json.loads((tmp_path / "results.json").read_text())["about"]["seeds"] == [1, 2, 3]


def test_the_costs_are_those_of_the_trainings(tmp_path):
    write_made_up(tmp_path)
    costs = read_ablation(tmp_path).costs.set_index("variant")
    assert costs["steps"].tolist() == [40, 40]
    assert costs["trainings"].tolist() == [6, 6]
    assert costs["minutes"].tolist() == [2, 2]
    assert costs.loc["unet3d", "train_tflop"] == pytest.approx(40 * 6.0 / 1e3)
    assert np.isnan(costs.loc["unet3d", "peak_mib"])
    assert costs.loc["residual", "peak_mib"] == 600


def test_the_report_is_the_same_from_the_same_folder(tmp_path):
    write_made_up(tmp_path)
    first = write_ablation_report(tmp_path).read_bytes()
    assert write_ablation_report(tmp_path).read_bytes() == first


def test_the_forest_has_a_row_per_variant_and_label_and_says_the_numbers(tmp_path):
    write_made_up(tmp_path)
    axes = forest_plot(read_ablation(tmp_path).differences)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["vital", "residual", "necrosis", "residual"]
    assert sum("to" in text.get_text() for text in axes.texts) == 2
    with pytest.raises(StatisticsError, match="no difference of 'volume'"):
        forest_plot(read_ablation(tmp_path).differences, metric="volume")


def test_long_names_leave_the_axes_wide_and_every_word_in_the_figure(tmp_path):
    write_made_up(tmp_path)
    tables = read_ablation(tmp_path)
    differences, costs = (table.replace("residual", LONG) for table in (tables.differences, tables.costs))
    for axes in (
        *(forest_plot(differences, metric=metric) for metric in ("dice", "hd95_mm")),
        pareto_plot(differences, costs, "necrosis"),
    ):
        figure = axes.figure
        figure.draw_without_rendering()
        words = figure.get_tightbbox()
        assert words.x0 >= 0
        assert words.x1 <= figure.get_figwidth()
        assert axes.get_window_extent().width / figure.dpi > 1.5


def test_an_interval_without_0_that_holm_does_not_let_pass_is_said_as_such():
    row = {"metric": "dice", "label": "necrosis", "variant": "residual", "difference": 0.03, "ci_low": 0.01}
    row |= {"ci_high": 0.05, "p_holm": 0.2, "base_mean": 0.7, "note": ""}
    said = answers(pd.DataFrame([row]), "necrosis")[0]
    assert "No difference was shown: alone the interval leaves out 0" in said


def test_two_seeds_are_said_to_cover_too_little():
    assert "as little as 86" in warnings_of(pd.DataFrame({"n_patients": [40], "n_seeds": [2]}))[0]


def test_the_pareto_plot_names_every_variant_and_what_it_has_not(tmp_path):
    write_made_up(tmp_path)
    tables = read_ablation(tmp_path)
    axes = pareto_plot(tables.differences, tables.costs, "necrosis")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["unet3d", "residual"]
    with pytest.raises(StatisticsError, match="'head'"):
        pareto_plot(tables.differences, tables.costs, "head")


def test_a_point_is_on_the_front_until_one_beats_it():
    assert pareto_front([1, 1, 2], [0.5, 0.6, 0.6]) == [False, True, False]
    assert pareto_front([1, 1], [0.5, 0.5]) == [True, True]
    assert pareto_front([1, 2], [float("nan"), 0.1]) == [False, True]


def test_a_folder_without_tables_or_with_a_newer_record_is_refused(tmp_path):
    with pytest.raises(MissingFile, match=r"no ablation\.json"):
        write_ablation_report(tmp_path)
    record = write_made_up(tmp_path)
    (tmp_path / "training.csv").unlink()
    with pytest.raises(MissingFile, match=r"no training\.csv"):
        write_ablation_report(tmp_path)
    path = replace(record, folds=3).write(tmp_path)
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 99'))
    with pytest.raises(InvalidRecord, match="schema 99"):
        AblationRecord.read(tmp_path)
