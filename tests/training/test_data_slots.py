"""The steps of docs/your_own_data_step.md, from one file and three overlays to a study and back."""

import ast
import json
import re
import sys

import pytest
import torch
import yaml

from avnnet.cli import main
from avnnet.errors import InvalidConfig, InvalidDataStep
from avnnet.inference.model_folder import load_model
from avnnet.training.config.changes import changes
from avnnet.training.config.experiment import load_experiment
from avnnet.training.fit import train
from tests.test_house import ROOT

PAGE = (ROOT / "docs" / "your_own_data_step.md").read_text(encoding="utf-8")
MODULE = "\n".join(re.findall(r"```python\n# my_steps.py\n(.*?)```", PAGE, re.DOTALL))
OVERLAYS = dict(re.findall(r"```yaml\n# (\w+)\.yaml\n(.*?)```", PAGE, re.DOTALL))
MOST_LINES = 15


@pytest.fixture
def here(tmp_path, monkeypatch, net_yaml):
    """The working directory with the page's files and a tiny network."""
    (tmp_path / "my_steps.py").write_text(MODULE)
    for name, text in OVERLAYS.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    net_yaml("unet3d", augment={"mirror_axes": [2]})
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("my_steps", None)


@pytest.fixture
def experiment(here, hips):
    def make(*words, overlays=(*OVERLAYS,)):
        files = [here / f"{name}.yaml" for name in ("unet3d", *overlays)]
        return load_experiment(files, [f"--data.cohort={hips}", "--data.folds=2", "--data.cache=c", *words])

    return make


def stop_after_two(done, note):
    if done == 2:
        raise RuntimeError("killed")


def weights(folder, classes):
    return load_model(folder, classes=classes).members[0].net.state_dict()


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_each_step_of_the_page_is_one_class_of_at_most_fifteen_lines_with_its_imports():
    tree = ast.parse(MODULE)
    classes = {one.name: one.end_lineno - one.lineno + 1 for one in tree.body if isinstance(one, ast.ClassDef)}
    imports = sum(isinstance(one, ast.Import | ast.ImportFrom) for one in tree.body)
    assert len(classes) == 3
    assert max(classes.values()) + imports <= MOST_LINES
    assert sorted(OVERLAYS) == ["augmented", "normalised", "sampled"]


def test_a_study_trains_and_reloads_with_the_steps_of_the_page(here, hips, cohort, no_report, capsys):
    net = "unet3d.yaml+augmented.yaml+sampled.yaml+normalised.yaml"
    words = ["study", str(hips), "--out", "s", "--folds", "2", "--nets", net, "--set", "trainer.max_epochs=1"]
    assert main(words) == 0
    recipe = json.loads((here / "s" / "model" / "model.json").read_text())["members"][0]["preprocess"]
    assert recipe["args"]["normalise"] == {"class": "MedianScale", "args": {"limit": 5.0}}
    predict = ["predict", "s/model", str(cohort.cases[0].image[0]), "--out", "o"]
    assert main(predict) == 2
    assert main([*predict, "--classes", "my_steps.BiasField"]) == 2
    said = capsys.readouterr().err
    assert "the recipe names the class 'MedianScale'" in said
    assert "an augmentation and a sampler are no part of a model" in said.lower()
    assert main([*predict, "--classes", "my_steps.MedianScale"]) == 0


def test_a_training_that_is_stopped_goes_on_to_the_same_weights(experiment, here):
    def go(run, on_epoch=lambda *_: None):
        made = experiment()
        train(made, here / run, name="own", on_epoch=on_epoch)
        return made.own_classes()

    classes = go("through")
    with pytest.raises(RuntimeError, match="killed"):
        go("stopped", on_epoch=stop_after_two)
    go("stopped")
    through = weights(here / "through" / "model", classes)
    assert json.loads((here / "stopped" / "run.json").read_text())["resumed_from"] == "epoch-00000.ckpt"
    assert equal(weights(here / "stopped" / "model", classes), through)


def test_a_worker_gives_the_batches_of_the_training_process(experiment):
    def batches(workers):
        data = experiment(f"--data.workers={workers}").datamodule
        data.setup()
        return [one for batch in data.train_dataloader() for one in batch]

    pairs = zip(batches(0), batches(1), strict=True)
    assert [torch.equal(*pair) for pair in pairs] == [True] * 6


def test_each_slot_changes_what_is_trained(experiment, here):
    def trained(*overlays):
        made = experiment("--trainer.max_epochs=1", overlays=overlays)
        folder = here / "-".join(("run", *overlays))
        train(made, folder, name="one", on_epoch=lambda *_: None)
        return weights(folder / "model", made.own_classes())

    plain = trained()
    assert [equal(trained(overlay), plain) for overlay in OVERLAYS] == [False] * 3


def test_a_config_of_before_is_that_of_now_and_our_ranges_are_written_as_they_were(experiment):
    now = experiment(overlays=[])
    written = now.as_plain()
    assert written["data"]["augment"]["mirror_axes"] == [2]
    assert "class_path" not in written["data"]["augment"]
    del written["data"]["sampler"], written["data"]["normalise"]
    assert list(changes(written, now)) == []
    changed = [key for key, _, _ in changes(written, experiment())]
    assert {"data.normalise", "data.sampler"} < set(changed)


def test_a_changed_argument_of_a_step_is_named_with_both_values(experiment):
    before = experiment().as_plain()
    now = experiment("--data.normalise=my_steps.MedianScale", "--data.normalise.limit=4")
    assert list(changes(before, now)) == [("data.normalise.init_args.limit", "5.0", "4.0")]


def test_what_a_config_says_can_be_written_and_read_again_with_monais_transforms(experiment):
    made = experiment()
    assert made.of_fold(1).as_plain() == made.plain_with({"data.fold": 1})
    assert [type(step).__name__ for step in made.of_fold(1).datamodule.augment.steps] == [
        "BiasField", "MonaiStep", "MonaiStep",
    ]  # fmt: skip


AUGMENT = "avnnet.data.augmentations.Augmentations"
REFUSED = {
    "moving": ({"augment": "monai.transforms.RandAffine"}, "RandAffine would move the image away from its label"),
    "moving among others": ({"augment": {"class_path": AUGMENT, "init_args": {"own": ["monai.transforms.RandZoom"]}}},
                            "RandZoom would move the image away from its label"),
    "no step": ({"augment": "torch.nn.Identity"}, r"torch\.nn\.Identity"),
    "no sampler": ({"sampler": "torch.nn.Identity"}, r"torch\.nn\.Identity"),
    "no normalisation": ({"normalise": "my_steps.BiasField"}, r"my_steps\.BiasField"),
    "a normalisation of a network": ({"normalise": "my_steps.Gone"}, r"my_steps\.Gone"),
    "a wrong argument": ({"normalise": {"class_path": "my_steps.MedianScale", "init_args": {"limt": 3}}}, "limt"),
}  # fmt: skip


@pytest.mark.parametrize("fault", REFUSED)
def test_a_class_that_cannot_fill_a_slot_is_refused_before_the_cohort_is_read(here, fault):
    data, words = REFUSED[fault]
    (here / "bad.yaml").write_text(yaml.safe_dump({"data": data}))
    with pytest.raises((InvalidConfig, InvalidDataStep), match=words):
        load_experiment([here / "unet3d.yaml", here / "bad.yaml"], ["--data.cohort=gone.csv"])


def test_a_key_that_cannot_be_written_down_is_named_with_the_way_out(here):
    keys = {"class_path": "monai.transforms.RandAffined", "init_args": {"keys": ["image", "label"], "prob": 0.5}}
    (here / "bad.yaml").write_text(yaml.safe_dump({"data": {"augment": keys}}))
    with pytest.raises(InvalidConfig, match=r"cannot be written down: 'image'\. .*transform are left out"):
        load_experiment([here / "unet3d.yaml", here / "bad.yaml"])


@pytest.mark.parametrize(
    ("code", "slot", "words"),
    [
        (
            "class Bad(Augmentation):\n def __call__(self, i, y, s, g): return i[:, 1:], y",
            "augment",
            "keep the image's",
        ),
        ("class Bad(Sampling):\n def weights(self, cases): return [0] * len(cases)", "sampler", "all 0, so that no"),
        ("class Bad(Normalisation):\n def __call__(self, c): return c / 0", "normalise", "NaN or infinite"),
    ],
)
def test_a_step_that_no_training_can_use_ends_the_command_with_class_and_case(here, hips, capsys, code, slot, words):
    (here / "bad_steps.py").write_text(f"{MODULE}\n\n{code}\n")
    try:
        fit = ["fit", "-c", "unet3d.yaml", f"--data.{slot}=bad_steps.Bad", f"--data.cohort={hips}", "--data.folds=2"]
        assert main([*fit, "--data.cache=c", "--trainer.default_root_dir=run"]) == 2
    finally:
        sys.modules.pop("bad_steps", None)
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("InvalidDataStep: ")
    assert "bad_steps.Bad" in said
    assert words in said
    assert ("case hip-" in said) == (slot != "sampler")
    assert not list(here.glob("run/checkpoints/*"))
