"""The necrosis of a digital hip: its place and form, its rim and core, and the collapse above it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avnnet.phantom.shapes import Points, Vector, Waves, along_mm, length_mm, unit

STAGES = ("I", "II", "IIIA", "IIIB")
ADVANCED = ("IIIA", "IIIB")
FORMS = ("wedge", "cap", "band", "multifocal", "whole head")
# Depth of the flattening in mm: ARCO 2019 draws the line at 2 mm (docs/sources.md#stages-and-extent).
COLLAPSE_MM = {"I": (0.0, 0.0), "II": (0.0, 0.0), "IIIA": (0.5, 2.0), "IIIB": (2.0, 6.0)}
# The core looks like vital fatty marrow in 20/28 uncomplicated and 4/28 advanced lesions (docs/sources.md#lesion).
FAT_LIKE = {"I": 0.7, "II": 0.7, "IIIA": 0.15, "IIIB": 0.15}
OEDEMA = {"I": 0.436, "II": 0.436, "IIIA": 0.935, "IIIB": 0.935}  # docs/sources.md#lesion, stage 2 and 3A
CYSTS = {"I": 0.0, "II": 0.0, "IIIA": 0.52, "IIIB": 0.52}
CRESCENT = {"I": 0.0, "II": 0.0, "IIIA": 0.6, "IIIB": 0.6}
POLE = (0.02, -0.50, 0.86)  # anterosuperior, in the right-hip frame (x medial, y posterior, z superior)


@dataclass(frozen=True)
class Focus:
    """A place from which necrosis grows: a rounded cone about an axis, or a layer under the head's surface.

    Args:
        axis: unit vector from the head centre to its pole.
        across: unit vector across it, along which it is stretched.
        stretch: by how much.
        slope: opening of the cone; small is a wedge, large a flat cap.
        roundness_mm: radius of the cone's tip.
        layer: width of a layer over its depth; 0 is a cone.
    """

    axis: Vector
    across: Vector
    stretch: float
    slope: float
    roundness_mm: float
    layer: float = 0.0

    def reach_mm(self, points: Points, head_radius_mm: float) -> np.ndarray:
        """How far the focus must reach to include a point; its gradient is about 1.

        Examples:
            >>> cone = Focus(axis=(0.0, 0.0, 1.0), across=(1.0, 0.0, 0.0), stretch=0.0, slope=1.0, roundness_mm=0.0)
            >>> x, z = np.array([0.0, 10.0, 10.0]), np.array([10.0, 10.0, 0.0])  # in a cone of 45 degrees, on it, out
            >>> cone.reach_mm((x, np.zeros(3), z), 24.0).round(2).tolist()
            [-7.07, 0.0, 7.07]
        """
        h = along_mm(points, self.axis)
        x, y, z = points
        squares = x * x + y * y + z * z
        if self.layer:
            r = np.sqrt(squares)
            angle = np.arccos(np.clip(h / np.maximum(r, np.float32(1e-3)), -1, 1))
            arc = angle * np.float32(head_radius_mm / self.layer)
            depth = np.maximum(np.float32(head_radius_mm) - r, 0)
            layer: np.ndarray = np.sqrt(arc * arc + depth * depth)
            return layer
        w = along_mm(points, self.across)
        around = np.maximum(squares - h * h, 0) + w * w * np.float32(self.stretch)
        cone: np.ndarray = np.sqrt(around + np.float32(self.roundness_mm**2)) - np.float32(self.slope) * h
        cone /= np.float32(np.hypot(1, self.slope))
        return cone


@dataclass(frozen=True)
class Lesion:
    """One necrosis, of any extent: it grows from its foci along `reach_mm`.

    Args:
        form: one of `FORMS`.
        foci: where it grows from; the first is the largest.
        head_radius_mm: of the head it sits in.
        wander_mm: standard deviation of the boundary's wandering; 0 is a smooth boundary.
        wandering: the noise it follows.
        rim_mm: width of the repair zone, which belongs to the lesion (outer margin rule).
        sclerosis: how much of the line around the rim is sclerosis, 0 to 1.
        fat_like: whether the core looks like vital marrow.
        collapse_mm: greatest depth of the flattening.
        collapse_deg: from the middle of the flattening to its edge, seen from the head centre.
        crescent_mm: width of the cleft under the collapsed plate, 0 without one.
        crescent_gas: whether the cleft holds gas instead of fluid.
        oedema: strength of the oedema outside the rim, 0 to 1.
        cysts_mm: `(n, 4)` centre (x, y, z) and radius of cysts.
    """

    form: str
    foci: tuple[Focus, ...]
    head_radius_mm: float
    wander_mm: float
    wandering: Waves
    rim_mm: float
    sclerosis: float
    fat_like: bool
    collapse_mm: float
    collapse_deg: float
    crescent_mm: float
    crescent_gas: bool
    oedema: float
    cysts_mm: tuple[tuple[float, float, float, float], ...]

    def reach_mm(self, points: Points) -> np.ndarray:
        """How far the lesion must reach to include a point: it is all bone with a reach below its own extent.

        Examples:
            >>> from dataclasses import replace
            >>> hip = {"head_radius_mm": 24.0, "neck_axis": (-0.8, 0.2, -0.6), "form": "cap"}
            >>> lesion = draw_lesion(np.random.default_rng(1), arco_stage="II", necrosis_percent=20.0, **hip)
            >>> pole = tuple(np.array([20 * part]) for part in lesion.foci[0].axis)
            >>> smooth = replace(lesion, wander_mm=0.0)
            >>> np.array_equal(smooth.reach_mm(pole), lesion.foci[0].reach_mm(pole, 24.0))  # of one focus
            True
        """
        reach = self.foci[0].reach_mm(points, self.head_radius_mm)
        for focus in self.foci[1:]:
            np.minimum(reach, focus.reach_mm(points, self.head_radius_mm) + np.float32(1.5), out=reach)
        if self.wander_mm:
            reach = reach + self.wandering(points) * np.float32(self.wander_mm)
        return reach

    def sunk_mm(self, points: Points) -> np.ndarray:
        """How deep the head's surface has sunk in the direction of a point, mm; 0 beside the flattening.

        Examples:
            >>> from dataclasses import replace
            >>> hip = {"head_radius_mm": 24.0, "neck_axis": (-0.8, 0.2, -0.6), "form": "cap"}
            >>> lesion = draw_lesion(np.random.default_rng(1), arco_stage="IIIB", necrosis_percent=20.0, **hip)
            >>> x, y, z = np.outer(lesion.foci[0].axis, [24.0, -24.0])  # over the lesion, and opposite
            >>> replace(lesion, collapse_mm=3.0).sunk_mm((x, y, z)).round(3).tolist()
            [3.0, 0.0]
        """
        if self.collapse_mm == 0:
            return np.zeros(np.shape(points[0]), np.float32)
        cosine = along_mm(points, self.foci[0].axis) / np.maximum(length_mm(points), np.float32(1e-3))
        angle = np.arccos(np.clip(cosine, -1, 1))
        # a bowl with an edge: the subchondral plate breaks where the dead bone ends
        profile = np.maximum(1 - (angle / np.float32(np.deg2rad(self.collapse_deg))) ** 2, 0)
        depth: np.ndarray = profile * np.float32(self.collapse_mm)
        return depth


def cap_half_angle_deg(necrosis_percent: float) -> float:
    """Half the opening angle, from the centre, of a spherical cap with a share of the sphere's volume.

    Source: docs/sources.md#angle-and-volume, (2 + cos t)(1 - cos t)^2 / 4.

    Examples:
        >>> round(cap_half_angle_deg(8.4), 0)
        50.0
    """
    heights = np.linspace(0, 2, 2000)  # over the radius
    shares = 100 * heights**2 * (3 - heights) / 4
    return float(np.rad2deg(np.arccos(1 - np.interp(necrosis_percent, shares, heights))))


def draw_form(generator: np.random.Generator, *, necrosis_percent: float) -> str:
    """The form of a lesion of a size: small ones are wedges, caps and bands, large ones take the whole head.

    Source: forms of the interface, docs/sources.md#lesion (transverse, V, closed, serpiginous band); the shares by
    size are a choice, guided by the map there: above 30 % lesions take almost the entire head.
    """
    whole = 0.0 if necrosis_percent < 30 else 0.7 if necrosis_percent > 45 else 0.35
    band = 0.25 if necrosis_percent < 25 else 0.0
    several = 0.15 if 3 < necrosis_percent < 30 else 0.0
    rest = 1 - whole - band - several
    return str(generator.choice(FORMS, p=[0.55 * rest, 0.45 * rest, band, several, whole]))


def draw_lesion(
    generator: np.random.Generator,
    *,
    arco_stage: str,
    necrosis_percent: float,
    head_radius_mm: float,
    neck_axis: Vector,
    form: str | None = None,
) -> Lesion:
    """A random anterosuperior necrosis of an ARCO stage.

    Args:
        generator: the only source of randomness.
        arco_stage: one of `STAGES`; it decides on collapse, core, cleft, cysts and oedema.
        necrosis_percent: share of the head, on which form and width of the collapse depend.
        head_radius_mm: of the head's sphere.
        neck_axis: unit vector from the head centre down the neck.
        form: one of `FORMS`; drawn by default.

    Source:
        docs/sources.md#lesion-boundary (rim inside the label) and docs/sources.md#lesion (position, core, collapse,
        oedema and cysts per stage).
    """
    advanced = arco_stage in ADVANCED
    drawn = draw_form(generator, necrosis_percent=necrosis_percent)
    form = form or drawn
    axis = unit(generator.normal(POLE, (0.14, 0.13, 0.08)))
    foci = _foci(generator, form, axis, neck_axis)
    half_deg = float(np.clip(cap_half_angle_deg(necrosis_percent), 25, 65))
    collapse_mm = float(generator.uniform(*COLLAPSE_MM[arco_stage]))
    crescent_mm = float(generator.uniform(0.6, 1.6)) * float(generator.random() < CRESCENT[arco_stage])
    gas = bool(generator.random() < 0.3)
    oedema = float(generator.uniform(0.2, 0.65) if advanced else generator.uniform(0.1, 0.3))
    oedema *= float(generator.random() < OEDEMA[arco_stage])
    cysts = _cysts(generator, axis, head_radius_mm) if generator.random() < CYSTS[arco_stage] else ()
    return Lesion(
        form=form,
        foci=foci,
        head_radius_mm=head_radius_mm,
        wander_mm=float(generator.uniform(0.6, 1.4)),
        wandering=Waves.draw(generator, wavelengths_mm=(7, 24), count=10),
        rim_mm=float(generator.uniform(1.0, 2.0)),
        sclerosis=float(generator.uniform(0.2, 0.9)),
        fat_like=bool(generator.random() < FAT_LIKE[arco_stage]),
        # a sphere sinks no deeper than the bone below its surface
        collapse_mm=min(collapse_mm, 0.3 * head_radius_mm),
        collapse_deg=half_deg,
        crescent_mm=crescent_mm,
        crescent_gas=gas,
        oedema=oedema,
        cysts_mm=cysts,
    )


def _foci(generator: np.random.Generator, form: str, axis: Vector, neck_axis: Vector) -> tuple[Focus, ...]:
    def focus(pole: Vector, slopes: tuple[float, float], roundness_mm: tuple[float, float]) -> Focus:
        across = unit(np.cross(pole, generator.normal(size=3)))
        slope = float(np.exp(generator.uniform(*np.log(slopes))))
        return Focus(pole, across, float(generator.uniform(-0.4, 0.6)), slope, float(generator.uniform(*roundness_mm)))

    if form == "wedge":
        return (focus(axis, (0.6, 1.2), (3, 9)),)
    if form == "cap":
        return (focus(axis, (1.6, 4.0), (4, 12)),)
    if form == "band":
        across = unit(np.cross(axis, generator.normal(size=3)))
        return (Focus(axis, across, 0.0, 1.0, 0.0, layer=float(generator.uniform(1.8, 3.2))),)
    if form == "whole head":
        dome = unit(0.75 * -np.asarray(neck_axis) + 0.25 * np.asarray(axis))
        return (focus(dome, (4.0, 8.0), (6, 12)),)
    others = []
    for _ in range(int(generator.integers(1, 3))):
        away = np.asarray(unit(np.cross(axis, generator.normal(size=3))))
        turn = np.deg2rad(generator.uniform(45, 75))
        others.append(focus(unit(np.cos(turn) * np.asarray(axis) + np.sin(turn) * away), (0.6, 1.6), (3, 8)))
    return (focus(axis, (0.7, 1.8), (3, 8)), *others)


def _cysts(
    generator: np.random.Generator, axis: Vector, head_radius_mm: float
) -> tuple[tuple[float, float, float, float], ...]:
    """One to three small cysts under the surface near the lesion's pole."""
    cysts = []
    for _ in range(int(generator.integers(1, 4))):
        radius_mm = float(generator.uniform(1.5, 4.0))
        pole = np.asarray(unit(np.asarray(axis) + generator.normal(0, 0.35, 3)))
        x, y, z = (pole * (head_radius_mm - radius_mm - generator.uniform(3, 9))).tolist()
        cysts.append((x, y, z, radius_mm))
    return tuple(cysts)
