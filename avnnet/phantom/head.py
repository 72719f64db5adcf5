"""The bony femoral head as it is, and exact measures of it: integrals along rays from the head centre.

The head is star-shaped about its centre: along every direction it reaches to one distance, the least of its sphere
(uneven, and sunk over a lesion), the pit of its ligament and the neck plane. Its measures are integrals of that
distance over the directions, which need no voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from avnnet.phantom.anatomy import Anatomy
from avnnet.phantom.lesion import Lesion
from avnnet.phantom.shapes import Points, Vector, along_mm, unit

RINGS = (72, 40)  # Gauss-Legendre nodes of the articular part and of the part that the neck plane cuts off
AROUND = 176
SHELLS = 64


def head_mm(anatomy: Anatomy, lesion: Lesion | None, points: Points) -> np.ndarray:
    """Signed distance to the head's bone as it is now: the sphere, its pit, and sunk over the lesion.

    Examples:
        >>> from avnnet.phantom.anatomy import draw_anatomy
        >>> anatomy = draw_anatomy(np.random.default_rng(1), sex="male")
        >>> (head_mm(anatomy, None, (np.array([0.0, 40.0]), np.zeros(2), np.zeros(2))) < 0).tolist()
        [True, False]
    """
    distance = anatomy.sphere_mm(points)
    if lesion is not None and lesion.collapse_mm:
        distance = distance + lesion.sunk_mm(points)
    return np.maximum(distance, -anatomy.fovea_mm(points))


def is_head(anatomy: Anatomy, lesion: Lesion | None, points: Points) -> np.ndarray:
    """Whether points lie in the femoral head: its bone on the head's side of the neck plane.

    Examples:
        >>> from avnnet.phantom.anatomy import draw_anatomy
        >>> anatomy = draw_anatomy(np.random.default_rng(1), sex="male")
        >>> down_the_neck = np.outer(anatomy.neck_axis, [0.0, anatomy.neck_plane_mm - 1, anatomy.neck_plane_mm + 1])
        >>> is_head(anatomy, None, tuple(down_the_neck)).tolist()
        [True, True, False]
    """
    head: np.ndarray = head_mm(anatomy, lesion, points) < 0
    head &= along_mm(points, anatomy.neck_axis) < np.float32(anatomy.neck_plane_mm)
    return head


def _toward(directions: np.ndarray, distance_mm: np.ndarray | float) -> Points:
    """Points `distance_mm` along unit `directions` `(3, ...)`."""
    x, y, z = (part * distance_mm for part in directions)
    return x, y, z


@dataclass(frozen=True)
class Head:
    """A head with or without a lesion, measured along rays.

    Args:
        anatomy: of the hip.
        lesion: of the head, or None for a healthy one.
        necrosis_percent: share of the head's bone within the lesion; decides on its extent.

    Examples:
        >>> from dataclasses import replace
        >>> from avnnet.phantom.anatomy import draw_anatomy
        >>> drawn = draw_anatomy(np.random.default_rng(1), sex="male")
        >>> ball = replace(drawn, radius_mm=24.0, stretch=(0.0, 0.0, 0.0), neck_plane_mm=12.0)
        >>> head = Head(ball, None, 0.0)  # a ball cut by a plane, but for the pit of its ligament
        >>> round(head.volume_mm3 / (np.pi * (2 / 3 * 24**3 + 24**2 * 12 - 12**3 / 3)), 2)
        1.0
        >>> round(head.surface_areas_mm2()[0] / (2 * np.pi * 24 * (24 + 12)), 2)
        1.0
        >>> upwards = np.array([[0.0], [0.0], [1.0]])
        >>> head.surface_mm(upwards).tolist(), head.necrosis_centre_mm(), head.arc_deg((0.0, 1.0, 0.0))
        ([24.0], None, 0.0)
        >>> head.extent_mm  # without a lesion
        -inf
    """

    anatomy: Anatomy
    lesion: Lesion | None
    necrosis_percent: float

    def surface_mm(self, directions: np.ndarray) -> np.ndarray:
        """Distance of the bone's surface from the head centre along unit `directions` `(3, ...)`, neck plane aside."""
        reach = self.anatomy.radius_mm - self.anatomy.sphere_mm(_toward(directions, self.anatomy.radius_mm))
        if self.lesion is not None and self.lesion.collapse_mm:
            reach = reach - self.lesion.sunk_mm(_toward(directions, 1.0))
        pit, pit_mm = self.anatomy.fovea_ball_mm
        ahead = np.tensordot(pit, directions, 1)
        inside = ahead**2 - (np.dot(pit, pit) - pit_mm**2)
        entry = np.where(inside > 0, ahead - np.sqrt(np.maximum(inside, 0)), np.inf)
        return np.minimum(reach, np.where(entry > 0, entry, np.inf))

    @cached_property
    def _rays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Directions `(3, rings, around)`, their solid angles, how far bone reaches, and whether to the surface."""
        anatomy = self.anatomy
        corner = anatomy.neck_plane_mm / anatomy.radius_mm
        nodes, weights = [], []
        for low, high, count in ((-1.0, corner, RINGS[0]), (corner, 1.0, RINGS[1])):
            x, w = np.polynomial.legendre.leggauss(count)
            nodes.append((x + 1) / 2 * (high - low) + low)
            weights.append(w * (high - low) / 2)
        cosine, weight = np.concatenate(nodes), np.concatenate(weights)
        turn = (np.arange(AROUND) + 0.5) * 2 * np.pi / AROUND
        axis = np.asarray(anatomy.neck_axis)
        first = np.asarray(unit(np.cross(axis, (0.0, 1.0, 0.0))))
        second = np.cross(axis, first)
        sine = np.sqrt(1 - cosine**2)
        directions = (
            axis[:, None, None] * cosine[:, None]
            + first[:, None, None] * (sine[:, None] * np.cos(turn))
            + second[:, None, None] * (sine[:, None] * np.sin(turn))
        )
        solid = np.broadcast_to(weight[:, None] * 2 * np.pi / AROUND, directions.shape[1:])
        bone = self.surface_mm(directions)
        with np.errstate(divide="ignore"):
            plane = np.where(cosine > 0, anatomy.neck_plane_mm / np.maximum(cosine, 1e-9), np.inf)[:, None]
        return directions, solid, np.minimum(bone, plane), bone <= plane

    @cached_property
    def _distance_and_reach_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Distances `(shells + 1, ...)` of points on all rays, and how far the lesion must reach to include them."""
        directions, _, far, _ = self._rays
        distance = np.linspace(0, 1, SHELLS + 1)[:, None, None] * far
        if self.lesion is None:
            return distance, np.full(distance.shape, np.inf)
        x, y, z = ((part * distance).astype(np.float32) for part in directions)
        return distance, self.lesion.reach_mm((x, y, z))

    @property
    def volume_mm3(self) -> float:
        """Of the head's bone up to the neck plane."""
        _, solid, far, _ = self._rays
        return float((solid * far**3).sum() / 3)

    def necrosis_mm3(self, extent_mm: float) -> float:
        """Volume within the lesion when it reaches to an extent.

        Examples:
            >>> from dataclasses import replace
            >>> from avnnet.phantom.anatomy import draw_anatomy
            >>> from avnnet.phantom.lesion import draw_lesion
            >>> anatomy = draw_anatomy(np.random.default_rng(1), sex="male")
            >>> size = {"head_radius_mm": anatomy.radius_mm, "neck_axis": anatomy.neck_axis}
            >>> lesion = draw_lesion(np.random.default_rng(1), arco_stage="II", necrosis_percent=20.0, **size)
            >>> head = Head(anatomy, replace(lesion, wander_mm=0.0), 20.0)
            >>> round(head.necrosis_mm3(999.0) / head.volume_mm3, 6)  # so far that it is the whole head
            1.0
        """
        _, solid, _, _ = self._rays
        distance, reach = self._distance_and_reach_mm
        share = _share_below(reach - extent_mm)
        shells = (distance[1:] ** 3 - distance[:-1] ** 3) / 3
        return float((share * shells * solid).sum())

    @cached_property
    def extent_mm(self) -> float:
        """How far the lesion reaches: to the asked share of the bone, to 1e-4 of it. Minus infinity without one."""
        if self.lesion is None or self.necrosis_percent == 0:
            return -np.inf
        wanted_mm3 = self.volume_mm3 * self.necrosis_percent / 100
        _, solid, _, _ = self._rays
        distance, reach = self._distance_and_reach_mm
        mm3 = ((distance[1:] ** 3 - distance[:-1] ** 3) / 3 * solid).ravel()
        ends = np.stack([reach[:-1].ravel(), reach[1:].ravel()])
        low, high = float(reach.min()), float(reach.max())
        while high - low > 1e-4:
            middle = (low + high) / 2
            is_short = float((_share_below(ends - middle)[0] * mm3).sum()) < wanted_mm3
            low, high = (middle, high) if is_short else (low, middle)
            # what is wholly within the lesion, or wholly beyond it, stays so: only the border is looked at again
            is_within, is_beyond = (ends <= low).all(axis=0), (ends >= high).all(axis=0)
            wanted_mm3 -= float(mm3[is_within].sum())
            is_open = ~(is_within | is_beyond)
            ends, mm3 = ends[:, is_open], mm3[is_open]
        return (low + high) / 2

    def surface_areas_mm2(self) -> tuple[float, float]:
        """Of the articular surface (all bone but the neck plane), and of the necrosis that reaches it.

        dA = r sqrt(r^2 + (dr/dt)^2 + (dr/df / sin t)^2) dO in polar angles t and f.
        """
        _, solid, far, reaches = self._rays
        cosine = np.tensordot(np.asarray(self.anatomy.neck_axis), self._rays[0], 1)
        angle = np.arccos(np.clip(cosine[:, 0], -1, 1))
        bone = np.where(reaches, far, self.surface_mm(self._rays[0]))
        by_angle = np.gradient(bone, angle, axis=0)
        wrapped = np.concatenate([bone[:, -1:], bone, bone[:, :1]], axis=1)
        by_turn = (wrapped[:, 2:] - wrapped[:, :-2]) / (4 * np.pi / AROUND)
        area = bone * np.sqrt(bone**2 + by_angle**2 + (by_turn / np.sin(angle)[:, None]) ** 2) * solid * reaches
        dead = self._distance_and_reach_mm[1][-1] < self.extent_mm
        return float(area.sum()), float((area * dead).sum())

    def arc_deg(self, normal: Vector) -> float:
        """Angle, seen from the head centre, over which necrosis reaches the surface in a plane through the centre.

        Args:
            normal: unit vector of the plane; (0, 1, 0) is mid-coronal, (1, 0, 0) mid-sagittal.
        """
        if self.lesion is None:
            return 0.0
        first = np.asarray(unit(np.cross(normal, (0.31, 0.23, 0.92))))
        second = np.cross(normal, first)
        turn = (np.arange(3600) + 0.5) * 2 * np.pi / 3600
        directions = first[:, None] * np.cos(turn) + second[:, None] * np.sin(turn)
        bone = self.surface_mm(directions)
        articular = bone * np.tensordot(np.asarray(self.anatomy.neck_axis), directions, 1) < self.anatomy.neck_plane_mm
        x, y, z = (part.astype(np.float32) for part in _toward(directions, bone))
        return float((articular & (self.lesion.reach_mm((x, y, z)) < self.extent_mm)).mean() * 360)

    def necrosis_centre_mm(self) -> Vector | None:
        """Centroid of the necrosis from the head centre, mm; None without one."""
        if self.lesion is None:
            return None
        directions, solid, _, _ = self._rays
        distance, reach = self._distance_and_reach_mm
        share = _share_below(reach - self.extent_mm) * solid
        moments = (share * (distance[1:] ** 4 - distance[:-1] ** 4) / 4).sum(axis=0)
        total = (share * (distance[1:] ** 3 - distance[:-1] ** 3) / 3).sum()
        x, y, z = ((directions * moments).sum(axis=(1, 2)) / total).tolist()
        return x, y, z


def _share_below(values: np.ndarray) -> np.ndarray:
    """The share of every interval between neighbours on axis 0 in which a linear function is below 0."""
    low, high = np.minimum(values[:-1], values[1:]), np.maximum(values[:-1], values[1:])
    return np.clip(-low / np.maximum(high - low, 1e-9), 0, 1)
