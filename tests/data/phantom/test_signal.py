"""Signals of tissues have the order that is printed for a VIBE without fat suppression."""

from __future__ import annotations

import numpy as np
import pytest

from avnnet.data.phantom.signal import Sequence, draw_sequence, scan

PLAIN = Sequence(15, 15, 3.3, 1.0, 0.03, 1000, (0, 0, 0), 0)


def test_tissues_are_ordered_fat_marrow_muscle_fluid_bone():
    for seed in range(20):
        s = draw_sequence(np.random.default_rng(seed)).signal
        assert min(s("fat"), s("marrow")) > s("red marrow") > max(s("muscle"), s("rim"))
        assert s("muscle") == pytest.approx(s("cartilage"), rel=0.3)
        assert min(s("muscle"), s("cartilage")) > s("fluid") > s("sclerosis") > s("cortex")
        assert s("rim") < 0.4 * s("marrow")


def test_half_fat_half_water_is_darker_than_either():
    water, fat = PLAIN.components("muscle")[0], PLAIN.components("fat")[1]
    mixed = abs(0.5 * water + 0.5 * fat * np.exp(1j * PLAIN.phase))
    assert mixed < 0.8 * min(water, fat)
    assert 0.22 < mixed / fat < 0.36  # clinical.md 4.4


def test_noise_is_rician_of_the_asked_strength():
    shape = (20, 50, 50)
    marrow, air = (np.full(shape, v, np.float32) for v in (PLAIN.signal("marrow"), 0.0))
    one = np.ones(shape, np.float32)
    bright = scan(marrow, 0 * one, one, PLAIN, np.random.default_rng(1))
    dark = scan(air, 0 * one, one, PLAIN, np.random.default_rng(2))
    assert bright.mean() == pytest.approx(1000, rel=0.01)
    assert bright.std() == pytest.approx(30, rel=0.05)
    assert dark.mean() == pytest.approx(30 * np.sqrt(np.pi / 2), rel=0.05)  # Rayleigh
