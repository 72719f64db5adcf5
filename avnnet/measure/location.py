"""Where in the head a lesion sits, in the right-hip frame."""

from __future__ import annotations

import numpy as np
import pandas as pd

from avnnet.columns import OCTANTS
from avnnet.measure.extent import Plane
from avnnet.measure.head import MeasuredHead

LATITUDES, LONGITUDES = 12, 24
CELL_DEG = 15.0
RAYS_A_SIDE = 6
SLAB_MM = 1.0


def latitude_longitude_deg(point_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude in degrees of points `(..., 3)` from the head centre, in the right-hip frame.

    Latitude is 90 at the top and -90 at the bottom. Longitude is 0 lateral, 90 anterior, 180 medial and -90 posterior.

    Source:
        Nishii T et al. J Orthop Res 2002;20:130-136 (centroid by latitude and longitude); the zero is a choice here.

    Examples:
        >>> latitude, longitude = latitude_longitude_deg(np.array([0.0, -1.0, 1.0]))
        >>> round(float(latitude)), round(float(longitude))
        (45, 90)
    """
    x, y, z = np.moveaxis(np.asarray(point_mm, float), -1, 0)
    return np.rad2deg(np.arctan2(z, np.hypot(x, y))), np.rad2deg(np.arctan2(-y, -x))


def octant_percent(points_mm: np.ndarray) -> dict[str, float]:
    """The share of a lesion in each octant of the head, in percent; they add up to 100.

    Args:
        points_mm: `(n, 3)` its voxels from the head centre, in the right-hip frame; at least one.

    Source:
        Bassounas A et al. Clin Orthop Relat Res 2001;386:54 (octants of the sphere).
    """
    x, y, z = points_mm.T
    which = 4 * (z < 0) + 2 * (y >= 0) + (x >= 0)
    share = np.bincount(which, minlength=8) * 100 / len(points_mm)
    return dict(zip(OCTANTS, share.tolist(), strict=True))


def location_map(head: MeasuredHead) -> pd.DataFrame:
    """The joint surface in 288 cells of 15 by 15 degrees: how much of each is necrotic.

    Args:
        head: the measured head, of a known side.

    Returns:
        288 rows with latitude_deg and longitude_deg (of the cell's middle), articular_percent (share of the cell that
        is joint surface) and necrotic_percent (share of that which is necrotic; NaN where there is none).

    Source:
        Yang P et al. Bone Joint Res 2024;13:294-305 (288 units of longitude and latitude).
    """
    within = (np.arange(RAYS_A_SIDE) + 0.5) / RAYS_A_SIDE * CELL_DEG
    latitude = (-90 + CELL_DEG * np.arange(LATITUDES))[:, None] + within
    longitude = (-180 + CELL_DEG * np.arange(LONGITUDES))[:, None] + within
    up, turn = np.deg2rad(latitude)[:, None, :, None], np.deg2rad(longitude)[None, :, None, :]
    shape = (LATITUDES, LONGITUDES, RAYS_A_SIDE, RAYS_A_SIDE)
    parts = (-np.cos(up) * np.cos(turn), -np.cos(up) * np.sin(turn), np.sin(up) * np.ones_like(turn))
    directions = np.stack([np.broadcast_to(part, shape) for part in parts], axis=-1).reshape(-1, 3)
    distance = head.shell.surface_mm(head.centre_mm, directions, head.reach_mm)
    met = np.isfinite(distance)
    points = np.where(met, distance, 0.0)[:, None] * directions
    on = met & head.is_joint(points + head.centre_mm)
    necrotic = on & head.shell.is_necrotic(points + head.centre_mm, directions)
    articular = on.reshape(shape).mean(axis=(2, 3))
    with np.errstate(invalid="ignore"):
        share = 100 * necrotic.reshape(shape).mean(axis=(2, 3)) / articular
    rows, columns = np.meshgrid(latitude.mean(axis=1), longitude.mean(axis=1), indexing="ij")
    return pd.DataFrame(
        {
            "latitude_deg": rows.ravel(),
            "longitude_deg": columns.ravel(),
            "articular_percent": 100 * articular.ravel(),
            "necrotic_percent": share.ravel(),
        }
    )


def necrotic_depth_mm(head: MeasuredHead, plane: Plane) -> float:
    """How deep the lesion reaches below the sphere on a plane through the centre; 0 where it does not meet the plane.

    Args:
        head: the measured head.
        plane: mid-coronal, for the published measure.

    Source:
        Nawata T et al. Skeletal Radiol 2024 (surface to deepest point over the head's diameter, mid-coronal T1).
    """
    points = head.necrosis_points_mm
    near = points[np.abs(points @ plane.normal) <= max(SLAB_MM, max(head.labels.grid.spacing)) / 2]
    if not len(near):
        return 0.0
    return float(max(head.sphere.radius_mm - np.linalg.norm(near, axis=1).min(), 0.0))
