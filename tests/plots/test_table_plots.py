"""Figures of the tables: they show what the statistics say."""

import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from avnnet.errors import StatisticsError
from avnnet.plots import (
    bland_altman_plot,
    group_plot,
    png_bytes,
    scatter_plot,
    stage_plot,
    svg_bytes,
    training_plot,
)
from avnnet.stats import bland_altman
from tests.stats.conftest import made_up_study


@pytest.fixture
def table():
    generator = np.random.default_rng(4)
    manual = generator.gamma(2, 4, 12)
    patients = [f"p{i // 2}" for i in range(12)]
    base = pd.DataFrame({"patient_id": patients, "case_id": [f"c{i}" for i in range(12)]})
    base["arco_stage"] = ["I", "II", "IIIA", "IIIB"] * 3
    readers = {"manual": manual, "unet3d": manual + generator.normal(-0.5, 1, 12)}
    return pd.concat([base.assign(reader=name, necrosis_cm3=values) for name, values in readers.items()])


def test_the_lines_are_the_bias_and_the_limits(table):
    axes = bland_altman_plot(table, "necrosis_cm3", automatic="unet3d")
    row = bland_altman(table, "necrosis_cm3", automatic="unet3d").iloc[0]
    levels = [line.get_ydata()[0] for line in axes.lines]
    assert levels[1:] == pytest.approx([row["bias"], row["lower_limit"], row["upper_limit"]])
    assert len(axes.collections[0].get_offsets()) == 12
    assert axes.get_title() == "n = 12 cases of 6 patients"
    assert "necrosis (cm³)" in axes.get_xlabel()


def test_the_scatter_has_one_scale_and_the_line_of_identity(table):
    axes = scatter_plot(table, "necrosis_cm3", automatic="unet3d")
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.get_title().startswith("r = ")


def test_each_reader_has_both_groups_with_all_their_cases(table):
    axes = group_plot(table, "necrosis_cm3", group="arco_stage", readers=("manual", "unet3d"))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["early\nn = 6", "advanced\nn = 6"] * 2
    assert [len(points.get_offsets()) for points in axes.collections] == [6] * 4


def test_a_plot_draws_on_the_axes_it_is_given_and_opens_no_window(table):
    given = Figure().subplots(1, 3)
    assert bland_altman_plot(table, "necrosis_cm3", automatic="unet3d", axes=given[0]) is given[0]
    assert scatter_plot(table, "necrosis_cm3", automatic="unet3d", axes=given[1]) is given[1]
    drawn = group_plot(table, "necrosis_cm3", group="arco_stage", readers=["manual"], axes=given[2])
    assert drawn is given[2]
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_the_same_table_gives_the_same_bytes(table):
    shuffled = table.sample(frac=1, random_state=1)
    images = [png_bytes(bland_altman_plot(t, "necrosis_cm3", automatic="unet3d")) for t in (table, shuffled)]
    assert images[0] == images[1]


def test_one_case_is_drawn_without_limits(table):
    one = table[table["case_id"] == "c0"]
    assert len(bland_altman_plot(one, "necrosis_cm3", automatic="unet3d").lines) == 2
    assert "fewer than 3" in scatter_plot(one, "necrosis_cm3", automatic="unet3d").get_title()
    axes = group_plot(one, "necrosis_cm3", group="arco_stage", readers=["manual"])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["early\nn = 1", "advanced\nn = 0"]


def test_an_absent_reader_is_named(table):
    with pytest.raises(StatisticsError, match="no reader 'swin'"):
        bland_altman_plot(table, "necrosis_cm3", automatic="swin")


def test_a_notebook_can_show_the_figure_of_the_axes_without_pyplot(table):
    assert scatter_plot(table, "necrosis_cm3", automatic="unet3d").figure._repr_png_().startswith(b"\x89PNG")


def curves(**columns):
    rows = [
        (net, fold, epoch, 60.0 * (epoch + 1)) for net in ("unet2d", "unet3d") for fold in (0, 1) for epoch in range(4)
    ]
    table = pd.DataFrame(rows, columns=["network", "fold", "epoch", "seconds"])
    dice = 0.5 + 0.1 * table["epoch"] + 0.02 * table["fold"]
    # every second epoch is validated
    return table.assign(val_dice_necrosis=dice.where(table["epoch"] % 2 == 1), **columns)


def test_a_training_is_drawn_as_a_line_per_fold_and_their_mean():
    axes = training_plot(curves(), "necrosis")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["unet2d", "unet3d"]
    thick = [line for line in axes.lines if line.get_linewidth() > 1]
    assert len(axes.lines) == 2 * 3
    assert [line.get_xdata().tolist() for line in thick] == [[2, 4], [2, 4]]
    assert thick[0].get_ydata() == pytest.approx([0.61, 0.81])


def test_a_training_that_was_never_validated_is_refused():
    with pytest.raises(StatisticsError, match="check_val_every_n_epoch"):
        training_plot(curves().assign(val_dice_necrosis=np.nan), "necrosis")
    with pytest.raises(StatisticsError, match="val_dice_head"):
        training_plot(curves(), "head")


def test_every_case_of_every_stage_and_structure_is_a_point():
    measurements, agreement = made_up_study()
    axes = stage_plot(agreement, measurements, reader="ensemble", labels=["vital", "necrosis"])
    manual = measurements[measurements["reader"] == "manual"]
    names = [tick.get_text().split("\n")[0] for tick in axes.get_xticklabels()]
    assert names == ["all", *sorted(set(manual["arco_stage"]))]
    drawn = sum(len(points.get_offsets()) for points in axes.collections)
    assert drawn == 2 * 2 * len(manual)  # two structures, each case among all and in its stage


def test_the_same_figure_is_the_same_svg_and_has_no_date():
    measurements, _ = made_up_study()
    first, second = (svg_bytes(scatter_plot(measurements, "necrosis_cm3", automatic="unet3d")) for _ in range(2))
    assert first == second
    assert b"<dc:date>" not in first
