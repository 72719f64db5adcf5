"""Imports that are left out are left out of MONAI alone, and change no mask."""

import subprocess
import sys

CODE = """
import gc
from avnnet.cli.lean import lean_imports
with lean_imports():
    import avnnet.data.preprocess
    assert not gc.isenabled()
import sys
assert gc.isenabled()
assert "monai.transforms" in sys.modules
left = [name for name in ("matplotlib", "skimage", "scipy.signal", "sklearn", "nibabel") if name in sys.modules]
assert left == [], left
import matplotlib.figure, skimage.measure, scipy.signal, nibabel  # to be had again
"""


def test_monai_is_imported_without_what_it_does_not_need_and_that_can_be_imported_afterwards():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
