"""What is known exactly about a digital hip."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from avnnet.grid import MM3_PER_CM3
from avnnet.labels import Side
from avnnet.phantom.anatomy import Anatomy
from avnnet.phantom.head import Head
from avnnet.phantom.shapes import Vector, along_mm

LABEL_RULE = (
    "head: bone inside its surface up to the neck plane, cortex included, cartilage not; necrosis: to the outer "
    "margin of the low-signal band; crescent, cysts and collapsed bone within the lesion are necrosis; bone lost by "
    "collapse has no label"
)


@dataclass(frozen=True)
class HipTruth:
    """What is known exactly about a digital hip; positions and axes in LPS `(x, y, z)`.

    Volumes, areas, arcs and centroids are integrals of the shapes, not counts of voxels.

    Args:
        side: of the body; left is at larger x than the body's middle.
        sex: "female" or "male".
        arco_stage: "I", "II", "IIIA" or "IIIB"; empty for a healthy hip.
        centre_mm: centre of the head's sphere before any collapse.
        radius_mm: its radius, bone without cartilage.
        neck_axis: unit vector from the head centre down the neck.
        neck_plane_mm: distance of the neck plane from the centre; the head's label ends there.
        neck_shaft_deg: angle of neck and shaft.
        version_deg: anteversion of the neck.
        acetabular_edge_mm: lateral edge of the bony socket in the mid-coronal plane.
        teardrop_mm: lowest point of the bone medial to the head in the mid-coronal plane.
        lesion_form: wedge, cap, band, multifocal or whole head; empty for a healthy hip.
        lesion_axis: unit vector from the head centre to the middle of the lesion's surface; NaN in a healthy hip.
        lesion_centre_mm: centroid of the necrosis; NaN in a healthy hip.
        fat_like_core: whether the core of the lesion has the signal of vital marrow.
        rim_mm: width of the repair zone.
        oedema: strength of the marrow oedema outside the lesion, 0 to 1.
        crescent_mm: width of the subchondral cleft, 0 without one.
        cysts: how many.
        collapse_mm: greatest depth of the flattening.
        necrosis_percent: share of necrosis in the head.
        necrosis_cm3: volume of the necrosis.
        vital_cm3: volume of the vital bone.
        head_cm3: volume of both.
        head_surface_mm2: articular bone surface, up to the neck plane.
        necrosis_surface_mm2: the part of it that is necrotic.
        coronal_arc_deg: angle over which necrosis reaches the surface in the mid-coronal plane, seen from the centre.
        sagittal_arc_deg: the same in the mid-sagittal plane.
        labels: the rule by which voxels got their label.
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
    acetabular_edge_mm: Vector
    teardrop_mm: Vector
    lesion_form: str
    lesion_axis: Vector
    lesion_centre_mm: Vector
    fat_like_core: bool
    rim_mm: float
    oedema: float
    crescent_mm: float
    cysts: int
    collapse_mm: float
    necrosis_percent: float
    necrosis_cm3: float
    vital_cm3: float
    head_cm3: float
    head_surface_mm2: float
    necrosis_surface_mm2: float
    coronal_arc_deg: float
    sagittal_arc_deg: float
    labels: str = LABEL_RULE

    def mirrored(self, *, about_x_mm: float = 0.0) -> HipTruth:
        """The truth about the mirror image, of the other side.

        Args:
            about_x_mm: where the mirror stands, LPS x.

        Examples:
            >>> from avnnet.phantom.anatomy import draw_anatomy
            >>> healthy = Head(draw_anatomy(np.random.default_rng(1), sex="male"), None, 0.0)
            >>> right = truth_of(healthy, sex="male", arco_stage="", centre_mm=(-90.0, 5.0, 7.0))
            >>> right.mirrored().centre_mm, right.mirrored().side.value
            ((90.0, 5.0, 7.0), 'left')
        """

        def flip(vector: Vector) -> Vector:
            return -vector[0], vector[1], vector[2]

        def across(point: Vector) -> Vector:
            return 2 * about_x_mm - point[0], point[1], point[2]

        return replace(
            self,
            side=Side.LEFT if self.side is Side.RIGHT else Side.RIGHT,
            centre_mm=across(self.centre_mm),
            neck_axis=flip(self.neck_axis),
            acetabular_edge_mm=across(self.acetabular_edge_mm),
            teardrop_mm=across(self.teardrop_mm),
            lesion_axis=flip(self.lesion_axis),
            lesion_centre_mm=across(self.lesion_centre_mm),
        )


def truth_of(head: Head, *, sex: str, arco_stage: str, centre_mm: Vector) -> HipTruth:
    """The truth about a right hip.

    Args:
        head: with its anatomy and lesion.
        sex, arco_stage: as they were asked for.
        centre_mm: the head centre, LPS mm.

    Examples:
        >>> from avnnet.phantom.anatomy import draw_anatomy
        >>> healthy = Head(draw_anatomy(np.random.default_rng(1), sex="male"), None, 0.0)
        >>> truth = truth_of(healthy, sex="male", arco_stage="", centre_mm=(-90.0, 5.0, 7.0))
        >>> truth.necrosis_percent, truth.vital_cm3 == truth.head_cm3
        (0.0, True)
    """
    anatomy, lesion = head.anatomy, head.lesion
    nowhere = (float("nan"),) * 3
    volume, necrosis = head.volume_mm3 / MM3_PER_CM3, head.necrosis_mm3(head.extent_mm) / MM3_PER_CM3 if lesion else 0.0
    surface, dead = head.surface_areas_mm2()
    centroid = head.necrosis_centre_mm()
    return HipTruth(
        side=Side.RIGHT,
        sex=sex,
        arco_stage=arco_stage,
        centre_mm=centre_mm,
        radius_mm=anatomy.radius_mm,
        neck_axis=anatomy.neck_axis,
        neck_plane_mm=anatomy.neck_plane_mm,
        neck_shaft_deg=anatomy.neck_shaft_deg,
        version_deg=anatomy.version_deg,
        acetabular_edge_mm=_moved(acetabular_edge_mm(anatomy), centre_mm),
        teardrop_mm=_moved(teardrop_mm(anatomy), centre_mm),
        lesion_form=lesion.form if lesion else "",
        lesion_axis=lesion.foci[0].axis if lesion else nowhere,
        lesion_centre_mm=_moved(centroid, centre_mm) if centroid else nowhere,
        fat_like_core=bool(lesion and lesion.fat_like),
        rim_mm=lesion.rim_mm if lesion else 0.0,
        oedema=lesion.oedema if lesion else 0.0,
        crescent_mm=lesion.crescent_mm if lesion else 0.0,
        cysts=len(lesion.cysts_mm) if lesion else 0,
        collapse_mm=lesion.collapse_mm if lesion else 0.0,
        necrosis_percent=100 * necrosis / volume,
        necrosis_cm3=necrosis,
        vital_cm3=volume - necrosis,
        head_cm3=volume,
        head_surface_mm2=surface,
        necrosis_surface_mm2=dead,
        coronal_arc_deg=head.arc_deg((0.0, 1.0, 0.0)),
        sagittal_arc_deg=head.arc_deg((1.0, 0.0, 0.0)),
    )


def _moved(point: Vector, by: Vector) -> Vector:
    return point[0] + by[0], point[1] + by[1], point[2] + by[2]


def acetabular_edge_mm(anatomy: Anatomy) -> Vector:
    """The lateral edge of the bony socket in the mid-coronal plane, from the head centre: where the mouth ends it.

    Examples:
        >>> from avnnet.phantom.anatomy import draw_anatomy
        >>> anatomy = draw_anatomy(np.random.default_rng(1), sex="male")
        >>> x, y, z = acetabular_edge_mm(anatomy)
        >>> x < 0, y, round(float(np.hypot(x, z)) / anatomy.socket_mm, 6)  # lateral, on the socket
        (True, 0.0, 1.0)
    """
    turn = np.linspace(0, np.pi, 3601)  # from lateral over superior to medial
    x, z = -anatomy.socket_mm * np.cos(turn), anatomy.socket_mm * np.sin(turn)
    covered = along_mm((x, np.zeros_like(x), z), anatomy.cup_axis) + anatomy.cup_mouth_mm < 0
    first = int(np.argmax(covered))
    return float(x[first]), 0.0, float(z[first])


def teardrop_mm(anatomy: Anatomy) -> Vector:
    """The lowest point of the bone medial to the head in the mid-coronal plane, from the head centre, to 0.25 mm.

    Examples:
        >>> from avnnet.phantom.anatomy import draw_anatomy
        >>> x, y, z = teardrop_mm(draw_anatomy(np.random.default_rng(1), sex="male"))
        >>> x > 0, y, z < 0  # medial, below the centre
        (True, 0.0, True)
    """
    socket = anatomy.socket_mm
    x, z = np.meshgrid(
        np.arange(0.45 * socket, 1.6 * socket, 0.25), np.arange(-1.7 * socket, 0.3 * socket, 0.25), indexing="ij"
    )
    bone = anatomy.pelvis_mm((x.astype(np.float32), np.zeros_like(x, np.float32), z.astype(np.float32))) < 0
    column, row = (int(index) for index in np.unravel_index(np.argmax(np.where(bone, -z, -np.inf)), z.shape))
    return float(x[column, row]), 0.0, float(z[column, row])
