# with gated.py and training.py beside it: weights say neither how the network is built nor what it is to be shown
import torch
from gated import make_net
from monai.inferers import sliding_window_inference
from monai.transforms import Compose, Invertd, LoadImaged, NormalizeIntensityd, Orientationd, SaveImage, Spacingd
from training import PATCH, SPACING_MM

reading = Compose(
    [
        LoadImaged("image", ensure_channel_first=True),
        Orientationd("image", "RAS", labels=None),
        Spacingd("image", SPACING_MM),
        NormalizeIntensityd("image"),
    ]
)
net = make_net()
net.load_state_dict(torch.load("gated.pt", weights_only=True))
net.eval()
case = reading({"image": "new.nii.gz"})
with torch.no_grad():
    logits = sliding_window_inference(case["image"][None], PATCH, 2, net, overlap=0.5, mode="gaussian")[0]
back = Invertd("softmax", reading, orig_keys="image")({**case, "softmax": logits.softmax(0)})
SaveImage("masks", output_dtype="uint8", separate_folder=False)(back["softmax"].argmax(0, keepdim=True))
