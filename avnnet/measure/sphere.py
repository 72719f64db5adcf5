"""The sphere of a femoral head: fitted to what is intact, and the smallest that holds all of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from avnnet.errors import Unmeasurable

RADIUS_LIMITS_MM = (8.0, 45.0)
"""From a small child's head to beyond the largest adult's: radii outside are no femoral head."""
DRAWS = 600
SUBSET = 1500
ROUNDS = 12
TOLERANCE_MM = 0.75
MIN_NOISE_MM = 0.15
OVAL_SD_MM = 0.25
"""How far a healthy head departs from a sphere: keeps the oval terms small where little surface is intact."""
PATCH_MM2 = 9.0
"""Area that counts as one independent point: neighbouring triangles share their voxels' error."""


@dataclass(frozen=True)
class Sphere:
    """A slightly oval sphere.

    Args:
        centre_mm: world point `(x, y, z)`.
        radius_mm: mean radius.
        oval_mm: second-order departure, the coefficients of xy, yz, zx, x^2 - y^2 and 3z^2 - 1 of a unit direction.
        rms_mm: root mean square distance of the intact surface from it.

    Examples:
        >>> round(Sphere((0.0, 0.0, 0.0), 24.0).volume_mm3)
        57906
    """

    centre_mm: tuple[float, float, float]
    radius_mm: float
    oval_mm: tuple[float, ...] = (0.0,) * 5
    rms_mm: float = 0.0

    @property
    def volume_mm3(self) -> float:
        """4/3 pi R^3.

        Examples:
            >>> round(Sphere((0.0, 0.0, 0.0), 1.0).volume_mm3 / np.pi, 6)
            1.333333
        """
        return 4 / 3 * np.pi * self.radius_mm**3

    def radius_at_mm(self, directions: np.ndarray) -> np.ndarray:
        """`(...)` distance of the surface from the centre along unit vectors `(..., 3)`.

        Examples:
            >>> oval = Sphere((0.0, 0.0, 0.0), 24.0, oval_mm=(0.0, 0.0, 0.0, 1.0, 0.0))
            >>> oval.radius_at_mm(np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])).tolist()
            [24.5, 23.5, 24.0]
        """
        radius_mm: np.ndarray = self.radius_mm + _oval_terms(directions) @ np.asarray(self.oval_mm)
        return radius_mm

    def below_neck_plane_mm3(self, plane_mm: float) -> float:
        """Volume of the sphere on the near side of a plane at a distance from its centre.

        Source: ball cut by a plane, pi (2 R^3 / 3 + R^2 d - d^3 / 3).

        Examples:
            >>> half = Sphere((0, 0, 0), 24.0).below_neck_plane_mm3(0.0)
            >>> round(half / Sphere((0, 0, 0), 24.0).volume_mm3, 6)
            0.5
        """
        d, r = min(max(plane_mm, -self.radius_mm), self.radius_mm), self.radius_mm
        return float(np.pi * (2 * r**3 / 3 + r**2 * d - d**3 / 3))


def _oval_terms(directions: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(np.asarray(directions, float), -1, 0)
    return np.stack([x * y, y * z, z * x, (x * x - y * y) / 2, (3 * z * z - 1) / 2], axis=-1)


def fitted_sphere(points_mm: np.ndarray, areas_mm2: np.ndarray) -> Sphere:
    """The slightly oval sphere on which most of a surface lies; the rest, sunk or cut off, does not pull on it.

    Random spheres through four points are ranked by the area within 0.75 mm of them (RANSAC, with seeds of its own,
    so that
    the same points give the same sphere); the best is refined by least squares with Tukey's weights. Radius, centre
    and the
    five second-order terms are fitted together, the latter with a prior of 0.25 mm: a head is not quite round, and a
    plain sphere, fitted to the intact side, would be wrong by that on the other.

    Args:
        points_mm: `(n, 3)` points of the surface, such as middles of triangles.
        areas_mm2: `(n,)` what each stands for.

    Raises:
        Unmeasurable: if no sphere of the radius of a femoral head runs through the points.

    Source:
        Fischler MA, Bolles RC. Commun ACM 1981;24:381-395; Beaton AE, Tukey JW. Technometrics 1974;16:147-185.
    """
    best = _ransac(points_mm, areas_mm2)
    if best is None:
        raise Unmeasurable(
            f"no sphere with a radius of {RADIUS_LIMITS_MM[0]:g} to {RADIUS_LIMITS_MM[1]:g} mm runs through the "
            "surface of this head; is the label that of a femoral head, and are its spacings right?"
        )
    centre, radius_mm = best
    oval = np.zeros(5)
    scale = TOLERANCE_MM
    for _ in range(ROUNDS):
        away = points_mm - centre
        distance = np.linalg.norm(away, axis=1)
        direction = away / np.maximum(distance, 1e-9)[:, None]
        terms = _oval_terms(direction)
        residual = distance - radius_mm - terms @ oval
        weight = areas_mm2 / PATCH_MM2 * np.clip(1 - (residual / (4.685 * scale)) ** 2, 0, None) ** 2
        design = np.column_stack([direction, np.ones(len(direction)), terms])
        prior = np.diag([0.0] * 4 + [(scale / OVAL_SD_MM) ** 2] * 5)
        left = design.T @ (weight[:, None] * design) + prior
        right = design.T @ (weight * residual) - prior @ np.concatenate([np.zeros(4), oval])
        step = np.linalg.lstsq(left, right, rcond=None)[0]
        centre, radius_mm, oval = centre + step[:3], radius_mm + step[3], oval + step[4:]
        close = np.abs(residual) < max(3 * scale, TOLERANCE_MM)
        scale = max(_weighted_median(np.abs(residual[close]), areas_mm2[close]) * 1.4826, MIN_NOISE_MM)
    if not RADIUS_LIMITS_MM[0] <= radius_mm <= RADIUS_LIMITS_MM[1]:
        raise Unmeasurable(f"the sphere of this head has a radius of {radius_mm:.1f} mm, which no femoral head has")
    rms = float(np.sqrt((weight * residual**2).sum() / max(weight.sum(), 1e-9)))
    x, y, z = centre.tolist()
    return Sphere((x, y, z), float(radius_mm), tuple(oval.tolist()), rms)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    if not len(values):
        return 0.0
    order = np.argsort(values)
    running = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(running, running[-1] / 2)])


def _ransac(points_mm: np.ndarray, areas_mm2: np.ndarray) -> tuple[np.ndarray, float] | None:
    generator = np.random.default_rng(0)
    share = areas_mm2 / areas_mm2.sum()
    few = points_mm[generator.choice(len(points_mm), size=min(SUBSET, len(points_mm)), replace=True, p=share)]
    corners = few[generator.integers(len(few), size=(DRAWS, 4))]
    middle = few.mean(axis=0)
    corners = corners - middle
    # |p - c|^2 = R^2 for four points, less the first, is linear in c
    rows = 2 * (corners[:, 1:] - corners[:, :1])
    squares = (corners**2).sum(axis=2)
    sound = np.abs(np.linalg.det(rows)) > 1e-3
    if not sound.any():
        return None
    centres = np.linalg.solve(rows[sound], (squares[:, 1:] - squares[:, :1])[sound][..., None])[..., 0]
    radii = np.linalg.norm(corners[sound, 0] - centres, axis=1)
    fits = (radii >= RADIUS_LIMITS_MM[0]) & (radii <= RADIUS_LIMITS_MM[1])
    if not fits.any():
        return None
    centres, radii = centres[fits], radii[fits]
    distance = np.linalg.norm((few - middle)[None] - centres[:, None], axis=2)
    best = int(np.argmax((np.abs(distance - radii[:, None]) < TOLERANCE_MM).sum(axis=1)))
    return centres[best] + middle, float(radii[best])


def enclosing_sphere(points_mm: np.ndarray) -> Sphere:
    """The smallest sphere that holds all points: an LP-type problem, solved by pivoting on the farthest point.

    Args:
        points_mm: `(n, 3)`.

    Source:
        Gärtner B. Fast and robust smallest enclosing balls. ESA 1999; the use on femoral heads is that of Bassounas A
        et al. Clin Orthop Relat Res 2001;386:54.

    Examples:
        >>> ball = enclosing_sphere(np.array([[0.0, 0, 0], [2, 0, 0], [1, 0.5, 0]]))
        >>> ball.centre_mm, ball.radius_mm
        ((1.0, 0.0, 0.0), 1.0)
    """
    support = [int(np.argmax(np.linalg.norm(points_mm - points_mm.mean(axis=0), axis=1)))]
    centre, radius_mm = points_mm[support[0]], 0.0
    for _ in range(200):
        distance = np.linalg.norm(points_mm - centre, axis=1)
        farthest = int(np.argmax(distance))
        if distance[farthest] <= radius_mm * (1 + 1e-9) + 1e-9:
            break
        centre, radius_mm, support = _least_ball(points_mm, [*support, farthest])
    x, y, z = centre.tolist()
    return Sphere((x, y, z), radius_mm)


def _least_ball(points_mm: np.ndarray, among: list[int]) -> tuple[np.ndarray, float, list[int]]:
    """The smallest ball through some of at most five points that holds all of them."""
    best: tuple[np.ndarray, float, list[int]] | None = None
    for size in (2, 3, 4):
        for chosen in combinations(among, size):
            corners = points_mm[list(chosen)]
            spokes = corners[1:] - corners[0]
            gram = 2 * spokes @ spokes.T
            if np.linalg.matrix_rank(gram) < len(gram):
                continue
            centre = corners[0] + np.linalg.solve(gram, (spokes**2).sum(axis=1)) @ spokes
            radius_mm = float(np.linalg.norm(centre - corners[0]))
            holds = np.linalg.norm(points_mm[among] - centre, axis=1).max() <= radius_mm * (1 + 1e-9) + 1e-9
            if holds and (best is None or radius_mm < best[1]):
                best = centre, radius_mm, list(chosen)
    return best if best is not None else (points_mm[among[0]], 0.0, among[:1])
