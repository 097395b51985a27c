"""Noise, masks and grains: the painter's brushes. Pure NumPy and OpenCV; all arrays are float32."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""(H, W) float32."""

_SHIFT = 4
"""Bits of a pixel's fraction in OpenCV's fixed-point coordinates."""


def noise(shape: tuple[int, int], sigma: float, rng: np.random.Generator) -> Plane:
    """Smooth Gaussian noise of mean 0 and standard deviation 1; `sigma` in pixels is its grain."""
    height, width = shape
    step = max(1.0, sigma / 1.5)
    small = (max(4, round(height / step)), max(4, round(width / step)))
    field = cv2.GaussianBlur(rng.standard_normal(small, np.float32), (0, 0), sigma / step)
    if small != shape:
        field = cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
    return _standardized(field)


def band(shape: tuple[int, int], sigma: float, rng: np.random.Generator) -> Plane:
    """Noise whose spots all have about the same size, `sigma` pixels: no wide drifts. Standard deviation 1."""
    field = noise(shape, sigma, rng)
    return _standardized(field - cv2.GaussianBlur(field, (0, 0), 2 * sigma))


def polygon(shape: tuple[int, int], points: NDArray) -> Plane:
    """The inside of a closed outline (N, 2) of x, y as a mask in [0, 1] with smooth edges."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [_fixed(points)], 255, cv2.LINE_AA, _SHIFT)
    return _soft(mask)


def discs(shape: tuple[int, int], points: NDArray, radii: Sequence[float] | NDArray) -> Plane:
    """The union of discs as a mask in [0, 1]."""
    mask = np.zeros(shape, np.uint8)
    for (x, y), radius in zip(_fixed(points), radii, strict=True):
        cv2.circle(mask, (int(x), int(y)), round(float(radius) * (1 << _SHIFT)), 255, -1, cv2.LINE_AA, _SHIFT)
    return _soft(mask)


def line(shape: tuple[int, int], points: NDArray, width: float) -> Plane:
    """A line through points (N, 2) as a mask in [0, 1]."""
    mask = np.zeros(shape, np.uint8)
    cv2.polylines(mask, [_fixed(points)], False, 255, max(1, round(width)), cv2.LINE_AA, _SHIFT)
    return _soft(mask)


def smoothstep(low: float, high: float, values: Plane) -> Plane:
    """0 below `low`, 1 above `high`, a smooth rise between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return (share * share * (3 - 2 * share)).astype(np.float32)


def blur(values: Plane, sigma: float) -> Plane:
    return cv2.GaussianBlur(values, (0, 0), sigma)


def waves(
    shape: tuple[int, int], bends: Sequence[tuple[float, float]], rng: np.random.Generator
) -> tuple[Plane, Plane]:
    """Where `warp` fetches each pixel from, as x and y. A bend is (amount, wave length), in pixels; they add up."""
    height, width = shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    for amount, sigma in bends:
        x += np.float32(amount) * noise(shape, sigma, rng)
        y += np.float32(amount) * noise(shape, sigma, rng)
    return x, y


def warp(mask: Plane, bent: tuple[Plane, Plane]) -> Plane:
    """The mask with its outline bent along `waves`."""
    return cv2.remap(mask, *bent, cv2.INTER_LINEAR).astype(np.float32)


def edge(mask: Plane, width: float) -> Plane:
    """The inner border of a mask, about `width` pixels wide, in [0, 1]."""
    return (mask * smoothstep(0.95, 0.55, blur(mask, width))).astype(np.float32)


def grains(chance: Plane, count: float, radius: float, rng: np.random.Generator, spread: float = 0.35) -> Plane:
    """About `count` round grains, thrown where `chance` (H, W) in [0, 1] allows; overlapping ones add up.

    A grain has a height of about 1, varying by `spread`, and a soft edge.
    """
    total = float(chance.sum())
    if total <= 0 or count < 1:
        return np.zeros_like(chance)
    thrown = rng.random(chance.shape, np.float32) < chance * np.float32(count / total)
    height = np.maximum(0.1, 1 + spread * rng.standard_normal(chance.shape, np.float32))
    return cv2.filter2D((thrown * height).astype(np.float32), cv2.CV_32F, _grain(radius))


def packed_grains(chance: Plane, spacing: float, radius: float, rng: np.random.Generator) -> Plane:
    """Grains side by side, as in a full cell: a shaken hexagonal grid, where `chance` allows."""
    height, width = chance.shape
    rows = np.arange(spacing / 2, height - 1, spacing * 0.87)
    columns = np.arange(spacing / 2, width - 1, spacing)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    x = x + (np.arange(len(rows)) % 2)[:, None] * spacing / 2
    column = np.clip(np.rint(x + rng.normal(0, spacing * 0.2, x.shape)), 0, width - 1).astype(int).ravel()
    row = np.clip(np.rint(y + rng.normal(0, spacing * 0.2, y.shape)), 0, height - 1).astype(int).ravel()
    stays = rng.random(len(row)) < chance[row, column]
    impulses = np.zeros_like(chance)
    impulses[row[stays], column[stays]] = np.maximum(0.2, rng.normal(1, 0.25, int(stays.sum())))
    return cv2.filter2D(impulses, cv2.CV_32F, _grain(radius))


def _standardized(field: Plane) -> Plane:
    mean, deviation = cv2.meanStdDev(field)
    return (field - np.float32(mean[0, 0])) * np.float32(1 / max(float(deviation[0, 0]), 1e-6))


def _soft(mask: NDArray[np.uint8]) -> Plane:
    return mask * np.float32(1 / 255)


def _grain(radius: float) -> Plane:
    reach = int(np.ceil(radius + 1))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)


def _fixed(points: NDArray) -> NDArray[np.int32]:
    return np.rint(np.asarray(points, np.float64) * (1 << _SHIFT)).astype(np.int32)
