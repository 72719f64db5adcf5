"""The bones of a digital hip as signed distances: femur, pelvis and the joint between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avnnet.phantom.shapes import (
    Points,
    Vector,
    Waves,
    along_mm,
    capsule_mm,
    ellipsoid_mm,
    length_mm,
    ramp,
    smooth_union_mm,
    unit,
)

# Bone radius of the head, mean and SD in mm: between the German and the Austrian series (docs/sources.md#bones).
HEAD_RADIUS_MM = {"male": (24.0, 1.3), "female": (21.5, 1.2)}
NECK_SHAFT_DEG = (127.0, 5.0)  # between 124.7±6.2 and 129.2 (628 and 375 femora, docs/sources.md#bones)
VERSION_DEG = (14.0, 7.0)  # 14.5±8.1 in the same series, tails cut
OFFSET_MM = (42.9, 4.0)  # 42.9±6.8, less what the head size explains
NECK_SHARE = 0.72  # neck radius over head radius
EDGE_ANGLE_DEG = (33.0, 5.0)  # lateral centre-edge angle of normal hips
FOVEA = (0.86, 0.18, -0.42)  # where the ligament leaves the head, medial, in radii before normalising
CAPSULE_MM = {False: (1.2, 2.4), True: (3.0, 6.0)}  # fluid between neck and capsule, without and with effusion
ARTICULAR_GAP_MM = (3.0, 4.0)  # two cartilages of about 1.4 mm, and fluid


@dataclass(frozen=True)
class Anatomy:
    """The shape of one right hip; lengths in mm from the head centre, angles in degrees.

    Args:
        radius_mm: radius of the bony head's sphere.
        neck_axis: unit vector from the head centre down the neck.
        neck_plane_mm: where the neck plane cuts the neck axis; the head's label ends there.
        neck_radius_mm: radius of the neck at its waist.
        shaft_mm: where the neck axis meets the shaft axis.
        shaft_radius_mm: outer radius of the shaft.
        neck_shaft_deg: angle of neck and shaft.
        version_deg: anteversion of the neck.
        cup_axis: unit vector out of the mouth of the acetabulum.
        cup_mouth_mm: depth of the mouth's plane behind the head centre.
        gap_mm: bone to bone across the joint.
        capsule_mm: fluid between neck and capsule, more with effusion.
        bumps: noise that makes surfaces uneven.
        stretch: departure of the head from a sphere, as second-order terms in mm.
    """

    radius_mm: float
    neck_axis: Vector
    neck_plane_mm: float
    neck_radius_mm: float
    shaft_mm: Vector
    shaft_radius_mm: float
    neck_shaft_deg: float
    version_deg: float
    cup_axis: Vector
    cup_mouth_mm: float
    gap_mm: float
    capsule_mm: float
    bumps: Waves
    stretch: Vector

    @property
    def socket_mm(self) -> float:
        """The radius of the bony socket."""
        return self.radius_mm + self.gap_mm

    def sphere_mm(self, points: Points) -> np.ndarray:
        """Signed distance to the intact head: a sphere with a small departure from roundness.

        Examples:
            >>> from dataclasses import replace
            >>> drawn = draw_anatomy(np.random.default_rng(1), sex="male")
            >>> ball = replace(drawn, radius_mm=24.0, stretch=(0.0, 0.0, 0.0))
            >>> ball.sphere_mm((np.array([0.0, 30.0]), np.zeros(2), np.zeros(2))).tolist()
            [-24.0, 6.0]
        """
        r = length_mm(points)
        x, y, z = points
        a, b, c = self.stretch
        departure = (a * x * y + b * y * z + c * (x * x - z * z)) / np.maximum(r * r, 1)
        distance: np.ndarray = r - np.float32(self.radius_mm) - departure.astype(np.float32)
        return distance

    @property
    def fovea_ball_mm(self) -> tuple[Vector, float]:
        """Centre and radius of the ball that cuts the pit of the head's ligament out of its surface.

        Examples:
            >>> anatomy = draw_anatomy(np.random.default_rng(1), sex="male")
            >>> centre, radius_mm = anatomy.fovea_ball_mm
            >>> round(float(np.linalg.norm(centre)) / anatomy.radius_mm, 6), radius_mm
            (1.09, 4.5)
        """
        x, y, z = (self.radius_mm * 1.09 * p for p in unit(FOVEA))
        return (x, y, z), 4.5

    def fovea_mm(self, points: Points) -> np.ndarray:
        """Signed distance to the pit of the head's ligament.

        Examples:
            >>> anatomy = draw_anatomy(np.random.default_rng(1), sex="male")
            >>> (x, y, z), radius_mm = anatomy.fovea_ball_mm
            >>> anatomy.fovea_mm((np.array([x + 5, x + 4]), np.full(2, y), np.full(2, z))).round(4).tolist()
            [0.5, -0.5]
        """
        centre, radius_mm = self.fovea_ball_mm
        return ellipsoid_mm(points, centre, (radius_mm, radius_mm, radius_mm))

    def shaft_and_neck_mm(self, points: Points) -> np.ndarray:
        """Signed distance to the proximal femur without its head.

        Examples:
            >>> anatomy = draw_anatomy(np.random.default_rng(1), sex="male")
            >>> x, y, z = np.stack([anatomy.shaft_mm, (0.0, 0.0, 60.0)]).T  # in the femur, and above the head
            >>> (anatomy.shaft_and_neck_mm((x, y, z)) < 0).tolist()
            [True, False]
        """
        x, y, z = points
        px, py, pz = self.shaft_mm
        size = self.radius_mm / 23.0
        s = along_mm(points, self.neck_axis)
        length = float(np.dot(self.shaft_mm, self.neck_axis))
        up = unit(np.array([0, 0, 1]) - self.neck_axis[2] * np.array(self.neck_axis))
        v = along_mm(points, up)
        w2 = np.maximum(x * x + y * y + z * z - s * s - v * v, 0)
        flare = ramp((s - 0.55 * length) / (0.5 * length)) * np.float32(5 * size)
        neck = np.sqrt(v * v * np.float32(0.86) + w2 * np.float32(1.16)) - np.float32(self.neck_radius_mm) - flare
        neck = np.maximum(neck, np.maximum(s - length, -s))
        shaft = capsule_mm(points, (px - 1, py, pz - 6), (px + 4, py + 2, pz - 150), self.shaft_radius_mm)
        great = ellipsoid_mm(points, (px - 9, py + 6, pz + 9 * size), (12 * size, 17 * size, 21 * size))
        small = ellipsoid_mm(points, (px + 13, py + 10, pz - 30), (9.0, 9.0, 12.0))
        bone = smooth_union_mm(smooth_union_mm(neck, shaft, 14), great, 12)
        return smooth_union_mm(bone, small, 8)

    def pelvis_mm(self, points: Points) -> np.ndarray:
        """Signed distance to the pelvic bone around the joint.

        Examples:
            >>> anatomy = draw_anatomy(np.random.default_rng(1), sex="male")
            >>> z = np.array([0.0, anatomy.socket_mm + 22])  # in the head, and in the ilium above it
            >>> (anatomy.pelvis_mm((np.full(2, 5.0), np.full(2, 6.0), z)) < 0).tolist()
            [False, True]
        """
        r, socket = length_mm(points), self.socket_mm
        size = socket / 26.0
        mouth = along_mm(points, self.cup_axis) + np.float32(self.cup_mouth_mm)
        cup = np.maximum(r - np.float32(socket + 7 * size), mouth)
        ilium = ellipsoid_mm(points, (5.0, 6.0, socket + 22), (10 * size, 30 * size, 38 * size))
        wing = ellipsoid_mm(points, (1.0, 10.0, socket + 48), (8 * size, 42.0, 50.0))
        pubis = capsule_mm(points, (0.9 * socket, -0.6 * socket, -4.0), (socket + 52, -socket - 8, -24.0), 8.5 * size)
        ischium = capsule_mm(points, (0.6 * socket, 0.95 * socket, -8.0), (18.0, socket + 8, -70.0), 13 * size)
        front = capsule_mm(
            points, (0.75 * socket, -0.85 * socket, -6.0), (0.1 * socket, -0.8 * socket, 42.0), 8.5 * size
        )
        back = capsule_mm(points, (0.6 * socket, 1.0 * socket, -8.0), (0.45 * socket, 1.0 * socket, 40.0), 10.5 * size)
        bone = smooth_union_mm(smooth_union_mm(smooth_union_mm(cup, front, 8), back, 10), ilium, 16)
        bone = smooth_union_mm(bone, wing, 10)
        bone = smooth_union_mm(smooth_union_mm(bone, pubis, 10), ischium, 12) + self.bumps(points) * np.float32(0.5)
        bone = np.maximum(bone, -self.fossa_mm(points))
        uncovered = np.float32(5) * ramp(mouth / 4)  # bone keeps off the head outside the socket
        distance: np.ndarray = np.maximum(bone, np.float32(socket) + uncovered - r)
        return distance

    def fossa_mm(self, points: Points) -> np.ndarray:
        """Signed distance to the fat-filled floor of the socket and its notch.

        Examples:
            >>> anatomy = draw_anatomy(np.random.default_rng(1), sex="male")
            >>> x, y, z = (part * anatomy.socket_mm for part in (0.80, 0.1, -0.50))  # the middle of an ellipsoid
            >>> anatomy.fossa_mm((np.array([x + 9]), np.array([y]), np.array([z]))).round(4).tolist()
            [0.0]
        """
        socket = self.socket_mm
        return ellipsoid_mm(points, (0.80 * socket, 0.1 * socket, -0.50 * socket), (9.0, 11.0, 13.0))

    def capsule_mm_at(self, points: Points) -> np.ndarray:
        """Signed distance to the inside of the joint capsule, which holds fluid.

        Examples:
            >>> anatomy = draw_anatomy(np.random.default_rng(1), sex="male")
            >>> (anatomy.capsule_mm_at((np.array([0.0, 60.0]), np.zeros(2), np.zeros(2))) < 0).tolist()
            [True, False]
        """
        neck = capsule_mm(
            points,
            (0.0, 0.0, 0.0),
            tuple(1.35 * self.radius_mm * n for n in self.neck_axis),  # type: ignore[arg-type]
            self.neck_radius_mm,
        )
        inside = smooth_union_mm(length_mm(points) - np.float32(self.radius_mm), neck, 6)
        distance: np.ndarray = inside - np.float32(self.capsule_mm) * (1 + np.float32(0.35) * self.bumps(points))
        return distance

    def cortex_mm(self, points: Points) -> np.ndarray:
        """Thickness of the cortical bone: a thin plate under the cartilage, a thick tube around the shaft.

        Examples:
            >>> anatomy = draw_anatomy(np.random.default_rng(1), sex="male")
            >>> z = np.array([anatomy.radius_mm, -250.0])  # at the top of the head, and far down the shaft
            >>> anatomy.cortex_mm((np.zeros(2), np.zeros(2), z)).round(1).tolist()
            [0.9, 4.7]
        """
        s = along_mm(points, self.neck_axis)
        length = float(np.dot(self.shaft_mm, self.neck_axis))
        neck = ramp((s - self.neck_plane_mm) / (0.5 * length))
        shaft = ramp((np.float32(self.shaft_mm[2]) - points[2]) / 35)
        return np.float32(0.9) + neck * np.float32(0.6) + shaft * np.float32(3.2)


def draw_anatomy(generator: np.random.Generator, *, sex: str, effusion: bool = False) -> Anatomy:
    """A hip of a random person.

    The head ends at the neck plane, normal to the neck axis, where the head's sphere meets the surface of the
    neck (the alpha point). Tails are cut at 2 SD.

    Args:
        generator: the only source of randomness.
        sex: "female" or "male".
        effusion: whether the capsule is distended by fluid.

    Source:
        docs/sources.md#head-region (convention 3) and docs/sources.md#bones, with the series named there.
    """

    def normal(mean: float, sd: float) -> float:
        return mean + sd * float(np.clip(generator.normal(), -2, 2))

    radius_mm = normal(*HEAD_RADIUS_MM[sex])
    angle, version = normal(*NECK_SHAFT_DEG), normal(*VERSION_DEG)
    tilt, turn = np.deg2rad(angle - 90), np.deg2rad(version)
    axis = unit((-np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), -np.sin(tilt)))
    neck = radius_mm * NECK_SHARE * normal(1, 0.03)
    length = normal(*OFFSET_MM) * (radius_mm / 22.75) / np.cos(tilt)
    inclination, opening, edge = normal(48, 3), normal(18, 5), normal(*EDGE_ANGLE_DEG)
    lean, front = np.deg2rad(inclination), np.deg2rad(opening)
    gap = float(generator.uniform(*ARTICULAR_GAP_MM))
    # The mouth's plane goes through the lateral edge, which the centre-edge angle places on the socket.
    mouth = (radius_mm + gap) * np.sin(np.deg2rad(max(90 - inclination - edge, -12.0)) + 0.12)
    return Anatomy(
        radius_mm=radius_mm,
        neck_axis=axis,
        neck_plane_mm=float(np.sqrt(radius_mm**2 - (1.06 * neck) ** 2)),
        neck_radius_mm=neck,
        shaft_mm=(length * axis[0], length * axis[1], length * axis[2]),
        shaft_radius_mm=normal(0.62, 0.03) * radius_mm,
        neck_shaft_deg=angle,
        version_deg=version,
        cup_axis=unit((-np.cos(front) * np.sin(lean), -np.sin(front), -np.cos(front) * np.cos(lean))),
        cup_mouth_mm=float(mouth),
        gap_mm=gap,
        capsule_mm=float(generator.uniform(*CAPSULE_MM[effusion])),
        bumps=Waves.draw(generator, wavelengths_mm=(18, 45)),
        stretch=(normal(0, 0.25), normal(0, 0.25), normal(0, 0.25)),
    )
