"""OpenVINO gives what torch gives, at every size and from every cache, or torch computes it."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from avnnet.errors import InvalidConfig
from avnnet.inference.engines import Engine, choice, chosen_engine
from avnnet.inference.engines.blobs import read_blob
from avnnet.inference.engines.openvino_engine import Machine, OpenVINOEngine, machine
from avnnet.inference.tiling import Tiling
from avnnet.models import UNet2D, UNet3D

CASES = {
    "3d": (lambda: UNet3D([4, 8], [[2, 2, 2]]), Tiling([8, 8, 8], mirror_axes=[2])),
    "2d": (lambda: UNet2D([4, 8], [[2, 2]]), Tiling([8, 8, 8], batch=4)),
}


def made(kind="3d", seed=1):
    torch.manual_seed(seed)
    make, tiling = CASES[kind]
    return make().eval(), tiling


def image_of(*shape, seed=2):
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A cache that holds what tests of this file compile."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def engine(shared):
    told = []
    made = OpenVINOEngine(shared, told.append)
    made.told = told
    return made


def equal(engine, net, image, tiling):
    """Whether an engine's probabilities are torch's; the bound is loose only where it computes in bf16."""
    difference = (engine.probabilities(net, image, tiling) - Engine().probabilities(net, image, tiling)).abs().max()
    return float(difference) < (0.05 if machine().has_bf16 else 1e-4)


@pytest.mark.parametrize("kind", CASES)
def test_both_engines_give_the_same_probabilities(engine, kind):
    net, tiling = made(kind)
    assert equal(engine, net, image_of(9, 12, 10), tiling)
    assert engine.told == []


def test_a_size_that_was_not_compiled_is_compiled_and_never_answered_with_another(engine):
    net, _ = made()
    for patch in ([8, 8, 8], [8, 8, 12], [4, 8, 8]):
        assert equal(engine, net, image_of(*patch), Tiling(patch))
    assert {key[1] for key in engine.compiled} == {(1, 1, 8, 8, 8), (1, 1, 8, 8, 12), (1, 1, 4, 8, 8)}


def test_what_was_compiled_is_read_again_and_gives_equal_bytes(engine, shared, monkeypatch):
    net, tiling = made()
    image = image_of(8, 8, 8)
    first = engine.probabilities(net, image, tiling)
    again = OpenVINOEngine(shared, print)
    monkeypatch.setattr(again, "_compiled", None)  # it has no need of it
    assert torch.equal(again.probabilities(net, image, tiling), first)


def test_other_weights_are_another_network(engine):
    image = image_of(8, 8, 8)
    for seed in (1, 5):
        net, tiling = made(seed=seed)
        assert equal(engine, net, image, tiling)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_cut_file_of_the_cache_is_compiled_anew(tmp_path, share):
    net, tiling = made()
    image = image_of(8, 8, 8)
    first = OpenVINOEngine(tmp_path, print).probabilities(net, image, tiling)
    (blob,) = tmp_path.iterdir()
    whole = blob.read_bytes()
    blob.write_bytes(whole[: int(share * len(whole))])
    assert torch.equal(OpenVINOEngine(tmp_path, print).probabilities(net, image, tiling), first)
    assert read_blob(blob) is not None


def test_a_file_that_another_machine_wrote_is_not_looked_at(tmp_path, monkeypatch):
    net, tiling = made()
    OpenVINOEngine(tmp_path, print).probabilities(net, image_of(8, 8, 8), tiling)
    other = Machine(machine().version, "another CPU", machine().has_bf16)
    monkeypatch.setattr("avnnet.inference.engines.openvino_engine.machine", lambda: other)
    assert equal(OpenVINOEngine(tmp_path, print), net, image_of(8, 8, 8), tiling)
    assert len(list(tmp_path.iterdir())) == 2


def test_where_nothing_can_be_written_it_is_compiled_all_the_same_and_said_once(tmp_path):
    (tmp_path / "a file").write_text("")
    told = []
    engine = OpenVINOEngine(tmp_path / "a file" / "compiled", told.append)
    for kind in CASES:
        net, tiling = made(kind)
        assert equal(engine, net, image_of(8, 8, 8), tiling)
    assert len(told) == 1
    assert "not kept" in told[0]


class Own(nn.Module):
    """A network of a user's own."""

    ndim, in_channels, classes = 3, 1, 2

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))


class Choosy(Own):
    def forward(self, x):
        sign = 1 if float(x.sum()) > 0 else -1  # which torch.export cannot follow
        return torch.cat([x, sign * x * self.weight], dim=1)


class Fickle(Own):
    def forward(self, x):
        sign = -1 if torch.compiler.is_exporting() else 1
        return torch.cat([0 * x, sign * x * self.weight], dim=1)


@pytest.mark.parametrize(("net", "said"), [(Choosy(), "does not do Choosy"), (Fickle(), "otherwise than torch")])
def test_what_openvino_cannot_do_or_does_otherwise_torch_computes_and_that_is_said_once(engine, net, said):
    image, tiling = image_of(8, 8, 8), Tiling([8, 8, 8])
    for _ in range(2):
        assert torch.equal(engine.probabilities(net, image, tiling), Engine().probabilities(net, image, tiling))
    assert len(engine.told) == 1
    assert said in engine.told[0]


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("word", ["torch", "openvino"])
def test_the_number_of_threads_changes_no_byte(word, kind, tmp_path):
    net, _ = made(kind)
    image, tiling, before = image_of(35, 20, 20), Tiling([8, 12, 12]), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            engine = Engine() if word == "torch" else OpenVINOEngine(tmp_path, print)
            found.append(engine.probabilities(net, image, tiling))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


@pytest.mark.parametrize(("has_bf16", "name"), [(True, "openvino bf16"), (False, "openvino f32")])
def test_auto_takes_openvino_on_a_cpu_in_bf16_where_it_has_that_and_says_so(monkeypatch, has_bf16, name):
    here = Machine("2026.4.1", "a CPU", has_bf16)
    for module in ("openvino_engine", "choice"):
        monkeypatch.setattr(f"avnnet.inference.engines.{module}.machine", lambda: here, raising=False)
    told = []
    assert chosen_engine("auto", "cpu", None, told.append).said == name
    assert len(told) == 1
    assert "bf16 instructions" in told[0]


def test_without_openvino_auto_takes_torch_and_an_explicit_wish_is_refused(monkeypatch):
    monkeypatch.setattr(choice.importlib.util, "find_spec", lambda name: None)
    told = []
    assert chosen_engine("auto", "cpu", None, told.append).said == "32-true"
    assert "not installed" in told[0]
    with pytest.raises(InvalidConfig, match=r"pip install .*avnnet\[fast\].*--engine torch"):
        chosen_engine("openvino", "cpu")


@pytest.mark.parametrize(("version", "said"), [("2024.6.0", "older than"), (None, "cannot be loaded")])
def test_an_openvino_that_is_too_old_or_broken_is_named(monkeypatch, version, said):
    def found():
        if version is None:
            raise OSError("libopenvino.so: cannot open shared object file")
        return Machine(version, "a CPU", True)

    monkeypatch.setattr("avnnet.inference.engines.openvino_engine.machine", found)
    with pytest.raises(InvalidConfig, match=said):
        chosen_engine("openvino", "cpu")


def test_an_engine_that_is_none_is_refused():
    with pytest.raises(InvalidConfig, match="auto, torch, openvino"):
        chosen_engine("tensorrt", "cpu")


def test_importing_openvino_tells_nobody():
    code = """
import socket, sys
def refuse(*words):
    raise SystemExit(f"something telephones: {words}")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from avnnet.inference.engines.openvino_engine import machine
assert machine().version
assert sys.modules["openvino_telemetry"] is None
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=Path.cwd())
    assert done.returncode == 0, done.stdout + done.stderr
