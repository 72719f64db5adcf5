# What MONAI leaves to its user: a training and an evaluation as in its tutorials; what may change is an argument
import torch
from monai.data import CacheDataset, DataLoader
from monai.inferers import sliding_window_inference
from monai.losses import DiceCELoss
from monai.metrics import DiceMetric
from monai.networks.utils import one_hot
from monai.transforms import (
    Compose,
    LoadImaged,
    NormalizeIntensityd,
    Orientationd,
    RandCropByPosNegLabeld,
    RandFlipd,
    RandGaussianNoised,
    RandRotated,
    Spacingd,
    SpatialPadd,
)
from monai.utils import set_determinism
from torch.utils.data import WeightedRandomSampler

BOTH, CLASSES, PATCH, SPACING_MM = ["image", "label"], 3, (32, 48, 32), (1.0, 1.0, 1.0)
ZSCORE = NormalizeIntensityd("image")


def reading(normalise):
    return [
        LoadImaged(BOTH, ensure_channel_first=True),
        Orientationd(BOTH, "RAS", labels=None),
        Spacingd(BOTH, SPACING_MM, mode=("bilinear", "nearest")),
        normalise,
        SpatialPadd(BOTH, PATCH),
    ]


def train(make_net, cases, loss=None, augment=(), normalise=ZSCORE, weights=None, epochs=50, seed=1):
    set_determinism(seed)
    net, loss = make_net(), loss or DiceCELoss(include_background=False, to_onehot_y=True, softmax=True)
    varying = [
        RandCropByPosNegLabeld(BOTH, "label", PATCH),
        RandRotated(BOTH, 0.5, 0.5, 0.5, prob=0.2, mode=("bilinear", "nearest")),
        RandFlipd(BOTH, prob=0.5, spatial_axis=0),
        RandGaussianNoised("image"),
        *augment,
    ]
    data = CacheDataset(cases, Compose([*reading(normalise), *varying]), progress=False)
    sampler = WeightedRandomSampler(weights, len(cases)) if weights else None
    loader = DataLoader(data, batch_size=2, shuffle=sampler is None, sampler=sampler)
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimiser, epochs * len(loader), power=0.9)
    net.train()
    for _ in range(epochs):
        for batch in loader:
            optimiser.zero_grad()
            loss(net(batch["image"]), batch["label"]).backward()
            optimiser.step()
            schedule.step()
    return net


@torch.no_grad()
def dice(net, cases, normalise=ZSCORE):
    net.eval()
    metric = DiceMetric(include_background=False)
    for batch in DataLoader(CacheDataset(cases, Compose(reading(normalise)), progress=False)):
        logits = sliding_window_inference(batch["image"], PATCH, 2, net, overlap=0.5, mode="gaussian")
        metric(one_hot(logits.argmax(1, keepdim=True), CLASSES), one_hot(batch["label"], CLASSES))
    return metric.aggregate("none")
