"""One fold of a study: its networks are trained, its held-out cases predicted, its tables written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avnnet.cases.evaluate import evaluate_cases
from avnnet.data.cohort import Cohort
from avnnet.errors import StatisticsError
from avnnet.inference.engines import Engine
from avnnet.inference.ensemble import Ensemble
from avnnet.inference.locate import Locator
from avnnet.inference.member import Member
from avnnet.inference.model_folder import load_model
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import LabelScheme
from avnnet.progress import Reporter
from avnnet.record import BudgetRecord
from avnnet.training.config.experiment import Experiment
from avnnet.training.fit import recorded_precision, train
from avnnet.training.study.first_look import show_first
from avnnet.training.study.folds import cleaning_of, failed_in, precision_of, write_fold
from avnnet.training.study.plan import Study


@dataclass(frozen=True)
class Fold:
    """What a fold of a study needs; it can be sent to another process.

    Args:
        study: what is to be done.
        number: from 0.
        cohort: all cases of the study.
        held_out: ids of the cases that are predicted, not trained on.
        scheme: names of the label ids.
        classes: of the user's own networks and blocks.
        has_ignored: whether manual masks may hold 255, voxels that count nowhere.
    """

    study: Study
    number: int
    cohort: Cohort
    held_out: list[str]
    scheme: LabelScheme
    classes: Sequence[type]
    has_ignored: bool = False

    @property
    def place(self) -> str:
        """The fold in words: "fold 1 of 5"."""
        return self.study.place_of(self.number)

    @property
    def is_done(self) -> bool:
        """Whether its tables are made and no case failed."""
        return failed_in(self.study, self.number) == 0

    def run(self, name: str) -> Path:
        """The folder of a network's training."""
        return self.study.fold_folder(self.number) / name


def train_network(
    fold: Fold, name: str, experiment: Experiment, reporter: Reporter, *, budget: BudgetRecord | None = None
) -> None:
    """Trains a network of a fold; the first one of a study shows a first picture.

    Args:
        fold: whose training cases are taken.
        name: of the network.
        experiment: its config, of this fold.
        reporter: told of every epoch.
        budget: what a budget in minutes came to.
    """
    data = experiment.datamodule
    data.is_checked, data.reporter = True, reporter
    with reporter.steps(f"{fold.place}, training {name}", experiment.trainer.max_epochs or 0) as step:
        member = train(experiment, fold.run(name), name=name, on_epoch=step, budget=budget)
    if (fold.number, name) == fold.study.first_training:
        _show_first(fold, member, reporter)


def predict_fold(fold: Fold, reporter: Reporter) -> None:
    """Segments the held-out cases of a fold with its networks and writes its tables.

    Args:
        fold: whose networks are trained.
        reporter: told of every case.

    Raises:
        StatisticsError: if no case could be segmented.
    """
    study = fold.study
    runs = [fold.run(name) for name in study.trained_names]
    members = [member for run in runs for member in load_model(run / "model", classes=fold.classes).members]
    engine = Engine(precision_of(study, fold.number))
    finder = Ensemble([members.pop()], fold.scheme, engine=engine) if study.locator is not None else None
    locator = Locator(finder) if finder is not None else None
    cleaning = cleaning_of(study)
    model = Segmenter(members, fold.scheme, engine=engine, locator=locator, cleaning=cleaning)
    if fold.number == study.first_training[0]:  # where the first training was stopped before it could show anything
        _show_first(fold, members[0], reporter)
    tables = evaluate_cases(
        fold.cohort,
        fold.cohort.subset(fold.held_out),
        model,
        study.out / "masks",
        reporter=reporter,
        title=f"{fold.place}, predicting held-out cases",
        has_ignored=fold.has_ignored,
        is_weighed=study.is_cleaning_decided,
    )
    if tables.agreement.empty:
        first_error = tables.measurements["error"].iloc[0]
        raise StatisticsError(
            f"{fold.place}: none of {len(fold.held_out)} held-out cases could be segmented; the first: {first_error}"
        )
    write_fold(study, fold.number, tables, cleaning)


def _show_first(fold: Fold, member: Member, reporter: Reporter) -> None:
    engine = Engine(recorded_precision(fold.run(fold.study.first_training[1])) or "32-true")
    case = fold.cohort.subset(fold.held_out)[0]
    model = Segmenter([member], fold.scheme, engine=engine)
    show_first(case, model, fold.study.out, reporter, has_ignored=fold.has_ignored)
