"""A folder that scans are dropped into: each is segmented once it is whole, and only once, whoever is killed when."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from avnnet.atomic import alone_in, write_text_atomically
from avnnet.cases.keys import case_keys
from avnnet.cases.predict import Job, predict_jobs, recorded_rows
from avnnet.data.files import SUFFIXES, is_voxels_of_another
from avnnet.errors import InvalidConfig, MissingFile, OutputNotWritable
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import Side
from avnnet.measure import measurement_columns
from avnnet.progress import Reporter
from avnnet.tables import read_table, write_table

STATE, TABLE = "watched.json", "measurements.csv"
SETTLE_S = 30.0
LOOK_EVERY_S = 2.0
REST_S = 300.0  # a scan that is done is looked at so seldom: a folder may hold thousands of them
MAX_SETTLE_S = 86_400.0


@dataclass(eq=False)
class Watch:
    """What is watched, and what is done with each scan in it.

    A scan is a folder in the watched one, with all that lies below it, or an image file. It is whole when nothing of it
    has changed for a while: no name, size or time. One that changes later is segmented anew, and its row is replaced.
    A scan that fails is a row with the error, and is tried again when it changes, or when avnnet starts again.

    Args:
        model: the ensemble.
        folder: what is watched; must exist.
        out: folder of the masks, `keys.csv` (which scan is which case), `measurements.csv` and `watched.json`.
        reporter: told of each scan.
        suffix: of the masks.
        settle_s: how long a scan must not have changed.
        side: only hips of this side.
        prefer: as `read_image` takes it.
        clock: seconds, as `time.monotonic`.

    Raises:
        MissingFile: if there is no such folder.
        InvalidConfig: if `out` lies in it, or the wait is not between 0 and a day.
    """

    model: Segmenter
    folder: Path
    out: Path
    reporter: Reporter
    suffix: str = ".nii.gz"
    settle_s: float = SETTLE_S
    side: Side | None = None
    prefer: str | None = None
    clock: Callable[[], float] = time.monotonic
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise MissingFile(f"{self.folder} is no folder that could be watched; make it, or look at the path")
        if self.out.resolve().is_relative_to(self.folder.resolve()):
            raise InvalidConfig("--out lies in the watched folder, which would be watched itself; choose another")
        if not 0 <= self.settle_s <= MAX_SETTLE_S:
            raise InvalidConfig(f"--settle is a number of seconds from 0 to a day; found {self.settle_s:g}")
        self._since: dict[Path, tuple[str, float]] = {}
        self._failed: dict[Path, str] = {}
        self._rests: dict[Path, float] = {}
        self._said: set[str] = set()
        self._done: dict[str, str] = {}
        with suppress(OSError, ValueError, AttributeError):  # without it records say what is done
            content = json.loads((self.out / STATE).read_text(encoding="utf-8"))
            self._done = {str(name): str(digest) for name, digest in content.items()}

    def run(self) -> None:
        """Looks into the folder until `stop` is set; a scan that has been begun is finished.

        Raises:
            OutputNotWritable: if another process watches for the same `out`, or it cannot be written to.
        """
        with alone_in(self.out):
            self.reporter.say(f"watching {self.folder}; Ctrl-C ends it after the scan at hand")
            while not self.stop.is_set():
                if not self.look():
                    self.stop.wait(LOOK_EVERY_S)

    def look(self) -> int:
        """How many scans were segmented, or failed, in one look at the folder.

        Examples:
            >>> from tempfile import mkdtemp
            >>> from avnnet.data.preprocess import Preprocess
            >>> from avnnet.inference.member import Member
            >>> from avnnet.inference.tiling import Tiling
            >>> from avnnet.labels import HIP
            >>> from avnnet.models import UNet3D
            >>> member = Member(UNet3D([2, 4], [[2, 2, 2]]), Preprocess([1, 1, 1]), Tiling([8, 8, 8]), "unet3d")
            >>> incoming, quiet = Path(mkdtemp()), Reporter(is_quiet=True)
            >>> watch = Watch(Segmenter([member], HIP), incoming, Path(mkdtemp()), quiet, settle_s=0)
            >>> _ = (incoming / "hip.nii.gz").write_text("half of a file")
            >>> watch.look(), watch.look()
            (1, 0)
        """
        done = 0
        for scan in self._whole():
            if self.stop.is_set():
                break
            done += self._handled(scan)
        return done

    def _whole(self) -> list[Path]:
        """The scans that have not changed for long enough and are still to be done."""
        now_s, whole = self.clock(), []
        for scan in self._scans():
            if now_s < self._rests.get(scan, now_s):
                continue
            state = _state_of(scan)
            if self._since.get(scan, ("", 0.0))[0] != state:
                self._since[scan] = state, now_s
            if self._digest(state) in self._done.values():
                self._rests[scan] = now_s + REST_S
            elif state and state != self._failed.get(scan) and now_s - self._since[scan][1] >= self.settle_s:
                whole.append(scan)
        return sorted(whole, key=lambda scan: self._since[scan][1])  # as they came

    def _scans(self) -> Iterator[Path]:
        try:
            found = sorted(self.folder.iterdir())
        except OSError as error:  # a share that is away for a while
            self._say_once(f"the watched folder cannot be read ({error.strerror}); waiting for it")
            return
        for path in found:
            if path.name.startswith("."):
                continue
            if path.is_dir() or (path.name.lower().endswith(SUFFIXES) and not is_voxels_of_another(path)):
                yield path
            else:
                self._say_once("a file that is no image lies in the watched folder itself: give each series a folder")

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self.reporter.say(text)

    def _handled(self, scan: Path) -> int:
        state = _state_of(scan)
        if state != self._since[scan][0]:  # since the look, while another scan was segmented
            return 0
        (name,) = case_keys(self.out, [[scan]])
        job = Job(name, [scan], side=self.side, prefer=self.prefer)
        rows = predict_jobs(self.model, [job], self.out, reporter=self.reporter, suffix=self.suffix)
        errors = rows.loc[rows["error"] != "", "error"]
        if errors.str.startswith(OutputNotWritable.__name__).any():  # a full disk is no fault of the scan
            raise OutputNotWritable(
                f"{errors.iloc[0].partition(': ')[2]}. The scan is segmented when avnnet starts again"
            )
        if _state_of(scan) != state:  # it was not whole after all
            return 1
        self._write(rows)
        if errors.empty:
            self._done[name] = self._digest(state)
            write_text_atomically(self.out / STATE, json.dumps(self._done, indent=1))
        else:
            self._failed[scan] = state
        return 1

    def _write(self, rows: pd.DataFrame) -> None:
        """The table with the rows of a case; those of cases that were done before and not written are written too."""
        path, columns = self.out / TABLE, measurement_columns(self.model.scheme)
        before = read_table(path) if path.is_file() else pd.DataFrame(columns=columns)
        (name,) = rows["case_id"].unique()
        lost = [
            recorded_rows(record)
            for record in sorted(self.out.glob("c[0-9]*.json"))
            if record.stem != name and record.stem not in set(before["case_id"])
        ]
        parts = [before[before["case_id"] != name], *lost, rows]
        table = pd.concat([part for part in parts if len(part)], ignore_index=True)[columns]
        write_table(table.sort_values("case_id", kind="stable", ignore_index=True), path)

    def _digest(self, state: str) -> str:
        """Names the state of a scan and all that its mask depends on."""
        choices = [self.model.sha256, self.model.is_fast, self.model.engine.said, self.suffix, self.side, self.prefer]
        return hashlib.sha256(json.dumps([*choices, state]).encode()).hexdigest()


def _state_of(scan: Path) -> str:
    """A hash of names, sizes and times of the files of a scan; empty where there is none, or they vanish."""
    digest, count = hashlib.sha256(), 0
    try:
        for path in sorted(_files_of(scan)):
            seen = path.stat()
            digest.update(f"{path.relative_to(scan.parent)}\0{seen.st_size}\0{seen.st_mtime_ns}\n".encode())
            count += 1
    except OSError:
        return ""
    return digest.hexdigest() if count else ""


def _files_of(scan: Path) -> list[Path]:
    if not scan.is_dir():
        return [scan]
    return [Path(folder) / name for folder, _, names in os.walk(scan) for name in names]
