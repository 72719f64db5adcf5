"""A class in an overlay that cannot be used is named with its file, its key and what would work, in short."""

import sys

import pytest
import yaml

from avnnet.errors import InvalidConfig
from avnnet.training.config.class_faults import class_fault
from avnnet.training.config.experiment import load_experiment
from tests.training.test_foreign import BASE, CPU

MAX_CHARACTERS = 400
BLOCKS = "avnnet.models has ConvBlock, ResidualBlock, "
BLOCK = r"in overlay\.yaml, model\.net\.init_args\.block"


def of_block(value: object) -> dict:
    return {"model": {"net": {"init_args": {"block": value}}}}


def conv_block(**init_args: object) -> dict:
    return of_block({"class_path": "avnnet.models.ConvBlock", "init_args": init_args})


@pytest.fixture
def overlay(tmp_path, monkeypatch):
    """A file that lies over a base, in a folder with a module of the user's own and one that cannot be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "blocks_of_mine.py").write_text("from avnnet.models import ConvBlock as MyBlock\n")
    (tmp_path / "blocks_that_fail.py").write_text("import not_there\n")
    yield lambda content: (tmp_path / "overlay.yaml").write_text(yaml.safe_dump(content)) and tmp_path / "overlay.yaml"
    for name in ("blocks_of_mine", "blocks_that_fail"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            of_block("avnnet.models.ResidualBlok"),
            BLOCK + r".* has no ResidualBlok\. Did you mean 'avnnet\.models\.ResidualBlock'\?$",
        ),
        (
            of_block("avnnet.labels.LabelScheme"),
            BLOCK + rf" names avnnet\.labels\.LabelScheme, which is no torch\.nn\.Module\. {BLOCKS}",
        ),
        (of_block(None), BLOCK + r" takes a class.*found None\."),
        (
            conv_block(drop=0.1),
            BLOCK + r"\.init_args\.drop.* Did you mean 'dropout'\? avnnet\.models\.ConvBlock takes norm, act, dropout;",
        ),
        (conv_block(dropout="lots"), BLOCK + r"\.init_args\.dropout takes a value of the type float; found 'lots'\.$"),
        (
            conv_block(norm="torch.nn.Conv3d"),
            BLOCK + r"\.init_args\.norm is called with 2 arguments, and torch\.nn\.Conv3d also needs kernel_size\.",
        ),
    ],
)
def test_c21_a_class_of_an_overlay_that_cannot_be_used_is_named_with_file_and_key(overlay, content, said):
    with pytest.raises(InvalidConfig, match=said) as raised:
        load_experiment([BASE, overlay(content)], CPU)
    assert len(str(raised.value)) < MAX_CHARACTERS
    assert "Parser key" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (of_block("avnet.models.ResidualBlock"), "no module avnet. Did you mean 'avnnet.models.ResidualBlock'?"),
        (of_block("blocks_not_there.MyBlock"), "no module blocks_not_there. Run the command in the folder of"),
        (of_block("blocks_of_mine.MyBlok"), "has no MyBlok. Did you mean 'blocks_of_mine.MyBlock'?"),
        (of_block("blocks_that_fail.MyBlock"), "blocks_that_fail raises ModuleNotFoundError: No module named 'not_"),
        (of_block("avnnet.models."), f"no import path such as my_module.MyClass. {BLOCKS}"),
        (of_block(["avnnet.models.ConvBlock"]), "found ['avnnet.models.ConvBlock']"),
        (conv_block(act="torch.nn.Gelu"), "Did you mean 'torch.nn.GELU'?"),
        ({"model": {"net": "avnnet.models.ConvBlock"}}, "no network: it has no scales. avnnet.models has UNet2D, "),
        ({"data": {"sampler": "avnnet.data.sampling.Foo"}}, "avnnet.data.sampling has GrowingPatch, WeightedByColumn"),
        ({"trainer": {"callbacks": [{"class_path": "pytorch_lightning.callbacks.EarlyStop"}]}}, "Did you mean 'pytor"),
    ],
)
def test_c21_what_would_work_is_said_of_each_way_to_get_a_class_wrong(overlay, content, said):
    fault = class_fault("", ["-c", str(BASE), "-c", str(overlay(content))])
    assert fault.startswith("in overlay.yaml, ")
    assert said in fault
    assert len(fault) < MAX_CHARACTERS


def test_the_word_that_gives_a_class_is_named_rather_than_the_file_below_it(overlay):
    words = ["-c", str(BASE), "-c", str(overlay(of_block("avnnet.models.ResidualBlock")))]
    fault = class_fault("", [*words, "--model.net.init_args.block=avnnet.models.Residual"])
    assert fault.startswith("in --model.net.init_args.block, ")


def test_classes_that_can_be_used_have_no_fault(overlay):
    good = conv_block(norm="avnnet.models.GroupNorm", act={"class_path": "torch.nn.ELU", "init_args": {"alpha": 0.5}})
    assert class_fault("", ["-c", str(BASE), "-c", str(overlay(good)), "--trainer.callbacks=EarlyStopping"]) == ""
