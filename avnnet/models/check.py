"""The contract of a network as a test that anybody can run."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from avnnet.errors import AvnnetError, InvalidNetwork
from avnnet.models.network import NetworkLike, keeps_contract, own_classes
from avnnet.models.paper import check_logits, in_evaluation, on_paper, scales_on_paper
from avnnet.models.stages import watched
from avnnet.recipe import build, describe

MULTIPLES = (2, 3, 4, 8, 16, 32, 1)  # of the divisors: a voxel alone on the coarsest level cannot be normalised
MAX_VOXELS = 2**21  # 128 along each axis


def check_network(net: NetworkLike, *, classes: Iterable[type] = (), idle: Sequence[str] = ()) -> None:
    """Refuse a network that breaks the contract of `NetworkLike`; says nothing of one that keeps it.

    Two batch sizes and two sizes of image, the smallest that it takes and the next one, odd where the divisors allow
    it; one tensor of logits from `forward`, and the same size first in `scales` in training; the same logits twice in
    evaluation; a gradient for every weight from what the loss sees; the same logits after its description went
    through JSON and back; and the same from `torch.export`. The network is left as it was.

    Args:
        net: the network; tiny ones are tested in a second, large ones in as long as a few of their training steps.
        classes: further classes that it is built from, where `own_classes` does not find them.
        idle: beginnings of the names of weights that need no gradient, such as heads that are switched off.

    Raises:
        InvalidNetwork: at the first part of the contract that is broken, with what was expected and what came.

    Examples:
        >>> from avnnet.models import UNet2D
        >>> check_network(UNet2D([4, 8], [[2, 2]]))
    """
    # initial weights and dropout of the copy must not move the random numbers of the caller
    on_gpu = {one.device for one in net.parameters() if one.device.type == "cuda"}
    with torch.random.fork_rng(devices=list(on_gpu)):
        _Contract(net, idle).check(classes)


def check_output(net: NetworkLike, size: Sequence[int]) -> None:
    """Refuse a network that gives no logits of its classes for an image, before a training finds out.

    On paper where that can be done, in a twentieth of a second; else with one real image.

    Args:
        net: the network.
        size: of the image, voxels per axis.

    Raises:
        InvalidNetwork: if `forward` gives a list, or other classes, ranks or sizes than it should, if the first of
            `scales` differs from it, or if it takes no image of this size.
    """
    logits, scales = _outputs(keeps_contract(net), size)
    _check_scales(scales, check_logits(logits, of=_name(net), classes=net.classes, size=size), _name(net))


def _outputs(net: NetworkLike, size: Sequence[int]) -> tuple[Any, Any]:
    """What `forward` and `scales` give for one image of a size, on paper or not."""
    try:
        module = _module(net)
        with watched(module):
            return on_paper(module, net.in_channels, size), scales_on_paper(module, net.in_channels, size)
    except InvalidNetwork:
        raise
    except Exception:  # computes with numbers that it has not on paper, or fails on a real image as well
        device = next((one.device for one in net.parameters()), torch.device("cpu"))
        image = torch.zeros(1, net.in_channels, *size, device=device)
        return _run(net, net, image), _run(net, net.scales, image)


def _run(net: NetworkLike, way: Callable[[Tensor], Any], image: Tensor) -> Any:
    inside: list[str] = []
    try:
        with in_evaluation(_module(net)), torch.no_grad(), watched(_module(net)) as inside:
            return way(image)
    except AvnnetError:
        raise
    except Exception as error:  # whatever a network raises for an image that it does not take
        raise InvalidNetwork(
            f"{_name(net)} takes no image {tuple(image.shape)}: {_inside(inside)}{type(error).__name__}: "
            f"{str(error)[:300]}. It says "
            f"that each axis is a multiple of {list(net.divisors)}, of {net.in_channels} channel(s): correct divisors, "
            "ndim or in_channels, or take another patch"
        ) from error


def _check_scales(scales: Any, logits: Tensor, name: str) -> None:
    if not isinstance(scales, list | tuple) or not scales or not all(isinstance(one, Tensor) for one in scales):
        raise InvalidNetwork(
            f"{name}.scales must give a list of tensors, finest first; it gives a {type(scales).__name__}"
        )
    shapes = [tuple(one.shape) for one in scales]
    ranks = {(len(shape), shape[0]) for shape in shapes}
    if shapes[0][2:] != tuple(logits.shape[2:]) or ranks != {(logits.ndim, len(logits))}:
        raise InvalidNetwork(
            f"{name}.scales gives {shapes}, finest first; the first must have the batch and the size of forward's "
            f"{tuple(logits.shape)}, and all as many axes"
        )


def _name(net: object) -> str:
    return str(getattr(net, "name", type(net).__name__))


def _inside(blocks: Sequence[str]) -> str:
    return f"in {blocks[-1]}, " if blocks else ""


def _module(net: Any) -> nn.Module:
    return net  # a network is a module, which a protocol cannot say


class _Contract:
    def __init__(self, net: NetworkLike, idle: Sequence[str]) -> None:
        self.net, self.idle, self.name = keeps_contract(net), tuple(idle), type(net).__name__
        self.device = next((one.device for one in net.parameters()), torch.device("cpu"))

    def check(self, classes: Iterable[type]) -> None:
        sizes = self.sizes()
        for batch, size in zip((2, 1), sizes, strict=True):
            check_output(self.net, size)
            self.check_forward(self.image(batch, size))
        image = self.image(1, sizes[0])
        again = self.rebuilt(classes, image)
        self.check_gradients(again, self.image(2, sizes[0]))
        self.check_export(again, image)

    def image(self, batch: int, size: Sequence[int]) -> Tensor:
        numbers = torch.Generator().manual_seed(1)
        return torch.randn(batch, self.net.in_channels, *size, generator=numbers).to(self.device)

    def sizes(self) -> list[list[int]]:
        """The smallest size that the network takes, and the next one."""
        steps = self.net.divisors
        refused: AvnnetError | None = None
        for multiple in MULTIPLES:
            size = [multiple * step for step in steps]
            if refused is None or math.prod(size) <= MAX_VOXELS:
                try:
                    _outputs(self.net, size)
                except AvnnetError as error:
                    refused = refused or error
                else:
                    return [size, [n + step for n, step in zip(size, steps, strict=True)]]
        raise refused or InvalidNetwork(f"{self.name} takes no image")

    def check_forward(self, image: Tensor) -> None:
        logits = _run(self.net, self.net, image)
        check_logits(logits, of=self.name, classes=self.net.classes, size=image.shape[2:])
        if len(logits) != len(image):
            raise InvalidNetwork(f"{self.name}.forward gives a batch of {len(logits)} for one of {len(image)}")
        if not torch.equal(logits, _run(self.net, self.net, image)):
            raise InvalidNetwork(
                f"{self.name}.forward gives other logits for the same image the second time, in evaluation; switch "
                "dropout and other random parts off there: F.dropout(x, training=self.training)"
            )

    def rebuilt(self, classes: Iterable[type], image: Tensor) -> NetworkLike:
        """A network of the same description and weights, which the further checks may change."""
        from avnnet.models import known

        handed = {*known(), *own_classes(self.net), *classes}
        recipe = json.loads(json.dumps(describe(self.net)))
        again = keeps_contract(build(recipe, handed)).to(self.device)
        own, other = self.net.state_dict(), again.state_dict()
        if {name: one.shape for name, one in own.items()} != {name: one.shape for name, one in other.items()}:
            differing = sorted(n for n in own.keys() | other.keys() if n not in own or n not in other)[:3]
            raise InvalidNetwork(
                f"{self.name} is built with other weights from its description {str(recipe)[:200]}: "
                f"{differing or 'shapes'}; keep every constructor argument as an attribute of the same name, unchanged"
            )
        again.load_state_dict(own)
        if not torch.equal(_run(self.net, self.net, image), _run(again, again, image)):
            raise InvalidNetwork(
                f"{self.name} gives other logits when it is built from its description and its weights are loaded; "
                "keep what forward needs in constructor arguments, parameters and buffers"
            )
        return again

    def check_gradients(self, net: NetworkLike, image: Tensor) -> None:
        net.train()
        try:
            scales = net.scales(image)
            logits = net(image)
        except AvnnetError:
            raise
        except Exception as error:  # whatever a network raises in training alone
            raise InvalidNetwork(
                f"{self.name} takes no image {tuple(image.shape)} in training: {type(error).__name__}: "
                f"{str(error)[:300]}"
            ) from error
        check_logits(logits, of=self.name, classes=net.classes, size=image.shape[2:])
        _check_scales(scales, logits, self.name)
        torch.stack([scale.float().square().mean() for scale in scales]).sum().backward()
        weights = [(name, one) for name, one in _module(net).named_parameters() if one.requires_grad]
        without = [name for name, one in weights if one.grad is None and not name.startswith(self.idle or ("\0",))]
        if without:
            raise InvalidNetwork(
                f"no gradient reaches {len(without)} of the {len(weights)} weights of {self.name}: {without[:4]}; "
                "leave layers out that scales does not use, or name them: check_network(net, idle=[...])"
            )
        odd = [name for name, one in weights if one.grad is not None and not torch.isfinite(one.grad).all()]
        if odd:
            raise InvalidNetwork(f"the gradient of {self.name} is NaN or infinite at {odd[:4]}")

    def check_export(self, net: NetworkLike, image: Tensor) -> None:
        net.eval()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what the exporter says of tensors that MONAI keeps between calls
                exported = torch.export.export(_module(net), (image,)).module()(image)
        except Exception as error:  # whatever the exporter meets
            raise InvalidNetwork(
                f"torch.export takes no {self.name}: {type(error).__name__}: {str(error)[:300]}; forward must not "
                "depend on the values of its image"
            ) from error
        if not torch.allclose(exported, _run(net, net, image), rtol=1e-4, atol=1e-5):
            raise InvalidNetwork(
                f"{self.name} gives other logits after torch.export; keep Python values out of forward"
            )
