"""Patches that grow over a training: sizes, refusals, a resume, and minutes that know of both sizes."""

import itertools

import pytest
from pytorch_lightning.callbacks import LambdaCallback

from avnnet.data.cohort import read_cohort
from avnnet.data.sampling import GrowingPatch, Sampling
from avnnet.errors import InvalidConfig, InvalidDataStep
from avnnet.training.ablation.peak_memory import batch_shapes
from avnnet.training.fit import train
from avnnet.training.minutes.timing import measured_pace
from tests.data.test_datasets import dataset, entry  # noqa: F401  # a fixture
from tests.training.test_resume import equal, weights

GROWING = ("--data.sampler=avnnet.data.sampling.GrowingPatch",)
SMALL = "--data.sampler.init_args.sizes=[[8,10,8]]"
HALF = (*GROWING, SMALL, "--data.sampler.init_args.until=[0.5]")


def trained(experiment, folder, stop_after=None):
    """The sizes of the patches of every epoch."""
    seen = {}

    def look(trainer, _module, batch, _index):
        seen.setdefault(trainer.current_epoch, set()).add(tuple(batch[0].shape[2:]))

    def on_epoch(done: int, _: str) -> None:
        if done == stop_after:
            raise KeyboardInterrupt

    experiment.trainer.callbacks.append(LambdaCallback(on_train_batch_start=look))
    train(experiment, folder, name="unet3d", on_epoch=on_epoch)
    return seen


def test_the_first_epochs_see_the_small_patch_and_the_last_ones_the_whole(parsed, tmp_path):
    seen = trained(parsed(*HALF, "--trainer.max_epochs=5"), tmp_path / "run")
    # two fifths are before the half, three fifths behind it: the third epoch begins before it
    assert seen == {0: {(8, 10, 8)}, 1: {(8, 10, 8)}, 2: {(8, 10, 8)}, 3: {(16, 18, 18)}, 4: {(16, 18, 18)}}


def test_a_growing_training_that_is_stopped_goes_on_to_the_same_weights(parsed, tmp_path):
    words = (*HALF, "--trainer.max_epochs=4")
    trained(parsed(*words), tmp_path / "through")
    with pytest.raises(KeyboardInterrupt):
        trained(parsed(*words), tmp_path / "run", stop_after=1)
    seen = trained(parsed(*words), tmp_path / "run")
    assert seen[1] == {(8, 10, 8)}
    assert seen[2] == {(16, 18, 18)}
    assert equal(weights(tmp_path / "run" / "model"), weights(tmp_path / "through" / "model"))


def test_a_model_is_tiled_by_the_whole_size_and_needs_no_sampler(parsed, tmp_path):
    experiment = parsed(*HALF)
    member = train(experiment, tmp_path / "run", name="unet3d", on_epoch=lambda *_: None)
    assert member.tiling.patch == [16, 18, 18]
    assert "GrowingPatch" not in (tmp_path / "run" / "model" / "model.json").read_text()


def test_a_timing_weighs_every_size_by_its_share_of_the_training(parsed):
    experiment = parsed(*GROWING, SMALL, "--data.sampler.init_args.until=[0.75]")
    experiment.datamodule.setup("fit")
    ticks = itertools.count()
    looks = []

    def clock() -> float:
        # the second of the two trainings has looks at the clock that are three times as long
        looks.append(next(ticks))
        return float(looks[-1] + 2 * max(0, looks[-1] - 20))

    pace = measured_pace(experiment, limit_s=1e9, most=10, clock=clock)
    assert 1.0 < pace.step_s < 3.0
    assert pace.step_s == pytest.approx(0.75 * 1.0 + 0.25 * 3.0, abs=0.3)


def test_a_batch_of_a_smaller_patch_has_its_size(parsed):
    experiment = parsed(*HALF)
    assert batch_shapes(experiment)[1] == [2, 1, 16, 18, 18]
    assert batch_shapes(experiment, (8, 10, 8))[1] == [2, 1, 8, 10, 8]


@pytest.mark.parametrize(
    ("sizes", "until", "said"),
    [
        ([], [], "three numbers of voxels"),
        ([[8, 8]], [0.5], "three numbers of voxels"),
        ([[8, 0, 8]], [0.5], "three numbers of voxels"),
        ([[8, 8, 8]], [], "one share of the training for each of 1 sizes"),
        ([[8, 8, 8]], [0.0], "rises from above 0 to below 1"),
        ([[8, 8, 8]], [1.0], "rises from above 0 to below 1"),
        ([[8, 8, 8]], [float("nan")], "rises from above 0 to below 1"),
        ([[8, 8, 8], [12, 12, 12]], [0.5, 0.25], "rises from above 0 to below 1"),
    ],
)
def test_sizes_and_shares_that_make_no_training_are_refused(sizes, until, said):
    with pytest.raises(InvalidConfig, match=said):
        GrowingPatch(sizes, until)


def test_a_patch_never_shrinks_a_smaller_one_is_cut_to_it_along_the_axes_where_it_is_larger():
    sizes = GrowingPatch([[8, 8, 20], [24, 16, 20]], [0.5, 0.75]).sizes([16, 18, 18])
    assert sizes == [(0.5, (8, 8, 18)), (0.75, (16, 16, 18)), (1.0, (16, 18, 18))]


def test_a_small_patch_that_the_network_does_not_divide_is_refused_with_the_nearest(parsed, hips):
    experiment = parsed(*GROWING, "--data.sampler.init_args.sizes=[[8,9,8]]", "--data.sampler.init_args.until=[0.5]")
    with pytest.raises(InvalidConfig, match=r"smaller one of data.sampler.*found \[8, 9, 8\]. Nearest: \[8, 8, 8\]"):
        experiment.check_network(read_cohort(hips))


def test_a_training_without_a_number_of_epochs_cannot_grow(parsed, tmp_path):
    with pytest.raises(InvalidConfig, match=r"needs trainer.max_epochs"):
        trained(parsed(*HALF, "--trainer.max_epochs=-1", "--trainer.max_steps=6"), tmp_path / "run")


class Wrong(Sampling):
    def __init__(self, given):
        self.given = given

    def sizes(self, patch):
        return self.given


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        "small",
        [(0.5, (4, 4, 4))],
        [(1.0, (4, 4, 4))],
        [(0.5, (4, 4)), (1.0, (7, 10, 12))],
        [(0.5, (4, 0, 4)), (1.0, (7, 10, 12))],
        [(0.5, (4, 4, 4)), (0.5, (4, 4, 4)), (1.0, (7, 10, 12))],
    ],
)
def test_sizes_of_a_users_own_that_do_not_rise_to_the_patch_are_named(entry, given):  # noqa: F811
    with pytest.raises(InvalidDataStep, match=r"the sizes of the sampler .*test_growing.Wrong must be pairs"):
        dataset(entry, sampling=Wrong(given))


def test_an_error_in_sizes_of_a_users_own_is_named(entry):  # noqa: F811
    class Raises(Sampling):
        def sizes(self, patch):
            raise KeyError("age")

    with pytest.raises(InvalidDataStep, match="raises KeyError: 'age'"):
        dataset(entry, sampling=Raises())
