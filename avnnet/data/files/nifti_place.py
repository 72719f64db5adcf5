"""Where a NIfTI file says that its voxels lie: in its qform, in its sform, or in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from avnnet.choice import Transform
from avnnet.data.files.axes import grid_of_steps
from avnnet.data.limits import check_spacing
from avnnet.errors import GeometryConflict, InvalidGeometry, MissingGeometry
from avnnet.grid import Grid

# unknown, metre, mm, micron; most programs that leave it unknown mean mm
UNIT_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
QUATERNION_ROUNDING = 1e-5  # of its squared length, which writers round to six digits
# a quaternion in single precision turns by up to 7e-4, when its first number is near 0, and offsets are rounded
AGREE_MM, AGREE_SHARE = 0.01, 1e-3


@dataclass(frozen=True)
class NiftiGeometry:
    """What a NIfTI header says of places, as it stands there.

    Args:
        units: code of the length unit.
        pixdim: the sign of the third axis, then the spacing per axis `(x, y, z)`.
        qform_code: 0 if there is no qform.
        sform_code: 0 if there is no sform.
        quaternion: its last three numbers, then the first voxel's position `(x, y, z)`, RAS.
        srow: three rows of four, from index `(x, y, z, 1)` to RAS.
    """

    units: int
    pixdim: Sequence[float]
    qform_code: int
    sform_code: int
    quaternion: Sequence[float]
    srow: Sequence[float]


def placed(said: NiftiGeometry, sizes: Sequence[int], prefer: str | None, name: str) -> tuple[Grid, Transform | None]:
    """The grid of a NIfTI image, and the preferred transform where the file is refused without a choice.

    Args:
        said: its header.
        sizes: voxels per axis, `(x, y, z)`.
        prefer: "sform" or "qform": which holds where the file contradicts itself; None refuses such files.
        name: the file, for the messages.

    Raises:
        MissingGeometry: if the header has neither.
        GeometryConflict: if they, or the sform and the spacing, contradict each other and none is preferred.
        InvalidConfig: if another word is preferred.
        InvalidGeometry: if numbers are not finite, or the spacing cannot be.
        NonOrthogonalDirection: if the sform is sheared.

    Source: nifti1.h, "3D image (volume) orientation and location in space", methods 2 and 3.
    """
    scale = UNIT_MM.get(said.units & 7)
    if scale is None:
        raise InvalidGeometry(f"{name}: lengths are in metres, mm or microns; its header has unit {said.units & 7}")
    spacing = [scale * step for step in said.pixdim[1:4]]
    check_spacing(spacing, sizes, name)
    codes = {Transform.SFORM: said.sform_code, Transform.QFORM: said.qform_code}
    present = [one for one, code in codes.items() if code > 0]
    if not present:
        raise MissingGeometry(
            f"{name} does not say where its voxels lie in the patient: qform_code and sform_code are 0, so left and "
            "right are unknown. Export it again with its geometry"
        )
    chosen = None if prefer is None else Transform(prefer)
    affine_of = {Transform.SFORM: _sform, Transform.QFORM: _qform}

    def grid_by(one: Transform) -> Grid:
        return _grid(affine_of[one](said, scale, name), sizes, f"{name}, {one}")

    try:
        grids = {one: grid_by(one) for one in present}
        _check_agreement(grids, spacing, name)
    except InvalidGeometry:
        if chosen is None or chosen not in present:
            raise
        return grid_by(chosen), chosen
    return grids[present[0]], None


def _sform(said: NiftiGeometry, scale: float, name: str) -> np.ndarray:
    return scale * np.reshape(said.srow, (3, 4))


def _qform(said: NiftiGeometry, scale: float, name: str) -> np.ndarray:
    vector = np.asarray(said.quaternion[:3], float)
    rest = 1 - float(vector @ vector)
    if not rest >= -QUATERNION_ROUNDING or said.pixdim[0] not in (-1, 0, 1):  # 0 counts as 1
        raise InvalidGeometry(
            f"{name}: the quaternion of a qform is at most 1 long, and pixdim[0] is -1 or 1; its header has "
            f"{(1 - rest) ** 0.5:.6g} and {said.pixdim[0]:g}. Export it again, or if it has an sform that is "
            f"right: {_way_out(Transform.SFORM)}"
        )
    axes = Rotation.from_quat([*vector, max(rest, 0.0) ** 0.5]).as_matrix()
    steps = scale * np.asarray(said.pixdim[1:4]) * (1, 1, -1 if said.pixdim[0] < 0 else 1)
    return np.column_stack([axes * steps, scale * np.asarray(said.quaternion[3:])])


def _grid(affine: np.ndarray, sizes: Sequence[int], name: str) -> Grid:
    """The grid of a `(3, 4)` matrix from index `(x, y, z, 1)` to RAS mm."""
    lps = affine * [[-1], [-1], [1]]
    return grid_of_steps(sizes, lps[:, :3], lps[:, 3].tolist(), name)


def _check_agreement(grids: dict[Transform, Grid], spacing: Sequence[float], name: str) -> None:
    """Refuse a header that says in two ways where the voxels lie, unless they agree up to rounding."""
    if len(grids) == 2:
        one, other = grids[Transform.SFORM], grids[Transform.QFORM]
        corners = np.array(np.meshgrid(*[(0, size) for size in one.shape])).reshape(3, -1).T
        apart = np.linalg.norm(one.to_lps(corners) - other.to_lps(corners), axis=1)
        far = np.linalg.norm(one.to_lps(corners) - one.origin, axis=1)
        if (apart > AGREE_MM + AGREE_SHARE * far).any():
            raise GeometryConflict(
                f"{name}: qform and sform must say the same; they lie up to {apart.max():.3g} mm apart. If one is known"
                f" to be right: {_way_out(*grids)}"
            )
    elif Transform.SFORM in grids:
        found = grids[Transform.SFORM].spacing[::-1]
        if not np.allclose(found, spacing, rtol=AGREE_SHARE, atol=0):
            raise GeometryConflict(
                f"{name}: pixdim and sform must say the same; the spacing is {_in_words(spacing)} by pixdim and "
                f"{_in_words(found)} by the sform. If the sform is known to be right: {_way_out(Transform.SFORM)}"
            )


def _way_out(*right: Transform) -> str:
    words, arguments = (" or ".join(form.format(one) for one in right) for form in ("--prefer {}", 'prefer="{}"'))
    return (
        f"{words} of avnnet predict, measure or compare; in Python {arguments} of read_image; write_image mends a file"
    )


def _in_words(spacing: Sequence[float]) -> str:
    return " x ".join(f"{step:.4g}" for step in spacing) + " mm"
