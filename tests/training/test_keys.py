"""A slip in a config is answered from sources alone."""

import subprocess
import sys

import pytest
import yaml

from avnnet.errors import InvalidConfig, MissingFile, NotInstalled
from avnnet.training.config import loggers
from avnnet.training.config.keys import check_keys
from avnnet.training.config.loggers import check_installed, with_folders
from avnnet.training.config.words import merged
from tests.test_house import ROOT

EXPERIMENTS = sorted((ROOT / "experiments").rglob("*.yaml"))


@pytest.mark.parametrize(
    ("word", "right"),
    [
        ("--data.cohrt=x.csv", "cohort"),
        ("--trainer.max_epoch=3", "max_epochs"),
        ("--modle.net=x", "model"),
        ("--data.augment.rotate_degs=3", "rotate_deg"),
        ("--model.net.init_args.chanels=[4, 8]", "channels"),
        ("--model.net.chanels=[4, 8]", "channels"),
        ("--sed_everything=3", "seed_everything"),
        ("--trainer.callbacks.patienc=3", "patience"),
        ("--out=run", "trainer.default_root_dir"),
        ("--cohort=x.csv", "data.cohort"),
        ("--model.max_epochs=3", "trainer.max_epochs"),
    ],
)
def test_c10_a_wrong_word_names_the_nearest_key(net_yaml, word, right):
    net = net_yaml("unet3d", augment={"rotate_deg": 3})
    stopping = "--trainer.callbacks=EarlyStopping"
    with pytest.raises(InvalidConfig, match=f"unknown key.*Did you mean '{right}'"):
        check_keys(["-c", str(net), stopping, word])


@pytest.mark.parametrize(
    ("place", "right"),
    [
        (["data", "patchs"], "patch"),
        (["data", "augment", "gama"], "gamma"),
        (["model", "net", "init_args", "stride"], "strides"),
        (["trainer", "presision"], "precision"),
        (["modl"], "model"),
    ],
)
def test_c10_a_wrong_key_of_a_file_is_named_with_the_nearest_one_and_the_file(net_yaml, place, right):
    path = net_yaml("unet3d", augment={})
    inner = config = yaml.safe_load(path.read_text())
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = 1
    path.write_text(yaml.safe_dump(config))
    with pytest.raises(InvalidConfig, match=rf"'[\w.]*{place[-1]}' in unet3d.yaml. Did you mean '{right}'"):
        check_keys(["-c", str(path)])


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_ready_config_has_known_keys(path):
    net = yaml.safe_load(path.read_text()).get("model", {}).get("net", {})
    has_inner = "net" in net.get("init_args", {})  # which has the classes then
    classes = [] if has_inner else ["--model.net.init_args.classes", "4"]
    check_keys(["-c", str(path), "--print_config", "--data.fold=2", *classes])


def test_what_the_sources_leave_open_is_left_to_the_parser(tmp_path, net_yaml):
    path = tmp_path / "open.yaml"
    loss = {"class_path": "torch.nn.CrossEntropyLoss", "init_args": {"whatever": 1}}
    path.write_text(yaml.safe_dump({"model": {"loss": loss}, "trainer": {"callbacks": [{"class_path": "mine.Call"}]}}))
    check_keys(["-c", str(net_yaml("unet3d")), "-c", str(path), "--trainer.callbacks+=EarlyStopping", "--help"])


def test_a_missing_config_is_named_at_once():
    with pytest.raises(MissingFile, match="experiments/"):
        check_keys(["-c", "gone.yaml"])


def test_ckpt_path_is_refused_with_what_to_do_instead():
    with pytest.raises(InvalidConfig, match=r"--ckpt_path is not taken.*default_root_dir.*--from MODEL"):
        check_keys(["--ckpt_path", "x.ckpt"])


@pytest.mark.parametrize("words", [["fit", "--data.cohrt=1"], ["fit", "--trainer.logger=WandbLogger"]])
def test_a_slip_is_answered_without_torch_or_lightning(words):
    code = "import sys; from avnnet.cli import main; code = main(sys.argv[1:]); print(code, 'torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert said.stdout.split() == ["2", "False"]


@pytest.mark.parametrize(
    "value",
    ["TensorBoardLogger", '{"class_path": "pytorch_lightning.loggers.TensorBoardLogger"}', "[TensorBoardLogger]"],
)
def test_c12_a_logger_that_is_not_installed_is_refused_with_the_command_that_installs_it(value, monkeypatch):
    monkeypatch.setattr(loggers.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NotInstalled, match=r"TensorBoardLogger needs.*python -m pip install tensorboard"):
        check_installed([f"--trainer.logger={value}"])


def test_a_logger_that_lightning_does_not_have_is_refused_with_those_that_it_has(net_yaml):
    with pytest.raises(InvalidConfig, match=r"no logger 'CsvLogger'; there are .*CSVLogger.*my_module\.MyLogger"):
        with_folders(["--trainer.logger=CsvLogger"])


def test_later_files_and_words_go_over_earlier_ones(tmp_path):
    (tmp_path / "a.yaml").write_text("trainer: {logger: {class_path: A, init_args: {name: a}}, max_epochs: 3}")
    (tmp_path / "b.yaml").write_text("trainer: {logger: {class_path: B}}")
    words = ["-c", str(tmp_path / "a.yaml"), "--config", str(tmp_path / "b.yaml"), "--trainer.logger.name=b"]
    logger = {"class_path": "B", "init_args": {"name": "b"}}
    assert merged(words)["trainer"] == {"logger": logger, "max_epochs": 3}


def test_a_folder_that_the_user_gave_to_a_logger_stays():
    words = ["--trainer.logger=CSVLogger", "--trainer.logger.save_dir=mine"]
    assert merged(with_folders(words))["trainer"]["logger"]["init_args"] == {"save_dir": "mine"}
    assert with_folders(["--trainer.max_epochs=3"]) == ["--trainer.max_epochs=3"]
