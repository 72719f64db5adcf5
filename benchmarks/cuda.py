"""All that we want to know of CUDA, in one command of at most 7 minutes on one GPU: cuda.json and cuda.md.

Steps: the tests marked `gpu`; unet3d.yaml and unet2d.yaml of experiments/abstract and MONAI's DynUNet of the same
topology, in fp32 and bf16, with channels-last and torch.compile; how long a training waits for data; a short training;
one prediction, and its mask beside the CPU's. A step that fails or runs out of its time is a row with its error, and
both files are rewritten after each row. A machine without MONAI and the like takes them from wheels: wheels.py.

Run: python3 benchmarks/cuda.py --out runs/cuda
     python3 benchmarks/cuda.py --dry     every step on the CPU at toy size
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    from benchmarks.device.errors import NotReady
    from benchmarks.device.lacking import install
    from benchmarks.device.plan import BY_NAME, MAX_MINUTES, MIN_MINUTES
    from benchmarks.device.report import Report
    from benchmarks.device.watch import Watch

    begun_s = time.time()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "cuda", help="folder of the results")
    parser.add_argument("--minutes", type=float, default=7.0, help="for all steps together (default 7)")
    parser.add_argument("--wheels", type=Path, default=ROOT / "wheels", help="folder of wheels (default wheels/)")
    parser.add_argument("--dry", action="store_true", help="every step on the CPU at toy size")
    args = parser.parse_args()
    if not MIN_MINUTES <= args.minutes <= MAX_MINUTES:
        parser.error(f"--minutes takes {MIN_MINUTES:.0f} to {MAX_MINUTES:.0f}; found {args.minutes}")
    # a time limit of the machine ends this with SIGTERM: the worker must go with it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # the last moments are for ending
    until_s = begun_s + 60 * args.minutes - 15
    with tempfile.TemporaryDirectory(prefix="avnnet-cuda-") as scratch:
        site, work = Path(scratch) / "site", Path(scratch) / "work"
        work.mkdir()
        try:
            brought = install(args.wheels, site)
            paths = [str(ROOT), str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
            os.environ["PYTHONPATH"] = os.pathsep.join(paths)
            report = Report(args.out, {"minutes": args.minutes, "dry": args.dry, "brought": brought})

            def command(names: list[str]) -> list[str]:
                words = [sys.executable, "-m", "benchmarks.device.worker", "--steps", json.dumps(names)]
                words += ["--until-s", str(until_s), "--folder", str(work)]
                return [*words, "--dry"] if args.dry else words

            Watch(command, report, until_s=until_s, log=args.out / "cuda.log").run(list(BY_NAME))
        except NotReady as error:
            print(f"benchmarks/cuda.py: {error}", file=sys.stderr)
            return 2
    report.finish()
    minutes = (time.time() - begun_s) / 60
    print(report.as_markdown())
    print(f"{len(report.failures)} rows failed; {minutes:.1f} minutes; {args.out / 'cuda.json'}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    # this file's folder would go before all others, and this file before the package `cuda`, which torch imports
    sys.path[0] = str(ROOT)
    sys.exit(main())
