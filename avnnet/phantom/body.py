"""The soft tissue around a digital hip: skin, subcutaneous fat and the muscles with fat between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from avnnet.phantom.anatomy import Anatomy
from avnnet.phantom.shapes import Points, Vector, Waves, capsule_mm

# Bellies as bent tubes in a hip with a head radius of 23 mm: the knots of a path (x medial, y posterior, z
# superior; mm from the head centre) and a radius. Placed by hand to look like an axial slice, not measured.
MUSCLES: dict[str, tuple[tuple[Vector, ...], float]] = {
    "iliopsoas": (((34.0, -26.0, 70.0), (4.0, -40.0, -4.0), (-26.0, -4.0, -72.0)), 13.0),
    "rectus femoris": (((-14.0, -46.0, 24.0), (-30.0, -58.0, -90.0)), 11.0),
    "sartorius": (((-34.0, -54.0, 60.0), (0.0, -70.0, -90.0)), 8.0),
    "tensor fasciae latae": (((-50.0, -48.0, 60.0), (-66.0, -42.0, -70.0)), 12.0),
    "gluteus medius": (((-34.0, 22.0, 75.0), (-64.0, 8.0, -6.0)), 19.0),
    "gluteus minimus": (((-26.0, -8.0, 70.0), (-56.0, -10.0, -4.0)), 13.0),
    "gluteus maximus, lateral": (((-30.0, 74.0, 75.0), (-64.0, 52.0, -80.0)), 23.0),
    "gluteus maximus, medial": (((24.0, 92.0, 75.0), (-16.0, 80.0, -90.0)), 24.0),
    "piriformis and gemelli": (((50.0, 46.0, 34.0), (-50.0, 24.0, 2.0)), 9.0),
    "obturator internus": (((50.0, -8.0, 18.0), (42.0, 30.0, -36.0)), 9.0),
    "obturator externus": (((50.0, -14.0, -36.0), (-34.0, 24.0, -24.0)), 9.0),
    "pectineus": (((62.0, -46.0, -16.0), (-18.0, -14.0, -74.0)), 11.0),
    "adductors": (((66.0, -34.0, -50.0), (14.0, -2.0, -120.0)), 21.0),
    "hamstrings": (((22.0, 46.0, -48.0), (12.0, 56.0, -130.0)), 14.0),
    "quadratus femoris": (((18.0, 40.0, -40.0), (-40.0, 26.0, -46.0)), 9.0),
    "vastus": (((-52.0, -20.0, -44.0), (-46.0, -26.0, -140.0)), 22.0),
}
# Tissue, path and radius of what is no muscle; the bladder is drawn from the midline.
TUBES: tuple[tuple[str, tuple[Vector, Vector], float], ...] = (
    ("vessel", ((30.0, -56.0, 60.0), (12.0, -58.0, -90.0)), 3.5),  # femoral artery
    ("vessel", ((40.0, -52.0, 60.0), (22.0, -55.0, -90.0)), 4.5),  # femoral vein
    ("nerve", ((20.0, 52.0, 40.0), (-14.0, 50.0, -90.0)), 4.5),  # sciatic nerve
)
BLADDER_MM = ((-20.0, 24.0), (-6.0, 54.0), 26.0)


@dataclass(frozen=True)
class Body:
    """The soft tissue of one person.

    Args:
        midline_mm: from the head centre to the middle of the body.
        fat_mm: thickness of the subcutaneous fat.
        seam_mm: width of the fat between muscles.
        bulk: size of the muscles, 1 is average.
        filling_mm: how far bellies swell beyond the table's to meet their neighbours.
        shifts: `(n, 3)` mm by which muscles and tubes lie elsewhere than in the table.
        folds: noise that bends all outlines.
        marbling: noise for fat within muscles and red marrow within bones.
    """

    midline_mm: float
    fat_mm: float
    seam_mm: float
    bulk: float
    filling_mm: float
    shifts: np.ndarray
    folds: Waves
    marbling: Waves

    def skin_mm(self, points: Points) -> np.ndarray:
        """Signed distance to the skin: the pelvis as an elliptic cylinder that narrows towards the thigh.

        Examples:
            >>> body = draw_body(np.random.default_rng(1))
            >>> (body.skin_mm((np.array([0.0, -300.0]), np.zeros(2), np.zeros(2))) < 0).tolist()
            [True, False]
        """
        x, y, z = points
        lower = np.clip(-z, 0, 120) * np.float32(0.12)
        wide, deep = np.float32(158 + self.fat_mm) - lower, np.float32(84 + self.fat_mm) - lower
        ratio = np.sqrt(((x - np.float32(self.midline_mm)) / wide) ** 2 + ((y - 10) / deep) ** 2)
        distance: np.ndarray = (ratio - 1) * deep + self.folds(points) * np.float32(1.5)
        return distance

    def muscles_mm(self, points: Points, skin_mm: np.ndarray, anatomy: Anatomy) -> np.ndarray:
        """Signed distance to the muscles; seams between neighbours are outside.

        Examples:
            >>> from avnnet.phantom.anatomy import draw_anatomy
            >>> body, anatomy = draw_body(np.random.default_rng(1)), draw_anatomy(np.random.default_rng(1), sex="male")
            >>> points = np.array([0.0, -50.0]), np.array([0.0, 15.0]), np.array([0.0, 30.0])  # the head, and a gluteus
            >>> (body.muscles_mm(points, body.skin_mm(points), anatomy) < 0).tolist()
            [False, True]
        """
        size = anatomy.radius_mm / 23.0
        points = self.bent(points)
        first = np.full(points[0].shape, 1e3, np.float32)
        second = first.copy()
        for (path, thick), shift in zip(MUSCLES.values(), self.shifts[: len(MUSCLES)].tolist(), strict=True):
            knots = [tuple(size * p + d for p, d in zip(knot, shift, strict=True)) for knot in path]
            tubes = [capsule_mm(points, a, b, thick * self.bulk * size) for a, b in pairwise(knots)]
            distance = np.minimum.reduce(tubes)
            np.minimum(second, np.maximum(first, distance), out=second)
            np.minimum(first, distance, out=first)
        seam = (np.float32(self.seam_mm) - (second - first)) * np.float32(0.5)
        bellies = np.maximum(first - np.float32(self.filling_mm), seam)
        within: np.ndarray = np.maximum(bellies, skin_mm + np.float32(self.fat_mm))
        return within

    def tubes_mm(self, points: Points, anatomy: Anatomy) -> dict[str, np.ndarray]:
        """Signed distance per tissue to vessels, nerve and bladder.

        Examples:
            >>> from avnnet.phantom.anatomy import draw_anatomy
            >>> body, anatomy = draw_body(np.random.default_rng(1)), draw_anatomy(np.random.default_rng(1), sex="male")
            >>> sorted(body.tubes_mm((np.zeros(1), np.zeros(1), np.zeros(1)), anatomy))
            ['nerve', 'urine', 'vessel']
        """
        size = anatomy.radius_mm / 23.0
        bent = self.bent(points)
        distances: dict[str, np.ndarray] = {}
        for (tissue, knots, thick), shift in zip(TUBES, self.shifts[-len(TUBES) :].tolist(), strict=True):
            (ax, ay, az), (bx, by, bz) = (
                tuple(size * p + d for p, d in zip(knot, shift, strict=True)) for knot in knots
            )
            tube = capsule_mm(bent, (ax, ay, az), (bx, by, bz), thick * size)
            distances[tissue] = np.minimum(distances[tissue], tube) if tissue in distances else tube
        (y0, z0), (y1, z1), thick = BLADDER_MM
        bladder = capsule_mm(bent, (self.midline_mm, y0, z0), (self.midline_mm, y1, z1), thick)
        return distances | {"urine": bladder}

    def folded(self, points: Points) -> Points:
        """Points of the far side of the body, mirrored onto the near side: its anatomy is drawn once.

        Examples:
            >>> body = draw_body(np.random.default_rng(1))
            >>> x, y, z = body.folded((np.array([10.0, 2 * body.midline_mm - 10.0]), np.zeros(2), np.zeros(2)))
            >>> x.round(3).tolist()
            [10.0, 10.0]
        """
        x, y, z = points
        return np.minimum(x, np.float32(2 * self.midline_mm) - x), y, z

    def bent(self, points: Points) -> Points:
        """Points moved by a few mm, so that straight shapes and waves come out uneven.

        Examples:
            >>> from dataclasses import replace
            >>> even = Waves(np.zeros((1, 3)), np.full(1, np.pi / 2))  # the cosine of a right angle: 0 everywhere
            >>> body = replace(draw_body(np.random.default_rng(1)), folds=even)
            >>> [part.round(3).tolist() for part in body.bent((np.array([1.0]), np.array([2.0]), np.array([3.0])))]
            [[1.0], [2.0], [3.0]]
        """
        x, y, z = points
        bend = self.folds(points)
        return x + bend * np.float32(2), y - bend * np.float32(1.7), z + bend * np.float32(1.4)

    def marbling_at(self, points: Points) -> np.ndarray:
        """Uneven noise of standard deviation 1, for marrow and muscle; blobs of half a centimetre to one.

        Examples:
            >>> x, y, z = np.random.default_rng(1).uniform(-100, 100, (3, 20_000)).astype(np.float32)
            >>> noise = draw_body(np.random.default_rng(1)).marbling_at((x, y, z))
            >>> round(abs(float(noise.mean())), 1), round(float(noise.std()), 1)
            (0.0, 1.0)
        """
        return self.marbling(self.bent(points))


def draw_body(generator: np.random.Generator) -> Body:
    """The soft tissue of a random person: lean to well padded, strong to wasted.

    Examples:
        >>> body = draw_body(np.random.default_rng(1))
        >>> 78 <= body.midline_mm <= 94, 5 <= body.fat_mm <= 32
        (True, True)
    """
    return Body(
        midline_mm=float(np.clip(generator.normal(86, 4), 78, 94)),
        fat_mm=float(np.clip(generator.gamma(5, 3.2), 5, 32)),
        seam_mm=float(generator.uniform(1.4, 3.0)),
        bulk=float(generator.uniform(0.9, 1.08)),
        filling_mm=float(generator.uniform(5, 11)),
        shifts=generator.normal(0, 2.5, size=(len(MUSCLES) + len(TUBES), 3)),
        folds=Waves.draw(generator, wavelengths_mm=(25, 70)),
        marbling=Waves.draw(generator, wavelengths_mm=(7, 25), count=16),
    )
