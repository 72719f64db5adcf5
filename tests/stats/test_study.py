"""The abstract's results paragraph as a table."""

import numpy as np
import pytest

from avnnet.errors import StatisticsError
from avnnet.labels import HIP, LabelScheme
from avnnet.stats import best_reader, mann_whitney, paired_t, pearson, study_table
from tests.stats.conftest import made_up_study

HIPPOCAMPUS = LabelScheme({1: "anterior", 2: "posterior"}, part="anterior", whole="hippocampus")
RENAMED = {"necrosis": "anterior", "vital": "posterior", "head": "hippocampus"}


def test_the_table_has_the_abstracts_sections_in_order(study):
    table = study_table(*study, HIP)
    assert table["section"].unique().tolist() == ["dice", "networks", "volume", "stages"]
    assert (table["section"] == "dice").sum() == 9
    assert (table["section"] == "networks").sum() == 7
    volume = table[table["section"] == "volume"]
    assert volume["quantity"].tolist() == ["necrosis_cm3"] * 4 + ["necrosis_percent"] * 4
    assert volume["test"].tolist() == ["", "", "paired t", "Pearson"] * 2
    stages = table[table["section"] == "stages"]
    assert stages["group"].tolist()[:3] == ["early", "advanced", "early, advanced"]


def test_the_numbers_are_those_of_the_single_statistics(study):
    measurements, agreement = study
    table = study_table(measurements, agreement, HIP)
    best, _ = best_reader(agreement)
    volume = table[(table["section"] == "volume") & (table["quantity"] == "necrosis_cm3")].set_index("test")
    assert volume.loc["paired t", "p"] == paired_t(measurements, "necrosis_cm3", readers=("manual", best))["p"][0]
    assert volume.loc["Pearson", "r"] == pearson(measurements, "necrosis_cm3", automatic=best)["r"][0]
    tests = table[(table["test"] == "Mann-Whitney U") & (table["quantity"] == "necrosis_percent")].set_index("reader")
    direct = mann_whitney(measurements, "necrosis_percent", group="arco_stage", reader="manual")
    assert tests.loc["manual", "p"] == direct["p"][0]
    manual = measurements[measurements["reader"] == "manual"]
    assert table[table["section"] == "volume"].iloc[0]["mean"] == pytest.approx(manual["necrosis_cm3"].mean())


def test_the_text_prints_as_the_abstract_does(study):
    table = study_table(*study, HIP)
    assert table.iloc[0]["result"].startswith("89 ± 7 % (median 86 %)")
    volume = table[table["section"] == "volume"]["result"].tolist()
    assert volume[0].endswith(" cm³")
    assert "±" in volume[0]
    assert volume[3].startswith("r = 1.00")
    assert "95 % CI" in volume[3]
    assert volume[4].endswith(" %")


def test_a_cohort_without_stages_says_so_in_one_row():
    measurements, agreement = made_up_study(stages=False)
    for table in (measurements, measurements.assign(arco_stage=np.nan), measurements.assign(arco_stage="IV")):
        stages = study_table(table, agreement, HIP).query("section == 'stages'")
        assert stages["result"].tolist() == ["no stages in this cohort"]


def test_another_scheme_runs_through_the_same_code():
    measurements, agreement = made_up_study(stages=False)
    columns = {f"{old}_{unit}": f"{new}_{unit}" for old, new in RENAMED.items() for unit in ("cm3", "percent")}
    measurements = measurements.rename(columns=columns).drop(columns="side")
    measurements["case_id"] = agreement["case_id"] = None
    measurements["case_id"] = [f"c{i // 4}" for i in range(len(measurements))]
    agreement = agreement.drop(columns="side").assign(label=agreement["label"].map(RENAMED))
    agreement["case_id"] = [f"c{i // 9}" for i in range(len(agreement))]
    table = study_table(measurements, agreement, HIPPOCAMPUS)
    assert set(table["structure"]) == {"", "anterior", "posterior", "hippocampus"}
    assert "anterior_percent" in set(table["quantity"])


def test_the_best_network_has_the_highest_mean_over_the_labels_without_the_whole(study):
    _, agreement = study
    agreement = agreement.copy()
    agreement["dice"] = agreement["reader"].map({"unet2d": 0.80, "unet3d": 0.85, "ensemble": 0.84})
    agreement.loc[(agreement["reader"] == "unet2d") & (agreement["label"] == "head"), "dice"] = 1.0
    name, rule = best_reader(agreement)
    assert name == "unet3d"
    assert "unet3d 0.8500" in rule
    assert "vital and necrosis" in rule


def test_a_tie_goes_to_the_simpler_network(study):
    _, agreement = study
    tied = agreement.assign(dice=agreement["reader"].map({"unet2d": 0.8, "unet3d": 0.80003, "ensemble": 0.80008}))
    assert best_reader(tied)[0] == "unet2d"
    assert best_reader(tied[tied["reader"] != "unet2d"])[0] == "unet3d"
    apart = tied.assign(dice=tied["dice"].mask(tied["reader"] == "ensemble", 0.8002))
    assert best_reader(apart)[0] == "ensemble"


def test_a_network_does_not_win_by_failing_on_the_hard_cases(study):
    _, agreement = study
    agreement = agreement.copy()
    hard = agreement["patient_id"] == "p03"
    agreement["dice"] = agreement["reader"].map({"unet2d": 0.80, "unet3d": 0.85, "ensemble": 0.84})
    agreement.loc[hard, "dice"] -= 0.5
    failed = agreement[~(hard & (agreement["reader"] == "unet2d"))]
    assert best_reader(failed)[0] == "unet3d"


def test_a_label_of_another_scheme_is_refused_with_what_is_there(study):
    measurements, agreement = study
    with pytest.raises(StatisticsError, match=r"anterior.*vital"):
        best_reader(agreement, HIPPOCAMPUS)
    with pytest.raises(StatisticsError, match="no label 'head'"):
        study_table(measurements, agreement[agreement["label"] != "head"], HIP)


def test_two_patients_give_a_table_with_notes_and_no_crash():
    measurements, agreement = made_up_study(patients=2)
    table = study_table(measurements, agreement, HIP)
    assert np.isnan(table[table["test"] == "Pearson"]["p"].astype(float)).all()
    assert table[table["test"] == "Pearson"]["note"].str.contains("fewer than 3").all()
    study_table(*made_up_study(patients=1), HIP)
