"""Every quantity of one hip: a label map to one row with units."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from avnnet.columns import PROBABLE, QUANTITIES
from avnnet.errors import InvalidConfig, InvalidScheme, Unmeasurable
from avnnet.flags import Flag
from avnnet.grid import MM3_PER_CM3
from avnnet.image import LabelMap
from avnnet.labels import HIP, Side
from avnnet.measure.checked import CheckedRow
from avnnet.measure.collapse import collapse
from avnnet.measure.discretisation import discretisation_percent
from avnnet.measure.extent import (
    Arcs,
    Plane,
    arcs_in,
    combined_deg,
    largest_offset_mm,
    modified_kerboul_deg,
    necrotic_extent_index,
    patient_planes,
)
from avnnet.measure.head import MeasuredHead, measured_head
from avnnet.measure.lesion_types import Landmarks, cjfh_type, jic_type
from avnnet.measure.location import latitude_longitude_deg, necrotic_depth_mm, octant_percent
from avnnet.measure.sphere import enclosing_sphere
from avnnet.measure.volumes import missing_structures, volumes

SEVERAL_DEG = 5.0
NEAR_MM, NEAR_SHARE = 1.5, 0.5
TILT_LIMIT_DEG = 45.0
MM2_PER_CM2 = 100.0


@dataclass(frozen=True)
class Setting:
    """What a measurement needs beside the mask.

    Args:
        tilt_deg: pelvic tilt, by which the coronal and sagittal planes are turned; 0 are the scanner's planes.
        landmarks: edge and teardrop of the acetabulum; without them there is no JIC type.
        percent_se: standard error of necrosis_percent, for the probability of each Steinberg grade.
        angle_se_deg: standard error of the modified Kerboul angle, for the probability of each of its grades.

    Raises:
        InvalidConfig: if the tilt is more than 45 degrees either way, or a standard error is not above 0.

    Examples:
        >>> Setting(tilt_deg=10.0).landmarks is None
        True
    """

    tilt_deg: float = 0.0
    landmarks: Landmarks | None = None
    percent_se: float | None = None
    angle_se_deg: float | None = None

    def __post_init__(self) -> None:
        if not abs(self.tilt_deg) <= TILT_LIMIT_DEG:
            raise InvalidConfig(f"a pelvis tilts by {TILT_LIMIT_DEG:g} degrees at most; found {self.tilt_deg:g}")
        for name, error in (("percent_se", self.percent_se), ("angle_se_deg", self.angle_se_deg)):
            if error is not None and not 0 < error < np.inf:
                raise InvalidConfig(f"{name} is a standard error above 0; found {error:g}")


def quantities(labels: LabelMap, side: Side | None = None, setting: Setting | None = None) -> pd.DataFrame:
    """One row with every quantity of a hip: volumes, surfaces, angles, grades, collapse and location, with units.

    What cannot be measured is NaN, or empty where it is a word, and `not_measured` says why: never a number made up.

    Args:
        labels: vital bone and necrosis of one hip, on any grid and in any axis order.
        side: the body side; without it, what needs to know lateral from medial is not measured.
        setting: tilt, landmarks and standard errors.

    Returns:
        One row with the columns `quantity_columns()`, the probabilities that were asked for, `not_measured` and
        `flags`.

    Raises:
        InvalidScheme: if the labels are not those of a hip.
        InvalidConfig: if the landmarks are not of this hip.

    Examples:
        >>> import numpy as np
        >>> from avnnet.grid import Grid
        >>> z, y, x = np.indices((56, 56, 56)) - 27.5
        >>> ball, top = x**2 + y**2 + z**2 < 24**2, z > 12
        >>> labels = LabelMap(ball.astype(int) + (ball & top), Grid((56, 56, 56)))
        >>> row = quantities(labels, Side.RIGHT).iloc[0]
        >>> float(round(row["necrosis_percent"], 1)), row["steinberg_grade"], round(row["modified_kerboul_deg"])
        (15.6, 'B', 236)
    """
    setting = setting or Setting()
    if labels.scheme != HIP:
        raise InvalidScheme(f"only a hip has these quantities: {HIP.names}; found {labels.scheme.names}. Use volumes()")
    row = CheckedRow()
    _volumes(row, labels)
    row.put({"plane_tilt_deg": setting.tilt_deg})
    try:
        head = measured_head(labels, side)
    except Unmeasurable as error:
        row.flag([Flag.UNMEASURABLE] if row.number("head_cm3") else [])
        row.lacks(f"shape: {error}")
        if not row.number("vital_cm3"):
            row.put({"necrosis_percent": float("nan")})  # of what, is not known
    else:
        row.flag(head.flags)
        _surfaces(row, head)
        _angles(row, head, setting)
        _place(row, head, setting)
        if row.has(Flag.FOV_TRUNCATED, Flag.IMPLAUSIBLE_SPHERE):
            row.forget_surface()
    is_whole = not labels.touches_ignored("head")  # a part of a head has a volume, and no grade
    if is_whole:
        _grades(row)
    _probabilities(row, setting, is_whole)
    return row.table()


def quantity_columns() -> list[str]:
    """The names of the columns that every measurement of a hip has.

    Examples:
        >>> quantity_columns()[:3], quantity_columns()[-1]
        (['vital_cm3', 'necrosis_cm3', 'head_cm3'], 'not_measured')
    """
    return [*(one.name for one in QUANTITIES), "not_measured"]


def _volumes(row: CheckedRow, labels: LabelMap) -> None:
    found = {str(name): float(value) for name, value in volumes(labels).iloc[0].items()}
    row.put(found)
    row.flag(missing_structures(labels))
    if found["head_cm3"] and not found["vital_cm3"]:
        row.flag([Flag.NO_VITAL])
    if any(labels.array.take(end, axis=axis).any() for axis in range(3) for end in (0, -1)):
        row.flag([Flag.FOV_TRUNCATED])
    for name in ("head", "necrosis"):
        if found[f"{name}_cm3"]:
            error = discretisation_percent(found[f"{name}_cm3"] * MM3_PER_CM3, labels.grid.spacing)
            row.put({f"{name}_discretisation_percent": error})


def _surfaces(row: CheckedRow, head: MeasuredHead) -> None:
    areas = head.mesh.areas_mm2 / MM2_PER_CM2
    articular, dead = areas[head.is_articular].sum(), areas[head.is_articular & head.is_necrotic].sum()
    sphere, ball = head.sphere, enclosing_sphere(head.mesh.vertices_mm)
    inside = sphere.below_neck_plane_mm3(head.neck.distance_mm if head.neck else sphere.radius_mm)
    necrosis_mm3 = row.number("necrosis_cm3") * MM3_PER_CM3
    border = head.shell.interface
    mirror = np.array([-1.0 if head.side is Side.LEFT else 1.0, 1.0, 1.0])
    x, y, z = (head.centre_mm * mirror).tolist()
    row.put(
        {
            "sphere_head_cm3": inside / MM3_PER_CM3,
            "necrosis_of_sphere_percent": 100 * necrosis_mm3 / inside,
            "enclosing_sphere_cm3": ball.volume_mm3 / MM3_PER_CM3,
            "necrosis_of_enclosing_sphere_percent": 100 * necrosis_mm3 / ball.volume_mm3,
            "head_surface_cm2": float(areas.sum()),
            "articular_surface_cm2": float(articular),
            "necrosis_surface_cm2": float(dead),
            "necrosis_surface_percent": 100 * float(dead / articular) if articular else float("nan"),
            "lesion_interface_cm2": border.area_mm2 / MM2_PER_CM2 if border else 0.0,
            "head_centre_x_mm": x,
            "head_centre_y_mm": y,
            "head_centre_z_mm": z,
            "head_radius_mm": sphere.radius_mm,
            "sphere_rms_mm": sphere.rms_mm,
            "neck_plane_mm": head.neck.distance_mm if head.neck else float("nan"),
        }
    )
    away = np.linalg.norm(head.mesh.centres_mm - head.centre_mm, axis=1)
    near = head.is_articular & (np.abs(away - sphere.radius_mm) < NEAR_MM)
    if areas[near].sum() < NEAR_SHARE * articular:
        row.flag([Flag.IMPLAUSIBLE_SPHERE])


def _angles(row: CheckedRow, head: MeasuredHead, setting: Setting) -> None:
    planes = patient_planes(setting.tilt_deg)
    middle = [arcs_in(head, plane) for plane in planes]
    largest = [arcs_in(head, widest(head, plane)) for plane in planes]
    for arcs, most in zip(middle, largest, strict=True):
        row.put(
            {
                f"{arcs.plane.name}_arc_deg": arcs.arc_deg,
                f"{arcs.plane.name}_hull_deg": arcs.hull_deg,
                f"{arcs.plane.name}_shadow_deg": arcs.shadow_deg,
                f"{arcs.plane.name}_max_offset_mm": most.plane.offset_mm if most.shadow_deg else float("nan"),
                f"{arcs.plane.name}_max_arc_deg": most.arc_deg,
            }
        )
        if arcs.hull_deg - arcs.arc_deg >= SEVERAL_DEG:
            row.flag([Flag.SEVERAL_ARCS])
        if arcs.is_shadow:
            row.flag([Flag.LESION_OFF_SURFACE])
    if head.side is None:
        row.put({"sagittal_max_offset_mm": float("nan")})  # lateral or medial cannot be told
    row.put(
        {
            "combined_necrotic_deg": combined_deg(*middle),
            "modified_kerboul_deg": modified_kerboul_deg(*middle),
            "necrotic_extent_index": necrotic_extent_index(*middle),
            "modified_necrotic_extent_index": necrotic_extent_index(*largest),
        }
    )
    _types(row, head, middle[0], setting)


def widest(head: MeasuredHead, plane: Plane) -> Plane:
    """The parallel of a plane in which the lesion's section is largest.

    Source:
        Cherian SF et al. J Bone Joint Surg Am 2003;85:309-315.
    """
    return replace(plane, offset_mm=largest_offset_mm(head, plane))


def _types(row: CheckedRow, head: MeasuredHead, coronal: Arcs, setting: Setting) -> None:
    if head.side is None:
        row.lacks("cjfh_type, jic_type: the side is not known")
        return
    row.put({"cjfh_type": cjfh_type(head, coronal.plane)})
    if setting.landmarks is None:
        row.lacks("jic_type: no landmarks of the acetabulum")
    else:
        row.put({"jic_type": jic_type(head, coronal, setting.landmarks, head.side)})
    if not coronal.shadow_deg:
        row.lacks("cjfh_type, jic_type: no necrosis in the mid-coronal plane")


def _place(row: CheckedRow, head: MeasuredHead, setting: Setting) -> None:
    points = head.necrosis_points_mm
    if not len(points):
        row.lacks("collapse, location: no necrosis")
        return
    sunk = collapse(head)
    if sunk is None:
        row.lacks("collapse: no necrosis at the joint surface")
    else:
        row.put(
            {
                "collapse_mm": sunk.depth_mm,
                "collapse_sd_mm": sunk.sd_mm,
                "collapse_over_2mm_probability": sunk.over_2mm_probability,
            }
        )
        if sunk.is_borderline:
            row.flag([Flag.BORDERLINE_COLLAPSE])
    depth_mm = necrotic_depth_mm(head, patient_planes(setting.tilt_deg)[0])
    middle = points.mean(axis=0)
    row.put(
        {
            "lesion_eccentricity_percent": 100 * float(np.linalg.norm(middle)) / head.sphere.radius_mm,
            "lesion_latitude_deg": float(latitude_longitude_deg(middle)[0]),
            "necrotic_depth_mm": depth_mm,
            "necrotic_depth_percent": 100 * depth_mm / (2 * head.sphere.radius_mm),
        }
    )
    if head.side is None:
        row.lacks("lesion_longitude_deg, octants: the side is not known")
        return
    row.put({"lesion_longitude_deg": float(latitude_longitude_deg(middle)[1])})
    row.put({f"{name}_percent": share for name, share in octant_percent(points).items()})


def _grades(row: CheckedRow) -> None:
    if not row.number("necrosis_cm3"):
        return  # no lesion has no grade
    row.put({one.name: one.grading.of(row.number(one.graded)) for one in QUANTITIES if one.grading is not None})


def _probabilities(row: CheckedRow, setting: Setting, is_whole: bool) -> None:
    for (grading, value), error in zip(PROBABLE.items(), (setting.percent_se, setting.angle_se_deg), strict=True):
        if error is None:
            continue
        measured = row.number(value)
        is_graded = is_whole and not np.isnan(measured) and bool(row.number("necrosis_cm3"))
        known = grading.probabilities(measured, error) if is_graded else {}
        shares = [known.get(name, float("nan")) for name in grading.classes]
        row.put(dict(zip(grading.probability_columns, shares, strict=True)))
