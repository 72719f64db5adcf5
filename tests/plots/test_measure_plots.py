"""Pictures of angles and of where lesions sit."""

import numpy as np
import pytest

from avnnet.errors import StatisticsError
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import Side
from avnnet.measure import location_map, measured_head
from avnnet.plots import angles_plot, heat_map, mean_location_map


@pytest.fixture(scope="module")
def labels():
    """A head with a neck plane below and a lesion on the anterior side."""
    grid = Grid((50, 50, 50), origin=(-24.5, -24.5, -24.5))
    x, y, z = np.moveaxis(grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)
    inside = (x**2 + y**2 + z**2 < 22**2) & (-0.7 * x - 0.7 * z > -22) & (-z - x < 20)
    return LabelMap(inside.astype(np.uint8) + (inside & (y < -12)), grid)


@pytest.mark.parametrize("side", [Side.RIGHT, Side.LEFT])
def test_the_patients_right_and_front_are_on_the_left_of_the_pictures(labels, side):
    image = Image(labels.array * 10.0, labels.grid)
    coronal, sagittal = angles_plot(labels, side, image).axes
    letters = [{text.get_text(): text.get_position()[0] for text in axes.texts} for axes in (coronal, sagittal)]
    assert letters[0]["R"] < letters[0]["L"]
    assert letters[1]["A"] < letters[1]["P"]
    # the anterior lesion's arc lies where the front is: on the left, as the axis is turned round
    wedge = sagittal.patches[0]
    middle = np.deg2rad((wedge.theta1 + wedge.theta2) / 2)
    left, right = sagittal.get_xlim()
    assert abs(np.cos(middle) * 22 - left) < abs(np.cos(middle) * 22 - right)


def test_a_map_has_288_cells_and_the_lesion_is_anterior(labels):
    table = location_map(measured_head(labels, Side.RIGHT))
    assert len(table) == 288
    dead = table[table["necrotic_percent"] > 99]
    assert dead["longitude_deg"].abs().sub(90).abs().max() < 60
    assert (dead["longitude_deg"] > 0).all()
    assert table["necrotic_percent"].isna().any()  # the neck


def test_the_mean_of_several_maps_counts_the_hips_of_each_cell(labels):
    one = location_map(measured_head(labels, Side.RIGHT))
    mean = mean_location_map([one, one.assign(necrotic_percent=0.0)])
    assert mean["n_hips"].max() == 2
    assert mean["necrotic_percent"].max() == pytest.approx(50)
    assert "2 hips" in heat_map(mean).get_title()
    with pytest.raises(StatisticsError, match="at least one hip"):
        mean_location_map([])
