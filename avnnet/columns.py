"""Every column that a measurement has: what it is, its formula and its source. Rows are checked against this list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from avnnet.errors import UnknownColumn
from avnnet.grades import DEPRESSION, EXTENT, HA_RISK, KERBOUL, MODIFIED_KERBOUL, STEINBERG, Grading

IDENTITY = ["patient_id", "case_id", "side"]
"""The columns that say whose hip a row is of."""
STAGE = "arco_stage"
IGNORED_VOLUME = "ignored_cm3"
"""The volume of the voxels that a case leaves out; a column of tables in which a case has some."""
OCTANTS = tuple(
    f"{height}_{depth}_{width}"
    for height in ("superior", "inferior")
    for depth in ("anterior", "posterior")
    for width in ("lateral", "medial")
)


@dataclass(frozen=True)
class Quantity:
    """One column.

    Args:
        name: with its unit.
        meaning: what it is.
        formula: how it is computed.
        source: of the definition; empty where it is our own.
        is_text: whether it holds a word instead of a number.
        grading: whose class it holds, if it is a grade.
        graded: the column that is graded.
        is_compared: whether a grade is compared between readers: one by the same number as another is not.
        on_surface: whether it stands on the bone surface: emptied where the field of view cuts most of that away.
        is_place: whether it says where a head lies: it differs between two scans of the same hip.
    """

    name: str
    meaning: str
    formula: str = ""
    source: str = ""
    is_text: bool = False
    grading: Grading | None = None
    graded: str = ""
    is_compared: bool = True
    on_surface: bool = False
    is_place: bool = False


_surface = partial(Quantity, on_surface=True)
_place = partial(Quantity, is_place=True)


def _grade(grading: Grading, name: str, graded: str, meaning: str = "", is_compared: bool = True) -> Quantity:
    bounds = ", ".join(
        f"{low} {'<' if up else '≤'} {bound:g} {'≤' if up else '<'} {high}"
        for low, high, bound, up in zip(
            grading.classes[:-1], grading.classes[1:], grading.bounds, grading.is_upper, strict=True
        )
    )
    return Quantity(
        name,
        meaning or f"by {graded}",
        bounds,
        grading.source,
        is_text=True,
        grading=grading,
        graded=graded,
        is_compared=is_compared,
    )


BASSOUNAS = "Bassounas A et al. Clin Orthop Relat Res 2001;386:54"
HA, KOO = MODIFIED_KERBOUL.source, EXTENT.source
CHERIAN = "Cherian SF et al. J Bone Joint Surg Am 2003;85:309-315"
RUCKLI = "Ruckli AC et al. J Pers Med 2023;13:153"
NISHII = "Nishii T et al. J Orthop Res 2002;20:130-136"
NAWATA = "Nawata T et al. Skeletal Radiol 2024"

SECTIONS: dict[str, tuple[Quantity, ...]] = {
    "Volumes": (
        Quantity("vital_cm3", "vital bone", "voxels × volume of one voxel"),
        Quantity("necrosis_cm3", "necrosis, its rim included", "voxels × volume of one voxel"),
        Quantity("head_cm3", "head by label", "vital + necrosis"),
        Quantity("necrosis_percent", "share of the head by label", "100 × necrosis / head by label", RUCKLI),
        Quantity("sphere_head_cm3", "head by the fitted sphere, cut by the neck plane; without one the whole sphere",
                 "π (2 R³ / 3 + R² d − d³ / 3), d the plane's distance",
                 "[head region](sources.md#head-region), convention 3: sphere and neck plane"),
        Quantity("necrosis_of_sphere_percent", "share of the head by the fitted sphere",
                 "100 × necrosis / sphere_head", ""),
        Quantity("enclosing_sphere_cm3", "smallest sphere that holds the head", "4/3 π R³", BASSOUNAS),
        Quantity("necrosis_of_enclosing_sphere_percent", "share of that sphere", "100 × necrosis / enclosing sphere",
                 BASSOUNAS),
        Quantity("head_discretisation_percent", "how wrong head_cm3 can be from sampling alone",
                 "largest error of a ball of that volume on this grid over 20 offsets"),
        Quantity("necrosis_discretisation_percent", "how wrong necrosis_cm3 can be from sampling alone", "the same"),
    ),
    "Surfaces": (
        _surface("head_surface_cm2", "whole surface of the head, cut of the neck included",
                 "triangles of the smoothed mask", "marching cubes: Lewiner T et al. J Graph Tools 2003;8:1-15"),
        _surface("articular_surface_cm2", "joint surface: all but the cut of the neck", "the same", RUCKLI),
        _surface("necrosis_surface_cm2", "joint surface that is necrotic", "the same", RUCKLI),
        _surface("necrosis_surface_percent", "its share of the joint surface", "100 × necrotic / articular", RUCKLI),
        Quantity("lesion_interface_cm2", "border of necrosis and vital bone within the head",
                 "zero level of the smoothed difference of the distances to both"),
    ),
    "Head": (
        _place("head_centre_x_mm", "centre of the fitted sphere, LPS"),
        _place("head_centre_y_mm", "the same"),
        _place("head_centre_z_mm", "the same"),
        Quantity("head_radius_mm", "its mean radius", "RANSAC, then least squares with Tukey's weights",
                 "Fischler MA, Bolles RC. Commun ACM 1981;24:381-395"),
        Quantity("sphere_rms_mm", "distance of the intact surface from it, root mean square"),
        Quantity("neck_plane_mm", "distance of the neck plane from the centre"),
    ),
    "Angles": (
        _surface("coronal_arc_deg", "necrotic arc of the joint surface, mid-coronal plane", "sum of the arcs", HA),
        _surface("sagittal_arc_deg", "the same, mid-sagittal plane", "sum of the arcs", HA),
        _surface("coronal_hull_deg", "from first to last edge, mid-coronal", "360° − largest gap", KERBOUL.source),
        _surface("sagittal_hull_deg", "the same, mid-sagittal", "360° − largest gap", KERBOUL.source),
        Quantity("coronal_shadow_deg", "angle over which there is necrosis at any depth, mid-coronal"),
        Quantity("sagittal_shadow_deg", "the same, mid-sagittal"),
        _surface("combined_necrotic_deg", "combined necrotic angle", "coronal_hull + sagittal_hull", KERBOUL.source),
        _surface("modified_kerboul_deg", "modified Kerboul angle", "coronal_arc + sagittal_arc", HA),
        _surface("necrotic_extent_index", "index of necrotic extent", "coronal_arc / 180 × sagittal_arc / 180 × 100",
                 KOO),
        Quantity("coronal_max_offset_mm",
                 "where the coronal section of the lesion is largest, from the centre, anterior +"),
        Quantity("sagittal_max_offset_mm", "the same, sagittal, lateral +"),
        _surface("coronal_max_arc_deg", "necrotic arc in that coronal plane", "as coronal_arc", CHERIAN),
        _surface("sagittal_max_arc_deg", "necrotic arc in that sagittal plane", "as sagittal_arc", CHERIAN),
        _surface("modified_necrotic_extent_index", "modified index of necrotic extent",
                 "coronal_max_arc / 180 × sagittal_max_arc / 180 × 100", CHERIAN),
        _place("plane_tilt_deg", "pelvic tilt that the planes were turned by; 0 are the scanner's planes"),
    ),
    "Grades": (
        _grade(STEINBERG, "steinberg_grade", "necrosis_percent", "Steinberg, by necrosis_percent; I and II only"),
        _grade(KERBOUL, "kerboul_class", "combined_necrotic_deg", "Kerboul, by combined_necrotic_deg"),
        _grade(MODIFIED_KERBOUL, "modified_kerboul_grade", "modified_kerboul_deg",
               "modified Kerboul, by modified_kerboul_deg"),
        _grade(HA_RISK, "ha_risk", "modified_kerboul_deg", "risk of collapse, by modified_kerboul_deg",
               is_compared=False),
        _grade(EXTENT, "necrotic_extent_class", "necrotic_extent_index"),
        Quantity("jic_type", "place below the acetabulum: A, B, C1 or C2; needs two landmarks",
                 "thirds of the weight-bearing surface", "Sugano N et al. J Orthop Sci 2002;7:601-605", is_text=True),
        Quantity("cjfh_type", "pillars of the mid-coronal plane: M, C, L1, L2 or L3; needs the side",
                 "30, 40 and 30 % of the width", "Li ZR et al., CJFH classification", is_text=True),
    ),
    "Collapse": (
        _surface("collapse_mm", "greatest depth of the necrotic joint surface below the sphere",
                 "R(direction) − distance",
                 DEPRESSION.source),
        _surface("collapse_sd_mm", "standard deviation of its error", "√(smoothing² / 12 + sphere_rms²)"),
        _surface("collapse_over_2mm_probability", "probability that it is above 2 mm", "normal error",
                 DEPRESSION.source),
    ),
    "Location": (
        Quantity("lesion_latitude_deg", "of the lesion's centroid: 90 top, −90 bottom", "atan2(z, √(x² + y²))", NISHII),
        Quantity("lesion_longitude_deg", "0 lateral, 90 anterior, 180 medial, −90 posterior",
                 "atan2(anterior, lateral)", NISHII),
        Quantity("lesion_eccentricity_percent", "distance of the centroid from the head centre, of the radius",
                 "100 × |p| / R"),
        *(Quantity(f"{name}_percent", f"share of the lesion in the {name.replace('_', ' ')} octant",
                   "100 × voxels there / voxels", BASSOUNAS) for name in OCTANTS),
        _surface("necrotic_depth_mm", "from the surface to the deepest point, mid-coronal", "R − least distance",
                 NAWATA),
        _surface("necrotic_depth_percent", "the same, of the head's diameter", "100 × depth / 2 R", NAWATA),
    ),
}  # fmt: skip
QUANTITIES = tuple(one for section in SECTIONS.values() for one in section)
GRADE_COLUMNS = {one.name: one.grading.classes for one in QUANTITIES if one.grading is not None and one.is_compared}
"""The columns of grades that are compared between readers, and their classes from the smallest to the largest."""
PROBABLE = {STEINBERG: "necrosis_percent", MODIFIED_KERBOUL: "modified_kerboul_deg"}
"""Gradings of which the probability of each class can be asked for, and the columns they grade."""
TEXT_COLUMNS = [
    *IDENTITY, STAGE, "reader", "label", "outcome", "error", "flags", "not_measured",
    *(one.name for one in QUANTITIES if one.is_text),
]  # fmt: skip
"""The columns of all tables that are read as text: grade 1 is no number, patient 007 not patient 7."""
_KNOWN = {
    *(one.name for one in QUANTITIES), *(name for one in PROBABLE for name in one.probability_columns),
    "not_measured", "flags",
}  # fmt: skip


def check_columns(names: Iterable[str], others: Iterable[str] = ()) -> None:
    """Raises if a column of a measurement is not in the list of quantities.

    Args:
        names: the columns of a row, its key apart.
        others: further ones that may stand in it, such as the volumes of another label scheme.

    Raises:
        UnknownColumn: if one is in neither.
    """
    unknown = sorted(set(names) - _KNOWN - set(others))
    if unknown:
        raise UnknownColumn(
            f"no quantity is called {unknown}; add it to SECTIONS in avnnet/columns.py, or mend the name"
        )
