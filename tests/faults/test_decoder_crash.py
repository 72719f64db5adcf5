"""A decoder that crashes, hangs or eats all memory is an error of its case, and the batch goes on."""

import sys

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from avnnet.cases.predict import Job, predict_jobs
from avnnet.data.dicom import read_series, subprocess_decode
from avnnet.data.files import read_image
from avnnet.errors import DecoderCrashed, UndecodablePixels
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import HIP
from avnnet.progress import Reporter
from tests.faults.conftest import files
from tests.faults.test_dicom_pixels import broken, rewritten


@pytest.fixture
def compressed(series):
    for path in files(series):
        rewritten(path, RLELossless)
    return series


def does(monkeypatch, code):
    """Puts a program in the place of the decoding process."""
    monkeypatch.setattr(subprocess_decode, "COMMAND", [sys.executable, "-c", code])


@pytest.mark.parametrize("signal", [6, 9, 11])
def test_a_signal_becomes_an_error_of_the_series(compressed, monkeypatch, signal):
    does(monkeypatch, f"import os; os.kill(os.getpid(), {signal})")
    with pytest.raises(DecoderCrashed, match=f"exit status -{signal}"):
        read_series(compressed)


def test_a_decoder_that_hangs_is_ended(compressed, monkeypatch):
    does(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(subprocess_decode, "DEADLINE_S", 0.3)
    monkeypatch.setattr(subprocess_decode, "DEADLINE_PER_SLICE_S", 0.0)
    with pytest.raises(DecoderCrashed, match="did not end"):
        read_series(compressed)


@pytest.mark.parametrize("said", ["", "[]", '["os", "x"]', '["NoSuchError", "x"]', "Traceback"])
def test_whatever_the_process_says_in_the_end_is_an_error_of_ours(compressed, monkeypatch, said):
    does(monkeypatch, f"import sys; print({said!r}); sys.exit(1)")
    with pytest.raises(DecoderCrashed):
        read_series(compressed)


def test_an_error_of_the_decoding_process_keeps_its_name_and_words(compressed):
    broken(files(compressed)[4], encapsulate([b"\1\2\3"]))
    with pytest.raises(UndecodablePixels, match="slice 5 of 8"):
        read_series(compressed)


def test_the_process_has_a_limit_of_memory(compressed, monkeypatch):
    code = "from avnnet.data.dicom import subprocess_decode as apart; import numpy as np; "
    code += "apart.MEMORY_BYTES = 2 << 30; apart.serve(lambda places: np.ones((1 << 30,), np.float64))"
    does(monkeypatch, code)
    with pytest.raises(DecoderCrashed, match="exit status 1"):
        read_series(compressed)


def test_what_is_decoded_apart_is_what_is_decoded_here(compressed, image):
    from avnnet.data.dicom.pixels import stored_values

    places = [(path, 0, (34, 40)) for path in files(compressed)]
    assert np.array_equal(subprocess_decode.decoded_apart(places), stored_values(places))


def test_a_crash_in_one_case_does_not_end_the_batch(compressed, image, tmp_path, monkeypatch, fixed_member):
    from avnnet.data.files import write_image

    plain = write_image(read_image(compressed), tmp_path / "plain.nii.gz")
    does(monkeypatch, "import os; os.kill(os.getpid(), 11)")
    model = Segmenter([fixed_member([[2.0, 0.0, 0.0]])], HIP)
    jobs = [Job("c0001", [compressed]), Job("c0002", [plain])]
    table = predict_jobs(model, jobs, tmp_path / "out", reporter=Reporter(is_quiet=True))
    assert table["error"].str.split(":").str[0].tolist() == ["DecoderCrashed", ""]
