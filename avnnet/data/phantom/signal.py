"""From tissues to intensities: a spoiled gradient echo without fat suppression, as a 3D T1 VIBE at 3 T."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Fat precesses 3.4 ppm slower: 419 to 434 Hz at 2.89 to 3 T (clinical.md 4.4).
FAT_SHIFT_HZ = 427.0


@dataclass(frozen=True)
class Tissue:
    """What a tissue is made of.

    Args:
        density: proton density, 1 is water.
        fat: share of the protons that sit in fat.
        t1_ms: T1 of the water part at 3 T.
        t2_ms: T2* of both parts.
    """

    density: float
    fat: float
    t1_ms: float
    t2_ms: float


# Relaxation at 3 T: clinical.md 4.3; T2* of bone marrow is short between the trabeculae. Densities are chosen
# so that the signals keep the order printed in 4.4: marrow > red marrow > muscle = cartilage > fluid > bone.
# Oedema and rim come out darker than in 4.4, because fat and water in one voxel cancel near opposed phase.
FAT_T1_MS = 370.0
TISSUES = {
    "air": Tissue(0.0, 0.0, 1000.0, 10.0),
    "skin": Tissue(0.7, 0.1, 900.0, 8.0),
    "fat": Tissue(1.0, 0.95, 900.0, 22.0),
    "muscle": Tissue(0.9, 0.03, 1100.0, 22.0),
    "cartilage": Tissue(0.9, 0.0, 1200.0, 20.0),
    "fluid": Tissue(1.0, 0.0, 3620.0, 60.0),
    "fibrous": Tissue(0.5, 0.0, 900.0, 3.5),  # capsule, labrum, ligament
    "cortex": Tissue(0.15, 0.0, 200.0, 0.5),
    "marrow": Tissue(0.95, 0.93, 900.0, 14.0),
    "red marrow": Tissue(1.0, 0.80, 900.0, 12.0),
    "oedema": Tissue(0.95, 0.30, 1200.0, 14.0),
    "rim": Tissue(0.55, 0.05, 1000.0, 6.0),  # granulation and sclerosis side by side
    "debris": Tissue(0.7, 0.25, 1000.0, 7.0),  # core of an advanced lesion
    "sclerosis": Tissue(0.3, 0.1, 850.0, 4.5),
}


@dataclass(frozen=True)
class Sequence:
    """One scan's settings and its arbitrary units.

    Args:
        flip_deg, tr_ms, te_ms: of the gradient echo.
        t1_factor: this patient's T1 over the table's.
        noise_share: noise over the signal of fatty marrow.
        marrow_units: intensity of fatty marrow in the stored file.
        tilt: `(3,)` relative change of the coil's sensitivity per 100 mm along x, y, z.
        bowl: relative change at 100 mm from the head.
    """

    flip_deg: float
    tr_ms: float
    te_ms: float
    t1_factor: float
    noise_share: float
    marrow_units: float
    tilt: tuple[float, float, float]
    bowl: float

    @property
    def phase(self) -> float:
        """The angle of fat against water at the echo, radians."""
        return 2 * np.pi * FAT_SHIFT_HZ * self.te_ms * 1e-3

    def components(self, name: str) -> tuple[float, float]:
        """The magnitudes of the water and the fat signal of a tissue of the table.

        S = PD sin(a) (1 - E1) / (1 - cos(a) E1) exp(-TE / T2*), with E1 = exp(-TR / T1).

        Source:
            Hänicke and Vogel 2003, MRM 49:771, as clinical.md 4.4.
        """
        tissue = TISSUES[name]
        water = (1 - tissue.fat) * self._echo(tissue.t1_ms * self.t1_factor, tissue.t2_ms)
        fat = tissue.fat * self._echo(FAT_T1_MS * self.t1_factor, tissue.t2_ms)
        return tissue.density * water, tissue.density * fat

    def signal(self, name: str) -> float:
        """The magnitude of a whole voxel of a tissue, before the coil and the noise."""
        water, fat = self.components(name)
        return float(abs(water + fat * np.exp(1j * self.phase)))

    def _echo(self, t1_ms: float, t2_ms: float) -> float:
        flip, e1 = np.deg2rad(self.flip_deg), np.exp(-self.tr_ms / t1_ms)
        return float(np.sin(flip) * (1 - e1) / (1 - np.cos(flip) * e1) * np.exp(-self.te_ms / t2_ms))


def draw_sequence(generator: np.random.Generator) -> Sequence:
    """The settings of a random scan: near TR 15 ms, TE 3.3 ms, 15 degrees, in arbitrary units."""
    x, y, z = generator.normal(0, 0.15, size=3).tolist()
    return Sequence(
        flip_deg=float(np.clip(generator.normal(15, 2), 10, 20)),
        tr_ms=float(generator.uniform(12, 17)),
        te_ms=float(np.clip(generator.normal(3.3, 0.15), 3.0, 3.6)),
        t1_factor=float(np.clip(generator.normal(1, 0.06), 0.85, 1.15)),
        noise_share=float(generator.uniform(0.02, 0.05)),
        marrow_units=float(np.exp(generator.uniform(np.log(200), np.log(2500)))),
        tilt=(x, y - 0.1, z),
        bowl=float(generator.uniform(-0.15, 0.35)),
    )


def scan(
    water: np.ndarray,
    fat: np.ndarray,
    sensitivity: np.ndarray,
    sequence: Sequence,
    generator: np.random.Generator,
) -> np.ndarray:
    """`(z, y, x)` int16 intensities of a scan of water and fat, in their phase and with Rician noise.

    Water and fat add as complex numbers, so that voxels with both are dark: the black line at borders of fat.

    Args:
        water: `(z, y, x)` water signal, from `Sequence.components` and the shares of tissues in the voxels.
        fat: `(z, y, x)` fat signal; both arrays are used up.
        sensitivity: `(z, y, x)` of the coil, about 1.
        sequence: the settings.
        generator: draws the noise.
    """
    real = water * water
    water *= fat
    water *= np.float32(2 * np.cos(sequence.phase))
    real += water
    fat *= fat
    real += fat
    np.maximum(real, 0, out=real)
    np.sqrt(real, out=real)
    real *= sensitivity
    marrow = sequence.signal("marrow")
    noise = generator.standard_normal(real.shape, np.float32)
    noise *= np.float32(sequence.noise_share * marrow)
    real += noise
    generator.standard_normal(out=noise, dtype=np.float32)
    noise *= np.float32(sequence.noise_share * marrow)
    real *= real
    noise *= noise
    real += noise
    np.sqrt(real, out=real)
    real *= np.float32(sequence.marrow_units / marrow)
    stored: np.ndarray = np.clip(np.rint(real, out=real), 0, 32767).astype(np.int16)
    return stored
