"""From echoes to a stored image: coil, B1, motion, the point-spread function and Rician noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from avnnet.choice import SignalMode
from avnnet.phantom.sequences import Fields, Sequence
from avnnet.phantom.shapes import Points, Waves

RESOLUTION_MM = 0.83  # acquired in the plane; zero-filling shows it as 0.44 mm voxels (docs/sources.md#signal)


@dataclass(frozen=True)
class Scanner:
    """The hardware's share in one scan.

    Args:
        noise_share: SD of the noise in each of the real and the imaginary part, over the signal of fatty marrow.
        marrow_units: stored value of fatty marrow without suppression.
        tilt: `(3,)` relative change of the coil's sensitivity per 100 mm along x, y, z.
        bowl: relative change at 100 mm from the head.
        b1_spread: SD of the local flip angle over the nominal one.
        b1_waves: over the field.
        fat_kept: share of the fat signal that is left in the middle of the field; 1 without suppression.
        fat_patchy: how much of the fat comes back where the suppression fails, 0 to 1.
        b0_waves: over the field; the suppression fails at their crests.
        drift_mm: `(lines, 2)` position of the patient along both axes of the plane, over the acquisition's time.
        resolution_mm: acquired in the plane; coarser than the voxels means zero-filling.
    """

    noise_share: float
    marrow_units: float
    tilt: tuple[float, float, float]
    bowl: float
    b1_spread: float
    b1_waves: Waves
    fat_kept: float
    fat_patchy: float
    b0_waves: Waves
    drift_mm: np.ndarray
    resolution_mm: float

    def fields(self, points: Points) -> tuple[Fields, np.ndarray]:
        """B1, the fat that is kept, and the coil's sensitivity (about 1) at points.

        Examples:
            >>> from dataclasses import replace
            >>> scanner = draw_scanner(np.random.default_rng(1), SignalMode.VIBE)
            >>> even = replace(scanner, tilt=(0.0, 0.0, 0.0), bowl=0.0, b1_spread=0.0)
            >>> (b1, kept), sensitivity = even.fields((np.array([50.0]), np.zeros(1), np.zeros(1)))
            >>> b1.tolist(), kept.tolist(), sensitivity.tolist()
            ([1.0], 1.0, [1.0])
        """
        x, y, z = (p * np.float32(0.01) for p in points)
        tx, ty, tz = (np.float32(t) for t in self.tilt)
        sensitivity = np.exp(x * tx + y * ty + z * tz + (x * x + y * y + z * z) * np.float32(self.bowl))
        b1 = np.clip(1 + self.b1_waves(points) * np.float32(self.b1_spread), 0.8, 1.2)
        kept = np.asarray(self.fat_kept, np.float32)
        if self.fat_patchy:
            fails = np.clip((self.b0_waves(points) - np.float32(0.9)) * np.float32(1.2), 0, 1)
            kept = kept + (1 - kept) * fails * np.float32(self.fat_patchy)
        return Fields(b1, kept), sensitivity

    def stored(
        self,
        parts: np.ndarray,
        fields: Fields,
        sensitivity: np.ndarray,
        sequence: Sequence,
        spacing_mm: tuple[float, float],
        generator: np.random.Generator,
    ) -> np.ndarray:
        """`(C, n, y, x)` int16 slices as the scanner stores them.

        Args:
            parts: `(parts, n, y, x)` mixed components; used up.
            fields, sensitivity: on the same voxels.
            sequence: makes echoes of the parts and channels of the echoes.
            spacing_mm: voxel distances `(y, x)`.
            generator: draws the noise.

        Examples:
            >>> from dataclasses import replace
            >>> from avnnet.phantom.sequences import TurboSpinEcho
            >>> scanner = draw_scanner(np.random.default_rng(1), SignalMode.VIBE)
            >>> still = replace(scanner, noise_share=0.0, marrow_units=1000.0, drift_mm=np.zeros((12, 2)))
            >>> sequence, even = TurboSpinEcho(), Fields(np.ones(1), np.ones(1))
            >>> marrow = np.full((1, 1, 8, 8), sequence.components("marrow")[0])
            >>> image = still.stored(marrow, even, np.ones(1), sequence, (0.44, 0.44), np.random.default_rng(1))
            >>> np.unique(image).tolist()
            [1000]
        """
        noise = np.float32(self.noise_share * sequence.reference)
        echoes = []
        for echo in sequence.echoes(parts, fields):
            echo *= sensitivity
            echoes.append(self._acquired(echo, noise, spacing_mm, generator))
        scale = np.float32(self.marrow_units / sequence.reference)
        images = np.stack(sequence.channels(echoes))
        images *= scale
        stored: np.ndarray = np.clip(np.rint(images, out=images), 0, 32767).astype(np.int16)
        return stored

    def _acquired(
        self, echo: np.ndarray, noise: np.float32, spacing_mm: tuple[float, float], generator: np.random.Generator
    ) -> np.ndarray:
        """An echo as it comes out of a k-space of the acquired size, its lines read while the patient drifts."""
        size = echo.shape[1:]
        lines = [min(n, 2 * round(n * s / self.resolution_mm / 2)) for n, s in zip(size, spacing_mm, strict=True)]
        full = fft.fft2(echo, overwrite_x=True)
        places = [np.r_[0 : k // 2, n - k // 2 : n] for n, k in zip(size, (k - k % 2 for k in lines), strict=True)]
        inner = full[:, places[0][:, None], places[1][None]]
        ky, kx = (np.fft.fftfreq(n, s)[p] for n, s, p in zip(size, spacing_mm, places, strict=True))
        time = np.linspace(0, len(self.drift_mm) - 1, len(ky))[np.argsort(np.argsort(ky))]
        dy, dx = (np.interp(time, np.arange(len(self.drift_mm)), column) for column in self.drift_mm.T)
        inner *= np.exp(-2j * np.pi * (ky * dy)[:, None] - 2j * np.pi * kx[None] * dx[:, None]).astype(np.complex64)
        # white noise of k-space has this SD when the image's is `noise`
        spread = noise * np.float32(size[0] * size[1] / np.sqrt(len(ky) * len(kx)))
        white = generator.standard_normal((*inner.shape, 2), np.float32).view(np.complex64)[..., 0]
        white *= spread
        inner += white
        full[:] = 0
        full[:, places[0][:, None], places[1][None]] = inner
        acquired: np.ndarray = fft.ifft2(full, overwrite_x=True)
        return acquired


def draw_scanner(generator: np.random.Generator, mode: SignalMode) -> Scanner:
    """The scanner of a random scan.

    Water excitation leaves 5 to 15 % of the fat everywhere, spectral suppression as little but not where the main
    field is off, which is mostly far from the middle.

    Args:
        generator: the only source of randomness.
        mode: decides on the fat.

    Source:
        docs/sources.md#signal: B1 +-20 %, 5 to 15 % of the fat left, true resolution 0.83 mm.
    """
    x, y, z = generator.normal(0, 0.15, size=3).tolist()
    suppressed = mode.startswith(("vibe-we", "vibe-fs"))
    steps = generator.normal(0, 1, size=(12, 2))
    drift = np.cumsum(steps, axis=0) * generator.uniform(0.0, 0.12)
    kept = float(generator.uniform(0.05, 0.15))
    patchy = float(generator.uniform(0.3, 0.8))
    return Scanner(
        noise_share=float(generator.uniform(0.02, 0.05)),
        marrow_units=float(np.exp(generator.uniform(np.log(200), np.log(2500)))),
        tilt=(x, y - 0.1, z),
        bowl=float(generator.uniform(-0.15, 0.35)),
        b1_spread=float(generator.uniform(0.03, 0.10)),
        b1_waves=Waves.draw(generator, wavelengths_mm=(200, 400), count=3),
        fat_kept=kept if suppressed else 1.0,
        fat_patchy=patchy if mode.startswith("vibe-fs") else 0.0,
        b0_waves=Waves.draw(generator, wavelengths_mm=(150, 300), count=4),
        drift_mm=drift - drift.mean(axis=0),
        resolution_mm=RESOLUTION_MM,
    )
