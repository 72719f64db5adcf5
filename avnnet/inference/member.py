"""One trained network with all that it needs to be used: how to prepare an image, and how to tile it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import copy
from typing import Any

from torch import Tensor

from avnnet.data.contrast import Contrast
from avnnet.data.preprocess import Prepared, Preprocess
from avnnet.data.scope import Scope
from avnnet.inference.engines import Engine
from avnnet.inference.tiling import Tiling
from avnnet.models import NetworkLike
from avnnet.recipe import describe


class Member:
    """A network with its preprocessing and tiling.

    Args:
        net: the network.
        preprocess: what it was trained on.
        tiling: how an image is presented.
        name: the configuration's name, "unet3d".
        trained_on: hashes of the images that it was trained on (`image_hash`), to find a leak later.
        contrast: what its training images look like, to find an image of another sequence.
        dataset: hash of all images of its cohort, held out or not; the folds of one study have the same.
        scope: how large voxels and structures of its training were, to find an image beyond them.

    Examples:
        >>> import numpy as np
        >>> import torch
        >>> from avnnet.grid import Grid
        >>> from avnnet.image import Image
        >>> from avnnet.models import UNet3D
        >>> net = UNet3D(channels=[2, 4], strides=[[2, 2, 2]])
        >>> _ = [torch.nn.init.zeros_(weights) for weights in net.parameters()]  # it says a third of each class
        >>> member = Member(net, Preprocess([1, 1, 1]), Tiling([8, 8, 8]), "unet3d")
        >>> prepared = member.preprocess.prepare(Image(np.arange(512.0).reshape(8, 8, 8), Grid((8, 8, 8))))
        >>> {round(p, 4) for p in member.probabilities(prepared).unique().tolist()}
        {0.3333}
        >>> member.is_unusual(prepared), member.recipe()["net"]["class"]
        (False, 'UNet3D')
    """

    def __init__(
        self,
        net: NetworkLike,
        preprocess: Preprocess,
        tiling: Tiling,
        name: str,
        trained_on: Sequence[str] = (),
        dataset: str = "",
        contrast: Contrast | None = None,
        scope: Scope | None = None,
    ) -> None:
        self.net, self.preprocess, self.tiling, self.name = net, preprocess, tiling, name
        self.trained_on, self.dataset = [str(one) for one in trained_on], dataset
        self.contrast, self.scope = contrast, scope

    @property
    def preparation(self) -> str:
        """A name of the preprocessing: members with the same name see the same prepared image."""
        return json.dumps(describe(self.preprocess), sort_keys=True)

    def tiled(self, overlap: float) -> Member:
        """The same network with tiles that overlap otherwise.

        Args:
            overlap: of neighbouring tiles.

        Examples:
            >>> from avnnet.models import UNet3D
            >>> member = Member(UNet3D([2, 4], [[2, 2, 2]]), Preprocess([1, 1, 1]), Tiling([8, 8, 8], [2]), "unet3d")
            >>> member.tiled(0.25).tiling.overlap, member.tiled(0.25).tiling.mirror_axes, member.tiling.overlap
            (0.25, [2], 0.5)
        """
        other = copy(self)
        other.tiling = Tiling(self.tiling.patch, self.tiling.mirror_axes, overlap, self.tiling.batch)
        return other

    def recipe(self) -> dict[str, Any]:
        """The plain description from which `build` restores everything but the weights."""
        described = describe_member(self.net, self.preprocess, self.tiling)
        past = {"trained_on": self.trained_on, "dataset": self.dataset}
        known = {"contrast": describe(self.contrast), "scope": describe(self.scope)}
        return {"name": self.name, **described, **past, **known}

    def is_unusual(self, prepared: Prepared) -> bool:
        """Whether an image has another contrast than the training's; False where that cannot be told."""
        return (
            self.contrast is not None
            and self.contrast.is_cropped == prepared.is_cropped
            and self.contrast.is_unusual(prepared.image)
        )

    def probabilities(self, prepared: Prepared, engine: Engine | None = None, where: Tensor | None = None) -> Tensor:
        """`(K, *S)` probabilities of the prepared voxels; `preprocess.restore` leads them back to the image's grid.

        Args:
            prepared: what `preprocess.prepare` gave.
            engine: what computes; torch in float32 by default.
            where: bool `S`; where nothing can be, nobody looks (`class_probabilities`).
        """
        return (engine or Engine()).probabilities(self.net, prepared.image, self.tiling, where)


def describe_member(net: NetworkLike, preprocess: Preprocess, tiling: Tiling) -> dict[str, Any]:
    """Plain descriptions of network, preprocessing and tiling, for checkpoints and model folders.

    Examples:
        >>> from avnnet.models import UNet3D
        >>> net = UNet3D(channels=[2, 4], strides=[[2, 2, 2]])
        >>> describe_member(net, Preprocess([1, 1, 1]), Tiling([8, 8, 8]))["net"]["args"]["channels"]
        [2, 4]
    """
    return {"net": describe(net), "preprocess": describe(preprocess), "tiling": describe(tiling)}
