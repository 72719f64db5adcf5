"""The patients of a digital cohort, composed like those of the abstract."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import gamma

from avnnet.choice import SignalMode
from avnnet.labels import Side
from avnnet.phantom.hip import Disease
from avnnet.phantom.lesion import ADVANCED, STAGES

# The abstract prints I 3, II 5, IIIA 12 of 34; the 14 that are left are IIIB.
STAGE_COUNTS = {"I": 3, "II": 5, "IIIA": 12, "IIIB": 14}
SEX_COUNTS = {"female": 14, "male": 20}
MEAN_AGE, SD_AGE = 30.0, 8.0  # the abstract prints the mean only; the SD is a guess, ages are kept in 18 to 55

# Below 1.5 % (0.7 cm3 in a head of 45) a lesion is hardly thicker than its rim and the subchondral plate, and
# no reader could draw it; above 60 % hardly any vital bone is left to be labelled.
SHARE_LIMITS_PERCENT = (1.5, 60.0)
# Gammas (shape, scale in %) that, truncated to these limits, have the abstract's mean and SD: 8±8, 20±16 %.
EARLY_GAMMA = (0.2161, 13.206)
ADVANCED_GAMMA = (0.5115, 72.19)
GOLDEN_RATIO = (math.sqrt(5) - 1) / 2

# What the plain T1 VIBE of the abstract may have been (docs/sources.md#signal): it does not say whether fat was
# suppressed, and the hips of its hospital are often scanned with gadolinium in the joint.
MIXED = {
    SignalMode.VIBE: 4,
    SignalMode.VIBE_GD: 3,
    SignalMode.VIBE_WE: 2,
    SignalMode.VIBE_WE_GD: 1,
    SignalMode.VIBE_FS: 1,
    SignalMode.VIBE_FS_GD: 1,
}


@dataclass(frozen=True)
class Patient:
    """What is drawn of a patient before the hips: see `draw_patient`.

    Args:
        side: of the index hip.
        sex: "female" or "male".
        age: years.
        disease: of the index hip.
        mode: the sequence of the scans.
        other: disease of the other hip, None for a healthy one.
    """

    side: Side
    sex: str
    age: int
    disease: Disease
    mode: SignalMode
    other: Disease | None

    @property
    def other_side(self) -> Side:
        """The side of the other hip."""
        return Side.LEFT if self.side is Side.RIGHT else Side.RIGHT


def evenly_mixed(counts: Mapping[str, int], *, first: int = 0) -> list[str]:
    """Names repeated as often as counted, in an order whose every stretch is composed much like the whole.

    Args:
        counts: name to number.
        first: rotates the order, so that two such lists are not in step.

    Examples:
        >>> evenly_mixed({"a": 2, "b": 4})
        ['b', 'a', 'b', 'b', 'a', 'b']
    """
    total = sum(counts.values())
    used = dict.fromkeys(counts, 0)
    order: list[str] = []
    for place in range(total):
        owed = {name: (place + 0.5) * count / total - used[name] for name, count in counts.items()}
        best = max(owed, key=lambda name: owed[name])
        used[best] += 1
        order.append(best)
    return order[first:] + order[:first]


def share_at_percent(quantile: float, *, arco_stage: str) -> float:
    """The share of necrosis in the head (%) that a fraction `quantile` of hips of that stage stay below.

    8±8 % in stages I and II, 20±16 % in IIIA and IIIB, within 1.5 to 60 %.

    Args:
        quantile: 0 to 1.
        arco_stage: of the hip.

    Source:
        The manual relative volumes of docs/sources.md#the-abstract; the gamma form is that of docs/sources.md#lesion
        (SD near the mean).

    Examples:
        >>> [round(share_at_percent(q, arco_stage="IIIB")) for q in (0, 0.5, 1)]
        [2, 15, 60]
    """
    shape, scale = ADVANCED_GAMMA if arco_stage in ADVANCED else EARLY_GAMMA
    low, high = gamma.cdf(SHARE_LIMITS_PERCENT, shape, scale=scale)
    return float(gamma.ppf(low + quantile * (high - low), shape, scale=scale))


def _quantile(seed: int, number: int, stages: list[str]) -> float:
    """Where the lesion of patient `number` lies among those of its stage group, by turn and not by chance.

    Consecutive multiples of the golden ratio fill 0 to 1 evenly at every length, so that a cohort of 34 has the
    mean and the spread of sizes it is drawn from, large lesions included; the seed shifts where they begin.
    """
    is_advanced = [stage in ADVANCED for stage in stages]
    cycles, place = divmod(number - 1, len(stages))
    group = is_advanced[place]
    rank = cycles * is_advanced.count(group) + is_advanced[:place].count(group)
    start = np.random.default_rng([seed, 0]).random(2)[int(group)]
    return float((start + rank * GOLDEN_RATIO) % 1.0)


def draw_patient(seed: int, number: int, mode: SignalMode | None = None) -> Patient:
    """Patient `number` (from 1) of a seed: stage, size of the lesion, sex and sequence by turn, the rest drawn.

    Of 34 consecutive patients exactly 3, 5, 12 and 14 have an index hip of stage I, II, IIIA and IIIB, and 14 are
    women. The other hip is affected in two of three, no further than the index hip: bilateral disease is the rule.

    Args:
        seed: of the cohort; patient and seed are the only source of randomness.
        number: of the patient.
        mode: the sequence; None mixes the T1 VIBEs with and without fat suppression and gadolinium.

    Source:
        docs/sources.md#the-abstract (composition); docs/sources.md#bilateral-disease (390 of 505 hips).
    """
    generator = np.random.default_rng([seed, number])
    stages, sexes = evenly_mixed(STAGE_COUNTS), evenly_mixed(SEX_COUNTS, first=5)
    modes = evenly_mixed({str(name): count for name, count in MIXED.items()})
    stage = stages[(number - 1) % len(stages)]
    side = Side.LEFT if generator.random() < 0.5 else Side.RIGHT
    age = int(np.clip(round(generator.normal(MEAN_AGE, SD_AGE)), 18, 55))
    disease = Disease(stage, share_at_percent(_quantile(seed, number, stages), arco_stage=stage))
    milder = STAGES[int(generator.integers(STAGES.index(stage) + 1))]
    other = Disease(milder, share_at_percent(generator.random(), arco_stage=milder))
    return Patient(
        side=side,
        sex=sexes[(number - 1) % len(sexes)],
        age=age,
        disease=disease,
        mode=mode or SignalMode(modes[(number - 1) % len(modes)]),
        other=other if generator.random() < 2 / 3 else None,
    )
