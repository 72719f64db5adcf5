"""A cohort's fold as training batches and validation images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from avnnet.data.augment import Augment
from avnnet.data.augmentation import checked_mirror_axes
from avnnet.data.augmentations import OwnStep, as_augmentation
from avnnet.data.cache import Cache, source_hash
from avnnet.data.checks import check_cohort
from avnnet.data.cohort import Case, read_cohort
from avnnet.data.datasets import EpochSampler, TrainingSet, ValidationSet, WeightedSet, check_repeatable, concatenate
from avnnet.data.drawn import checked_sizes, checked_weights
from avnnet.data.files import read_grid
from avnnet.data.normalise import Normalisation
from avnnet.data.orientation import FirstAxis, orientation_of
from avnnet.data.preprocess import Preprocess
from avnnet.data.sampling import PreparedCase, Sampling, Size
from avnnet.data.splits import make_folds, stored_folds
from avnnet.errors import InvalidCohort, InvalidConfig, LeakageError
from avnnet.inference.member import describe_member
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP, LabelScheme
from avnnet.models import NetworkLike
from avnnet.progress import Reporter
from avnnet.recipe import describe


class CohortDataModule(pl.LightningDataModule):
    """One fold of a cohort, prepared, cached and augmented.

    Args:
        patch: `(z, y, x)` voxels of a training patch and a tile; of it a 2D network sees slices `(y, x)`.
        batch_size: cases per step.
        cohort: path of the cohort's CSV.
        labels: names of the label ids.
        spacing_mm: spacing that the network sees; the median of the training fold by default.
        crop: voxels of the crop around the head centre; null takes the whole image. Cases without a centre
            are trained on patches of the whole image and predicted by a window that slides over it.
        first_axis: patient direction of the slice axis.
        fold: which fold is held out, from 0.
        folds: how many.
        splits: a splits.json to use instead of the folds made from cohort and split_seed.
        split_seed: of the folds.
        steps_per_epoch: batches per epoch.
        slices: slices per case for a 2D network; null for a 3D one.
        foreground_p: probability that a patch, or a slice, is aimed at a structure.
        augment: ranges of the augmentation, or another one by its class path.
        sampler: which case a patch is cut from, where, and how large; all cases equally often by default.
        normalise: intensity normalisation; clipped and z-scored by default.
        mirror_at_test: also predict the mirror images of the augmentation's mirror axes.
        seed: of order and augmentation.
        workers: processes that load data beside the training; 0 loads in the training's own.
        cache: folder of the prepared cases.
        has_ignored: whether masks may hold 255, voxels that count nowhere; the loss then ignores that id too.

    Raises:
        InvalidConfig: if a batch, an epoch or a patch of slices would be empty.
    """

    def __init__(
        self,
        patch: list[int],
        batch_size: int,
        cohort: str = "cohort.csv",
        labels: LabelScheme = HIP,
        spacing_mm: list[float] | None = None,
        crop: list[int] | None = None,
        first_axis: FirstAxis = "superior",
        fold: int = 0,
        folds: int = 5,
        splits: str | None = None,
        split_seed: int = 1,
        steps_per_epoch: int = 50,
        slices: int | None = None,
        foreground_p: float = 0.5,
        augment: Augment | OwnStep = Augment(),
        mirror_at_test: bool = True,
        seed: int = 1,
        workers: int = 0,
        cache: str = "cache",
        has_ignored: bool = False,
        sampler: Sampling | None = None,
        normalise: Normalisation | None = None,
    ) -> None:
        super().__init__()
        counts = {"batch_size": batch_size, "steps_per_epoch": steps_per_epoch, "slices": slices}
        for name, count in counts.items():
            if count is not None and count < 1:
                raise InvalidConfig(f"data.{name} must be 1 or more; found {count}")
        self.augment = as_augmentation(augment)
        checked_mirror_axes(self.augment)
        self.patch, self.batch_size, self.cohort, self.labels = patch, batch_size, cohort, labels
        self.spacing_mm, self.crop, self.first_axis = spacing_mm, crop, first_axis
        self.fold, self.folds, self.splits, self.split_seed = fold, folds, splits, split_seed
        self.steps_per_epoch, self.slices, self.foreground_p = steps_per_epoch, slices, foreground_p
        self.mirror_at_test, self.seed = mirror_at_test, seed
        self.workers, self.cache, self.has_ignored = workers, cache, has_ignored
        self.sampler, self.normalise = sampler, normalise
        self.reporter = Reporter()
        self.fixed_progress: float | None = None
        self.is_checked = self.is_weighted = False
        self.preprocess: Preprocess | None = None
        self.training_cases: list[Case] = []
        self.held_out_cases: list[Case] = []
        self.rows: dict[str, dict[str, Any]] = {}
        self.training_entries: list[Path] = []
        self.held_out_entries: list[Path] = []

    @property
    def tiling(self) -> Tiling:
        """How images are presented to the trained network."""
        return Tiling(self.patch, checked_mirror_axes(self.augment) if self.mirror_at_test else [])

    @property
    def sizes(self) -> list[tuple[float, Size]]:
        """The sizes of a patch over the training, each with the share of the epochs after which it ends."""
        return checked_sizes(Sampling() if self.sampler is None else self.sampler, self.patch)

    def progress(self, epoch: int) -> float:
        """The share of the training that is done before an epoch; `fixed_progress` where that is set, for a timing.

        Raises:
            InvalidConfig: if patches grow and the number of epochs is not known.
        """
        if self.fixed_progress is not None or len(self.sizes) == 1:
            return 1.0 if self.fixed_progress is None else self.fixed_progress
        epochs = self.trainer.max_epochs if self.trainer is not None else None
        if epochs is None or epochs < 1:
            raise InvalidConfig("a patch that grows with the training needs trainer.max_epochs; set it, not max_steps")
        return min(1.0, epoch / epochs)

    @property
    def quick_tiling(self) -> Tiling:
        """The same without mirror images, for the validation during training."""
        return Tiling(self.patch)

    @property
    def is_cropped(self) -> bool:
        """Whether every training image is a crop around its head centre."""
        return self.crop is not None and all(case.centre_mm is not None for case in self.training_cases)

    def setup(self, stage: str = "fit") -> None:
        """Checks the cohort, makes the folds and prepares every case, once.

        Raises:
            AvnnetError: if the cohort cannot be used; see `check_cohort`.
            InvalidConfig: if there is no such fold.
        """
        if self.preprocess is not None:
            return
        cohort = read_cohort(self.cohort)
        if not self.is_checked:
            if cohort.read_as:
                self.reporter.say(cohort.read_as)
            with self.reporter.steps("checking the cohort", len(cohort)) as step:
                check_cohort(cohort, self.labels, has_ignored=self.has_ignored, on_progress=lambda done, _: step(done))
        held_out = (
            stored_folds(Path(self.splits), cohort, self.folds, seed=self.split_seed)
            if self.splits
            else make_folds(cohort, self.folds, seed=self.split_seed)
        )
        if not 0 <= self.fold < len(held_out):
            raise InvalidConfig(f"fold must be 0 to {len(held_out) - 1}; found {self.fold}")
        self.is_weighted = cohort.is_weighted
        self.held_out_cases = cohort.subset(held_out[self.fold])
        self.training_cases = cohort.subset([c for n, fold in enumerate(held_out) if n != self.fold for c in fold])
        if not any(case.sample_weight for case in self.training_cases):
            raise InvalidCohort(
                f"all {len(self.training_cases)} training cases of fold {self.fold} have sample_weight 0, and nothing "
                "would be learnt; give some a weight above 0"
            )
        self.preprocess = Preprocess(
            self.spacing_mm or median_spacing_mm(self.training_cases, self.first_axis),
            self.crop,
            self.first_axis,
            normalise=self.normalise,
        )
        self.rows = {
            str(row["case_id"]): {str(name): value for name, value in row.items()}
            for row in cohort.table.to_dict("records")
        }
        cache = Cache(Path(self.cache))
        cases = self.training_cases + self.held_out_cases
        entries = []
        with self.reporter.steps("preparing cases", len(cases)) as step:
            for done, case in enumerate(cases, start=1):
                entries.append(cache.add(case, self.preprocess, self.labels, has_ignored=self.has_ignored))
                step(done, case.case_id)
        _check_one_patient_per_image(cases, entries)
        self.training_entries = entries[: len(self.training_cases)]
        self.held_out_entries = entries[len(self.training_cases) :]

    def take_over(self, other: CohortDataModule) -> None:
        """Takes what another one of the same fold, preprocessing and cache has prepared.

        Args:
            other: one whose config differs in the number of steps alone.
        """
        self.reporter, self.is_checked, self.is_weighted = other.reporter, other.is_checked, other.is_weighted
        self.preprocess, self.rows = other.preprocess, other.rows
        self.training_cases, self.held_out_cases = other.training_cases, other.held_out_cases
        self.training_entries, self.held_out_entries = other.training_entries, other.held_out_entries

    def prepared_by(self) -> Preprocess:
        """The preprocessing of this fold.

        Raises:
            InvalidConfig: before `setup`, when the training fold's spacing is not known yet.
        """
        if self.preprocess is None:
            raise InvalidConfig("call setup() first: the spacing is the median of the training fold")
        return self.preprocess

    def train_dataloader(self) -> DataLoader:
        """Batches of image `(B, C, *S)`, label `(B, 1, *S)` and, where cases have weights, those `(B,)`.

        Raises:
            InvalidDataStep: if a step of a user's own cannot be used, or does not give the same sample twice.
        """
        sampling = Sampling() if self.sampler is None else self.sampler
        case_ids = [case.case_id for case in self.training_cases]
        samples = TrainingSet(
            case_ids,
            self.training_entries,
            patch=self.patch,
            spacing_mm=self.prepared_by().spacing_mm,
            augment=self.augment,
            foreground_p=self.foreground_p,
            slices=self.slices,
            seed=self.seed,
            sampling=sampling,
            max_id=self.labels.classes - 1,
        )
        pairs = zip(case_ids, self.training_entries, strict=True)
        weights = checked_weights(sampling, [PreparedCase(name, self.rows[name], entry) for name, entry in pairs])
        count = self.steps_per_epoch * self.batch_size
        draws = EpochSampler(len(samples), count, self.seed, sampling, weights, self.progress)
        if type(self.augment) is not Augment or self.sampler is not None:
            check_repeatable(samples, draws)
        counted = WeightedSet(samples, [case.sample_weight for case in self.training_cases])
        return self._loader(
            counted if self.is_weighted else samples, sampler=draws, batch_size=self.batch_size, collate_fn=concatenate
        )

    def val_dataloader(self) -> DataLoader:
        """Whole held-out images `(1, C, *S)` with their labels."""
        return self._loader(ValidationSet(self.held_out_entries), batch_size=1)

    def _loader(self, dataset: Any, **options: Any) -> DataLoader:
        return DataLoader(
            dataset,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            # fork with running threads can deadlock (pytorch#1355)
            multiprocessing_context="spawn" if self.workers > 0 else None,
            pin_memory=torch.cuda.is_available(),
            **options,
        )

    def recipe(self, net: NetworkLike) -> dict[str, Any]:
        """Plain descriptions of a network with this data's preprocessing, tiling and labels."""
        return {**describe_member(net, self.prepared_by(), self.tiling), "scheme": describe(self.labels)}


def _check_one_patient_per_image(cases: Sequence[Case], entries: Sequence[Path]) -> None:
    first_of: dict[str, Case] = {}
    for case, entry in zip(cases, entries, strict=True):
        first = first_of.setdefault(source_hash(entry), case)
        if first.patient_id != case.patient_id:  # two hips of one patient may well be in one image
            raise LeakageError(
                f"this image is that of case {first.case_id} too, which is another patient by the cohort's patient_id; "
                "leave one of them out, or give both one patient_id",
                case_id=case.case_id,
            )


def median_spacing_mm(cases: list[Case], first_axis: FirstAxis) -> list[float]:
    """The median spacing per canonical axis, in mm.

    Args:
        cases: the training fold; only image headers are read.
        first_axis: patient direction of the slice axis.

    Source: the abstract; Isensee et al., Nat Methods 2021;18:203 (median spacing).
    """
    spacings = []
    for case in cases:
        grid = read_grid(case.image)
        spacings.append(np.asarray(grid.spacing)[list(orientation_of(grid, first_axis=first_axis).axes)])
    return [round(float(value), 4) for value in np.median(spacings, axis=0)]
