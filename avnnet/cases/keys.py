"""Keys in place of names: what leaves the clinic says `c0001`, and a local file says whose image that is."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from avnnet.atomic import write_text_atomically
from avnnet.errors import InvalidCohort

KEYS = "keys.csv"
FIELDS = ["case_id", "image"]


def case_keys(out: Path, images: Sequence[Sequence[Path]]) -> list[str]:
    """A key per image, such as "c0001", kept in `keys.csv`; an image that has one already keeps it.

    Only the owner may read the file: names of files and folders are often those of patients.

    Args:
        out: folder of the masks.
        images: the files of each image.

    Raises:
        InvalidCohort: if there is a keys.csv that is none.
        OutputNotWritable: if it cannot be written.

    Examples:
        >>> from tempfile import mkdtemp
        >>> out = Path(mkdtemp())
        >>> case_keys(out, [[Path("b.nii.gz")], [Path("a.nii.gz")]]), case_keys(out, [[Path("a.nii.gz")]])
        (['c0001', 'c0002'], ['c0002'])
    """
    path = out / KEYS
    known = _read(path)
    keys = []
    for files in images:
        name = ";".join(str(file.resolve()) for file in files)
        if name not in known:
            known[name] = f"c{len(known) + 1:04d}"
        keys.append(known[name])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(FIELDS)
    writer.writerows([key, name] for name, key in known.items())
    write_text_atomically(path, text.getvalue())
    os.chmod(path, 0o600)
    return keys


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, csv.Error) as error:
        raise InvalidCohort(f"{KEYS} in the folder of the masks cannot be read; move it away") from error
    if not rows or rows[0] != FIELDS or any(len(row) != len(FIELDS) for row in rows):
        raise InvalidCohort(f"{KEYS} in the folder of the masks must have the columns {FIELDS}; move it away")
    return {name: key for key, name in rows[1:]}
