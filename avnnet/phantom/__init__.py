"""Digital hips: images, exact labels and the truth, for tests, demos and benchmarks without patients."""

from avnnet.phantom.acquisition import Acquisition, Plane, Size, usual
from avnnet.phantom.cohort import CohortPlan, FileFormat, write_cohort
from avnnet.phantom.hip import DigitalScan, Disease, hip, simulate
from avnnet.phantom.modes import SignalMode
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
