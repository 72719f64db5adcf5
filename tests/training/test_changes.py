"""A config is compared by what it builds: what was added since does not count, what was changed is named."""

import sys
from copy import deepcopy

import pytest
import yaml

from avnnet.errors import CheckpointMismatch
from avnnet.training.config.changes import OF_ANY_FOLD, changes, check_same_config
from avnnet.training.config.experiment import load_experiment
from avnnet.training.fit import check_same_run
from tests.conftest import write_net


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """As the overlay `averaged`, with a callback that has arguments of its own."""
    net = write_net(tmp_path_factory.mktemp("net"), "unet3d")
    averaged = "--trainer.callbacks+=pytorch_lightning.callbacks.EMAWeightAveraging"
    return load_experiment([net], [averaged, "--trainer.callbacks.decay=0.99"])


@pytest.fixture
def before(experiment):
    return deepcopy(experiment.as_plain())


def at(config, key):
    """The dict that holds a dotted key, and the key's last word."""
    *places, last = key.split(".")
    for place in places:
        config = config[int(place)] if isinstance(config, list) else config[place]
    return config, last


DEFAULTS = [
    "data.foreground_p", "data.augment.gamma", "data.augment", "model.schedule", "model.net.init_args.convs",
    "model.net.init_args.block", "model.optimizer.init_args.fused", "model.optimizer", "trainer.model_registry",
    "trainer.callbacks.0.init_args.update_every_n_steps",
]  # fmt: skip


@pytest.mark.parametrize("added", [*DEFAULTS, DEFAULTS])
def test_an_argument_with_a_default_that_was_added_since_is_no_change(experiment, before, added):
    for key in [added] if isinstance(added, str) else added:
        holder, last = at(before, key)
        holder.pop(last, None)
    assert list(changes(before, experiment)) == []
    check_same_config(yaml.safe_dump(before), experiment, holds="", way_out="")


@pytest.mark.parametrize(
    ("key", "was", "words"),
    [
        ("data.batch_size", 3, "data.batch_size was 3, is 2"),
        ("seed_everything", 8, "seed_everything was 8, is 7"),
        ("data.patch", [16, 18, 20], r"data.patch\[2\] was 20, is 18"),
        ("data.patch", [16, 18], r"data.patch was \[16, 18\], is \[16, 18, 18\]"),
        ("data.labels.names", {"1": "vital"}, 'data.labels.names.2 was not there, is "necrosis"'),
        ("model.schedule", {"class_path": "x.Y"}, 'model.schedule was {"class_path": "x.Y"}, is null'),
        (
            "model.net.init_args.block",
            "avnnet.models.ResidualBlock",
            'block.class_path was "avnnet.models.R.*, is "avnnet.models.C',
        ),
        ("trainer.callbacks.0.init_args.decay", 0.9, r"trainer.callbacks\[0\].init_args.decay was 0.9, is 0.99"),
        ("trainer.callbacks", None, r"trainer.callbacks was null, is \[\{.*…"),
        ("data.fold", 1, "data.fold was 1, is 0"),
    ],
)
def test_a_value_that_was_changed_is_named_with_both(experiment, before, key, was, words):
    holder, last = at(before, key)
    holder[last] = was
    with pytest.raises(CheckpointMismatch, match=f"^run holds a training with another config: .*{words}.*; go away$"):
        check_same_config(yaml.safe_dump(before), experiment, holds="run holds a training", way_out="go away")


def test_a_block_that_was_written_by_its_path_alone_is_no_change(experiment, before):
    net = before["model"]["net"]["init_args"]
    net["block"] = "avnnet.models.ConvBlock"
    del net["skip"], net["up"]
    assert list(changes(before, experiment)) == []


def test_every_changed_key_is_named(experiment, before):
    for key in ("batch_size", "steps_per_epoch", "foreground_p", "mirror_at_test", "split_seed"):
        before["data"][key] = 99
    assert [key for key, *_ in changes(before, experiment)] == [
        "data.batch_size", "data.foreground_p", "data.mirror_at_test", "data.split_seed", "data.steps_per_epoch",
    ]  # fmt: skip


def test_an_argument_that_was_added_since_and_is_not_at_its_default_is_a_change(experiment, before):
    del before["data"]["steps_per_epoch"], before["data"]["crop"], before["data"]["foreground_p"]
    found = {key: (was, now) for key, was, now in changes(before, experiment)}
    assert found == {
        "data.steps_per_epoch": ("not there", "3"),
        "data.crop": ("not there", "[16, 18, 18]"),
    }


def test_an_argument_that_was_added_since_and_has_no_default_is_a_change(experiment, before):
    del before["data"]["patch"], before["model"]["net"]["init_args"]["channels"]
    assert {"data.patch", "model.net.init_args.channels"} <= {key for key, *_ in changes(before, experiment)}


@pytest.mark.parametrize(("was", "is_change"), [(None, False), (False, False), ([], False), (0, True), (True, True)])
def test_an_argument_that_is_gone_since_is_no_change_where_it_was_off(experiment, before, was, is_change):
    before["model"]["net"]["init_args"]["gone"] = was
    assert [key for key, *_ in changes(before, experiment)] == ["model.net.init_args.gone"] * is_change


def test_where_data_lie_is_irrelevant_and_the_fold_only_where_a_whole_study_is_compared(experiment, before):
    before["data"] |= {"cohort": "a.csv", "cache": "b", "splits": "c.json", "workers": 9}
    before["trainer"]["default_root_dir"] = "d"
    check_same_config(yaml.safe_dump(before), experiment, holds="", way_out="")
    before["data"]["fold"] = 3
    check_same_config(yaml.safe_dump(before), experiment, holds="", way_out="", irrelevant=OF_ANY_FOLD)
    with pytest.raises(CheckpointMismatch, match=r"data\.fold was 3, is 0"):
        check_same_config(yaml.safe_dump(before), experiment, holds="", way_out="")


def test_nothing_that_a_written_config_names_is_imported(experiment, before, tmp_path, monkeypatch):
    (tmp_path / "armed_module.py").write_text("raise SystemExit('armed')")
    monkeypatch.syspath_prepend(tmp_path)
    before["model"]["net"] = {"class_path": "armed_module.Net", "init_args": {"channels": [1]}}
    del before["data"]["foreground_p"]
    assert list(changes(before, experiment)) == [
        ("model.net.class_path", '"armed_module.Net"', '"avnnet.models.UNet3D"')
    ]
    assert "armed_module" not in sys.modules


@pytest.mark.parametrize("text", ["", "[1]", "a: [", "\x00", "!!python/object/apply:os.abort []", "[" * 9999, "\ufffd"])
def test_a_written_config_that_is_none_is_named(experiment, tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(
        CheckpointMismatch, match=r"holds a training with a config .*; choose another folder, or delete"
    ):
        check_same_run(tmp_path, experiment)


def test_a_config_survives_the_way_over_plain_values(experiment):
    other = experiment.of_fold(2)
    assert other.datamodule.fold == 2
    assert other.datamodule.seed == experiment.datamodule.seed
    assert [key for key, *_ in changes(other.as_plain(), experiment)] == ["data.fold"]
    assert other.trainer.precision_choice is experiment.trainer.precision_choice
    assert all(
        mine.equal(theirs) for mine, theirs in zip(experiment.model.parameters(), other.model.parameters(), strict=True)
    )
