"""The tissues of a digital hip in voxels: exact labels, and water and fat signal with partial volume."""

from __future__ import annotations

import numpy as np

from avnnet.data.phantom.anatomy import Anatomy
from avnnet.data.phantom.body import Body
from avnnet.data.phantom.lesion import Lesion
from avnnet.data.phantom.shapes import (
    Lattice,
    Points,
    Vector,
    along,
    capsule_mm,
    fraction_inside,
    points_of,
    radius,
    ramp,
)
from avnnet.data.phantom.signal import Sequence
from avnnet.grid import Grid

Box = tuple[slice, slice, slice]
FINEST_MM = 0.85  # true resolution of the scan in the plane (zero-filled to 0.44 mm voxels, clinical.md 4.4)


def head_mm(anatomy: Anatomy, lesion: Lesion, points: Points, *, necrosis_percent: float) -> np.ndarray:
    """Signed distance to the head's bone as it is now: the sphere, its pit, and sunk over the lesion."""
    sunk = lesion.sunk_mm(points, head_radius_mm=anatomy.radius_mm, necrosis_percent=necrosis_percent)
    distance: np.ndarray = np.maximum(anatomy.sphere_mm(points) + sunk, -anatomy.fovea_mm(points))
    return distance


def label_array(
    anatomy: Anatomy, lesion: Lesion, points: Points, grid: Grid, *, necrosis_percent: float
) -> tuple[np.ndarray, np.ndarray]:
    """`(z, y, x)` label ids of a box, and the signed distance in mm to the lesion's outer boundary there.

    The extent of the lesion is the one at which the asked share of the head's voxels lies within: found
    exactly, to one voxel, as an order statistic of the voxels' reaches, where a bisection would only come
    close.
    """
    head = head_mm(anatomy, lesion, points, necrosis_percent=necrosis_percent) < 0
    head &= along(points, anatomy.neck_axis) < np.float32(anatomy.neck_plane_mm)
    reach = lesion.reach_mm(points)
    inside = reach[head]
    count = min(max(round(inside.size * necrosis_percent / 100), 1), inside.size - 1)
    extent = float(np.partition(inside, count)[count])  # the first voxel that stays vital
    labels = head.astype(np.uint8)
    labels[head & (reach < np.float32(extent))] = 2
    slope = np.sqrt(sum(g * g for g in np.gradient(reach, *grid.spacing)))
    return labels, (reach - np.float32(extent)) / np.clip(slope, 0.4, 2.5)


class Canvas:
    """Water and fat of an image, on which tissues are painted one over the other.

    Args:
        grid: of the image.
        centre_mm: the head centre, LPS mm.
        box: the voxels around the head, where detail is computed.
        sequence: turns tissues into signals.
    """

    def __init__(self, grid: Grid, centre_mm: Vector, box: Box, sequence: Sequence) -> None:
        self.lattice = Lattice(grid, centre_mm)
        self.points = points_of(grid, centre_mm, box)
        self.box = box
        self.sequence = sequence
        self.width_mm = max(float(np.prod(grid.spacing)) ** (1 / 3), FINEST_MM)
        self.water = np.zeros(grid.shape, np.float32)
        self.fat = np.zeros(grid.shape, np.float32)

    def share(self, distance_mm: np.ndarray) -> np.ndarray:
        """The share of each voxel inside a shape."""
        return fraction_inside(distance_mm, self.width_mm)

    def paint(self, tissue: str, share: np.ndarray, *, box: Box | None = None) -> None:
        """Cover a share of every voxel of the image, or of a box, with a tissue."""
        water, fat = self.sequence.components(tissue)
        self.cover(np.float32(water), np.float32(fat), share, box=box)

    def cover(
        self,
        water: np.ndarray | np.float32,
        fat: np.ndarray | np.float32,
        share: np.ndarray,
        *,
        box: Box | None = None,
    ) -> None:
        """Cover a share of every voxel of the image, or of a box, with given signals."""
        for canvas, value in ((self.water, water), (self.fat, fat)):
            part = canvas if box is None else canvas[box]
            change = value - part
            change *= share
            part += change

    def sensitivity(self) -> np.ndarray:
        """`(z, y, x)` of the coil: smooth, about 1."""
        x, y, z = (p * np.float32(0.01) for p in self.lattice.points)
        tx, ty, tz = self.sequence.tilt
        log = x * np.float32(tx) + y * np.float32(ty) + z * np.float32(tz)
        log += (x * x + y * y + z * z) * np.float32(self.sequence.bowl)
        return self.lattice.expand(np.exp(log))


def surroundings(canvas: Canvas, anatomy: Anatomy, body: Body, marbling: np.ndarray) -> None:
    """Paint skin, fat, muscles, the joint and its capsule, and the pelvis."""
    lattice = canvas.lattice
    skin = body.skin_mm(lattice.points)
    muscles = lattice.expand(body.muscles_mm(lattice.points, skin, anatomy))
    skin = lattice.expand(skin)
    canvas.paint("skin", canvas.share(skin))
    canvas.paint("fat", canvas.share(skin + np.float32(2)))
    # Strands of fat run through the bellies; with fat out of phase they are dark before they are bright.
    strands = lattice.expand(np.clip(0.04 + 0.035 * marbling, 0, 0.15).astype(np.float32))
    canvas.cover(*_mix(canvas.sequence, "muscle", "fat", strands), canvas.share(muscles))
    del skin, muscles
    _joint(canvas, anatomy)

    pelvis = anatomy.pelvis_mm(lattice.points)
    pelvis_full = lattice.expand(pelvis)
    canvas.paint("cortex", canvas.share(pelvis_full))
    inner = canvas.share(pelvis_full + np.float32(1.6))
    red = lattice.expand(np.clip(0.55 + 0.3 * marbling, 0, 1).astype(np.float32))
    _marrow(canvas, red, inner, box=None)


def _joint(canvas: Canvas, anatomy: Anatomy) -> None:
    """Paint capsule, fluid, labrum, cartilage and the fat of the socket's floor."""
    points, box = canvas.points, canvas.box
    r = radius(points)
    mouth = along(points, anatomy.cup_axis) + np.float32(anatomy.cup_mouth_mm)
    neck = along(points, anatomy.neck_axis)
    # The sleeve ends on the neck; without an end it would follow its round tip into the shaft.
    sleeve = np.maximum(anatomy.capsule_mm_at(points), neck - np.float32(1.5 * anatomy.radius_mm))
    canvas.paint("fibrous", canvas.share(sleeve - np.float32(2)), box=box)
    canvas.paint("fluid", canvas.share(sleeve), box=box)
    labrum = np.maximum(np.abs(mouth - 1) - 3, np.abs(r - np.float32(anatomy.socket_mm + 2)) - 3)
    canvas.paint("fibrous", canvas.share(labrum), box=box)

    socket = r - np.float32(anatomy.socket_mm)
    canvas.paint("cartilage", canvas.share(np.maximum(socket, mouth)), box=box)
    fossa = anatomy.fossa_mm(points)
    canvas.paint("fat", canvas.share(np.maximum(fossa, mouth - 6)), box=box)
    size = anatomy.socket_mm
    ligament = capsule_mm(points, (0.86 * size, 0.18 * size, -0.42 * size), (0.6 * size, 0.1 * size, -0.95 * size), 2.2)
    canvas.paint("fibrous", canvas.share(ligament), box=box)
    canvas.paint("fluid", canvas.share(r - np.float32(0.5 * (anatomy.radius_mm + anatomy.socket_mm) + 0.3)), box=box)


def _marrow(canvas: Canvas, red: np.ndarray, share: np.ndarray, *, box: Box | None) -> None:
    """Paint marrow between fatty (`red` 0) and red (1)."""
    water, fat = _mix(canvas.sequence, "marrow", "red marrow", red)
    canvas.cover(water, fat, share, box=box)


def _mix(sequence: Sequence, first: str, second: str, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Water and fat signal of a mixture; `share` is that of the second tissue."""
    (w0, f0), (w1, f1) = sequence.components(first), sequence.components(second)
    return np.float32(w0) + share * np.float32(w1 - w0), np.float32(f0) + share * np.float32(f1 - f0)


def bone_marrow(
    canvas: Canvas,
    anatomy: Anatomy,
    body: Body,
    lesion: Lesion,
    boundary_mm: np.ndarray,
    marbling: np.ndarray,
    *,
    necrosis_percent: float,
) -> None:
    """Paint the femur: cartilage, cortex, marrow, and the lesion with rim, core, cleft and oedema.

    Args:
        canvas: with all that surrounds the femur.
        anatomy, body, lesion: the hip.
        boundary_mm: signed distance to the lesion's outer boundary in the canvas's box.
        marbling: the body's noise on the canvas's lattice.
        necrosis_percent: the lesion's share of the head, which decides on the width of the collapse.
    """
    lattice, points, box = canvas.lattice, canvas.points, canvas.box
    far = lattice.points
    stem = lattice.expand(anatomy.shaft_and_neck_mm(far))
    inner = lattice.expand(anatomy.cortex_mm(far)) + stem
    # Red marrow stays longest between the trochanters (clinical.md 4.3); the epiphysis is nearly all fat.
    centre = radius((far[0] - anatomy.shaft_mm[0], far[1] - anatomy.shaft_mm[1], far[2] - anatomy.shaft_mm[2]))
    patches = 0.25 + 0.25 * marbling + 0.35 * ramp(1 - centre / 45) - 0.35 * ramp((34 - radius(far)) / 10)
    red = lattice.expand(np.clip(patches, 0, 1).astype(np.float32))

    head = head_mm(anatomy, lesion, points, necrosis_percent=necrosis_percent)
    neck = along(points, anatomy.neck_axis)
    cartilage = np.maximum(head - np.float32(1.4) * ramp(1 - neck / anatomy.radius_mm), neck - 0.5 * anatomy.radius_mm)
    canvas.paint("cartilage", canvas.share(cartilage.astype(np.float32)), box=box)

    stem[box], inner[box] = _with_head(stem[box], inner[box], head, neck, anatomy)
    canvas.paint("cortex", canvas.share(stem))
    share = canvas.share(inner)
    _marrow(canvas, red, share, box=None)
    water, fat = _lesion_signal(canvas, lesion, body, red[box], head, boundary_mm, neck, anatomy)
    canvas.cover(water, fat, share[box] * ramp((42 - radius(points)) / 6), box=box)


def _with_head(
    stem: np.ndarray, inner: np.ndarray, head: np.ndarray, neck: np.ndarray, anatomy: Anatomy
) -> tuple[np.ndarray, np.ndarray]:
    """Outer and inner surface of the femur's cortex, with the head on top of the stem."""
    # On the head's side of the neck plane only the head counts: its surface may have sunk below the stem's.
    hidden = ramp((np.float32(anatomy.neck_plane_mm) - neck) / 4) * np.float32(60)
    outside = np.minimum(stem + hidden, head)
    return outside, np.minimum(inner + hidden, head + np.float32(0.9))


def _lesion_signal(
    canvas: Canvas,
    lesion: Lesion,
    body: Body,
    red: np.ndarray,
    head: np.ndarray,
    boundary_mm: np.ndarray,
    neck: np.ndarray,
    anatomy: Anatomy,
) -> tuple[np.ndarray, np.ndarray]:
    """Water and fat of the marrow in the box: vital, with oedema, and the lesion over it."""
    sequence, points = canvas.sequence, canvas.points
    water, fat = _mix(sequence, "marrow", "red marrow", red)

    def over(tissue: str | tuple[np.ndarray, np.ndarray], share: np.ndarray) -> None:
        for below, above in zip(
            (water, fat), sequence.components(tissue) if isinstance(tissue, str) else tissue, strict=True
        ):
            below += share * (np.asarray(above, np.float32) - below)

    marbling = body.marbling_at(points)
    vital = water.copy(), fat.copy()
    scar = np.abs(neck + np.float32(0.1) * anatomy.radius_mm + marbling * np.float32(0.35))
    over("sclerosis", 0.22 * np.clip(1.2 - scar, 0, 1))  # the closed growth plate: a line that is no lesion
    if lesion.oedema:
        reach = np.exp(-np.maximum(boundary_mm, 0) / np.float32(8)) * ramp((40 - radius(points)) / 15)
        over("oedema", np.clip(lesion.oedema * reach * (1 + 0.3 * marbling), 0, 0.9))
    over("rim", canvas.share(boundary_mm))
    core = canvas.share(boundary_mm + np.float32(lesion.rim_mm))
    if lesion.fat_like:
        over(vital, core)
    else:
        patch = np.clip(0.5 + 0.5 * lesion.wandering((points[1], points[2], points[0])), 0, 1)
        mixed = [
            v * (1 - patch) + patch * np.float32(d) for v, d in zip(vital, sequence.components("debris"), strict=True)
        ]
        over((mixed[0], mixed[1]), core)
        over("sclerosis", core * 0.7 * np.clip(marbling - 0.6, 0, 1))
    if lesion.crescent_mm:
        cleft = np.abs(head + np.float32(2.2)) - np.float32(lesion.crescent_mm / 2)
        over("air", canvas.share(np.maximum(cleft, boundary_mm + np.float32(lesion.rim_mm + 1))))
    return water, fat
