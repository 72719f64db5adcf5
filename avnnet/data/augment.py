"""Random changes of a training case: where it is cut, how it lies, how bright and sharp it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from avnnet.data.augmentation import Augmentation
from avnnet.labels import IGNORED


@dataclass(frozen=True)
class Augment(Augmentation):
    """Ranges and probabilities of the augmentation; every draw comes from the generator handed over.

    Rotation and scaling act in mm, so that anisotropic voxels are turned and not sheared.

    Args:
        affine_p: probability of a rotation with scaling and shift.
        rotate_deg: largest rotation about each axis.
        scale: largest relative change of size.
        shift_voxels: largest shift along each axis.
        mirror_axes: canonical axes (0 slice, 1, 2) that are mirrored with probability 1/2; in the right-hip
            frame axis 2 (left-right of an axial volume) may be among them because labels are side-free.
        noise_p: probability of Gaussian noise.
        noise_sd: largest standard deviation of the noise, in standard deviations of the image.
        blur_p: probability of a Gaussian blur.
        blur_voxels: largest sigma of the blur.
        brightness_p: probability of a factor on all intensities, and of a change of contrast.
        brightness: largest relative change of brightness and contrast.
        gamma_p: probability of a gamma curve.
        gamma: largest relative change of the exponent.
    """

    affine_p: float = 0.7
    rotate_deg: float = 15.0
    scale: float = 0.15
    shift_voxels: float = 2.0
    mirror_axes: list[int] = field(default_factory=list)
    noise_p: float = 0.2
    noise_sd: float = 0.15
    blur_p: float = 0.15
    blur_voxels: float = 1.0
    brightness_p: float = 0.3
    brightness: float = 0.25
    gamma_p: float = 0.3
    gamma: float = 0.4

    def affine(self, generator: np.random.Generator, spacing_mm: Sequence[float]) -> np.ndarray:
        """A `(3, 4)` matrix from output to input voxel offsets around the centre of a patch.

        Examples:
            >>> still = Augment(affine_p=0.0, mirror_axes=[2])
            >>> matrices = [still.affine(np.random.default_rng(seed), (3.0, 0.5, 0.5)) for seed in range(20)]
            >>> sorted({tuple(np.diag(matrix).tolist()) for matrix in matrices})  # mirrored or not
            [(1.0, 1.0, -1.0), (1.0, 1.0, 1.0)]
        """
        matrix = np.eye(3, 4)
        if generator.random() < self.affine_p:
            turn = np.eye(3)
            for axis, angle in enumerate(np.radians(generator.uniform(-self.rotate_deg, self.rotate_deg, 3))):
                i, j = (axis + 1) % 3, (axis + 2) % 3
                one = np.eye(3)
                one[[i, j], [i, j]] = np.cos(angle)
                one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
                turn = turn @ one
            spacing = np.asarray(spacing_mm)
            size = generator.uniform(1 - self.scale, 1 + self.scale)
            matrix[:, :3] = turn * size * spacing / spacing[:, None]
            matrix[:, 3] = generator.uniform(-self.shift_voxels, self.shift_voxels, 3)
        for axis in self.mirror_axes:
            if generator.random() < 0.5:
                matrix[:, axis] *= -1
        return matrix

    def __call__(
        self, image: Tensor, label: Tensor, spacing_mm: Sequence[float], generator: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """The image with other intensities, and its label; how they lie was drawn by `affine`, when they were cut."""
        return self.intensities(image, generator), label

    def intensities(self, image: Tensor, generator: np.random.Generator) -> Tensor:
        """The image `(C, *S)`, z-scored, each channel with other brightness, contrast, gamma, sharpness and noise.

        Examples:
            >>> image = torch.arange(8.0).reshape(1, 2, 2, 2)
            >>> none = Augment(noise_p=0, blur_p=0, gamma_p=0, brightness_p=0)
            >>> torch.equal(none.intensities(image, np.random.default_rng(1)), image)
            True
        """
        return torch.stack([self._varied(channel, generator) for channel in image])

    def _varied(self, image: Tensor, generator: np.random.Generator) -> Tensor:
        if generator.random() < self.brightness_p:
            image = image * generator.uniform(1 - self.brightness, 1 + self.brightness)
        if generator.random() < self.brightness_p:
            low, high = image.amin(), image.amax()
            mean = image.mean()
            change = generator.uniform(1 - self.brightness, 1 + self.brightness)
            image = ((image - mean) * change + mean).clamp(low, high)
        if generator.random() < self.gamma_p:
            low, width = image.amin(), (image.amax() - image.amin()).clamp_min(1e-6)
            mean, sd = image.mean(), image.std()
            exponent = float(np.exp(generator.uniform(-1, 1) * np.log1p(self.gamma)))
            curved = ((image - low) / width) ** exponent
            # mean and spread are kept: only the shape of the grey scale changes
            image = (curved - curved.mean()) / curved.std().clamp_min(1e-6) * sd + mean
        if generator.random() < self.blur_p:
            sigma = generator.uniform(0.3, max(self.blur_voxels, 0.3))
            image = torch.from_numpy(gaussian_filter(image.numpy(), sigma))
        if generator.random() < self.noise_p:
            noise = generator.standard_normal(image.shape, dtype=np.float32)
            image = image + float(generator.uniform(0, self.noise_sd)) * torch.from_numpy(noise)
        return image


def patch_centre(
    label: Tensor, patch: Sequence[int], foreground_p: float, generator: np.random.Generator
) -> np.ndarray:
    """The voxel `(3,)` (may be fractional) at the middle of a patch.

    With probability `foreground_p` around a random voxel of a random structure that is present, else anywhere;
    the patch stays inside the image where it can, and an axis shorter than the patch is centred.

    Args:
        label: `(1, *S)` ids.
        patch: voxels per axis.
        foreground_p: probability to aim at a structure.
        generator: source of randomness.

    Examples:
        >>> label = torch.zeros(1, 9, 9, 9)
        >>> label[0, 6, 4, 3] = 1
        >>> patch_centre(label, (3, 3, 3), 1.0, np.random.default_rng(1)).tolist()
        [6.0, 4.0, 3.0]
    """
    shape = np.asarray(label.shape[1:])
    size = np.asarray(patch)
    free = shape - size
    start = np.where(free > 0, np.floor(generator.random(3) * (np.maximum(free, 0) + 1)), free / 2)
    if (free > 0).any() and generator.random() < foreground_p:
        ids = label[0].numpy()
        present = np.unique(ids)
        present = present[(present > 0) & (present != IGNORED)]
        if len(present):
            voxels = np.argwhere(ids == generator.choice(present))
            aimed = voxels[generator.integers(len(voxels))] - (size - 1) // 2
            start = np.where(free > 0, np.clip(aimed, 0, np.maximum(free, 0)), start)
    return start + (size - 1) / 2


def cut_patch(
    image: Tensor, label: Tensor, patch: Sequence[int], centre: np.ndarray, matrix: np.ndarray
) -> tuple[Tensor, Tensor]:
    """Image `(C, *patch)` and label `(1, *patch)` cut and turned in one interpolation.

    Outside the image the patch is 0, the mean of a z-scored image, as at prediction.

    Args:
        image: `(C, *S)` float32.
        label: `(1, *S)` ids; the nearest is taken.
        patch: voxels per axis.
        centre: the voxel `(3,)` at the middle of the patch.
        matrix: `(3, 4)` from output to input voxel offsets around the centre.

    Examples:
        >>> image = torch.arange(125.0).reshape(1, 5, 5, 5)
        >>> patch, _ = cut_patch(image, torch.zeros(1, 5, 5, 5), (1, 1, 3), np.array([2.0, 2.0, 2.0]), np.eye(3, 4))
        >>> patch.flatten().round().tolist()
        [61.0, 62.0, 63.0]
    """
    shape = np.asarray(image.shape[1:], float)
    size = np.asarray(patch, float)
    # voxel offsets to grid_sample's unit cube (align_corners=False), whose axes run x, y, z
    linear = matrix[:, :3] * size / shape[:, None]
    offset = (2 * (np.asarray(centre) + matrix[:, 3]) + 1) / shape - 1
    theta = np.concatenate([linear, offset[:, None]], axis=1)[::-1, [2, 1, 0, 3]]
    grid = affine_grid(
        torch.from_numpy(theta.copy()).float()[None], [1, 1, *(int(n) for n in patch)], align_corners=False
    )
    moved = grid_sample(image[None], grid, mode="bilinear", padding_mode="zeros", align_corners=False)[0]
    ids = grid_sample(label[None].float(), grid, mode="nearest", padding_mode="zeros", align_corners=False)[0]
    return moved, ids.to(label.dtype)
