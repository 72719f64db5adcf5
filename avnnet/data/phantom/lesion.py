"""The necrosis of a digital hip: its place, its reach, its rim and core, and the collapse above it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avnnet.data.phantom.shapes import Points, Vector, Waves, along, radius, unit

STAGES = ("I", "II", "IIIA", "IIIB")
ADVANCED = ("IIIA", "IIIB")
# Depth of the flattening in mm: ARCO 2019 draws the line at 2 mm (clinical.md 3.3 and 4.2).
COLLAPSE_MM = {"I": (0.0, 0.0), "II": (0.0, 0.0), "IIIA": (0.5, 2.0), "IIIB": (2.0, 6.0)}
# The core looks like vital fatty marrow in 20/28 uncomplicated and 4/28 advanced lesions (clinical.md 4.2).
FAT_LIKE = {"I": 0.7, "II": 0.7, "IIIA": 0.15, "IIIB": 0.15}


@dataclass(frozen=True)
class Lesion:
    """One necrosis, of any extent: it grows from a pole of the head's surface along `reach_mm`.

    Args:
        axis: unit vector from the head centre to the pole of the lesion.
        across: unit vector across it, along which the lesion is stretched.
        stretch: by how much.
        slope: opening of the boundary's cone; small is a wedge, large a flat cap.
        roundness_mm: radius of the cone's tip.
        wander_mm: standard deviation of the boundary's wandering.
        wandering: the noise it follows.
        rim_mm: width of the dark band, which belongs to the lesion (outer margin rule).
        fat_like: whether the core looks like vital marrow.
        collapse_mm: greatest depth of the flattening.
        crescent_mm: width of the cleft under the collapsed plate, 0 without one.
        oedema: strength of the oedema outside the rim, 0 to 1.
    """

    axis: Vector
    across: Vector
    stretch: float
    slope: float
    roundness_mm: float
    wander_mm: float
    wandering: Waves
    rim_mm: float
    fat_like: bool
    collapse_mm: float
    crescent_mm: float
    oedema: float

    def reach_mm(self, points: Points) -> np.ndarray:
        """How far a lesion must reach to include a point: the lesion is all bone with a reach below its own.

        A cone that opens towards the pole, rounded at its tip, plus noise; its gradient is about 1.
        """
        h = along(points, self.axis)
        w = along(points, self.across)
        x, y, z = points
        around = np.maximum(x * x + y * y + z * z - h * h, 0) + w * w * np.float32(self.stretch)
        cone = np.sqrt(around + np.float32(self.roundness_mm**2)) - np.float32(self.slope) * h
        cone /= np.float32(np.hypot(1, self.slope))
        reach: np.ndarray = cone + self.wandering(points) * np.float32(self.wander_mm)
        return reach

    def sunk_mm(self, points: Points, *, head_radius_mm: float, necrosis_percent: float) -> np.ndarray:
        """How deep the head's surface has sunk in the direction of a point, mm; 0 beside the lesion.

        The sunken area is that of a cap of the sphere with the lesion's share of the volume: 25 to 65 degrees
        from its middle to its edge.
        """
        if self.collapse_mm == 0:
            return np.zeros(points[0].shape, np.float32)
        heights = np.linspace(0, 1, 400)  # cap height over head radius
        shares = 100 * heights**2 * (3 - heights) / 4
        edge = np.arccos(1 - np.interp(necrosis_percent, shares, heights))
        edge = float(np.clip(edge, np.deg2rad(25), np.deg2rad(65)))
        angle = np.arccos(np.clip(along(points, self.axis) / np.maximum(radius(points), 1e-3), -1, 1))
        profile = np.maximum(1 - (angle / np.float32(edge)) ** 2, 0) ** 2
        # No deeper than the surface: near the centre the direction says nothing.
        depth: np.ndarray = profile * np.float32(min(self.collapse_mm, 0.5 * head_radius_mm))
        return depth


def draw_lesion(generator: np.random.Generator, *, arco_stage: str) -> Lesion:
    """A random anterosuperior necrosis of an ARCO stage.

    Args:
        generator: the only source of randomness.
        arco_stage: one of `STAGES`; it decides on collapse, core, cleft and oedema.

    Source:
        clinical.md 3.2 (rim inside the label) and 4.2 (position, core, collapse, oedema in 43.6 and 93.5 %).
    """
    advanced = arco_stage in ADVANCED
    axis = unit(generator.normal((0.02, -0.50, 0.86), (0.14, 0.13, 0.08)))
    across = unit(np.cross(axis, generator.normal(size=3)))
    return Lesion(
        axis=axis,
        across=across,
        stretch=float(generator.uniform(-0.4, 0.6)),
        slope=float(np.exp(generator.uniform(np.log(0.6), np.log(2.5)))),
        roundness_mm=float(generator.uniform(3, 12)),
        wander_mm=float(generator.uniform(0.5, 1.3)),
        wandering=Waves.draw(generator, wavelengths_mm=(8, 24), count=10),
        rim_mm=float(generator.uniform(1.0, 2.0)),
        fat_like=bool(generator.random() < FAT_LIKE[arco_stage]),
        collapse_mm=float(generator.uniform(*COLLAPSE_MM[arco_stage])),
        crescent_mm=float(generator.uniform(0.6, 1.4)) * float(advanced and generator.random() < 0.6),
        oedema=float(generator.uniform(0.2, 0.65) if advanced else generator.uniform(0.1, 0.3))
        * float(generator.random() < (0.935 if advanced else 0.436)),
    )
