"""Agreement of two masks: two boolean arrays and a spacing to a number."""

from avnnet.metrics.overlap import dice
from avnnet.metrics.surface import SurfaceDistances, surface_distances

__all__ = ["SurfaceDistances", "dice", "surface_distances"]
