"""A training step of our U-Nets beside MONAI's DynUNet of the same topology: ratios of time and of peak memory.

Same channels, strides, kernels, norm, loss and optimiser. Two ways to hold them against each other: `one` has a loss of
the finest logits alone in both; `deep` has deep supervision, ours of each level at its own size, DynUNet's as it comes,
of heads that it upsamples and stacks. Each network is a process of its own; the two take turns, a burst of steps each.
Times are seconds of the processor, ratios medians over the turns, so that other work on the machine meets both alike.
DynUNet has no bias before its norms and so a little less to do. With --checkpointed the same U-Net, its blocks
`avnnet.models.Checkpointed`, is held against itself without them instead.

Run: python benchmarks/step_against_dynunet.py [--turns 9] [--steps 2] [--only NAME] [--checkpointed]
Without AVX-512: ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 before it.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

# channels, strides, patch, batch: experiments/hippocampus, experiments/laptop, and nnU-Net's plan for a hippocampus
CASES = {
    "hippocampus 3d": ([16, 32, 64, 128], [[2] * 3] * 3, [32, 48, 32], 2),
    "laptop 3d": ([12, 24, 48, 96], [[2] * 3] * 3, [40, 48, 48], 2),
    "nnunet 3d": ([32, 64, 128, 256], [[2] * 3] * 3, [40, 56, 40], 2),
    "hippocampus 2d": ([24, 48, 96, 192], [[2] * 2] * 3, [32, 48], 32),
    "laptop 2d": ([16, 32, 64, 128], [[2] * 2] * 3, [48, 48], 32),
}
LEVELS = 2


def made(who: str, name: str, way: str):
    """A function that makes one training step of a network."""
    import torch

    from avnnet.losses import DiceCE, supervise_scales
    from avnnet.models import Checkpointed, ConvBlock, UNet2D, UNet3D

    channels, strides, patch, batch = CASES[name]
    ndim, levels = len(patch), LEVELS if way == "deep" else 1
    torch.manual_seed(0)
    if who != "dynunet":
        block = Checkpointed if who == "checkpointed" else ConvBlock
        net = {2: UNet2D, 3: UNet3D}[ndim](channels, strides, block=block, deep_supervision=levels)
    else:
        from monai.networks.nets import DynUNet

        net = DynUNet(
            ndim, 1, 3, [[3] * ndim] * len(channels), [[1] * ndim, *strides], strides, channels,
            norm_name=("instance", {"affine": True}), deep_supervision=way == "deep", deep_supr_num=levels - 1 or 1,
            trans_bias=True,
        )  # fmt: skip
    loss, optimizer = DiceCE(), torch.optim.AdamW(net.parameters(), lr=1e-3)
    image, target = torch.randn(batch, 1, *patch), torch.randint(0, 3, (batch, 1, *patch))

    def logits():
        if who != "dynunet":
            return net.scales(image)
        out = net(image)
        return list(out.unbind(1)) if way == "deep" else [out]

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        supervise_scales(loss, logits(), target).backward()
        optimizer.step()

    return step


def worker(who: str, name: str, way: str) -> None:
    """Makes bursts of steps, as many as each line on standard input says; answers with seconds and the peak in MiB."""
    import torch

    torch.set_num_threads(int(sys.argv[-1]))
    step = made(who, name, way)
    step()
    for line in sys.stdin:
        start_s = time.process_time()
        for _ in range(int(line)):
            step()
        seconds = time.process_time() - start_s
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([seconds, peak]), flush=True)


class Worker:
    """A process of one network."""

    def __init__(self, who: str, name: str, way: str, threads: int) -> None:
        words = [sys.executable, __file__, "--worker", who, name, way, str(threads)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def burst(self, steps: int) -> tuple[float, float]:
        """Seconds of as many steps, and the peak so far in MiB."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        seconds, peak = json.loads(self.process.stdout.readline())
        return seconds, peak

    def close(self) -> None:
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()


def empty_mib() -> float:
    """The memory of a process that has imported all and built nothing."""
    code = "import resource, torch, monai.networks.nets, avnnet.models, avnnet.losses; torch.ones(1).sum(); "
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=9, help="bursts of each network")
    parser.add_argument("--steps", type=int, default=2, help="training steps of a burst")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--only", nargs="+", default=list(CASES), choices=list(CASES), help="topologies")
    parser.add_argument("--checkpointed", action="store_true", help="Checkpointed blocks against plain ones")
    args = parser.parse_args()
    pair = ("checkpointed", "avnnet") if args.checkpointed else ("avnnet", "dynunet")
    empty = empty_mib()
    print(f"memory is the peak beyond that of the imports, {empty:.0f} MiB; ratios are {pair[0]} / {pair[1]}")
    print(f"topology        way        ms {pair[1]:>8s}   time    MiB {pair[1]:>8s}  memory")
    for name in args.only:
        for way in ("one", "deep"):
            both = [Worker(who, name, way, args.threads) for who in pair]
            turns = []
            for turn in range(args.turns):
                order = both if turn % 2 == 0 else both[::-1]
                found = [(one, one.burst(args.steps)) for one in order]
                turns.append([dict(found)[one] for one in both])
            for one in both:
                one.close()
            ms = [statistics.median(turn[who][0] for turn in turns) * 1000 / args.steps for who in (0, 1)]
            ratio = statistics.median(own[0] / other[0] for own, other in turns)
            mib = [turns[-1][who][1] - empty for who in (0, 1)]
            print(
                f"{name:15s} {way:5s} {ms[0]:7.0f} {ms[1]:8.0f} {ratio:6.2f} {mib[0]:6.0f} {mib[1]:8.0f} "
                f"{mib[0] / mib[1]:7.2f}", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    if "--worker" in sys.argv:
        worker(*sys.argv[2:5])
    else:
        main()
