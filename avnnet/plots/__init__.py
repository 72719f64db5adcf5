"""Figures: images and result tables to `matplotlib` axes, without any global state and never shown."""

from avnnet.plots.agreement import bland_altman_plot, scatter_plot
from avnnet.plots.groups import group_plot
from avnnet.plots.overlay import overlay
from avnnet.plots.style import png_bytes, save_png
from avnnet.plots.training import training_plot

__all__ = ["bland_altman_plot", "group_plot", "overlay", "png_bytes", "save_png", "scatter_plot", "training_plot"]
