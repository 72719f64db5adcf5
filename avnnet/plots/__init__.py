"""Figures: images and result tables to `matplotlib` axes, without any global state and never shown."""

from avnnet.plots.ablation import forest_plot, pareto_plot
from avnnet.plots.agreement import bland_altman_plot, scatter_plot
from avnnet.plots.angles import angles_plot
from avnnet.plots.groups import group_plot
from avnnet.plots.location import heat_map, mean_location_map
from avnnet.plots.overlay import overlay
from avnnet.plots.strata import stage_plot
from avnnet.plots.style import png_bytes, save_png, svg_bytes
from avnnet.plots.training import training_plot

__all__ = [
    "angles_plot",
    "bland_altman_plot",
    "forest_plot",
    "group_plot",
    "heat_map",
    "mean_location_map",
    "overlay",
    "pareto_plot",
    "png_bytes",
    "save_png",
    "scatter_plot",
    "stage_plot",
    "svg_bytes",
    "training_plot",
]
