"""A simulated second reader: the true outlines as another hand would draw them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avnnet.phantom.head import head_mm
from avnnet.phantom.layers import Hip
from avnnet.phantom.shapes import Points, Waves, along_mm


@dataclass(frozen=True)
class Reader:
    """How a reader's outlines depart from the true ones; all zero is the truth.

    Args:
        wander_mm: SD of the outline about the true one.
        wandering: the noise that it follows.
        head_bias_mm: by which the head is drawn too large.
        necrosis_bias_mm: by which the necrosis is drawn too large.
        neck_bias_mm: by which the head is ended too far down the neck.
    """

    wander_mm: float = 0.0
    wandering: Waves | None = None
    head_bias_mm: float = 0.0
    necrosis_bias_mm: float = 0.0
    neck_bias_mm: float = 0.0

    def label_ids(self, hip: Hip, points: Points, reach: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
        """Label ids of a hip at points.

        Args:
            hip: with its head and lesion.
            points: in the frame of the hip.
            reach: of the lesion at the points, and the slope that turns mm into reach; None without a lesion.

        Examples:
            >>> from avnnet.phantom.anatomy import draw_anatomy
            >>> from avnnet.phantom.head import Head
            >>> healthy = Hip(Head(draw_anatomy(np.random.default_rng(1), sex="male"), None, 0.0))
            >>> TRUTH.label_ids(healthy, (np.array([0.0, 40.0]), np.zeros(2), np.zeros(2)), None).tolist()
            [1, 0]
        """
        anatomy = hip.anatomy
        bone, neck = head_mm(anatomy, hip.head.lesion, points), along_mm(points, anatomy.neck_axis)
        drift: np.ndarray | float = 0.0
        if self.wandering is not None:
            drift = self.wandering(points) * np.float32(self.wander_mm)
        head = (bone < np.float32(self.head_bias_mm) + drift) & (
            neck < np.float32(anatomy.neck_plane_mm + self.neck_bias_mm)
        )
        labels = head.astype(np.uint8)
        if reach is not None:
            reach_mm, slope = reach
            bias = np.float32(self.necrosis_bias_mm) - drift  # not in step with the head's outline
            labels[head & (reach_mm < np.float32(hip.head.extent_mm) + bias * slope)] = 2
        return labels


TRUTH = Reader()


def draw_reader(generator: np.random.Generator) -> Reader:
    """A second reader at one hip: half a millimetre off along the border, a little generous with the necrosis.

    The sizes are a choice: they give an intraclass correlation of the necrotic volume near the 0.94 between experts
    of docs/sources.md#agreement-of-readers. The head ends within 1 mm of the neck plane.

    Examples:
        >>> 0.3 <= draw_reader(np.random.default_rng(1)).wander_mm <= 0.7
        True
    """
    return Reader(
        wander_mm=float(generator.uniform(0.3, 0.7)),
        wandering=Waves.draw(generator, wavelengths_mm=(8, 30), count=8),
        head_bias_mm=float(generator.normal(0.0, 0.25)),
        necrosis_bias_mm=float(generator.normal(0.3, 0.8)),
        neck_bias_mm=float(generator.normal(0.0, 1.0)),
    )
