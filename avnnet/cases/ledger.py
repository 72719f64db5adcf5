"""What is done already: a record beside the files of a case or a fold says what they were made from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from avnnet.atomic import write_text_atomically
from avnnet.data.integrity import content_hash


@dataclass(frozen=True)
class Ledger:
    """The record of one piece of work, written after the last of its files.

    Work is done if its record says that it was made from the same things, and its files are those that were written.
    A record that is damaged, or of a version that wrote other ones, counts as none: the work is done anew.

    Args:
        path: of the record, JSON; the files lie in its folder.

    Examples:
        >>> from tempfile import mkdtemp
        >>> folder = Path(mkdtemp())
        >>> mask = folder / "a.txt"
        >>> _ = mask.write_text("mask")
        >>> ledger = Ledger(folder / "a.json")
        >>> _ = ledger.write({"image": "1f"}, [mask], voxels=7)
        >>> ledger.read({"image": "1f"})["voxels"], ledger.read({"image": "2e"})
        (7, None)
        >>> _ = mask.write_text("changed")
        >>> ledger.read({"image": "1f"}) is None
        True
    """

    path: Path

    def read(self, made_from: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the record says, or None if the work is still to be done.

        Args:
            made_from: hashes and choices that the work would be made from now; plain, as JSON has them.
        """
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            if content["made_from"] != made_from:
                return None
            files = {str(name): str(sha256) for name, sha256 in content["files"].items()}
            # only names: a record must not lead out of its folder
            if any(Path(name).name != name or content_hash(self.path.parent / name) != files[name] for name in files):
                return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return content

    def write(self, made_from: Mapping[str, Any], files: Sequence[Path], **content: Any) -> Path:
        """The record written: from now on the work is done.

        Args:
            made_from: as of `read`.
            files: what was made, in the record's folder.
            content: what else the record is to say; plain.

        Raises:
            OutputNotWritable: if the folder cannot be written to.
        """
        hashes = {file.name: content_hash(file) for file in files}
        record = {"avnnet": version("avnnet"), "made_from": dict(made_from), **content, "files": hashes}
        return write_text_atomically(self.path, json.dumps(record, indent=1))
