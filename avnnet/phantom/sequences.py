"""From tissues to signals: the sequences that a digital hip can be scanned with.

A sequence gives every tissue a short list of numbers (its components), which partial volumes mix linearly in the
voxels; from the mixed components and the scanner's fields it makes the complex echoes, and of these the images.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from avnnet.phantom.tissues import FAT_T1_MS, TISSUES

FAT_SHIFT_HZ = 427.0  # fat precesses 3.4 ppm slower: 419 to 434 Hz at 2.89 to 3 T (docs/sources.md#signal)
# Signals are painted at these shares of the flip angle; the line through both is within 2 % from 0.8 to 1.2.
B1_KNOTS = (0.86, 1.14)


class Fields(NamedTuple):
    """What varies over the field of view; arrays that broadcast to the voxels.

    Args:
        b1: local flip angle over the nominal one.
        fat_kept: share of the fat signal that a suppression leaves.
    """

    b1: np.ndarray
    fat_kept: np.ndarray


class Sequence(Protocol):
    """What the canvas and the scanner ask of a sequence."""

    @property
    def parts(self) -> int:
        """How many components a tissue has."""

    @property
    def reference(self) -> float:
        """The signal that noise and stored units are relative to: fatty marrow without suppression."""

    def components(self, tissue: str) -> np.ndarray:
        """`(parts,)` of a tissue."""

    def echoes(self, parts: np.ndarray, fields: Fields) -> list[np.ndarray]:
        """Complex (or real) echoes of mixed components `(parts, ...)`."""

    def channels(self, echoes: list[np.ndarray]) -> list[np.ndarray]:
        """Images of the echoes after the scanner blurred them and added noise."""


class Magnitude:
    """Images are the magnitudes of the echoes.

    Examples:
        >>> Magnitude().channels([np.array([3 + 4j])])[0].tolist()
        [5.0]
    """

    def channels(self, echoes: list[np.ndarray]) -> list[np.ndarray]:
        """The magnitude of every echo."""
        return [np.abs(echo) for echo in echoes]


@dataclass(frozen=True)
class SpoiledEcho(Magnitude):
    """A spoiled gradient echo, such as 3D T1 VIBE.

    Args:
        flip_deg, tr_ms, te_ms: of the sequence.
        t1_factor: this patient's T1 over the table's.
        fluid_t1_ms: T1 of the joint's fluid, short with gadolinium.
        density: proton density per tissue over the table's.

    Examples:
        >>> opposed = SpoiledEcho(te_ms=1000 / (2 * FAT_SHIFT_HZ))
        >>> water, fat = opposed.water_and_fat("marrow")
        >>> round(opposed.signal("marrow") - abs(water - fat), 6), opposed.components("marrow").shape
        (0.0, (4,))
        >>> parts = np.array([[3.0], [1.0], [3.0], [1.0]], np.float32)  # 3 of water less 1 of fat
        >>> np.abs(opposed.echoes(parts, Fields(np.ones(1, np.float32), np.ones(1, np.float32)))[0]).round(4).tolist()
        [2.0]
    """

    flip_deg: float = 15.0
    tr_ms: float = 15.0
    te_ms: float = 3.3
    t1_factor: float = 1.0
    fluid_t1_ms: float = TISSUES["fluid"].t1_ms
    density: dict[str, float] = field(default_factory=dict)

    @property
    def parts(self) -> int:
        """Water and fat at each of the two knots of B1."""
        return 2 * len(B1_KNOTS)

    @property
    def phase_rad(self) -> float:
        """The angle of fat against water at the echo."""
        return 2 * np.pi * FAT_SHIFT_HZ * self.te_ms * 1e-3

    @property
    def reference(self) -> float:
        """The signal of fatty marrow without suppression."""
        return self.signal("marrow")

    def components(self, tissue: str) -> np.ndarray:
        """`(4,)` magnitudes: water and fat at the lower, then at the upper knot of B1."""
        return np.array([part for b1 in B1_KNOTS for part in self.water_and_fat(tissue, b1=b1)], np.float32)

    def water_and_fat(self, name: str, *, b1: float = 1.0) -> tuple[float, float]:
        """The magnitudes of the water and the fat signal of a tissue.

        S = PD sin(a) (1 - E1) / (1 - cos(a) E1) exp(-TE / T2*), with E1 = exp(-TR / T1) and the flip angle a.

        Args:
            name: of the tissue.
            b1: local flip angle over the nominal one.

        Source:
            Ernst and Anderson 1966, Rev Sci Instrum 37:93, as in docs/sources.md#signal.
        """
        tissue = TISSUES[name]
        t1_ms = self.fluid_t1_ms if name == "fluid" else tissue.t1_ms * self.t1_factor
        density = tissue.density * self.density.get(name, 1.0)
        decay = np.exp(-self.te_ms / tissue.t2_star_ms)
        water = (1 - tissue.fat) * self._steady(t1_ms, b1) * decay
        fat = tissue.fat * self._steady(FAT_T1_MS * self.t1_factor, b1) * decay
        return float(density * water), float(density * fat)

    def _steady(self, t1_ms: float, b1: float) -> float:
        flip, e1 = np.deg2rad(self.flip_deg * b1), np.exp(-self.tr_ms / t1_ms)
        return float(np.sin(flip) * (1 - e1) / (1 - np.cos(flip) * e1))

    def signal(self, name: str, *, fat_kept: float = 1.0) -> float:
        """The magnitude of a voxel full of a tissue, before the coil and the noise."""
        water, fat = self.water_and_fat(name)
        return float(abs(water + fat_kept * fat * np.exp(1j * self.phase_rad)))

    def mixed(self, parts: np.ndarray, fields: Fields) -> tuple[np.ndarray, np.ndarray]:
        """Water and fat magnitudes at the local B1, the fat as far as it is kept; `parts` is used up.

        Examples:
            >>> parts = np.array([[1.0], [5.0], [2.0], [7.0]], np.float32)  # at the lower B1, then at the upper one
            >>> half = Fields(np.array([1.0], np.float32), np.array([0.5], np.float32))  # B1 between them, half the fat
            >>> water, fat = SpoiledEcho().mixed(parts, half)
            >>> water.round(4).tolist(), fat.round(4).tolist()
            ([1.5], [3.0])
        """
        low, high = B1_KNOTS
        share = (fields.b1 - np.float32(low)) / np.float32(high - low)
        for below, above in ((parts[0], parts[2]), (parts[1], parts[3])):
            above -= below
            above *= share
            below += above
        parts[1] *= fields.fat_kept
        return parts[0], parts[1]

    def echoes(self, parts: np.ndarray, fields: Fields) -> list[np.ndarray]:
        """The one complex echo: water and fat in their phase, so that voxels with both are dark."""
        water, fat = self.mixed(parts, fields)
        echo = np.empty(water.shape, np.complex64)
        np.multiply(fat, np.float32(np.cos(self.phase_rad)), out=echo.real)
        echo.real += water
        np.multiply(fat, np.float32(np.sin(self.phase_rad)), out=echo.imag)
        return [echo]


DIXON_CHANNELS = ("in", "opposed", "water", "fat")  # in the order of `Dixon.channels`


@dataclass(frozen=True)
class Dixon(SpoiledEcho):
    """A two-point Dixon VIBE: in phase, opposed phase, and water and fat made of them.

    Examples:
        >>> parts = np.array([[3.0], [1.0], [3.0], [1.0]], np.float32)
        >>> same, opposed = Dixon().echoes(parts, Fields(np.ones(1, np.float32), np.ones(1, np.float32)))
        >>> [image.item() for image in Dixon().channels([same, opposed])]
        [4.0, 2.0, 3.0, 1.0]
    """

    def echoes(self, parts: np.ndarray, fields: Fields) -> list[np.ndarray]:
        """The echoes in phase and in opposed phase."""
        water, fat = self.mixed(parts, fields)
        return [(water + fat).astype(np.complex64), (water - fat).astype(np.complex64)]

    def channels(self, echoes: list[np.ndarray]) -> list[np.ndarray]:
        """In phase, opposed phase, water, fat. Source: Dixon WT. Radiology 1984;153:189-194."""
        same, opposed = echoes
        return [np.abs(same), np.abs(opposed), np.abs(same + opposed) / 2, np.abs(same - opposed) / 2]


@dataclass(frozen=True)
class TurboSpinEcho(Magnitude):
    """A spin echo train with proton-density weighting; fat and water are in phase.

    Args:
        tr_ms, te_ms: repetition time and effective echo time.
        t1_factor: this patient's T1 over the table's.

    Examples:
        >>> TurboSpinEcho().echoes(np.array([[0.5]]), Fields(np.ones(1), np.ones(1)))[0].real.tolist()
        [0.5]
    """

    tr_ms: float = 2800.0
    te_ms: float = 25.0
    t1_factor: float = 1.0

    @property
    def parts(self) -> int:
        """One: the spin echo."""
        return 1

    @property
    def reference(self) -> float:
        """The signal of fatty marrow."""
        return float(self.components("marrow")[0])

    def components(self, tissue: str) -> np.ndarray:
        """`(1,)`: S = PD (1 - exp(-TR / T1)) exp(-TE / T2). Source: Hahn EL. Phys Rev 1950;80:580-594."""
        made = TISSUES[tissue]
        parts = ((1 - made.fat, made.t1_ms), (made.fat, FAT_T1_MS))
        recovered = sum(share * (1 - np.exp(-self.tr_ms / (t1_ms * self.t1_factor))) for share, t1_ms in parts)
        return np.array([made.density * recovered * np.exp(-self.te_ms / made.t2_ms)], np.float32)

    def echoes(self, parts: np.ndarray, fields: Fields) -> list[np.ndarray]:
        """The echo; refocusing hides B1 but for the coil."""
        return [parts[0].astype(np.complex64)]


@dataclass(frozen=True)
class RandomContrast(Magnitude):
    """Every tissue with a random grey value: a network that trains on it need not have seen a sequence.

    Args:
        values: grey value per tissue, 0 to 1.

    Source:
        Billot et al., SynthSeg, Med Image Anal 2023;86:102789.

    Examples:
        >>> contrast = RandomContrast({"fat": 0.25})
        >>> contrast.components("fat").tolist()
        [0.25]
        >>> contrast.echoes(np.array([[0.25]]), Fields(np.ones(1), np.ones(1)))[0].real.tolist()
        [0.25]
    """

    values: dict[str, float]

    @property
    def parts(self) -> int:
        """One: the grey value."""
        return 1

    @property
    def reference(self) -> float:
        """Half the range of the values."""
        return 0.5

    def components(self, tissue: str) -> np.ndarray:
        """`(1,)` grey value."""
        return np.array([self.values[tissue]], np.float32)

    def echoes(self, parts: np.ndarray, fields: Fields) -> list[np.ndarray]:
        """The grey values."""
        return [parts[0].astype(np.complex64)]
