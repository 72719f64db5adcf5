"""What the tissues of a digital hip are made of: protons, fat and relaxation at 3 T."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tissue:
    """What a tissue is made of.

    Args:
        density: proton density, 1 is water.
        fat: share of the protons that sit in fat.
        t1_ms: T1 of the water part at 3 T.
        t2_star_ms: T2* of both parts, for gradient echoes.
        t2_ms: T2 of both parts, for spin echoes.
    """

    density: float
    fat: float
    t1_ms: float
    t2_star_ms: float
    t2_ms: float


FAT_T1_MS = 370.0  # subcutaneous fat 371 to 382, fatty marrow 365 (docs/sources.md#relaxation)

# T1 and T2 at 3 T: docs/sources.md#relaxation. T2* of marrow is short between the trabeculae. Densities and fat are
# chosen so that a plain VIBE ranks the tissues as docs/sources.md#signal does, although fat and water of one voxel
# nearly cancel at its echo time, which the table there leaves out.
TISSUES = {
    "air": Tissue(0.0, 0.0, 1000.0, 10.0, 10.0),
    "skin": Tissue(0.7, 0.1, 900.0, 8.0, 20.0),
    "fat": Tissue(1.0, 0.95, 900.0, 22.0, 130.0),
    "muscle": Tissue(0.76, 0.02, 1200.0, 22.0, 32.0),
    "vessel": Tissue(0.95, 0.0, 1900.0, 40.0, 12.0),  # flowing blood leaves a spin echo before it is refocused
    "nerve": Tissue(0.8, 0.15, 1100.0, 20.0, 60.0),
    "urine": Tissue(1.0, 0.0, 3800.0, 90.0, 900.0),
    "cartilage": Tissue(0.76, 0.0, 1200.0, 20.0, 36.0),
    "fluid": Tissue(1.0, 0.0, 3620.0, 60.0, 770.0),
    "fibrous": Tissue(0.5, 0.0, 900.0, 3.5, 14.0),  # capsule, labrum, ligament
    "cortex": Tissue(0.15, 0.0, 200.0, 0.5, 0.8),
    "marrow": Tissue(0.95, 0.93, 900.0, 14.0, 130.0),
    "red marrow": Tissue(1.0, 0.80, 900.0, 12.0, 60.0),
    "oedema": Tissue(1.0, 0.03, 1150.0, 19.0, 75.0),  # the water that takes the place of fat
    "rim": Tissue(0.9, 0.02, 1150.0, 16.0, 80.0),  # granulation tissue of the repair
    "debris": Tissue(0.7, 0.25, 1000.0, 8.0, 40.0),  # core of an advanced lesion
    "sclerosis": Tissue(0.3, 0.05, 850.0, 4.5, 20.0),
    "cyst": Tissue(1.0, 0.0, 3200.0, 50.0, 500.0),
    "gas": Tissue(0.0, 0.0, 1000.0, 10.0, 10.0),
}

# Longitudinal relaxivity at 3 T in plasma, L/(mmol s): Szomolanyi 2019 (docs/sources.md#relaxation).
RELAXIVITY = {"gadobutrol": 4.97, "gadoteridol": 3.28, "gadoterate": 3.00}


def gadolinium_t1_ms(native_ms: float, *, agent: str, mmol_per_l: float) -> float:
    """T1 of joint fluid with a contrast agent: 1/T1 = 1/T1 native + relaxivity x concentration.

    Examples:
        >>> round(gadolinium_t1_ms(3620, agent="gadoterate", mmol_per_l=2.0))
        159
    """
    return 1000.0 / (1000.0 / native_ms + RELAXIVITY[agent] * mmol_per_l)
