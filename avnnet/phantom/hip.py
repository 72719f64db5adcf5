"""One scan of a digital hip, or of both hips of a body: image, labels and the truth about them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from avnnet.choice import SignalMode
from avnnet.errors import InvalidConfig
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import HIP, Side
from avnnet.phantom.acquisition import Acquisition, place
from avnnet.phantom.anatomy import CAPSULE_MM, HEAD_RADIUS_MM, Anatomy, draw_anatomy
from avnnet.phantom.body import draw_body
from avnnet.phantom.head import Head
from avnnet.phantom.layers import Hip
from avnnet.phantom.lesion import ADVANCED, FORMS, STAGES, draw_lesion
from avnnet.phantom.modes import draw_sequence
from avnnet.phantom.reader import draw_reader
from avnnet.phantom.scanner import draw_scanner
from avnnet.phantom.sequences import Sequence
from avnnet.phantom.slabs import Scene
from avnnet.phantom.truth import HipTruth, truth_of

EFFUSION = 0.76  # of advanced hips (docs/sources.md#lesion)


@dataclass(frozen=True)
class Disease:
    """What a hip suffers from.

    Args:
        arco_stage: "I", "II", "IIIA" or "IIIB"; decides on collapse, core, oedema, cysts and effusion.
        necrosis_percent: share of the head's bone that is necrosis, above 0 and up to 80.
        form: one of "wedge", "cap", "band", "multifocal", "whole head"; drawn by default.

    Raises:
        InvalidConfig: if there is no such hip.
    """

    arco_stage: str
    necrosis_percent: float
    form: str | None = None

    def __post_init__(self) -> None:
        if self.arco_stage not in STAGES:
            raise InvalidConfig(
                f"a digital hip has one of the ARCO stages {list(STAGES)} (IV, arthritis of the joint, is not "
                f"modelled); found {self.arco_stage!r}"
            )
        if not 0 < self.necrosis_percent <= 80:
            raise InvalidConfig(f"necrosis_percent must be above 0 and up to 80; found {self.necrosis_percent}")
        if self.form is not None and self.form not in FORMS:
            raise InvalidConfig(f"the form of a lesion is one of {list(FORMS)}; found {self.form!r}")


@dataclass(frozen=True)
class DigitalScan:
    """A scan of one hip or both.

    Args:
        image: `(z, y, x)` int16, or `(4, z, y, x)` of a Dixon sequence: in phase, opposed phase, water, fat.
        labels: per side in the field of view, vital bone and necrosis of that hip alone.
        second_reader: the same as another hand would draw them.
        truths: what is known exactly about each of these hips.
        sequence: the settings that the image was made with.
    """

    image: Image
    labels: dict[Side, LabelMap]
    second_reader: dict[Side, LabelMap]
    truths: dict[Side, HipTruth]
    sequence: Sequence


def hip(
    generator: np.random.Generator,
    *,
    side: Side = Side.RIGHT,
    sex: str = "female",
    arco_stage: str = "IIIA",
    necrosis_percent: float,
    mode: SignalMode = SignalMode.VIBE,
    acquisition: Acquisition | None = None,
) -> tuple[Image, LabelMap, HipTruth]:
    """The image, the labels and the truth of a random hip with necrosis; see `simulate` for more.

    Examples:
        >>> small = Acquisition((40, 80, 80), (2.0, 1.5, 1.5))
        >>> image, labels, truth = hip(np.random.default_rng(3), necrosis_percent=15, acquisition=small)
        >>> image.array.dtype.name, round(truth.necrosis_percent, 1)
        ('int16', 15.0)
    """
    disease = Disease(arco_stage, necrosis_percent)
    made = simulate(generator, {side: disease}, sex=sex, mode=mode, acquisition=acquisition)
    return made.image, made.labels[side], made.truths[side]


def simulate(
    generator: np.random.Generator,
    hips: Mapping[Side, Disease | None],
    *,
    sex: str = "female",
    mode: SignalMode = SignalMode.VIBE,
    acquisition: Acquisition | None = None,
    person: np.random.Generator | None = None,
) -> DigitalScan:
    """Draw a scan of a random body.

    The head's label is the bone within the head's surface up to the neck plane, cortex included (convention 3 of
    docs/sources.md#head-region: fitted sphere + plane where the bone leaves the sphere, normal to the neck axis).
    The necrosis includes its dark rim (outer margin, docs/sources.md#lesion-boundary). In a collapsed head the labels
    are of the bone that is left, and the share is that of the remaining bone. A voxel belongs to a label if its
    centre does.
    A scan of a left hip is the mirror image of that of a right hip with the same random numbers.

    Args:
        generator: the only source of randomness. Shapes, lesion, position, scan and noise have streams of
            their own, so that another grid or sequence shows the same hip.
        hips: side to disease, None for a healthy hip. One side for a scan of one hip; both for a scan of both,
            the first being the index hip, along whose neck oblique slices lie.
        sex: "female" or "male"; decides on the distribution of the head's size.
        mode: the sequence.
        person: draws bones and soft tissue instead of `generator`: two scans of one person have the same.
        acquisition: field of view; 104 x 384 x 384 voxels of 1 x 0.44 x 0.44 mm along the neck by default.

    Raises:
        InvalidConfig: if an argument is none of these, or the field of view cannot hold the hips.
    """
    acquisition = acquisition or Acquisition()
    mode = SignalMode(mode)
    if sex not in HEAD_RADIUS_MM:
        raise InvalidConfig(f"sex must be one of {list(HEAD_RADIUS_MM)}, for the size of the head; found {sex!r}")
    if len(hips) != 1 + acquisition.both_hips:
        raise InvalidConfig(
            f"a scan of {'both hips' if acquisition.both_hips else 'one hip'} needs {1 + acquisition.both_hips} "
            f"in hips; found {[str(side) for side in hips]}"
        )
    wounds, places, settings, noise, others, hand = _streams(generator, 6)
    shapes, tissue = _streams(person or generator, 2)
    body = draw_body(tissue)
    first = draw_anatomy(
        shapes, sex=sex, effusion=shapes.random() < EFFUSION and _is_advanced(next(iter(hips.values())))
    )
    scene_hips = []
    for beyond, (disease, stream) in enumerate(zip(hips.values(), (wounds, others), strict=False)):
        wide = float(stream.uniform(*CAPSULE_MM[_is_advanced(disease)]))
        anatomy = replace(first, capsule_mm=wide) if beyond else first
        scene_hips.append(Hip(_head(stream, anatomy, disease), bool(beyond)))
    grid, centre = place(places, acquisition, neck_axis=first.neck_axis, midline_mm=body.midline_mm)
    sequence, scanner = draw_sequence(settings, mode), draw_scanner(settings, mode)
    readers = tuple(draw_reader(hand) for _ in scene_hips)
    truths = []
    for one, disease in zip(scene_hips, hips.values(), strict=True):
        truth = truth_of(one.head, sex=sex, arco_stage=disease.arco_stage if disease else "", centre_mm=centre)
        if one.beyond_midline:
            truth = truth.mirrored(about_x_mm=centre[0] + body.midline_mm)
        truths.append(truth)
    array, masks = _painted(Scene(grid, centre, body, tuple(scene_hips), sequence, scanner, readers), noise)
    if next(iter(hips)) == Side.LEFT:
        array, masks = array[..., ::-1].copy(), [mask[..., ::-1].copy() for mask in masks]
        truths, grid = [truth.mirrored() for truth in truths], _mirrored(grid)
    image = Image(array[0] if len(array) == 1 else array, grid)
    sides = list(hips)
    drawn, again = (
        {side: LabelMap(mask[reader], grid, HIP) for side, mask in zip(sides, masks, strict=True)} for reader in (0, 1)
    )
    return DigitalScan(
        image,
        drawn,
        again,
        dict(zip(sides, truths, strict=True)),
        sequence,
    )


def _head(generator: np.random.Generator, anatomy: Anatomy, disease: Disease | None) -> Head:
    if disease is None:
        return Head(anatomy, None, 0.0)
    lesion = draw_lesion(
        generator,
        arco_stage=disease.arco_stage,
        necrosis_percent=disease.necrosis_percent,
        head_radius_mm=anatomy.radius_mm,
        neck_axis=anatomy.neck_axis,
        form=disease.form,
    )
    return Head(anatomy, lesion, disease.necrosis_percent)


def _streams(generator: np.random.Generator, count: int) -> list[np.random.Generator]:
    """Independent generators, so that one part of a scan does not depend on what another draws."""
    return [np.random.default_rng(seed) for seed in generator.integers(2**63, size=count).tolist()]


def _is_advanced(disease: Disease | None) -> bool:
    return disease is not None and disease.arco_stage in ADVANCED


def _painted(scene: Scene, noise: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray]]:
    """`(C, z, y, x)` intensities and the masks `(readers, z, y, x)` of each hip, painted slab by slab.

    The slabs and their noise do not depend on how many processors work on them.
    """
    seeds = noise.integers(2**63, size=len(scene.slabs)).tolist()
    with ThreadPoolExecutor(min(len(seeds), os.cpu_count() or 1)) as pool:
        parts = list(pool.map(scene.slab, scene.slabs, seeds))
    images, masks = zip(*parts, strict=True)
    return np.concatenate(images, axis=1), [np.concatenate(hips, axis=1) for hips in zip(*masks, strict=True)]


def _mirrored(grid: Grid) -> Grid:
    """The grid of `array[:, :, ::-1]` after mirroring the patient in x; the direction stays a rotation."""
    x, y, z = grid.to_lps((0, 0, grid.shape[2] - 1)).tolist()
    direction = np.array(grid.direction) * np.array([[-1], [1], [1]]) * np.array([1, 1, -1])
    return Grid(grid.shape, grid.spacing, (-x, y, z), tuple(tuple(row) for row in direction.tolist()))
