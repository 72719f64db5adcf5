"""The steps of benchmarks/cuda.py in their order, and how the minutes are divided over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

MIN_MINUTES, MAX_MINUTES = 1.0, 60.0
MIN_STEP_S = 0.5
NO_TIME = "not begun: the minutes were over; ask for more with --minutes"


@dataclass(frozen=True)
class Step:
    """One guarded piece of work.

    Args:
        name: in the table.
        call: module of `benchmarks.device` and function in it, "speed:time_network".
        wish_s: seconds that it would like; what there is, is divided in this proportion.
        words: further arguments of the function.
    """

    name: str
    call: str
    wish_s: float
    words: dict[str, object] = field(default_factory=dict)


VARIANTS: dict[str, dict[str, object]] = {
    "fp32": {},
    "bf16": {"bf16": True},
    "bf16 cudnn.benchmark": {"bf16": True, "benchmark": True},
    "bf16 channels-last": {"bf16": True, "channels_last": True},
    "bf16 torch.compile": {"bf16": True, "compiled": True},
    "bf16 torch.compile channels-last": {"bf16": True, "compiled": True, "channels_last": True},
}
PLAIN = [(network, name) for name in list(VARIANTS)[:4] for network in ("avnnet", "DynUNet")]
PLAIN_S, COMPILED_S = 20.0, 60.0


def _speed(config: str, network: str, name: str, wish_s: float) -> Step:
    words = {"config": config, "network": network, **VARIANTS[name]}
    return Step(f"{config}, {network}, {name}", "speed:time_network", wish_s, words)


# what the others need first, what may take long last: it takes whatever time the others left
STEPS = [
    Step("machine", "machine:look", 45),
    Step("digital hips", "training:make_hips", 90),
    *(_speed("unet3d", network, name, PLAIN_S) for network, name in PLAIN),
    Step("tests", "machine:run_tests", 75),
    Step("unet3d, from the cohort", "training:time_loading", 40, {"config": "unet3d"}),
    Step("short training", "training:train_shortly", 80),
    Step("prediction", "training:predict_one", 40),
    *(_speed("unet2d", network, name, PLAIN_S) for network, name in PLAIN),
    Step("unet2d, from the cohort", "training:time_loading", 40, {"config": "unet2d"}),
    *(
        _speed(config, network, name, COMPILED_S)
        for network, name in (
            ("avnnet", "bf16 torch.compile"),
            ("DynUNet", "bf16 torch.compile"),
            ("avnnet", "bf16 torch.compile channels-last"),
        )
        for config in ("unet3d", "unet2d")
    ),
]
BY_NAME = {step.name: step for step in STEPS}


def limit_s(wishes_s: Sequence[float], left_s: float) -> float:
    """The seconds that the first of these steps may take, of those left for all of them.

    It gets what it wishes, or its share where there is plenty. Steps wish for more than they take as a rule, so that
    all wishes together may be longer than the minutes; where they do take it, the last steps are left out.

    Examples:
        >>> limit_s([30, 60, 10], 400), limit_s([30, 60, 10], 50), limit_s([30, 60, 10], 20)
        (120.0, 30, 20)
    """
    return max(0.0, min(left_s, max(wishes_s[0], left_s * wishes_s[0] / sum(wishes_s))))
