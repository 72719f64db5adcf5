"""How deep the surface of a head has sunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from avnnet.grades import DEPRESSION
from avnnet.measure.head import MeasuredHead
from avnnet.measure.mesh import smoothing_mm

(LIMIT_MM,) = DEPRESSION.bounds
Z_95 = 1.959964
FOVEA = (0.88, 0.18, -0.43)
FOVEA_DEG = 20.0


@dataclass(frozen=True)
class Collapse:
    """The collapse of a head.

    Args:
        depth_mm: greatest distance of the necrotic joint surface below the sphere of the intact surface, along a
            radius.
        sd_mm: standard deviation of its error.

    Examples:
        >>> sunk = Collapse(depth_mm=2.0, sd_mm=0.4)
        >>> sunk.over_2mm_probability, sunk.is_borderline
        (0.5, True)
    """

    depth_mm: float
    sd_mm: float

    @property
    def over_2mm_probability(self) -> float:
        """The probability that the depth is above the 2 mm that part ARCO IIIA and IIIB, with a normal error.

        Examples:
            >>> round(Collapse(2.4, 0.4).over_2mm_probability, 3)
            0.841
        """
        return float(ndtr((self.depth_mm - LIMIT_MM) / self.sd_mm))

    @property
    def is_borderline(self) -> bool:
        """Whether 2 mm lie within the depth's 95 % interval.

        Examples:
            >>> Collapse(2.7, 0.4).is_borderline, Collapse(2.9, 0.4).is_borderline
            (True, False)
        """
        return abs(self.depth_mm - LIMIT_MM) <= Z_95 * self.sd_mm


def collapse(head: MeasuredHead) -> Collapse | None:
    """The depth to which the surface over the necrosis has sunk, or None where no necrosis reaches the joint surface.

    Depths are taken at the middles of the surface's triangles, along the radius; the pit of the round ligament (20
    degrees about its place in a right hip) is left out, where a healthy head is 2 mm deep. The error is that of a
    surface of voxels, spacing / sqrt(12), and that of the sphere, the rms distance of the intact surface from it.

    Args:
        head: the measured head.

    Source:
        Yoon BH et al. J Arthroplasty 2020;35:933-940 (ARCO 2019: 2 mm part IIIA and IIIB).
    """
    on = head.is_articular & head.is_necrotic
    away = head.mesh.centres_mm[on] - head.centre_mm
    distance = np.linalg.norm(away, axis=1)
    direction = away / np.maximum(distance, 1e-9)[:, None]
    pit = direction @ (np.asarray(FOVEA) / np.linalg.norm(FOVEA)) > np.cos(np.deg2rad(FOVEA_DEG))
    depth = head.sphere.radius_at_mm(direction) - distance
    if pit.all():
        return None
    error = float(np.hypot(smoothing_mm(head.labels.grid) / np.sqrt(12), head.sphere.rms_mm))
    return Collapse(max(float(depth[~pit].max()), 0.0), error)
