"""The plane where a femoral head ends and its neck begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from avnnet.measure.mesh import Mesh
from avnnet.measure.sphere import Sphere

OFF_SPHERE_MM = 1.0
MIN_SHARE = 0.03
"""Of the surface: a smaller place off the sphere is a pit or a bump, not the neck."""
FLAT_RMS_MM = 0.6
EDGE_MM = 1.5
CUT_MM = 0.4
"""How far the cut of voxels may lie above its plane."""
FLAT_COSINE = float(np.cos(np.deg2rad(25)))
"""Half the angle between a cut and the sphere at its edge, where smoothing has rounded the edge."""


@dataclass(frozen=True)
class NeckPlane:
    """A plane across the neck axis, where bone leaves the sphere of the head.

    Args:
        axis: unit vector from the head centre down the neck.
        distance_mm: of the plane from the centre.

    Examples:
        >>> NeckPlane((0.0, 0.0, -1.0), 15.0).is_articular(np.array([[0.0, 0.0, 24.0], [0.0, 0.0, -20.0]])).tolist()
        [True, False]
    """

    axis: tuple[float, float, float]
    distance_mm: float

    def is_articular(self, points_mm: np.ndarray, normals: np.ndarray | None = None) -> np.ndarray:
        """`(...)` whether points of a surface lie on the head's side, and not on the cut itself.

        Args:
            points_mm: `(..., 3)` from the head centre.
            normals: `(..., 3)` of the surface there; without them the plane alone decides.

        Examples:
            >>> neck, points = NeckPlane((0.0, 0.0, -1.0), 15.0), np.array([[0.0, 0.0, -14.0]])
            >>> [neck.is_articular(points, np.array([normal])).tolist() for normal in ([0, 0, -1], [1, 0, 0])]
            [[False], [True]]
        """
        height = points_mm @ np.asarray(self.axis) - self.distance_mm
        if normals is None:
            below: np.ndarray = height < -CUT_MM
            return below
        is_cut = (height > -EDGE_MM) & (normals @ np.asarray(self.axis) > FLAT_COSINE)
        on_head: np.ndarray = (height < EDGE_MM) & ~is_cut
        return on_head


def neck_plane(mesh: Mesh, sphere: Sphere, is_necrotic: np.ndarray, is_cut: np.ndarray) -> NeckPlane | None:
    """The plane of the neck, or None where the surface shows no neck.

    The largest connected place off the sphere is the neck; vital ones come first, for collapse leaves the sphere too,
    and a dead one is the neck below the centre only.
    Where it is flat, as the cut of a label is, the plane is fitted to it. Where the label runs on down the neck, the
    plane lies where the surface leaves the sphere.

    Args:
        mesh: of the head.
        sphere: of the head.
        is_necrotic: `(m,)` whether a triangle lies on necrosis.
        is_cut: `(m,)` whether the field of view cut the head there.

    Source:
        Nötzli HP et al. J Bone Joint Surg Br 2002;84:556-560 (alpha point: where the bone leaves the sphere).
    """
    away = mesh.centres_mm - np.asarray(sphere.centre_mm)
    distance = np.linalg.norm(away, axis=1)
    direction = away / np.maximum(distance, 1e-9)[:, None]
    departure = distance - sphere.radius_at_mm(direction)
    off = np.flatnonzero((np.abs(departure) > OFF_SPHERE_MM) & ~is_cut)
    found = []
    for place in _connected(mesh, off):
        area = mesh.areas_mm2[place]
        if area.sum() < MIN_SHARE * mesh.area_mm2:
            continue
        axis, height_mm, rms_mm = _flat(away[place], area)
        is_vital = float((area * ~is_necrotic[place]).sum() / area.sum()) > 0.5
        if not is_vital and np.average(away[place, 2], weights=area) > 0:
            continue  # dead and above the centre: collapse
        found.append((is_vital, rms_mm < FLAT_RMS_MM and height_mm > 0, float(area.sum()), axis, height_mm, place))
    if not found:
        return None
    _, is_flat, _, axis, height_mm, place = max(found, key=lambda one: one[:3])
    if not is_flat:
        middle = np.average(away[place], axis=0, weights=mesh.areas_mm2[place])
        axis = middle / max(float(np.linalg.norm(middle)), 1e-9)
        near = np.setdiff1d(np.arange(len(away)), off)
        edge = away[near][(direction[near] @ axis) > 0] @ axis
        if not len(edge):
            return None
        height_mm = float(np.quantile(edge, 0.98))
    x, y, z = axis.tolist()
    return NeckPlane((x, y, z), height_mm)


def _flat(points_mm: np.ndarray, areas_mm2: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The plane of a place: its normal away from the centre, its distance from the centre, the points' from it."""
    middle = np.average(points_mm, axis=0, weights=areas_mm2)
    around = points_mm - middle
    _, vectors = np.linalg.eigh((around * areas_mm2[:, None]).T @ around)
    axis = vectors[:, 0] * (1 if vectors[:, 0] @ middle >= 0 else -1)
    heights = points_mm @ axis
    # the rounded edge lies below the cut: the median is the cut
    height_mm = float(np.median(heights))
    return axis, height_mm, float(np.sqrt(np.average((heights - height_mm) ** 2, weights=areas_mm2)))


def _connected(mesh: Mesh, faces: np.ndarray) -> list[np.ndarray]:
    """The connected parts among some triangles."""
    if not len(faces):
        return []
    corners = mesh.faces[faces]
    rows, columns = np.repeat(corners[:, 0], 2), corners[:, 1:].ravel()
    count = len(mesh.vertices_mm)
    links = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(count, count))
    _, part = connected_components(links, directed=False)
    of_face = part[corners[:, 0]]
    order = np.argsort(of_face, kind="stable")
    return np.split(faces[order], np.flatnonzero(np.diff(of_face[order])) + 1)
