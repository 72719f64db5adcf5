from monai.networks.nets import SegResNet
from training import CLASSES


def make_net():
    return SegResNet(init_filters=16, out_channels=CLASSES)
