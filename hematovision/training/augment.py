"""Other slides of the same cell: turned, mirrored, nearer or farther, and in another laboratory's stain and light."""

import cv2
import numpy as np

from hematovision.images import Picture

WILD, MILD = (0.85, 1.5, 0.65), (0.92, 1.2, 0.2)
"""Least and greatest zoom, and the share of pictures in another laboratory's stain."""


def augment(picture: Picture, size: int, rng: np.random.Generator, mild: bool = False) -> Picture:
    """A random variant of (H, W, 3) as (size, size, 3) uint8; a mild one stays nearer home. All chance is `rng`'s."""
    least, greatest, abroad = MILD if mild else WILD
    return _degrade(_restain(_move(picture, size, (least, greatest), rng), abroad, rng), rng)


def _move(picture: Picture, size: int, zooms: tuple[float, float], rng: np.random.Generator) -> Picture:
    """Rotation by any angle, mirror, zoom, shift up to 6 %; the edge is mirrored."""
    height, width = picture.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    zoom = np.exp(rng.uniform(*np.log(zooms)))
    mirror = rng.choice((-1.0, 1.0))
    shift = rng.uniform(-0.06, 0.06, 2) * (height, width)
    scale = max(height, width) / size / zoom
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[cos * mirror, -sin], [sin * mirror, cos]])
    center = np.array([width / 2, height / 2]) + shift[::-1] - 0.5
    offset = center - linear @ np.array([size / 2 - 0.5, size / 2 - 0.5])
    matrix = np.column_stack([linear, offset])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101).astype(
        np.uint8
    )


def _restain(picture: Picture, abroad: float, rng: np.random.Generator) -> Picture:
    """Hue and saturation, then for each channel gain, brightness and gamma.

    The share `abroad` of the pictures is changed strongly, the rest hardly: the home laboratory stays what it is.
    """
    strength = 1.0 if rng.random() < abroad else 0.2
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    hue = (np.arange(256) + round(strength * rng.normal(0, 5))) % 180
    saturation = np.clip(np.arange(256) * np.exp(strength * rng.normal(0, 0.22)), 0, 255)
    table = np.stack([hue, saturation, np.arange(256)], axis=-1).astype(np.uint8)[None]
    picture = cv2.cvtColor(cv2.LUT(hsv, table), cv2.COLOR_HSV2RGB)
    gamma = np.exp(strength * rng.normal(0, 0.18))
    gain = np.exp(strength * (rng.normal(0, 0.08) + rng.normal(0, 0.06, 3)))
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * gain
    shift = strength * rng.normal(0, 0.03)
    table = np.clip((levels + shift) * 255, 0, 255).astype(np.uint8)[None]
    return cv2.LUT(picture, table).astype(np.uint8)


def _degrade(picture: Picture, rng: np.random.Generator) -> Picture:
    """Now and then a little defocus, sensor noise or JPEG, as other cameras give."""
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(1, 6), picture.shape)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        quality = int(rng.integers(40, 95))
        _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return cv2.imdecode(packed, cv2.IMREAD_COLOR).astype(np.uint8)  # type: ignore[union-attr]
    return picture
