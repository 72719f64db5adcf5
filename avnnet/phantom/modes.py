"""The settings of a random scan by each of the sequences that digital hips are scanned with."""

from __future__ import annotations

import numpy as np

from avnnet.choice import SignalMode
from avnnet.phantom.sequences import Dixon, RandomContrast, Sequence, SpoiledEcho, TurboSpinEcho
from avnnet.phantom.tissues import TISSUES, gadolinium_t1_ms


def draw_sequence(generator: np.random.Generator, mode: SignalMode) -> Sequence:
    """A sequence of a mode with the settings of a random scan.

    Args:
        generator: the only source of randomness.
        mode: `vibe` is a T1 VIBE near TR 15 ms, TE 3.3 ms, 15 degrees, at which fat is near opposed phase; `-we` is
            water excitation and `-fs` spectral fat suppression (see `draw_fat_kept`); `-gd` has gadolinium in the
            joint, 1.25 to 2.5 mmol/L; `dixon` gives four channels; `pd-tse` is proton-density weighted; `random`
            has random contrasts.

    Source:
        docs/sources.md#relaxation (with gadolinium) and docs/sources.md#signal (sequence).
    """
    if mode is SignalMode.RANDOM:
        names = list(TISSUES)
        values = dict(zip(names, generator.uniform(0.0, 1.0, len(names)).tolist(), strict=True))
        marrow = float(np.clip(values["marrow"] + generator.normal(0, 0.12), 0, 1))  # of one kind: no chessboard
        return RandomContrast(values | {"red marrow": marrow, "air": float(generator.uniform(0, 0.15))})
    t1_factor = float(np.clip(generator.normal(1, 0.06), 0.85, 1.15))
    if mode is SignalMode.PD_TSE:
        return TurboSpinEcho(float(generator.uniform(2200, 3500)), float(generator.uniform(18, 34)), t1_factor)
    agents = ("gadobutrol", "gadoteridol", "gadoterate")
    agent, mmol_per_l = agents[int(generator.integers(3))], float(generator.uniform(1.25, 2.5))
    native_ms = TISSUES["fluid"].t1_ms
    contrast_ms = gadolinium_t1_ms(native_ms, agent=agent, mmol_per_l=mmol_per_l)
    kind = Dixon if mode is SignalMode.DIXON else SpoiledEcho
    return kind(
        flip_deg=float(np.clip(generator.normal(15, 2), 10, 20)),
        tr_ms=float(generator.uniform(12, 17)),
        te_ms=float(np.clip(generator.normal(3.3, 0.15), 3.0, 3.6)),
        t1_factor=t1_factor,
        fluid_t1_ms=contrast_ms if mode.endswith("-gd") else native_ms * t1_factor,
        density={name: float(np.clip(generator.normal(1, 0.04), 0.9, 1.1)) for name in TISSUES},
    )
