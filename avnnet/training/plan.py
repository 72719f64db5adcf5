"""What a study is to do, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avnnet.training.config import Experiment, load_experiment
from avnnet.training.fit import recorded_precision


@dataclass(frozen=True)
class Study:
    """What is to be done.

    Args:
        cohort: path of the cohort's CSV.
        nets: config files; a file's stem names the network in all tables.
        out: folder of the study; a second call goes on where the first stopped.
        folds: of the cross-validation.
        seed: of the folds.
        only_fold: do this fold alone.
        overrides: further `--key=value` of all configs.
        command: the words typed, for the report.
    """

    cohort: Path
    nets: Sequence[Path]
    out: Path
    folds: int = 5
    seed: int = 1
    only_fold: int | None = None
    overrides: Sequence[str] = ()
    command: str = ""

    @property
    def names(self) -> list[str]:
        """The networks' names: their configs' stems."""
        return [Path(net).stem for net in self.nets]

    def fold_folder(self, fold: int) -> Path:
        """Where a fold's runs and tables are."""
        return self.out / f"fold{fold}"

    def folds_done(self) -> list[int]:
        """The folds whose tables are written."""
        return [fold for fold in range(self.folds) if (self.fold_folder(fold) / "agreement.csv").exists()]

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
        recorded = [recorded_precision(self.fold_folder(other) / net.stem) for other in (fold, *range(self.folds))]
        words += [f"--trainer.precision={precision}" for precision in recorded if precision][:1]
        return load_experiment([net], [*words, *self.overrides])
