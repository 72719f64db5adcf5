"""Digital hips: images, exact labels and the truth, for tests, demos and benchmarks without patients."""

from avnnet.data.phantom.cohort import write_cohort
from avnnet.data.phantom.hip import HipTruth, hip

__all__ = ["HipTruth", "hip", "write_cohort"]
