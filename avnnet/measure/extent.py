"""How far round the head a lesion reaches: arcs in coronal and sagittal planes, the angles and indices made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avnnet.measure.head import MeasuredHead

STEP_DEG = 0.25
KERNEL_MM = 1.0
HALF_TURN_DEG = 180.0


@dataclass(frozen=True)
class Plane:
    """A plane of the patient through, or beside, the head centre.

    Args:
        name: "coronal" or "sagittal".
        right: unit vector that a picture shows to the right; angles run from it
        up: towards this one, anticlockwise.
        offset_mm: distance from the head centre along the normal.

    Examples:
        >>> Plane("coronal", (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)).normal.tolist()
        [0.0, -1.0, 0.0]
    """

    name: str
    right: tuple[float, float, float]
    up: tuple[float, float, float]
    offset_mm: float = 0.0

    @property
    def normal(self) -> np.ndarray:
        """`(3,)` unit vector across the plane.

        Examples:
            >>> Plane("sagittal", (0.0, -1.0, 0.0), (0.0, 0.0, 1.0)).normal.tolist()
            [-1.0, 0.0, 0.0]
        """
        return np.cross(self.right, self.up)

    def directions(self, angles_deg: np.ndarray) -> np.ndarray:
        """`(n, 3)` unit vectors in the plane at angles `(n,)`.

        Examples:
            >>> patient_planes()[0].directions(np.array([0.0, 90.0])).round(6).tolist()
            [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
        """
        turn = np.deg2rad(angles_deg)[:, None]
        found: np.ndarray = np.cos(turn) * np.asarray(self.right) + np.sin(turn) * np.asarray(self.up)
        return found


def patient_planes(tilt_deg: float = 0.0) -> tuple[Plane, Plane]:
    """The coronal and the sagittal plane in the right-hip frame, through the head centre.

    Args:
        tilt_deg: pelvic tilt: how far the patient's superior axis leans forward from the scanner's. The coronal plane
            is turned about the left-right axis by it; the sagittal plane stays, its angles turn.

    Examples:
        >>> coronal, _ = patient_planes(tilt_deg=90.0)
        >>> np.round(coronal.up, 6).tolist()
        [0.0, -1.0, 0.0]
    """
    lean = np.deg2rad(tilt_deg)
    up = (0.0, -float(np.sin(lean)), float(np.cos(lean)))
    front = (0.0, -float(np.cos(lean)), -float(np.sin(lean)))
    return Plane("coronal", (1.0, 0.0, 0.0), up), Plane("sagittal", front, up)


@dataclass(frozen=True)
class Arcs:
    """The necrotic part of the joint surface in one plane, as angles seen from the head centre.

    Args:
        plane: where.
        arcs_deg: `(first, last)` of every arc, anticlockwise; last may exceed 360.
        shadow_deg: angle over which there is necrosis at any depth.
        is_shadow: whether the lesion in this plane keeps off the surface, so that its arc is its shadow.

    Examples:
        >>> arcs = Arcs(patient_planes()[0], ((30.0, 60.0), (80.0, 120.0)), shadow_deg=95.0, is_shadow=False)
        >>> arcs.arc_deg, arcs.hull_deg
        (70.0, 90.0)
    """

    plane: Plane
    arcs_deg: tuple[tuple[float, float], ...]
    shadow_deg: float
    is_shadow: bool

    @property
    def arc_deg(self) -> float:
        """The sum of the arcs; of a lesion that keeps off the surface its shadow.

        Source:
            Ha YC et al. J Bone Joint Surg Am 2006;88 Suppl 3:35-40.
        """
        return self.shadow_deg if self.is_shadow else float(sum(last - first for first, last in self.arcs_deg))

    @property
    def hull_deg(self) -> float:
        """The smallest angle that holds all arcs: what is read as one angle from first edge to last.

        Source:
            Kerboul M et al. J Bone Joint Surg Br 1974;56:291-296.
        """
        if self.is_shadow or not self.arcs_deg:
            return self.arc_deg
        starts = [first for first, _ in self.arcs_deg]
        ends = [last for _, last in self.arcs_deg]
        gaps = [following - end for end, following in zip(ends, [*starts[1:], starts[0] + 360], strict=True)]
        return 360.0 - max(gaps)


def arcs_in(head: MeasuredHead, plane: Plane) -> Arcs:
    """The arcs of necrosis on the joint surface in a plane, seen from the head centre's foot in that plane.

    An arc is where, along rays every 0.25 degrees, the outermost bone is on the head's side of the neck plane and
    necrotic. What is not joint surface counts as neither.

    Args:
        head: the measured head.
        plane: in the right-hip frame.

    Source:
        Ha YC et al. J Bone Joint Surg Am 2006;88 Suppl 3:35-40 (arc of necrosis on mid-coronal and mid-sagittal MRI).
    """
    angles = np.arange(0, 360, STEP_DEG)
    directions = plane.directions(angles)
    origin = head.centre_mm + plane.offset_mm * plane.normal
    distance = head.shell.surface_mm(origin, directions, head.reach_mm)
    met = np.isfinite(distance)
    points = origin + np.where(met, distance, 0.0)[:, None] * directions
    necrotic = met & head.shell.is_necrotic(points, directions) & head.is_joint(points)
    shadow = head.shell.holds_necrosis(origin, directions, head.reach_mm)
    arcs = _runs(necrotic)
    return Arcs(plane, arcs, float(shadow.sum() * STEP_DEG), bool(shadow.any() and not arcs))


def _runs(true: np.ndarray) -> tuple[tuple[float, float], ...]:
    """`(first, last)` in degrees of the runs of a circular array."""
    if true.all():
        return ((0.0, 360.0),)
    if not true.any():
        return ()
    turned = int(np.argmin(true))  # begins where nothing is true
    rolled = np.concatenate([np.roll(true, -turned), [False]]).astype(np.int8)
    edges = np.diff(rolled, prepend=0)
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    starts = [(turned + int(one)) * STEP_DEG for one in first]
    lengths = [float(b - a) * STEP_DEG for a, b in zip(first, last, strict=True)]
    return tuple(sorted((start % 360, start % 360 + length) for start, length in zip(starts, lengths, strict=True)))


def largest_offset_mm(head: MeasuredHead, plane: Plane) -> float:
    """Where along a plane's normal the lesion's section is largest, mm from the head centre; 0 without a lesion.

    The section's area is that of the voxels in a layer of Gaussian weight, 1 mm wide.

    Args:
        head: the measured head.
        plane: whose parallels are searched, every 0.5 mm.

    Source:
        Cherian SF et al. J Bone Joint Surg Am 2003;85:309-315 (the sections in which the lesion is largest).
    """
    heights = head.necrosis_points_mm @ plane.normal
    if not len(heights):
        return 0.0
    edges = np.arange(heights.min() - 0.25, heights.max() + 0.75, 0.5)
    count, _ = np.histogram(heights, edges)
    middles = (edges[1:] + edges[:-1]) / 2
    weight = np.exp(-(((middles[:, None] - middles) / KERNEL_MM) ** 2) / 2)
    return float(middles[int(np.argmax(weight @ count))])


def combined_deg(coronal: Arcs, sagittal: Arcs) -> float:
    """The combined necrotic angle: the two planes' angles from first edge to last, added.

    Source:
        Kerboul M et al. J Bone Joint Surg Br 1974;56:291-296.

    Examples:
        >>> half = Arcs(patient_planes()[0], ((0.0, 90.0),), shadow_deg=90.0, is_shadow=False)
        >>> combined_deg(half, half)
        180.0
    """
    return coronal.hull_deg + sagittal.hull_deg


def modified_kerboul_deg(coronal: Arcs, sagittal: Arcs) -> float:
    """The modified Kerboul angle: the necrotic arcs of the two planes, added.

    For a cone of half angle t about an axis in both planes it is 4 t.

    Source:
        Ha YC et al. J Bone Joint Surg Am 2006;88 Suppl 3:35-40.

    Examples:
        >>> half = Arcs(patient_planes()[0], ((0.0, 90.0),), shadow_deg=90.0, is_shadow=False)
        >>> modified_kerboul_deg(half, half)
        180.0
    """
    return coronal.arc_deg + sagittal.arc_deg


def necrotic_extent_index(coronal: Arcs, sagittal: Arcs) -> float:
    """The index of necrotic extent, (A / 180) (B / 180) 100, with A and B the two planes' arcs in degrees.

    On the planes of the lesion's largest sections it is the modified index.

    Source:
        Koo KH, Kim R. J Bone Joint Surg Br 1995;77:875-880; modified: Cherian SF et al. J Bone Joint Surg Am
        2003;85:309-315.

    Examples:
        >>> half = Arcs(patient_planes()[0], ((0.0, 90.0),), shadow_deg=90.0, is_shadow=False)
        >>> necrotic_extent_index(half, half)
        25.0
    """
    return coronal.arc_deg / HALF_TURN_DEG * sagittal.arc_deg / HALF_TURN_DEG * 100
