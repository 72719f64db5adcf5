"""The files of docs/compared, which docs/ablation_compared.md counts: each does what the page says it does."""

import ast
import importlib
import json
import shlex
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from avnnet.cli import main, parser
from avnnet.training.study.plan import Study
from avnnet.training.study.run import run_study
from benchmarks.lines_to_extend import COMPARED, TASKS, TOOLS, counted, table
from tests.conftest import write_net
from tests.training.conftest import QUIET, draw_nothing

TRAINED = ("block", "network", "monai_network", "loss", "augmentation", "normalisation", "sampler")
"""What is trained by its overlay in a study."""
CUBES = ["--data.crop=[16, 16, 16]", "--data.patch=[16, 16, 16]"]

# MONAI's reader of images says what it cannot find
reads_by_monai = pytest.mark.filterwarnings("ignore::UserWarning")


def files(tool: str, kind: str) -> list[Path]:
    return sorted(COMPARED.glob(f"*/{tool}/*.{kind}"))


@pytest.fixture
def of_tool(monkeypatch):
    """Puts a tool's files where they can be imported, and forgets their modules afterwards."""
    put: set[str] = set()

    def put_beside(tool: str) -> None:
        for path in files(tool, "py"):
            monkeypatch.syspath_prepend(path.parent)
            put.add(path.stem)

    yield put_beside
    for name in put:
        sys.modules.pop(name, None)


@pytest.fixture
def studied(of_tool, hips, tmp_path, monkeypatch):
    of_tool("avnnet")
    draw_nothing(monkeypatch)
    base = write_net(tmp_path, "unet3d", max_epochs=1, steps_per_epoch=1)
    overlays = [path for task in TRAINED for path in sorted((COMPARED / task / "avnnet").glob("*.yaml"))]
    nets = [base, *(f"{base}+{overlay}" for overlay in overlays)]
    study = Study(hips, nets, tmp_path / "study", folds=2, only_fold=0, overrides=CUBES)
    assert run_study(study, QUIET) == 0
    return study


def test_what_is_ours_is_trained_by_its_overlay_and_used_elsewhere(studied, hips, monkeypatch, capsys):
    folders = {name: studied.fold_folder(0) / name for name in studied.names}
    recipes = {name: (folder / "model" / "model.json").read_text() for name, folder in folders.items()}
    assert len(recipes) == 1 + len(TRAINED)
    assert "Gated" in recipes["unet3d-gated"]
    assert "Dilated" in recipes["unet3d-dilated"]
    assert "SegResNet" in recipes["unet3d-segresnet"]
    losses = {name: pd.read_csv(folder / "metrics.csv")["train_loss"][0] for name, folder in folders.items()}
    assert losses["unet3d-log_cosh"] < 0.5 < losses["unet3d"]  # log(cosh(1)) = 0.43 at most; Dice + CE begins above 1
    # elsewhere: the model's folder, the file of the class, an image
    elsewhere = studied.out / "elsewhere"
    elsewhere.mkdir()
    shutil.copytree(folders["unet3d-gated"] / "model", elsewhere / "unet3d-gated" / "model")
    shutil.copy(COMPARED / "block" / "avnnet" / "gated.py", elsewhere)
    shutil.copy(hips.parent / pd.read_csv(hips)["image"][0], elsewhere / "new.nii.gz")
    monkeypatch.chdir(elsewhere)
    sys.modules.pop("gated")
    (command,) = [line for line in script("loading", "avnnet", "predict.sh") if line[0] == "avnnet"]
    row = pd.read_csv(hips).iloc[0]
    centre = ",".join(str(row[f"centre_{axis}_mm"]) for axis in "xyz")
    assert main([*command[1:], f"--centre={centre}", "--side", row["side"]]) == 0, capsys.readouterr().err
    assert len(list((elsewhere / "masks").glob("*.nii.gz"))) == 1


def script(task: str, tool: str, name: str) -> list[list[str]]:
    text = (COMPARED / task / tool / name).read_text(encoding="utf-8")
    return [words for line in text.splitlines() if (words := shlex.split(line, comments=True))]


def test_an_ablation_of_ours_is_a_command_whose_overlays_are_there():
    (command,) = script("ablation", "avnnet", "ablate.sh")
    words = parser().parse_args(command[1:])
    assert (words.folds, words.seeds) == (5, 3)
    assert all(list(COMPARED.glob(f"*/avnnet/{overlay.name}")) for overlay in words.overlays)


@pytest.fixture
def by_monai(of_tool, hips, tmp_path, monkeypatch):
    """MONAI's script for coarse hips, and their cases."""
    of_tool("monai")
    monkeypatch.chdir(tmp_path)
    training = importlib.import_module("training")
    monkeypatch.setattr(training, "SPACING_MM", (4.0, 4.0, 4.0))
    monkeypatch.setattr(training, "PATCH", (16, 16, 16))
    cases = pd.read_csv(hips).to_dict("records")
    return training, [case | {name: str(hips.parent / case[name]) for name in ("image", "label")} for case in cases]


@reads_by_monai
@pytest.mark.parametrize(
    ("module", "argument"),
    [
        ("gated", "make_net"),
        ("dilated", "make_net"),
        ("segresnet", "make_net"),
        ("log_cosh", "loss"),
        ("stripes", "augment"),
        ("median", "normalise"),
        ("rare", "weights"),
    ],
)
def test_what_is_written_for_monai_is_trained_by_its_script(by_monai, module, argument):
    training, cases = by_monai
    given = getattr(importlib.import_module(module), argument)
    given = given(cases[1:3]) if module == "rare" else given
    changes = {"make_net": importlib.import_module("dilated").make_net, argument: given}
    net = training.train(cases=cases[1:3], epochs=1, **changes)
    found = training.dice(net, cases[3:4], changes.get("normalise", training.ZSCORE))
    assert found.shape == (1, 2)
    assert ((found >= 0) & (found <= 1)).all()
    if module == "gated":  # two convolutions on the way down, the bottleneck, three on the way up, and the first
        assert sum(name.endswith("gate") for name, _ in net.named_parameters()) == 7


@reads_by_monai
def test_an_ablation_by_monais_script_ends_in_a_table(by_monai, monkeypatch):
    _, cases = by_monai
    ablation = importlib.import_module("ablation")
    small = importlib.import_module("dilated").make_net
    for name, value in {"FOLDS": 2, "SEEDS": (1,), "EPOCHS": 1, "plain": lambda: small(4), "gated": small}.items():
        monkeypatch.setattr(ablation, name, value)
    rows = pd.DataFrame(ablation.rows(cases[1:4]), columns=["variant", "seed", "patient_id", "label", "dice"])
    found = ablation.compared(rows)
    assert len(rows) == 3 * 3 * 2  # variants, cases, labels
    assert found.groupby("variant").size().to_dict() == {"gated": 2, "log_cosh": 2}
    assert ((found["ci_low"] <= found["difference"]) & (found["difference"] <= found["ci_high"])).all()


@reads_by_monai
def test_a_model_of_monais_script_is_used_elsewhere(by_monai, tmp_path):
    _, cases = by_monai
    torch.save(importlib.import_module("gated").make_net().state_dict(), "gated.pt")
    shutil.copy(cases[0]["image"], "new.nii.gz")
    importlib.import_module("load")
    assert len(list((tmp_path / "masks").glob("*.nii.gz"))) == 1


@pytest.mark.parametrize("path", files("nnunet", "py"), ids=lambda path: path.stem)
def test_what_is_written_for_nnunet_compiles_and_has_the_name_by_which_it_is_looked_for(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    compile(tree, path.name, "exec")
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert not path.stem.startswith("nnUNetTrainer") or path.stem in classes


def test_nnunets_summaries_become_a_table(of_tool, tmp_path):
    of_tool("nnunet")
    module = importlib.import_module("table")
    for variant, better in (("nnUNetTrainer", 0), ("nnUNetTrainerGated", 0.1)):
        for seed in (1, 2):
            per_case = [
                {"prediction_file": f"{case}.nii.gz", "metrics": {"1": {"Dice": 0.5 + case * (0.1 + better)}}}
                for case in range(4)
            ]
            folder = tmp_path / f"seed{seed}" / "Dataset004" / f"{variant}__plans__3d" / "fold_0" / "validation"
            folder.mkdir(parents=True)
            (folder / "summary.json").write_text(json.dumps({"metric_per_case": per_case}))
    rows = pd.DataFrame(module.rows(tmp_path), columns=["seed", "variant", "case_id", "label", "dice"])
    (row,) = module.compared(rows).to_dict("records")
    assert (len(rows), row["variant"], row["difference"]) == (16, "nnUNetTrainerGated", pytest.approx(0.15))


def test_the_page_shows_the_table_that_is_counted():
    page = (COMPARED.parent / "ablation_compared.md").read_text(encoding="utf-8")
    assert table() in page
    assert counted("# why\n\nx = 1  # one\n  y\n") == 2


def test_every_task_is_done_with_every_tool():
    found = {(path.parents[1].name, path.parent.name) for path in COMPARED.glob("*/*/*.*")}
    needless = {("base", "nnunet"), ("base", "avnnet")}  # their commands do it
    assert found == {(task, tool) for task in TASKS for tool in TOOLS} - needless
