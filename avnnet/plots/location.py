"""Where lesions sit: the joint surface unrolled into longitude and latitude."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from avnnet.errors import StatisticsError
from avnnet.measure.location import CELL_DEG, LATITUDES, LONGITUDES
from avnnet.plots.style import new_axes, plain

TOWARDS = {0.0: "lateral", 90.0: "anterior", 180.0: "medial", -90.0: "posterior"}
FIRST_DEG = -135.0  # so that the lateral and anterior surface lie in the middle of the map


def mean_location_map(maps: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One map of several hips: how often each cell of the joint surface is necrotic, and of how many hips.

    Args:
        maps: what `avnnet.measure.location_map` gave, one per hip.

    Returns:
        288 rows with latitude_deg, longitude_deg, articular_percent and necrotic_percent (means of the hips whose joint
        surface holds the cell; NaN where none does) and n_hips.

    Raises:
        StatisticsError: if there are no maps.
    """
    if not maps:
        raise StatisticsError("a map of a cohort needs at least one hip; none has a location map")
    together = pd.concat(list(maps), ignore_index=True)
    by = together.groupby(["latitude_deg", "longitude_deg"], as_index=False)
    return by.agg(
        articular_percent=("articular_percent", "mean"),
        necrotic_percent=("necrotic_percent", "mean"),
        n_hips=("necrotic_percent", "count"),
    )


def heat_map(table: pd.DataFrame, *, axes: Axes | None = None) -> Axes:
    """Axes with the joint surface in 288 cells of 15 by 15 degrees, coloured by how much of each is necrotic.

    Longitude runs from medial over lateral and anterior to medial again, latitude from bottom to top, in the right-hip
    frame: left hips are mirrored. Cells without joint surface, as of the neck, stay grey.

    Args:
        table: a hip's `location_map`, or `mean_location_map` of several.
        axes: to draw on; new ones by default.

    Source:
        Yang P et al. Bone Joint Res 2024;13:294-305.
    """
    shown = axes if axes is not None else new_axes(7.2, 3.9)
    cells = table.pivot_table(
        index="latitude_deg", columns="longitude_deg", values="necrotic_percent", dropna=False
    ).to_numpy()
    shift = round((FIRST_DEG + 180) / CELL_DEG)
    rolled = np.ma.masked_invalid(np.roll(cells, -shift, axis=1))
    shown.set_facecolor("#d9dde0")
    drawn = shown.imshow(
        rolled,
        origin="lower",
        extent=(FIRST_DEG, FIRST_DEG + LONGITUDES * CELL_DEG, -90, -90 + LATITUDES * CELL_DEG),
        cmap="inferno",
        vmin=0,
        vmax=100,
        aspect="auto",
    )
    places = {(angle - FIRST_DEG) % 360 + FIRST_DEG: word for angle, word in TOWARDS.items()}
    shown.set_xticks(sorted(places), [places[place] for place in sorted(places)])
    shown.set_yticks([-90, -45, 0, 45, 90], ["bottom", "−45°", "equator", "45°", "top"])
    hips = int(table["n_hips"].max()) if "n_hips" in table else 1
    shown.set_title(f"necrotic joint surface, right-hip frame, {hips} hip{'s' if hips != 1 else ''}", fontsize=10)
    figure = shown.get_figure(root=True)
    if figure is not None:
        figure.colorbar(drawn, ax=shown, label="of the cell (%)")
    return plain(shown)
