"""One digital hip with necrosis: its image, its exact labels and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from avnnet.data.phantom.anatomy import HEAD_RADIUS_MM, Anatomy, draw_anatomy
from avnnet.data.phantom.body import draw_body
from avnnet.data.phantom.lesion import ADVANCED, STAGES, Lesion, draw_lesion
from avnnet.data.phantom.shapes import Vector, points_of
from avnnet.data.phantom.signal import draw_sequence, scan
from avnnet.data.phantom.tissue import Canvas, bone_marrow, label_array, surroundings
from avnnet.errors import InvalidConfig
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import HIP, Side

MARGIN_MM = 4.0  # between the head and the edge of the image


@dataclass(frozen=True)
class HipTruth:
    """What is known exactly about a digital hip; positions in LPS mm `(x, y, z)`.

    Args:
        side: of the body; left is at positive x.
        sex: "female" or "male".
        arco_stage: "I", "II", "IIIA" or "IIIB".
        centre_mm: centre of the head's sphere before any collapse.
        radius_mm: its radius, bone without cartilage.
        neck_axis: unit vector from the head centre down the neck.
        neck_plane_mm: distance of the neck plane from the centre; the head's label ends there.
        neck_shaft_deg: angle of neck and shaft.
        version_deg: anteversion of the neck.
        lesion_axis: unit vector from the head centre to the middle of the lesion's surface.
        fat_like_core: whether the core of the lesion has the signal of vital marrow.
        rim_mm: width of the dark rim.
        collapse_mm: greatest depth of the flattening.
        necrosis_percent: share of necrosis in the head's label, as counted.
        necrosis_cm3: counted on the label.
        vital_cm3: counted on the label.
    """

    side: Side
    sex: str
    arco_stage: str
    centre_mm: Vector
    radius_mm: float
    neck_axis: Vector
    neck_plane_mm: float
    neck_shaft_deg: float
    version_deg: float
    lesion_axis: Vector
    fat_like_core: bool
    rim_mm: float
    collapse_mm: float
    necrosis_percent: float
    necrosis_cm3: float
    vital_cm3: float


def hip(
    generator: np.random.Generator,
    *,
    side: Side = Side.RIGHT,
    sex: str = "female",
    arco_stage: str = "IIIA",
    necrosis_percent: float,
    shape: tuple[int, int, int] = (104, 384, 384),
    spacing_mm: tuple[float, float, float] = (1.0, 0.44, 0.44),
    oblique_deg: float = 0.0,
) -> tuple[Image, LabelMap, HipTruth]:
    """The T1 image, the labels and the truth of a random hip with necrosis.

    The head's label is the bone within the head's sphere up to the neck plane (convention 3 of clinical.md
    3.1: fitted sphere + plane where the bone leaves the sphere, normal to the neck axis), cortex included.
    The necrosis includes its dark rim (outer margin, 3.2). In a collapsed head the labels are of the bone
    that is left, and the share is that of the remaining bone. A voxel belongs to a label if its centre does.
    A left hip is the mirror image of the right hip with the same random numbers: `array[:, :, ::-1]`, x of
    opposite sign.

    Args:
        generator: the only source of randomness. Shapes, lesion, position, scan and noise have streams of
            their own, so that another grid shows the same hip.
        side: of the body.
        sex: "female" or "male"; decides on the distribution of the head's size.
        arco_stage: "I", "II", "IIIA" or "IIIB"; decides on collapse, core, oedema and effusion.
        necrosis_percent: share of the head's label that is necrosis, above 0 and up to 80; met to one voxel.
        shape: voxels `(z, y, x)`.
        spacing_mm: voxel distances `(z, y, x)`.
        oblique_deg: tilt of the slices from axial towards the neck; 35 to 40 is parallel to it.

    Raises:
        InvalidConfig: if an argument is none of these, or the field of view cannot hold a head.

    Examples:
        >>> image, labels, truth = hip(
        ...     np.random.default_rng(3), necrosis_percent=15, shape=(40, 80, 80), spacing_mm=(2.0, 1.5, 1.5)
        ... )
        >>> image.array.dtype.name, round(truth.necrosis_percent, 1)
        ('int16', 15.0)
    """
    _check(sex, arco_stage, necrosis_percent)
    shapes, tissue, wounds, places, settings, noise = (
        np.random.default_rng(seed) for seed in generator.integers(2**63, size=6).tolist()
    )
    effusion = arco_stage in ADVANCED and shapes.random() < 0.76  # clinical.md 4.2
    anatomy = draw_anatomy(shapes, sex=sex, effusion=effusion)
    body = draw_body(tissue)
    lesion = draw_lesion(wounds, arco_stage=arco_stage)
    grid, centre = _place(places, shape, spacing_mm, oblique_deg)

    box = _box_around(grid, centre, anatomy.radius_mm + 18)
    sequence = draw_sequence(settings)
    labels, boundary_mm = label_array(
        anatomy, lesion, points_of(grid, centre, box), grid, necrosis_percent=necrosis_percent
    )
    canvas = Canvas(grid, centre, box, sequence)
    marbling = body.marbling_at(canvas.lattice.points)
    surroundings(canvas, anatomy, body, marbling)
    bone_marrow(canvas, anatomy, body, lesion, boundary_mm, marbling, necrosis_percent=necrosis_percent)
    array = scan(canvas.water, canvas.fat, canvas.sensitivity(), sequence, noise)
    whole = np.zeros(grid.shape, np.uint8)
    whole[box] = labels

    truth = _truth(sex, arco_stage, centre, anatomy, lesion, whole, grid)
    if side == Side.LEFT:
        array, whole, grid, truth = (
            array[:, :, ::-1].copy(),
            whole[:, :, ::-1].copy(),
            _mirrored(grid),
            _left(truth),
        )
    return Image(array, grid), LabelMap(whole, grid, HIP), truth


def _check(sex: str, arco_stage: str, necrosis_percent: float) -> None:
    if sex not in HEAD_RADIUS_MM:
        raise InvalidConfig(f"sex must be one of {list(HEAD_RADIUS_MM)}, for the size of the head; found {sex!r}")
    if arco_stage not in STAGES:
        raise InvalidConfig(f"a digital hip has one of the ARCO stages {list(STAGES)}; found {arco_stage!r}")
    if not 0 < necrosis_percent <= 80:
        raise InvalidConfig(f"necrosis_percent must be above 0 and up to 80; found {necrosis_percent}")


def _place(
    generator: np.random.Generator,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    oblique_deg: float,
) -> tuple[Grid, Vector]:
    """The grid of a scan of a right hip, turned by a few degrees, and the head's place in the world."""
    x, y, z = generator.uniform((-105, -35, -90), (-75, 35, 90)).tolist()
    turns = np.deg2rad(np.clip(generator.normal(0, 2.5, size=3), -6, 6) + np.array([0.0, -oblique_deg, 0.0]))
    shares = generator.uniform(-1, 1, size=3)
    extent = np.asarray(shape, float) * spacing_mm
    free = extent / 2 - HEAD_RADIUS_MM["male"][0] - 2 * HEAD_RADIUS_MM["male"][1] - MARGIN_MM
    if min(free) < 0:
        raise InvalidConfig(
            f"a field of view of {' x '.join(f'{e:.4g}' for e in extent)} mm (z, y, x) does not hold a "
            f"femoral head; each extent must be at least {2 * float(np.max(extent / 2 - free)):.4g} mm: "
            "raise shape or spacing_mm"
        )
    offset = shares * np.minimum(free, (12.0, 20.0, 20.0))
    direction = _rotation(turns) @ np.array([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]])
    first = (np.asarray(shape) - 1) / 2 * spacing_mm + offset  # mm from voxel (0, 0, 0) to the head centre
    ox, oy, oz = (np.array([x, y, z]) - direction @ first).tolist()
    grid = Grid(shape, spacing_mm, (ox, oy, oz), tuple(tuple(row) for row in direction.tolist()))
    return grid, (x, y, z)


def _rotation(angles: np.ndarray) -> np.ndarray:
    """The rotation by angles (radians) about x, then y, then z."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    rotation: np.ndarray = about_z @ about_y @ about_x
    return rotation


def _box_around(grid: Grid, centre: Vector, reach_mm: float) -> tuple[slice, slice, slice]:
    """The box of voxels within `reach_mm` of the head centre along each array axis."""
    middle, reach = grid.to_index(centre), reach_mm / np.asarray(grid.spacing)
    low = np.maximum(np.floor(middle - reach), 0).astype(int).tolist()
    high = np.minimum(np.ceil(middle + reach) + 1, grid.shape).astype(int).tolist()
    return slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])


def _truth(
    sex: str, stage: str, centre: Vector, anatomy: Anatomy, lesion: Lesion, labels: np.ndarray, grid: Grid
) -> HipTruth:
    vital, necrosis = (int((labels == value).sum()) for value in (1, 2))
    return HipTruth(
        side=Side.RIGHT,
        sex=sex,
        arco_stage=stage,
        centre_mm=centre,
        radius_mm=anatomy.radius_mm,
        neck_axis=anatomy.neck_axis,
        neck_plane_mm=anatomy.neck_plane_mm,
        neck_shaft_deg=anatomy.neck_shaft_deg,
        version_deg=anatomy.version_deg,
        lesion_axis=lesion.axis,
        fat_like_core=lesion.fat_like,
        rim_mm=lesion.rim_mm,
        collapse_mm=lesion.collapse_mm,
        necrosis_percent=100 * necrosis / (vital + necrosis),
        necrosis_cm3=necrosis * grid.voxel_mm3 / 1000,
        vital_cm3=vital * grid.voxel_mm3 / 1000,
    )


def _mirrored(grid: Grid) -> Grid:
    """The grid of `array[:, :, ::-1]` after mirroring the patient in x; the direction stays a rotation."""
    x, y, z = grid.to_lps((0, 0, grid.shape[2] - 1)).tolist()
    direction = np.array(grid.direction) * np.array([[-1], [1], [1]]) * np.array([1, 1, -1])
    return Grid(grid.shape, grid.spacing, (-x, y, z), tuple(tuple(row) for row in direction.tolist()))


def _left(truth: HipTruth) -> HipTruth:
    def flip(vector: Vector) -> Vector:
        return -vector[0], vector[1], vector[2]

    return replace(
        truth,
        side=Side.LEFT,
        centre_mm=flip(truth.centre_mm),
        neck_axis=flip(truth.neck_axis),
        lesion_axis=flip(truth.lesion_axis),
    )
