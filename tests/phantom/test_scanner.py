"""The scanner: noise, point spread, fields and motion are the ones that were asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avnnet.choice import SignalMode
from avnnet.phantom.scanner import draw_scanner
from avnnet.phantom.sequences import Fields, TurboSpinEcho

SEQUENCE = TurboSpinEcho()
ONE = np.asarray(1.0, np.float32)
STILL = replace(
    draw_scanner(np.random.default_rng(0), SignalMode.PD_TSE),
    noise_share=0.0, marrow_units=1000.0, tilt=(0.0, 0.0, 0.0), bowl=0.0, drift_mm=np.zeros((4, 2)),
)  # fmt: skip


def stored(values, scanner, spacing_mm=(0.44, 0.44), seed=1):
    parts = np.asarray(values, np.float32)[None].copy()
    return scanner.stored(parts, Fields(ONE, ONE), ONE, SEQUENCE, spacing_mm, np.random.default_rng(seed))[0]


def test_marrow_is_stored_in_the_asked_units():
    flat = np.full((2, 32, 32), SEQUENCE.reference)
    assert np.abs(stored(flat, STILL).astype(float) - 1000).max() <= 1


def test_noise_is_rician_of_the_asked_strength():
    flat = np.full((6, 96, 96), SEQUENCE.reference)
    noisy = replace(STILL, noise_share=0.03)
    bright, dark = stored(flat, noisy), stored(0 * flat, noisy)
    assert bright.mean() == pytest.approx(1000, rel=0.01)
    assert bright.std() == pytest.approx(30, rel=0.08)
    assert dark.mean() == pytest.approx(30 * np.sqrt(np.pi / 2), rel=0.05)  # Rayleigh


def test_zero_filling_blurs_to_the_acquired_resolution_and_correlates_the_noise():
    edge = np.zeros((1, 128, 128))
    edge[:, :, 64:] = SEQUENCE.reference
    fine, coarse = (
        stored(edge, replace(STILL, resolution_mm=resolution_mm)).astype(float) for resolution_mm in (0.44, 0.83)
    )
    # the cut k-space is wider at an edge and rings beside it
    assert np.abs(np.diff(fine[0, 64])).max() > 1.5 * np.abs(np.diff(coarse[0, 64])).max()
    assert coarse[0, 64, 65:120].max() > 1050
    flat = np.full((4, 128, 128), SEQUENCE.reference)
    noise = [
        stored(flat, replace(STILL, noise_share=0.03, resolution_mm=resolution_mm)).astype(float) - 1000
        for resolution_mm in (0.44, 0.83)
    ]
    neighbours = [np.corrcoef(n[:, :, :-1].ravel(), n[:, :, 1:].ravel())[0, 1] for n in noise]
    assert abs(neighbours[0]) < 0.05
    assert neighbours[1] > 0.4
    assert noise[1].std() == pytest.approx(noise[0].std(), rel=0.1)


def test_coarse_voxels_are_not_sharpened():
    values = np.random.default_rng(3).uniform(0, SEQUENCE.reference, (1, 48, 40))
    kept = stored(values, STILL, spacing_mm=(0.9, 0.9)).astype(float)
    np.testing.assert_allclose(kept, values * 1000 / SEQUENCE.reference, atol=1.0)


def test_a_patient_who_lies_elsewhere_all_the_time_is_shown_elsewhere():
    ball = np.zeros((1, 64, 64))
    ball[0, 20:40, 24:44] = SEQUENCE.reference
    moved = replace(STILL, drift_mm=np.tile([3 * 0.9, 0.0], (4, 1)))
    shifted = stored(ball, moved, spacing_mm=(0.9, 0.9)).astype(float)
    np.testing.assert_allclose(shifted, np.roll(ball, 3, axis=1) * 1000 / SEQUENCE.reference, atol=2.0)


def test_a_patient_who_drifts_leaves_ghosts_but_no_signal_is_lost():
    ball = np.zeros((1, 64, 64))
    ball[0, 20:40, 24:44] = SEQUENCE.reference
    drifting = replace(STILL, drift_mm=np.array([[-0.8, 0.0], [0.8, 0.0], [-0.4, 0.0], [0.4, 0.0]]))
    still, ghosted = (stored(ball, one, spacing_mm=(0.9, 0.9)).astype(float) for one in (STILL, drifting))
    assert np.abs(ghosted - still).max() > 20
    assert (ghosted**2).sum() == pytest.approx((still**2).sum(), rel=0.01)  # Parseval


def test_fields_have_their_spread_and_suppression_fails_in_places_only():
    rng = np.random.default_rng(4)
    points = tuple(rng.uniform(-150, 150, (3, 20000)).astype(np.float32))
    spreads, failing = [], []
    for seed in range(12):
        scanner = draw_scanner(np.random.default_rng(seed), SignalMode.VIBE_FS)
        fields, sensitivity = scanner.fields(points)
        assert fields.b1.min() >= 0.8
        assert fields.b1.max() <= 1.2
        assert (sensitivity > 0).all()
        spreads.append(float(fields.b1.std()))
        failing.append(float((fields.fat_kept > 0.3).mean()))
    assert 0.02 < np.mean(spreads) < 0.12
    assert 0.01 < np.mean(failing) < 0.4
    even, _ = draw_scanner(np.random.default_rng(1), SignalMode.VIBE_WE).fields(points)
    assert 0.05 <= float(even.fat_kept) <= 0.15
    plain, _ = draw_scanner(np.random.default_rng(1), SignalMode.VIBE).fields(points)
    assert float(plain.fat_kept) == 1.0
