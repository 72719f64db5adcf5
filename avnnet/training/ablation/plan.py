"""What an ablation is to do, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avnnet.errors import InvalidConfig
from avnnet.readers import RESERVED
from avnnet.training.study.plan import Study, configs_of, name_of

MAX_SEEDS = 100
SPLIT_SEED = 1
"""Of the folds: one for all seeds of the trainings, or the cases of a difference would differ."""


@dataclass(frozen=True)
class Ablation:
    """What is to be done: a base and overlays over it, on the same folds, draws and seeds.

    The seeds are 1, 2, 3 … in this order, so that more of them can be added later.

    Args:
        cohort: path of the cohort's CSV.
        base: the config that the others are compared with.
        overlays: configs that are laid over it, one per variant; their file names name the variants.
        out: folder of the ablation; a second call goes on where the first stopped.
        folds: of the cross-validation.
        seeds: how often each variant is trained on each fold.
        minutes: that each training gets; None for the configs' own number of steps.
        processes: how many trainings go on at a time.
        overrides: further `--key=value` of all configs.
        command: the words typed, for the report.

    Raises:
        InvalidConfig: if two variants have one name, there is no overlay or no seed, or minutes for several processes.

    Examples:
        >>> plan = Ablation(Path("hips.csv"), Path("unet3d.yaml"), [Path("residual.yaml")], Path("runs/ablation"))
        >>> list(plan.variants), plan.base_name
        (['unet3d', 'residual'], 'unet3d')
        >>> study = plan.study(2, 1, list(plan.variants))
        >>> str(study.out), study.names, study.overrides[0]
        ('runs/ablation/seed2', ['unet3d', 'residual'], '--seed_everything=2')
        >>> plan.data_words()[0]
        '--data.cohort=hips.csv'
    """

    cohort: Path
    base: Path
    overlays: Sequence[Path]
    out: Path
    folds: int = 5
    seeds: int = 3
    minutes: float | None = None
    processes: int = 1
    overrides: Sequence[str] = ()
    command: str = ""

    def __post_init__(self) -> None:
        if not self.overlays:
            raise InvalidConfig("an ablation needs a base and at least one overlay that changes it; found no overlay")
        if not 1 <= self.seeds <= MAX_SEEDS:
            raise InvalidConfig(
                f"--seeds is a number from 1 to {MAX_SEEDS}, 3 or more for intervals; found {self.seeds}"
            )
        names = [name_of(configs_of(one)) for one in (self.base, *self.overlays)]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            files = [str(one) for one in (self.base, *self.overlays) if name_of(configs_of(one)) == twice[0]]
            raise InvalidConfig(
                f"the file names of the base and its overlays name the variants and must differ; {', '.join(files)} "
                f"are all called {twice[0]!r}. Rename one, or leave one out"
            )
        if RESERVED & set(names):
            raise InvalidConfig(
                f"no variant can be called {sorted(RESERVED & set(names))[0]!r}: a reader is; rename it"
            )
        if "+" in str(self.out):
            raise InvalidConfig(f"--out must have no plus sign in its path, which joins configs; found {self.out}")
        if self.minutes is not None and self.processes > 1:
            raise InvalidConfig(
                f"--minutes times one training at a time; found --processes {self.processes} too. Give one of both"
            )
        self.study(1, 1, names)  # refuses too many processes

    @property
    def base_name(self) -> str:
        """The base's name: its file's stem."""
        return name_of(configs_of(self.base))

    @property
    def variants(self) -> dict[str, list[Path]]:
        """The config files of each variant by its name, the base first."""
        base = configs_of(self.base)
        return {self.base_name: base} | {name_of(configs_of(one)): [*base, *configs_of(one)] for one in self.overlays}

    def built_config(self, name: str) -> Path:
        """Where the whole config of a variant lies, from which all its trainings are made."""
        return self.out / "configs" / f"{name}.yaml"

    def data_words(self) -> list[str]:
        """The words that say where the data of all variants are."""
        data = {
            "cohort": self.cohort,
            "fold": 0,
            "folds": self.folds,
            "split_seed": SPLIT_SEED,
            "splits": self.out / "splits.json",
            "cache": self.out / "cache",
        }
        return [f"--data.{key}={value}" for key, value in data.items()]

    def study(self, seed: int, round: int, names: Sequence[str]) -> Study:
        """The study of some variants with one seed.

        Args:
            seed: of initial weights, order and augmentation.
            round: 1 for the variants that the ablation was begun with, 2 for those that were added next.
            names: of the variants.
        """
        return Study(
            cohort=self.cohort,
            nets=[self.built_config(name) for name in names],
            out=self.out / (f"seed{seed}" if round == 1 else f"seed{seed}-round{round}"),
            folds=self.folds,
            seed=SPLIT_SEED,
            overrides=[f"--seed_everything={seed}", f"--data.cache={self.out / 'cache'}"],
            command=self.command,
            processes=self.processes,
            is_cleaning_decided=False,
        )
