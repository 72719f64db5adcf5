"""`avnnet fit`: its words are Lightning's."""

import pytest

from avnnet.cli import main
from tests.cli.test_predict import centre_of

MAX_CHARACTERS = 40_000


@pytest.mark.parametrize(
    ("words", "keys", "classes"),
    [
        (
            ["--help"],
            ["--model.net NET", "--data.fold FOLD", "default: 5"],
            ["UNet3D", "Tversky", "Adam", "EarlyStopping"],
        ),
        (
            ["--model.net.help=avnnet.models.UNet3D"],
            ["--model.net.deep_supervision"],
            ["MedNeXtBlock", "AttentionGate"],
        ),
    ],
)
def test_a_help_of_fit_names_keys_defaults_and_our_classes_and_not_every_module_there_is(words, keys, classes, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["fit", *words])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert [word for word in [*keys, *classes] if word not in text] == []
    assert "torch.nn.Bilinear" not in text
    assert len(text) < MAX_CHARACTERS


def test_fit_trains_a_model_that_predict_takes(hips, cohort, net_yaml, tmp_path):
    run = tmp_path / "run"
    words = ["-c", str(net_yaml("unet3d")), f"--data.cohort={hips}", "--data.folds=2"]
    words += [f"--data.cache={tmp_path / 'c'}", f"--trainer.default_root_dir={run}"]
    assert main(["fit", *words]) == 0
    image = str(cohort.cases[0].image[0])
    assert main(["predict", str(run / "model"), image, "--out", str(tmp_path / "o"), centre_of(cohort.cases[0])]) == 0


def test_minutes_that_are_too_few_end_before_the_training_with_what_is_enough(hips, net_yaml, tmp_path, capsys):
    run = tmp_path / "run"
    words = ["-c", str(net_yaml("unet3d")), f"--data.cohort={hips}", "--data.folds=2", "--minutes", "0.001"]
    assert main(["fit", *words, f"--data.cache={tmp_path / 'c'}", f"--trainer.default_root_dir={run}"]) == 2
    assert "--minutes 0.001 is too little" in (said := capsys.readouterr().err)
    assert "would be enough" in said
    assert not run.exists()
