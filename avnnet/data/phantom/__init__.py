"""Digital hips: images, exact labels and the truth, for tests, demos and benchmarks without patients."""

from avnnet.data.phantom.acquisition import Acquisition, Plane, Size, usual
from avnnet.data.phantom.cohort import CohortPlan, FileFormat, write_cohort
from avnnet.data.phantom.hip import DigitalScan, Disease, hip, scan
from avnnet.data.phantom.modes import SignalMode
from avnnet.data.phantom.truth import HipTruth

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
    "scan",
    "usual",
    "write_cohort",
]
