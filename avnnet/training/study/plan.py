"""What a study is to do, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from avnnet.errors import InvalidConfig, InvalidSplit
from avnnet.training.config.experiment import Experiment, load_experiment
from avnnet.training.fit import recorded_precision

MAX_PROCESSES = 256
MAX_SEED = 2**32 - 1  # numpy's


@dataclass(frozen=True)
class Study:
    """What is to be done.

    Args:
        cohort: path of the cohort's CSV.
        nets: a config file per network, with overlays behind it where it has any: `unet3d.yaml+residual.yaml`.
        out: folder of the study; a second call goes on where the first stopped.
        folds: of the cross-validation.
        seed: of the folds.
        only_fold: do this fold alone.
        overrides: further `--key=value` of all configs.
        command: the words typed, for the report.
        margins: equivalence margins by quantity, fixed before the first training.
        locator: config of a network that finds the heads, or None; every fold trains its own, and its held-out cases
            are predicted a second time around the centres that it found.
        minutes: that the whole study may take: the number of steps is fixed by a timing; None for the configs' own.
        processes: how many trainings go on at a time, each in a process of its own with its share of the cores.
        is_cleaning_decided: whether the held-out cases decide how masks are cleaned; an ablation leaves it as usual.

    Raises:
        InvalidConfig: if there is no process, or more of them than any machine has cores, or minutes for several; if
            the seed is negative or too large.
        InvalidSplit: if there are fewer than two folds.
    """

    cohort: Path
    nets: Sequence[Path]
    out: Path
    folds: int = 5
    seed: int = 1
    only_fold: int | None = None
    overrides: Sequence[str] = ()
    command: str = ""
    margins: Mapping[str, float] = field(default_factory=dict)
    locator: Path | None = None
    minutes: float | None = None
    processes: int = 1
    is_cleaning_decided: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.processes <= MAX_PROCESSES:
            raise InvalidConfig(
                f"--processes is a number from 1 to {MAX_PROCESSES}, at most one per core; found {self.processes}"
            )
        if self.folds < 2:
            raise InvalidSplit(f"a cross-validation has at least 2 folds; found {self.folds}. Ask for more (--folds)")
        if not 0 <= self.seed <= MAX_SEED:
            raise InvalidConfig(f"--seed is a whole number from 0 to {MAX_SEED}; found {self.seed}")
        if self.minutes is not None and self.processes > 1:
            raise InvalidConfig(
                f"--minutes times one training at a time; found --processes {self.processes} too. Give one of both"
            )

    @property
    def first_training(self) -> tuple[int, str]:
        """Fold and name of the network whose training comes first."""
        return (0 if self.only_fold is None else self.only_fold), self.names[0]

    @property
    def names(self) -> list[str]:
        """The networks' names in all tables: their configs' stems, "unet3d" or "unet3d-residual"."""
        return [name_of(configs_of(net)) for net in self.nets]

    @property
    def trained_names(self) -> list[str]:
        """The names of all trainings of a fold: the networks', and last the locator's where there is one."""
        return [*self.names, *([name_of(configs_of(self.locator))] if self.locator is not None else [])]

    def fold_folder(self, fold: int) -> Path:
        """Where a fold's runs and tables are."""
        return self.out / f"fold{fold}"

    def place_of(self, fold: int) -> str:
        """A fold in words: "fold 1 of 5"."""
        return f"fold {fold + 1} of {self.folds}"

    def experiment(self, net: Path, fold: int) -> Experiment:
        """The parsed config of a network for a fold.

        Raises:
            MissingFile, InvalidConfig: if the config cannot be used.
        """
        data = {
            "cohort": self.cohort,
            "fold": fold,
            "folds": self.folds,
            "split_seed": self.seed,
            "splits": self.out / "splits.json",
            "cache": self.out / "cache",
        }
        words = [f"--data.{key}={value}" for key, value in data.items()]
        # all folds train alike: what the first one's timing chose holds for the others and for a resume
        name = name_of(configs_of(net))
        recorded = [recorded_precision(self.fold_folder(other) / name) for other in (fold, *range(self.folds))]
        words += [f"--trainer.precision={precision}" for precision in recorded if precision][:1]
        return load_experiment(configs_of(net), [*words, *self.overrides])


def configs_of(net: str | Path) -> list[Path]:
    """The config files of a network, later ones over earlier ones.

    Args:
        net: a path, or several with plus signs between.

    Examples:
        >>> [path.name for path in configs_of("laptop/unet3d.yaml+ablations/residual.yaml")]
        ['unet3d.yaml', 'residual.yaml']
    """
    return [Path(part) for part in str(net).split("+")]


def name_of(configs: Sequence[Path]) -> str:
    """The name of a network with overlays.

    Examples:
        >>> name_of([Path("laptop/unet3d.yaml"), Path("ablations/residual.yaml")])
        'unet3d-residual'
    """
    return "-".join(config.stem for config in configs)
