"""MONAI's DynUNet in the race, by the recipe of MONAI's own tutorial for the hippocampus (modules/dynunet_pipeline).

Source: Project-MONAI/tutorials, modules/dynunet_pipeline (Apache-2.0): patch, spacing, augmentation, loss, optimiser
and schedule are its; the code is not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import torch
from monai.data import CacheDataset, DataLoader
from monai.inferers import SlidingWindowInferer
from monai.losses import DiceCELoss
from monai.networks.nets import DynUNet
from monai.transforms import (
    Compose,
    EnsureTyped,
    NormalizeIntensityd,
    RandCropByPosNegLabeld,
    RandFlipd,
    RandGaussianNoised,
    RandGaussianSmoothd,
    RandScaleIntensityd,
    RandZoomd,
    SpatialPadd,
)
from task import each, read_task

from avnnet.data.cohort import Case
from avnnet.data.files import read_image, read_labels
from avnnet.labels import LabelScheme

BOTH = ["image", "label"]
PATCH = [40, 56, 40]
CROPS, IMAGES = 3, 3  # a batch of nine, as nnU-Net's
KERNELS = [[3, 3, 3]] * 4
STRIDES = [[1, 1, 1], [2, 2, 2], [2, 2, 2], [2, 2, 2]]
RATE = 1e-2


def read(case: Case, scheme: LabelScheme) -> dict[str, np.ndarray]:
    """Image and label `(1, z, y, x)`, by avnnet's readers: MONAI's need a package more."""
    image = read_image(case.image).array.astype(np.float32)
    return {"image": image[None], "label": read_labels(case.label, scheme).array[None].astype(np.float32)}


def normalised() -> list:
    return [EnsureTyped(BOTH, track_meta=False), NormalizeIntensityd("image", nonzero=True, channel_wise=True)]


def augmented(patch: list[int], crops: int) -> list:
    return [
        SpatialPadd(BOTH, patch),
        RandCropByPosNegLabeld(BOTH, "label", patch, pos=2, neg=1, num_samples=crops, image_key="image"),
        RandZoomd(
            BOTH, prob=0.15, min_zoom=0.9, max_zoom=1.2, mode=("trilinear", "nearest"), align_corners=(True, None)
        ),
        RandGaussianNoised("image", prob=0.15, std=0.01),
        RandGaussianSmoothd("image", prob=0.15, sigma_x=(0.5, 1.15), sigma_y=(0.5, 1.15), sigma_z=(0.5, 1.15)),
        RandScaleIntensityd("image", prob=0.15, factors=0.3),
        *(RandFlipd(BOTH, prob=0.5, spatial_axis=axis) for axis in range(3)),
    ]


def sgd(net: DynUNet) -> torch.optim.SGD:
    return torch.optim.SGD(net.parameters(), RATE, momentum=0.99, weight_decay=3e-5, nesterov=True)


def main() -> int:
    task = read_task()
    classes, own = task.scheme.classes, task.topology
    patch = own.patch if own else PATCH
    crops, images = (1, own.batch) if own else (CROPS, IMAGES)
    steps = Compose([*normalised(), *augmented(patch, crops)])
    train = CacheDataset([read(case, task.scheme) for case in task.training], steps, progress=False)
    loader = DataLoader(train, batch_size=images, shuffle=True, drop_last=True)
    if own:
        shape = {"filters": own.channels, "deep_supr_num": own.deep_supervision}
        net = DynUNet(3, 1, classes, own.kernels, own.strides, own.strides[1:], deep_supervision=True, **shape)
    else:
        net = DynUNet(3, 1, classes, KERNELS, STRIDES, STRIDES[1:], deep_supervision=True, deep_supr_num=1)
    weights = [0.5**number for number in range(net.deep_supr_num + 1)]
    loss_of = DiceCELoss(to_onehot_y=True, softmax=True, batch=True)
    optimizer = sgd(net)

    def batches():
        while True:
            yield from loader

    endless = batches()

    def step() -> None:
        batch = next(endless)
        optimizer.zero_grad(set_to_none=True)
        outputs = net(batch["image"]).unbind(1)
        label = batch["label"]
        losses = [weight * loss_of(one, label) for weight, one in zip(weights, outputs, strict=True)]
        (sum(losses) / sum(weights)).backward()
        optimizer.step()

    def schedule(steps: int) -> Callable[[int], object]:
        nonlocal optimizer
        optimizer = sgd(net)
        decay = torch.optim.lr_scheduler.PolynomialLR(optimizer, steps, power=0.9)
        return lambda number: decay.step() if number else None

    trained = task.train(net, step, schedule)
    if trained is None:
        return 0
    task.write_record(trained, precision="32-true", recipe="MONAI dynunet_pipeline, task 04")
    net.eval()
    infer = SlidingWindowInferer(PATCH, sw_batch_size=4, overlap=0.5, mode="gaussian")
    prepare = Compose(normalised())
    with torch.inference_mode():
        for case in each(task.held_out, "predicting"):
            image = prepare(read(case, task.scheme))["image"][None]
            flips = [[], [2], [3], [4], [2, 3], [2, 4], [3, 4], [2, 3, 4]]
            mean = sum(infer(image.flip(axes), net).softmax(1).flip(axes) for axes in flips) / len(flips)
            task.write(case, mean[0].argmax(0).numpy())
    return 0


if __name__ == "__main__":
    sys.exit(main())
