"""`--classes`: a model with blocks and networks of the user's own, by command."""

import importlib.util
import sys

import pytest
import torch
import yaml

from avnnet.cli import main, parser
from avnnet.cli.classes import own_class
from avnnet.data.files import read_image, read_labels
from avnnet.data.preprocess import Preprocess
from avnnet.errors import InvalidClass
from avnnet.inference.member import Member
from avnnet.inference.model_folder import load_model, save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import UNet3D
from tests.cli.test_predict import centre_of

OWN = """
import torch
from torch import nn
from avnnet.data.augmentation import Augmentation
from avnnet.data.normalise import Normalisation
from avnnet.models import ConvBlock, Network

class Gated(ConvBlock):
    def __init__(self, ndim, in_channels, out_channels, kernel, stride, convs=2):
        super().__init__(ndim, in_channels, out_channels, kernel, stride, convs)
        self.gate = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.layers(x) * (1 + self.gate)

class Plain(Network):
    def __init__(self, block: type[nn.Module] = Gated, width: int = 4):
        super().__init__()
        self.ndim, self.in_channels, self.classes = 3, 1, 3
        self.block, self.width = block, width
        self.layers = nn.Sequential(block(3, 1, width, [3, 3, 3], [1, 1, 1]), nn.Conv3d(width, 3, 1))

    def forward(self, x):
        return self.layers(x)

class Neither:
    pass

class Halved(Normalisation):
    def __call__(self, channel):
        return channel / 200

class Bright(Augmentation):
    pass

def build():
    return Plain()

NUMBER = 7
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The working directory with `own_parts.py`; as under the installed command, Python does not look there."""
    (tmp_path / "own_parts.py").write_text(OWN)
    (tmp_path / "raising.py").write_text("raise ValueError('the moon is full')")
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit('usage: leaving.py DATA')")
    (tmp_path / "needing.py").write_text("import no_such_dependency")
    (tmp_path / "broken.py").write_text("class Gated(:\n")
    (tmp_path / "second.py").write_text("from torch import nn\nclass Gated(nn.Module):\n    pass\n")
    (tmp_path / "i.nii.gz").write_bytes(b"never read")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in ("", str(tmp_path))])
    for name in ("own_parts", "second"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


@pytest.fixture
def own(here):
    """The user's module, as the training had it."""
    spec = importlib.util.spec_from_file_location("as_trained", here / "own_parts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def saved(net, folder):
    member = Member(net, Preprocess([4.0] * 3, [16, 16, 16]), Tiling([16, 16, 16]), "own")
    return save_model(Segmenter([member], HIP), folder)


def test_predict_with_a_block_of_ones_own_gives_the_mask_of_python(here, own, cohort, capsys):
    torch.manual_seed(0)
    folder = saved(UNet3D([4, 8], [[2, 2, 2]], block=own.Gated), here / "model")
    case = cohort.cases[0]
    words = ["predict", str(folder), str(case.image[0]), "--out", "o", "--keep-names", centre_of(case)]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("InvalidRecipe: the recipe names the class 'Gated'")
    assert "--classes MODULE.CLASS" in said
    assert main([*words, "--classes", "own_parts.Gated"]) == 0
    by_command = read_labels(here / "o" / f"{case.case_id}.nii.gz")
    image = case.image[0]
    model = load_model(folder, classes=[own.Gated])
    by_python = model.predict(read_image(image), centre_mm=tuple(round(c, 1) for c in case.centre_mm))
    assert (by_command.array == by_python.labels.array).all()
    assert len(set(by_command.array.flat)) > 1


def test_fit_predict_and_evaluate_take_a_network_of_ones_own_with_a_block_of_ones_own(here, cohort, hips, net_yaml):
    path = net_yaml("unet3d")
    config = yaml.safe_load(path.read_text())
    config["model"]["net"] = {"class_path": "own_parts.Plain", "init_args": {"block": "own_parts.Gated"}}
    path.write_text(yaml.safe_dump(config))
    where = ["--data.folds=2", f"--data.cache={here / 'c'}", f"--trainer.default_root_dir={here / 'run'}"]
    assert main(["fit", "-c", str(path), f"--data.cohort={hips}", *where, "--trainer.max_epochs=1"]) == 0
    del sys.modules["own_parts"]  # a command of its own begins without it
    image = str(cohort.cases[0].image[0])
    predict = ["predict", "run/model", image, "--out", "o", centre_of(cohort.cases[0])]
    assert main([*predict, "--classes", "own_parts.Plain"]) == 2
    assert main([*predict, "--classes", "own_parts.Plain", "own_parts.Gated"]) == 0
    evaluate = ["evaluate", "run/model", str(hips), "--out", "e", "--mark-seen"]
    assert main(evaluate) == 2
    assert main([*evaluate, "--classes", "own_parts.Plain", "--classes", "own_parts.Gated"]) == 0
    assert (here / "e" / "report.html").exists()


def test_predict_takes_a_normalisation_of_ones_own(here, own, cohort, capsys):
    preprocess = Preprocess([4.0] * 3, [16, 16, 16], normalise=own.Halved())
    member = Member(UNet3D([4, 8], [[2, 2, 2]]), preprocess, Tiling([16, 16, 16]), "own")
    save_model(Segmenter([member], HIP), here / "model")
    case = cohort.cases[0]
    words = ["predict", "model", str(case.image[0]), "--out", "o", "--keep-names", centre_of(case)]
    assert main(words) == 2
    assert "the recipe names the class 'Halved'" in capsys.readouterr().err
    assert main([*words, "--classes", "own_parts.Halved"]) == 0


BAD = [
    ("Gated", "takes MODULE.CLASS with a dot, such as my_module.MyBlock; found 'Gated'"),
    (".Gated", "found '.Gated'"),
    ("own_parts.", "found 'own_parts.'"),
    ("own-parts.Gated", "found 'own-parts.Gated'"),
    ("", "found ''"),
    ("gone.Gated", "there is no module gone for --classes gone.Gated; run the command in the folder of gone.py"),
    ("own_parts.deeper.Gated", "there is no module own_parts.deeper"),
    ("raising.Gated", "the module raising of --classes raising.Gated raises ValueError: the moon is full"),
    ("leaving.Gated", "raises SystemExit: usage: leaving.py DATA"),
    ("needing.Gated", "raises ModuleNotFoundError: No module named 'no_such_dependency'"),
    ("broken.Gated", "raises SyntaxError"),
    ("own_parts.Gatd", "own_parts.py) has no Gatd"),
    ("own_parts.py", "own_parts.py) has no py"),
    ("own_parts.build", "own_parts.build is not a class, it is of type function"),
    ("own_parts.NUMBER", "own_parts.NUMBER is not a class, it is of type int"),
    ("own_parts.Neither", "own_parts.Neither is neither a network nor a block nor a normalisation"),
    ("own_parts.Bright", "An augmentation and a sampler are no part of a model: leave them out"),
]


@pytest.mark.parametrize(("word", "said"), BAD, ids=[word or "nothing" for word, _ in BAD])
@pytest.mark.parametrize(
    "command", [["predict", "m", "i.nii.gz"], ["evaluate", "m", "c.csv"]], ids=["predict", "evaluate"]
)
def test_a_class_that_cannot_be_used_is_named_before_the_model_is_read(here, capsys, command, word, said):
    assert main([*command, "--out", "o", "--classes", word]) == 2
    error = capsys.readouterr().err
    assert error.startswith("InvalidClass: ")
    assert said in error
    assert not (here / "o").exists()


def test_two_classes_of_one_name_are_told_by_their_modules(here, own, capsys):
    folder = saved(UNet3D([4, 8], [[2, 2, 2]], block=own.Gated), here / "model")
    words = ["predict", str(folder), "i.nii.gz", "--out", "o", "--classes", "own_parts.Gated", "second.Gated"]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("InvalidRecipe: two classes are called Gated, in own_parts and second")
    assert not (here / "o").exists()


@pytest.mark.usefixtures("here")
def test_the_error_of_a_users_module_is_kept_with_its_place():
    with pytest.raises(InvalidClass) as caught:
        own_class("raising.Gated")
    assert str(caught.value.__cause__) == "the moon is full"
    assert caught.value.__cause__.__traceback__ is not None


def test_a_file_in_the_working_directory_stands_in_for_no_module_of_avnnets(here):
    (here / "colorsys.py").write_text("raise RuntimeError('shadowed')")
    sys.modules.pop("colorsys", None)
    own_class("own_parts.Gated")
    import colorsys

    assert colorsys.rgb_to_hsv(1, 0, 0) == (0, 1, 1)


@pytest.mark.usefixtures("here")
def test_without_classes_python_does_not_look_in_the_working_directory():
    before = list(sys.path)
    parser().parse_args(["predict", "m", "i.nii.gz", "--out", "o"])
    assert sys.path == before
