"""Surfaces as STL files, for planning and printing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avnnet.atomic import whole_file

DIGITS = 4
"""Of a mm. STL stores 32 bits and no neighbours: programs join triangles again where corners are equal."""


def write_stl(vertices_mm: np.ndarray, faces: np.ndarray, path: str | Path) -> Path:
    """The path written: triangles as binary STL in mm, in the patient's LPS axes as 3D Slicer reads them.

    Args:
        vertices_mm: `(n, 3)` world LPS mm.
        faces: `(m, 3)` indices, anticlockwise from outside.
        path: the file, whole or not at all.

    Raises:
        OutputNotWritable: if the folder cannot be written to.
    """
    from trimesh import Trimesh
    from trimesh.exchange.stl import export_stl

    corners, same = np.unique(np.round(vertices_mm, DIGITS), axis=0, return_inverse=True)
    joined = same.reshape(-1)[faces]
    a, b, c = joined.T
    mesh = Trimesh(corners, joined[(a != b) & (b != c) & (c != a)], process=False)
    with whole_file(path) as partial:
        partial.write_bytes(export_stl(mesh))
    return Path(path)
