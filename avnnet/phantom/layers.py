"""The tissues of one or two hips, painted from the skin to the marrow on a slab of slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avnnet.phantom.anatomy import FOVEA, Anatomy
from avnnet.phantom.body import Body
from avnnet.phantom.canvas import Canvas
from avnnet.phantom.head import Head, head_mm
from avnnet.phantom.shapes import Box, Lattice, Points, along_mm, capsule_mm, length_mm, ramp

NEAR_MM = 3.0  # beyond its surface a tissue leaves no trace in any voxel


@dataclass(frozen=True)
class Hip:
    """One of the hips in a field of view.

    Args:
        head: with its anatomy and lesion.
        beyond_midline: whether it is the other one, on the far side of the body's middle.
    """

    head: Head
    beyond_midline: bool = False

    @property
    def anatomy(self) -> Anatomy:
        """Of the hip."""
        return self.head.anatomy


class Distances:
    """Signed distances of everything that is larger than a head, on the lattice of an image; made once."""

    def __init__(self, lattice: Lattice, points: Points, body: Body, hips: tuple[Hip, ...]) -> None:
        anatomy = hips[0].anatomy
        self.skin = body.skin_mm(points)
        self.muscles = body.muscles_mm(points, self.skin, anatomy)
        self.tubes = body.tubes_mm(points, anatomy)
        self.pelvis = anatomy.pelvis_mm(points)
        self.stem = anatomy.shaft_and_neck_mm(points)
        self.cortex = anatomy.cortex_mm(points)
        self.marbling = body.marbling_at(lattice.points)  # not folded: both sides of a body differ
        px, py, pz = anatomy.shaft_mm
        # Red marrow stays longest between the trochanters; the epiphysis is nearly fat (docs/sources.md#relaxation).
        between = length_mm((points[0] - px, points[1] - py, points[2] - pz))
        red = 0.25 + 0.25 * self.marbling + 0.35 * ramp(1 - between / 45) - 0.35 * ramp((34 - length_mm(points)) / 10)
        self.red = np.clip(red, 0, 1).astype(np.float32)
        self.red_pelvis = np.clip(0.55 + 0.3 * self.marbling, 0, 1).astype(np.float32)
        self.strands = np.clip(0.04 + 0.035 * self.marbling, 0, 0.15).astype(np.float32)
        self.femur_near = (self.stem < NEAR_MM) | (length_mm(points) < anatomy.radius_mm + NEAR_MM + 2)


def paint_soft_tissue(canvas: Canvas, distances: Distances) -> None:
    """Paint skin, subcutaneous fat, muscles with strands of fat, vessels, nerve and bladder."""
    skin = canvas.field(distances.skin)
    canvas.paint("skin", canvas.share(skin))
    canvas.paint("fat", canvas.share(skin + np.float32(2)))
    strands = canvas.field(distances.strands)
    canvas.cover(canvas.mix("muscle", "fat", strands), canvas.share(canvas.field(distances.muscles)))
    for tissue, distance in distances.tubes.items():
        if box := canvas.box_of(distance < NEAR_MM):
            canvas.paint(tissue, canvas.share(canvas.field(distance, box)), box)


def paint_joint(canvas: Canvas, anatomy: Anatomy, points: Points, box: Box) -> None:
    """Paint capsule, fluid, labrum, cartilage, ligament and the fat of the socket's floor."""
    r = length_mm(points)
    mouth = along_mm(points, anatomy.cup_axis) + np.float32(anatomy.cup_mouth_mm)
    neck = along_mm(points, anatomy.neck_axis)
    # The sleeve ends on the neck; without an end it would follow its round tip into the shaft.
    sleeve = np.maximum(anatomy.capsule_mm_at(points), neck - np.float32(1.5 * anatomy.radius_mm))
    canvas.paint("fibrous", canvas.share(sleeve - np.float32(2)), box)
    canvas.paint("fluid", canvas.share(sleeve), box)
    labrum = np.maximum(np.abs(mouth - 1) - 3, np.abs(r - np.float32(anatomy.socket_mm + 2)) - 3)
    canvas.paint("fibrous", canvas.share(labrum), box)
    socket = r - np.float32(anatomy.socket_mm)
    canvas.paint("cartilage", canvas.share(np.maximum(socket, mouth)), box)
    fossa = anatomy.fossa_mm(points)
    canvas.paint("fat", canvas.share(np.maximum(fossa, mouth - 6)), box)
    size = anatomy.socket_mm
    fx, fy, fz = FOVEA
    ligament = capsule_mm(points, (fx * size, fy * size, fz * size), (0.6 * size, 0.1 * size, -0.95 * size), 2.2)
    canvas.paint("fibrous", canvas.share(ligament), box)
    canvas.paint("fluid", canvas.share(r - np.float32(0.5 * (anatomy.radius_mm + anatomy.socket_mm) + 0.3)), box)


def paint_pelvis(canvas: Canvas, distances: Distances) -> None:
    """Paint cortex and marrow of the pelvis."""
    box = canvas.box_of(distances.pelvis < NEAR_MM)
    if box is None:
        return
    pelvis = canvas.field(distances.pelvis, box)
    canvas.paint("cortex", canvas.share(pelvis), box)
    red = canvas.field(distances.red_pelvis, box)
    canvas.cover(canvas.mix("marrow", "red marrow", red), canvas.share(pelvis + np.float32(1.6)), box)


def paint_femurs(
    canvas: Canvas, distances: Distances, body: Body, hips: list[tuple[Hip, Points, Box, np.ndarray | None]]
) -> None:
    """Paint cartilage, cortex and marrow of the femurs, and their lesions with rim, core, cleft, cysts and oedema.

    Args:
        canvas: with all that surrounds the femurs.
        distances: on the canvas's lattice.
        body: its marbling makes marrow uneven.
        hips: with the points and the box of each head in the slab, and the signed distance to its lesion's boundary.
    """
    surfaces = []
    for hip, points, box, _ in hips:
        anatomy = hip.anatomy
        bone, neck = head_mm(anatomy, hip.head.lesion, points), along_mm(points, anatomy.neck_axis)
        surfaces.append((bone, neck))
        thin = np.float32(1.4) * ramp(1 - neck / np.float32(anatomy.radius_mm))
        cartilage = np.maximum(bone - thin, neck - np.float32(0.5 * anatomy.radius_mm))
        canvas.paint("cartilage", canvas.share(cartilage.astype(np.float32)), box)
    whole = canvas.box_of(distances.femur_near)
    if whole is None:
        return
    stem = canvas.field(distances.stem, whole)
    inner = canvas.field(distances.cortex, whole) + stem
    red = canvas.field(distances.red, whole)
    for (hip, _, box, _), (full_bone, full_neck) in zip(hips, surfaces, strict=True):
        inside = _within(box, whole)
        part = _of(inside, box)
        bone, neck = full_bone[part], full_neck[part]
        # On the head's side of the neck plane only the head counts: its surface may have sunk below the stem's.
        hidden = ramp((np.float32(hip.anatomy.neck_plane_mm) - neck) / 4) * np.float32(60)
        at = _of(inside, whole)
        stem[at] = np.minimum(stem[at] + hidden, bone)
        inner[at] = np.minimum(inner[at] + hidden, bone + np.float32(0.9))
    canvas.paint("cortex", canvas.share(stem), whole)
    share = canvas.share(inner)
    canvas.cover(canvas.mix("marrow", "red marrow", red), share, whole)
    for hip, points, box, boundary_mm in hips:
        inside = _within(box, whole)
        part, at = _of(inside, box), _of(inside, whole)
        near = (points[0][part], points[1][part], points[2][part])
        boundary = None if boundary_mm is None else boundary_mm[part]
        marrow = _head_marrow(canvas, hip, body, near, red[at], boundary)
        canvas.cover(marrow, share[at] * ramp((42 - length_mm(near)) / 6), inside)


def _within(box: Box, other: Box) -> Box:
    first, second, third = (
        slice(max(a.start, b.start), max(min(a.stop, b.stop), max(a.start, b.start)))
        for a, b in zip(box, other, strict=True)
    )
    return first, second, third


def _of(box: Box, outer: Box) -> Box:
    first, second, third = (slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, outer, strict=True))
    return first, second, third


def _head_marrow(
    canvas: Canvas, hip: Hip, body: Body, points: Points, red: np.ndarray, boundary_mm: np.ndarray | None
) -> list[np.ndarray]:
    """Components of the marrow around a head: vital, with oedema, and the lesion over it."""
    anatomy, lesion, sequence = hip.anatomy, hip.head.lesion, canvas.sequence
    values = canvas.mix("marrow", "red marrow", red)

    def over(tissue: str | list[np.ndarray], share: np.ndarray) -> None:
        above = sequence.components(tissue) if isinstance(tissue, str) else tissue
        for below, value in zip(values, above, strict=True):
            below += share * (value - below)

    marbling = body.marbling_at(points)
    vital = [value.copy() for value in values]
    neck = along_mm(points, anatomy.neck_axis)
    scar = np.abs(neck + np.float32(0.1 * anatomy.radius_mm) + marbling * np.float32(0.35))
    over("sclerosis", np.float32(0.22) * np.clip(1.2 - scar, 0, 1))  # the closed growth plate: a line, no lesion
    if lesion is None or boundary_mm is None:
        return values
    if lesion.oedema:
        reach = np.exp(-np.maximum(boundary_mm, 0) / np.float32(8)) * ramp((40 - length_mm(points)) / 15)
        over("oedema", np.clip(np.float32(lesion.oedema) * reach * (1 + np.float32(0.3) * marbling), 0, 0.9))
    over("rim", canvas.share(boundary_mm))
    # sclerosis lines the repair zone on its vital side
    line = np.abs(boundary_mm + np.float32(0.45)) - np.float32(0.45)
    over("sclerosis", np.float32(lesion.sclerosis) * canvas.share(line))
    core = canvas.share(boundary_mm + np.float32(lesion.rim_mm))
    if lesion.fat_like:
        over(vital, core)
    else:
        patch = np.clip(0.5 + 0.5 * lesion.wandering((points[1], points[2], points[0])), 0, 1)
        debris = [
            value * (1 - patch) + patch * dead for value, dead in zip(vital, sequence.components("debris"), strict=True)
        ]
        over(debris, core)
        over("sclerosis", core * np.float32(0.7) * np.clip(marbling - np.float32(0.6), 0, 1))
    for x, y, z, radius_mm in lesion.cysts_mm:
        away = length_mm((points[0] - np.float32(x), points[1] - np.float32(y), points[2] - np.float32(z)))
        over("cyst", canvas.share(np.maximum(away - np.float32(radius_mm), boundary_mm + np.float32(0.5))))
    if lesion.crescent_mm:
        bone = head_mm(anatomy, lesion, points)
        cleft = np.abs(bone + np.float32(2.2)) - np.float32(lesion.crescent_mm / 2)
        edge = boundary_mm + np.float32(lesion.rim_mm + 1)
        over("gas" if lesion.crescent_gas else "fluid", canvas.share(np.maximum(cleft, edge)))
    return values
