"""What computes a network: torch everywhere, OpenVINO where it is installed and faster."""

from avnnet.inference.engines.choice import ENGINES, chosen_engine
from avnnet.inference.engines.torch_engine import Engine, autocast

__all__ = ["ENGINES", "Engine", "autocast", "chosen_engine"]
