"""Digital hips: images, exact labels and the truth, for tests, demos and benchmarks without patients."""

from avnnet.choice import FileFormat, Plane, SignalMode, Size
from avnnet.phantom.acquisition import Acquisition, usual
from avnnet.phantom.cohort import CohortPlan, write_cohort
from avnnet.phantom.hip import DigitalScan, Disease, hip, simulate
from avnnet.phantom.truth import HipTruth

__all__ = [
    "Acquisition",
    "CohortPlan",
    "DigitalScan",
    "Disease",
    "FileFormat",
    "HipTruth",
    "Plane",
    "SignalMode",
    "Size",
    "hip",
    "simulate",
    "usual",
    "write_cohort",
]
