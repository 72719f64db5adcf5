"""A network alone: ONNX and torch.export."""

import json
from functools import partial

import pytest
import torch
from monai.networks.nets import UNETR, SegResNet

from avnnet.cli import main
from avnnet.data.preprocess import Preprocess
from avnnet.errors import InvalidConfig, InvalidNetwork, NotInstalled, OutputNotWritable
from avnnet.exchange import Sizes, write_onnx, write_torch_export
from avnnet.exchange.program import check_equal
from avnnet.inference.member import Member
from avnnet.inference.model_folder import save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import Foreign, NestedRegions, Network, Slab, UNet2D, UNet3D

FLAT = partial(UNet2D, channels=[4, 8], strides=[[2, 2]])
NETS = {
    "3d": (lambda: UNet3D([4, 8], [[1, 2, 2]]), [4, 8, 8]),
    "2d": (lambda: UNet2D([4, 8, 8], [[2, 2], [2, 2]]), [1, 16, 16]),
    "slab": (lambda: Slab(FLAT, slices=3), [4, 8, 8]),
    "regions": (lambda: NestedRegions(partial(UNet3D, channels=[4, 8], strides=[[2, 2, 2]], classes=2)), [2, 8, 8]),
    "monai": (
        lambda: Foreign(partial(SegResNet, init_filters=8, out_channels=3, blocks_down=[1, 1], blocks_up=[1])),
        [8, 8, 8],
    ),
}


def model_of(net, patch, *, times=1):
    members = [Member(net, Preprocess([2.0, 1.0, 1.0]), Tiling(patch), "mine") for _ in range(times)]
    return Segmenter(members, HIP)


@pytest.fixture(scope="module", params=NETS)
def written(request, tmp_path_factory):
    """A network of each kind, the folder of its two files, and the sizes that they take."""
    torch.manual_seed(1)
    net, patch = NETS[request.param][0](), NETS[request.param][1]
    folder = tmp_path_factory.mktemp(request.param)
    sizes = write_torch_export(model_of(net, patch), folder / "net.pt2")
    return net, folder, sizes, patch[-net.ndim :]


def torch_runner(folder):
    return torch.export.load(folder / "net.pt2").module()


def onnx_runner(folder, net, patch):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    if not (folder / "net.onnx").exists():
        write_onnx(model_of(net, [1] * (3 - net.ndim) + list(patch)), folder / "net.onnx")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what it refuses is wanted here
    session = runtime.InferenceSession(folder / "net.onnx", options)
    return lambda image: torch.from_numpy(session.run(None, {"image": image.numpy()})[0])


@pytest.mark.parametrize("kind", ["torch", pytest.param("onnx", marks=pytest.mark.slow)])
def test_a_program_gives_the_networks_probabilities_at_three_sizes_and_refuses_others(written, kind):
    net, folder, sizes, patch = written
    run = torch_runner(folder) if kind == "torch" else onnx_runner(folder, net, patch)
    open_axes = [low < high for low, high in zip(sizes.least, sizes.most, strict=True)]
    assert any(open_axes)
    for more, batch in ((0, 1), (1, 2), (3, 3)):
        size = [low + more * step * one for low, step, one in zip(sizes.least, sizes.steps, open_axes, strict=True)]
        image = torch.randn(batch, net.in_channels, *size)
        with torch.no_grad():
            assert torch.allclose(run(image), net.eval()(image).softmax(1), atol=1e-4, rtol=0)
    for axis, (low, step, high) in enumerate(zip(sizes.least, sizes.steps, sizes.most, strict=True)):
        for wrong in {low - step, low + step if low == high else high + step, *([low + 1] if step > 1 else [])}:
            size = [wrong if place == axis else value for place, value in enumerate(sizes.least)]
            if wrong > 0:
                with pytest.raises(Exception, match=r"Guard failed|each_axis_is_a_multiple|invalid dimensions"):
                    run(torch.zeros(1, net.in_channels, *size))


def test_a_network_that_computes_with_its_size_is_exported_for_its_patch_alone(tmp_path):
    slim = partial(UNETR, in_channels=1, out_channels=3, img_size=(16, 16, 16), feature_size=2, hidden_size=12,
                   mlp_dim=12, num_heads=2)  # fmt: skip
    sizes = write_torch_export(model_of(Foreign(slim, divisors=[16] * 3), [16, 16, 16]), tmp_path / "net.pt2")
    assert (sizes.is_open, str(sizes)) == (False, "16 x 16 x 16 voxels")
    with pytest.raises(AssertionError, match="Guard failed"):
        torch_runner(tmp_path)(torch.zeros(1, 1, 32, 32, 32))


def test_an_onnx_file_refuses_what_torch_refuses(tmp_path):
    net = NestedRegions(partial(UNet3D, channels=[2, 4], strides=[[1, 2, 2]], classes=2)).eval()
    run = onnx_runner(tmp_path, net, [4, 8, 8])
    for size in ([3, 4, 4], [4, 6, 8], [5, 8, 4]):
        image = torch.randn(2, 1, *size)
        with torch.no_grad():
            assert torch.allclose(run(image), net(image).softmax(1), atol=1e-4, rtol=0)
    for size in ([2, 4, 4], [3, 2, 4], [3, 4, 7], [4097, 4, 4], [3, 5, 5]):
        with pytest.raises(Exception, match=r"each_axis_is_a_multiple_of_1x2x2_from_3x4x4_to_4096x4096x4096"):
            run(torch.zeros(1, 1, *size))


def test_both_files_say_how_to_prepare_an_image(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    model = model_of(UNet2D([4, 8], [[2, 2]]), [1, 8, 8])
    write_onnx(model, tmp_path / "net.onnx")
    write_torch_export(model, tmp_path / "net.pt2")
    extra = {"avnnet.json": ""}
    torch.export.load(tmp_path / "net.pt2", extra_files=extra)
    kept = json.loads(extra["avnnet.json"])
    props = {one.key: json.loads(one.value) for one in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert props == kept
    assert kept["labels"] == {"0": "background", "1": "vital", "2": "necrosis"}
    assert (kept["axes"], kept["spacing_mm"]) == (["superior", "posterior", "left"], [2.0, 1.0, 1.0])
    assert kept["normalisation"] == {"class": "ZScore", "args": {"clip_percentiles": [0.5, 99.5]}}
    assert kept["sizes"]["multiples_of"] == [2, 2]
    assert "not a medical device" in kept["warning"].lower()


class Moody(Network):
    """Looks at the values of its image, which no program can."""

    ndim, in_channels, classes = 3, 1, 3

    def forward(self, x):
        return torch.cat([x, -x, x if float(x.mean()) > 0 else 2 * x], dim=1)


def test_a_network_that_cannot_be_traced_is_named_with_the_reason(tmp_path):
    with pytest.raises(InvalidNetwork, match=r"takes no mine \(Moody\).*patch \[4, 4, 4\]: Gua"):
        write_torch_export(model_of(Moody(), [4, 4, 4]), tmp_path / "net.pt2")
    assert list(tmp_path.iterdir()) == []


def test_a_program_of_other_answers_is_not_written():
    member = model_of(UNet2D([4, 8], [[2, 2]]), [1, 8, 8]).members[0]
    with pytest.raises(InvalidNetwork, match=r"by 0\.\d+ at \[8, 8\]"):
        check_equal(member, Sizes((2, 2), (4, 4), (16, 16)), lambda image: torch.zeros(1, 3, *image.shape[2:]), "it")


@pytest.mark.parametrize("number", [None, 0, 3])
def test_of_several_networks_one_is_to_be_chosen(tmp_path, number):
    with pytest.raises(InvalidConfig, match=r"has 2: 1 mine, 2 mine; found .*--member 1"):
        write_torch_export(model_of(UNet2D([4, 8], [[2, 2]]), [1, 8, 8], times=2), tmp_path / "a.pt2", number=number)


def test_without_onnx_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(NotInstalled, match=r"avnnet\[export\]"):
        write_onnx(model_of(UNet2D([4, 8], [[2, 2]]), [1, 8, 8]), tmp_path / "net.onnx")


def test_what_is_there_is_not_written_over(tmp_path):
    (tmp_path / "net.pt2").write_text("mine")
    with pytest.raises(OutputNotWritable, match="there already"):
        write_torch_export(model_of(UNet2D([4, 8], [[2, 2]]), [1, 8, 8]), tmp_path / "net.pt2")
    assert (tmp_path / "net.pt2").read_text() == "mine"


def test_the_command_says_which_sizes_the_file_takes(tmp_path, capsys):
    save_model(model_of(UNet2D([4, 8], [[2, 2]]), [1, 8, 8]), tmp_path / "model")
    words = ["export", "model", str(tmp_path / "model"), "--format", "torch-export", "--out", str(tmp_path / "a.pt2")]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "4 x 4 to 4096 x 4096 voxels in multiples of 2 x 2" in said.out + said.err
    assert main(words) == 2
    assert "there already" in capsys.readouterr().err
