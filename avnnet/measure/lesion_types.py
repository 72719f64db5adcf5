"""Types of a lesion by its place in the mid-coronal plane: JIC, which needs the acetabulum, and CJFH."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avnnet.errors import InvalidConfig
from avnnet.labels import Side
from avnnet.measure.extent import Arcs, Plane
from avnnet.measure.head import MeasuredHead

PILLARS = (0.30, 0.70)
"""Where the lateral and the medial pillar end, as shares of the head's width from lateral."""
INVOLVED, WHOLE = 0.05, 0.95
STEP_MM = 0.5
FAR_MM = 70.0


@dataclass(frozen=True)
class Landmarks:
    """Two points of the acetabulum in the mid-coronal plane, LPS mm, of which JIC's weight-bearing surface is made.

    Args:
        edge_mm: lateral edge of the acetabulum.
        teardrop_mm: lowest point of the teardrop.

    Raises:
        InvalidConfig: if they lie less than 20 or more than 120 mm apart.

    Examples:
        >>> from avnnet.labels import Side
        >>> edge, _ = Landmarks((30.0, 0.0, 20.0), (-5.0, 0.0, -10.0)).in_frame(Side.LEFT)
        >>> edge.tolist()
        [-30.0, 0.0, 20.0]
    """

    edge_mm: tuple[float, float, float]
    teardrop_mm: tuple[float, float, float]

    def __post_init__(self) -> None:
        apart = float(np.linalg.norm(np.subtract(self.edge_mm, self.teardrop_mm)))
        if not 20 <= apart <= 120:
            raise InvalidConfig(
                f"acetabular edge and teardrop of one hip lie 20 to 120 mm apart; found {apart:.1f} mm between "
                f"{self.edge_mm} and {self.teardrop_mm}. Points are LPS mm; 3D Slicer shows RAS: change the sign of "
                "the first two numbers"
            )

    def in_frame(self, side: Side) -> tuple[np.ndarray, np.ndarray]:
        """Edge and teardrop in the right-hip frame.

        Examples:
            >>> _, teardrop = Landmarks((-30.0, 0.0, 20.0), (5.0, 0.0, -10.0)).in_frame(Side.RIGHT)
            >>> teardrop.tolist()
            [5.0, 0.0, -10.0]
        """
        mirror = np.array([-1.0 if side is Side.LEFT else 1.0, 1.0, 1.0])
        return np.asarray(self.edge_mm) * mirror, np.asarray(self.teardrop_mm) * mirror


def jic_type(head: MeasuredHead, coronal: Arcs, landmarks: Landmarks, side: Side) -> str:
    """Type A, B, C1 or C2 of the Japanese Investigation Committee; empty without necrosis in the mid-coronal plane.

    The weight-bearing surface begins where the perpendicular bisector of the line from the acetabular edge to the
    teardrop
    meets the head, and ends at the edge; seen from the head centre it is divided in thirds. A: the lesion reaches no
    further lateral than the medial third; B: than the second; C1: into the lateral third; C2: beyond the edge.

    Args:
        head: the measured head.
        coronal: its arcs in the mid-coronal plane.
        landmarks: edge and teardrop.
        side: the body side.

    Raises:
        InvalidConfig: if the landmarks do not lie lateral and medial of this head.

    Source:
        Sugano N et al. J Orthop Sci 2002;7:601-605; thirds by angle are a choice, the paper draws them.
    """
    edge, teardrop = (point - head.centre_mm for point in landmarks.in_frame(side))
    if not (edge[0] < 0 < teardrop[0] and teardrop[2] < edge[2] and max(np.abs([*edge, *teardrop])) < FAR_MM):
        raise InvalidConfig(
            f"the acetabular edge {landmarks.edge_mm} must lie lateral of this head's centre, and the teardrop "
            f"{landmarks.teardrop_mm} medial and below; are they of this hip, in LPS mm, and is the side right?"
        )
    if not coronal.shadow_deg:
        return ""
    begin_deg, end_deg = _bisector_deg(edge, teardrop, head.sphere.radius_mm), _angle_deg(edge)
    reach = (_most_lateral_deg(head, coronal) - begin_deg) / (end_deg - begin_deg)
    return "A" if reach <= 1 / 3 else "B" if reach <= 2 / 3 else "C1" if reach <= 1 else "C2"


def _angle_deg(points: np.ndarray) -> np.ndarray:
    """Angle in the coronal plane of points from the head centre: 0 medial, 90 top, 180 lateral; -90 to 270."""
    return (np.rad2deg(np.arctan2(points[..., 2], points[..., 0])) + 90) % 360 - 90


def _bisector_deg(edge: np.ndarray, teardrop: np.ndarray, radius_mm: float) -> np.ndarray:
    """Where the perpendicular bisector of edge and teardrop meets the upper side of the head."""
    middle, line = (edge + teardrop)[[0, 2]] / 2, (teardrop - edge)[[0, 2]]
    up = np.array([-line[1], line[0]]) / np.linalg.norm(line)
    along = -(middle @ up) + np.sqrt(max((middle @ up) ** 2 - middle @ middle + radius_mm**2, 0.0))
    x, z = middle + along * up
    return _angle_deg(np.array([x, 0.0, z]))


def _most_lateral_deg(head: MeasuredHead, coronal: Arcs) -> float:
    if coronal.is_shadow:
        points = head.necrosis_points_mm
        near = points[np.abs(points @ coronal.plane.normal) < max(head.labels.grid.spacing)]
        return float(_angle_deg(near).max()) if len(near) else -90.0
    return max(last - 360 if first > 270 else last for first, last in coronal.arcs_deg)


def cjfh_type(head: MeasuredHead, coronal: Plane) -> str:
    """Type M, C, L1, L2 or L3 of the China-Japan Friendship Hospital; empty without necrosis in the mid-coronal plane.

    The head's width is divided from lateral into pillars of 30, 40 and 30 percent. M: the medial pillar alone; C: the
    central one too; L1: the lateral one in part; L2: all of the lateral one; L3: all three. A pillar of which less
    than 5 percent is necrotic is free, and one with more than 95 percent is taken whole.

    Args:
        head: the measured head, of a known side.
        coronal: the mid-coronal plane.

    Source:
        Li ZR et al. on the CJFH classification; the widths are those in general use.
    """
    radius_mm = head.sphere.radius_mm
    steps = np.arange(-radius_mm, radius_mm + STEP_MM / 2, STEP_MM)
    points = steps[:, None, None] * np.asarray(coronal.up) + steps[:, None] * np.asarray(coronal.right)
    bone = head.shell.is_head(points + head.centre_mm)
    dead = bone & head.shell.is_necrotic(points + head.centre_mm)
    from_lateral = np.broadcast_to((steps + radius_mm) / (2 * radius_mm), bone.shape)
    pillar = np.digitize(from_lateral, PILLARS)
    lateral, central, medial = (
        float(dead[pillar == which].sum()) / max(int(bone[pillar == which].sum()), 1) for which in range(3)
    )
    if lateral > INVOLVED:
        if lateral < WHOLE:
            return "L1"
        return "L3" if min(central, medial) > WHOLE else "L2"
    if central > INVOLVED:
        return "C"
    return "M" if medial > INVOLVED else ""
