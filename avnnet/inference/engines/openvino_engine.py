"""OpenVINO: a network is exported for one size and compiled, at the first tile of that size or from a cache."""

from __future__ import annotations

import copy
import hashlib
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avnnet.inference.engines.blobs import read_blob, write_blob
from avnnet.inference.engines.torch_engine import Engine
from avnnet.inference.tiling import Tiling, class_probabilities
from avnnet.inference.weights import tensors_of
from avnnet.models import NetworkLike
from avnnet.recipe import describe

MIN_EQUAL = 0.999
"""Of a tile's voxels: the share that must get the label that torch gives, or the compiled network is not used."""


@dataclass(frozen=True)
class Machine:
    """What a compiled network depends on beside itself.

    Args:
        version: of OpenVINO.
        name: of the CPU, with its instructions as a hash.
        has_bf16: whether OpenVINO computes in bf16 here.
    """

    version: str
    name: str
    has_bf16: bool


def _openvino() -> ModuleType:
    # its import reports to a server unless this package is lacking; its own stand-in takes over
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


@cache
def _core() -> Any:
    return _openvino().Core()


@cache
def machine() -> Machine:
    """This machine as OpenVINO sees it.

    Examples:
        >>> isinstance(machine().has_bf16, bool), machine().version.count(".")
        (True, 2)
    """
    found = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    name = _core().get_property("CPU", "FULL_DEVICE_NAME")
    flags = Path("/proc/cpuinfo")
    lines = flags.read_text(errors="replace").splitlines() if flags.is_file() else []
    said = next((line for line in lines if line.startswith("flags")), "")
    digest = hashlib.sha256(f"{name}{sorted(found)}{said}".encode()).hexdigest()[:12]
    return Machine(_openvino().get_version().split("-")[0], f"{name} {digest}", "BF16" in found)


class OpenVINOEngine(Engine):
    """Networks compiled by OpenVINO; torch for what it cannot do.

    Args:
        cache: folder of compiled networks; None keeps none.
        say: told what cannot be done.
    """

    def __init__(self, cache: Path | None, say: Callable[[str], None]) -> None:
        super().__init__("bf16" if machine().has_bf16 else "f32")
        self.cache, self.say = cache, say
        self.compiled: dict[tuple[str, tuple[int, ...]], Any] = {}
        self.refused: set[str] = set()
        self.hashes: dict[int, tuple[NetworkLike, str]] = {}

    @property
    def said(self) -> str:
        """Engine and precision."""
        return f"openvino {self.precision}"

    def probabilities(self, net: NetworkLike, image: Tensor, tiling: Tiling, where: Tensor | None = None) -> Tensor:
        """As of `Engine`.

        Examples:
            >>> from avnnet.models import UNet2D
            >>> net, tiling = UNet2D(channels=[2, 4], strides=[[2, 2]]), Tiling([3, 8, 8])
            >>> found = OpenVINOEngine(None, print).probabilities(net, torch.zeros(1, 3, 8, 8), tiling)
            >>> found.shape
            torch.Size([3, 3, 8, 8])
        """
        net.eval()
        if self._hash(net) not in self.refused:
            try:
                return class_probabilities(_Compiled(self, net), image, tiling, where)
            except _CannotCompile as error:
                self.refused.add(self._hash(net))
                self.say(f"OpenVINO does not do {type(net).__name__}: {str(error)[:200]}; torch computes it")
        return Engine().probabilities(net, image, tiling, where)

    def logits(self, net: NetworkLike, tile: Tensor) -> Tensor:
        """Those of a tile `(B, C, *S)`; compiled for its size at the first one.

        Args:
            net: a network.
            tile: what it sees.
        """
        weights, (batch, *rest) = self._hash(net), tile.shape
        larger = [n for name, (n, *size) in self.compiled if name == weights and size == rest and n >= batch]
        shape = (min(larger, default=batch), *rest)
        if shape[0] > batch:  # slices do not see each other
            tile = torch.cat([tile, tile.new_zeros(shape[0] - batch, *rest)])
        if (weights, shape) not in self.compiled:
            self.compiled[weights, shape] = self._load(net, tile)
        request = self.compiled[weights, shape].create_infer_request()  # one of its own, whose memory goes with it
        found = request.infer([np.ascontiguousarray(tile.numpy())], share_inputs=True)
        return torch.from_numpy(np.array(next(iter(found.values()))[:batch], dtype=np.float32))

    def _hash(self, net: NetworkLike) -> str:
        if id(net) not in self.hashes:
            digest = hashlib.sha256(repr(describe(net)).encode())
            for name, value in sorted(tensors_of(net).items()):
                digest.update(name.encode() + value.detach().cpu().contiguous().view(-1).numpy().tobytes())
            self.hashes[id(net)] = net, digest.hexdigest()  # the network too, so that its number is nobody else's
        return self.hashes[id(net)][1]

    def _load(self, net: NetworkLike, tile: Tensor) -> Any:
        config = {
            "INFERENCE_PRECISION_HINT": self.precision,
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(torch.get_num_threads()),
        }
        here = machine()
        words = (self._hash(net), tuple(tile.shape), sorted(config.items()), here.version, here.name)
        path = None if self.cache is None else self.cache / f"{hashlib.sha256(repr(words).encode()).hexdigest()}.blob"
        blob = None if path is None else read_blob(path)
        if blob is not None:
            try:
                return _core().import_model(blob, "CPU", config)
            except RuntimeError as error:
                self.say(f"a compiled network in {self.cache} cannot be loaded ({str(error)[:100]}); compiled anew")
        made = self._compiled(net, tile, config)
        if path is not None:
            trouble = write_blob(path, made.export_model().getvalue())
            if trouble:
                self.say(f"compiled networks are not kept: {trouble}")
                self.cache = None
        return made

    def _compiled(self, net: NetworkLike, tile: Tensor, config: dict[str, str]) -> Any:
        try:
            with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of torch.export, about itself
                fresh = copy.deepcopy(net).eval()
                program = torch.export.export(fresh, (torch.zeros(tile.shape),))
                # with a size of its own, or it takes every size and answers with this one
                model = _openvino().convert_model(program, input=[list(tile.shape)])
                made = _core().compile_model(model, "CPU", config)
                found = torch.from_numpy(np.array(made([tile.numpy()])[0], dtype=np.float32))
                equal = float((found.argmax(1) == fresh(tile).argmax(1)).float().mean())
        except Exception as error:  # whatever two compilers raise for a layer that they do not know
            raise _CannotCompile(str(error).strip().partition("\n")[0] or type(error).__name__) from error
        if equal < MIN_EQUAL:
            raise _CannotCompile(f"it labels {100 * (1 - equal):.2g} % of the voxels of a tile otherwise than torch")
        return made


class _CannotCompile(Exception):
    """A network that OpenVINO does not do, or does otherwise."""


class _Compiled:
    """A network as `class_probabilities` sees it, computed by an engine."""

    def __init__(self, engine: OpenVINOEngine, net: NetworkLike) -> None:
        self.ndim, self.classes, self.in_channels = net.ndim, net.classes, net.in_channels
        self._engine, self._net = engine, net

    def __call__(self, x: Tensor) -> Tensor:
        return self._engine.logits(self._net, x)
