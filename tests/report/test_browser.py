"""The report in a real browser."""

import re
import shutil
import subprocess

import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: .ci/run installs it")
def test_the_report_opens_in_a_browser_with_its_pictures_and_prints(written, tmp_path_factory):
    page = written
    out = tmp_path_factory.mktemp("browser")
    flags = [*FLAGS, f"--user-data-dir={out / 'profile'}"]
    shot = [CHROMIUM, *flags, "--window-size=1240,3000", f"--screenshot={out / 'page.png'}", page.as_uri()]
    subprocess.run(shot, check=True, timeout=120, capture_output=True)
    image = Image.open(out / "page.png").convert("RGB")
    assert image.size == (1240, 3000)
    colours = {colour for _, colour in image.getcolors(1 << 24)}
    assert (213, 94, 0) in colours  # the banner's frame
    assert any(abs(r - 43) < 40 and abs(g - 140) < 25 and b > 170 for r, g, b in colours)  # points of the figures
    printed = [CHROMIUM, *flags, f"--print-to-pdf={out / 'page.pdf'}", page.as_uri()]
    subprocess.run(printed, check=True, timeout=120, capture_output=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", (out / "page.pdf").read_bytes()))
    assert 5 <= pages <= 40
