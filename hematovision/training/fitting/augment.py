"""Other slides of the same cell: turned, mirrored, nearer or farther, and from another laboratory."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture
from hematovision.smear.contrast import contrasted
from hematovision.smear.framing import Frame
from hematovision.smear.light import BACKGROUND, RED_CELL_DENSITY, background

Mask = NDArray[np.uint8]

ABROAD, MILD = 0.5, 0.2
"""Share of pictures from another laboratory: with other dyes, light, optics and framing."""
RED_CELLS_KEPT = 0.8
"""Share of variants whose red cells keep nearly their color, as `measure_light` brings them there in every laboratory.
In the others it found none to go by."""
CELL_APART = 0.6
"""Share of variants from another laboratory whose white cell is dyed anew by itself. Its blue and its violet come from
other dyes than the color of red cells, which hemoglobin has by itself; from the picture alone the two can't be told
apart by color, since the granules of an eosinophil and red cells look alike."""

_VIOLET = np.array((1.09, 1.80, 0.42))
"""Optical density of nuclei in PBC, for each channel: median of 25 pictures of each class of `val`."""
_BLUE = _VIOLET * (0.8, 0.45, 0.1)
"""The same where azure and eosin hardly form the complex that takes up green light: blue (Horobin and Walter 1987)."""

_DENSITY = np.log(np.array(BACKGROUND) / np.maximum(np.arange(256.0), 1.0)[:, None])
"""(256, 3): optical density of each level of each channel, 0 where the background is."""
_WHITE = np.log(np.array(BACKGROUND))
_PIVOT = float(np.mean(RED_CELL_DENSITY))


def augment(
    picture: Picture,
    cell: Mask,
    frame: Frame,
    size: int,
    rng: np.random.Generator,
    abroad: float = ABROAD,
) -> tuple[Picture, bool]:
    """A random variant of what `frame` shows of a picture (H, W, 3) in even light, as (size, size, 3) uint8, and
    whether it still shows how large the cell is and which color its cytoplasm has.

    `cell` (H, W) is where the white cell is, 255, and 0 elsewhere. The share `abroad` of the variants is changed
    strongly, the rest hardly: the home laboratory stays what it is. All chance is `rng`'s.
    """
    if rng.random() < abroad:
        moved, where = _move(picture, cell, frame, size, (0.7, 1.45), 0.08, rng)
        return contrasted(_other_camera(_other_dyes(moved, where, 1.0, rng), rng)), False
    moved, where = _move(picture, cell, frame, size, (0.94, 1.06), 0.03, rng)
    return contrasted(_other_focus(_other_dyes(moved, where, 0.2, rng), rng)), True


def _move(
    picture: Picture,
    cell: Mask,
    frame: Frame,
    size: int,
    zooms: tuple[float, float],
    shift: float,
    rng: np.random.Generator,
) -> tuple[Picture, Mask]:
    """Rotation by any angle, mirror, zoom, shift. Beyond the edge the picture is mirrored, or there is background."""
    height, width = picture.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    zoom = np.exp(rng.uniform(*np.log(zooms)))
    mirror = rng.choice((-1.0, 1.0))
    scale = frame.side / size / zoom
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[cos * mirror, -sin], [sin * mirror, cos]])
    center = np.array([frame.x, frame.y]) + frame.side * (0.5 + rng.uniform(-shift, shift, 2)) - 0.5
    offset = center - linear @ np.array([size / 2 - 0.5, size / 2 - 0.5])
    matrix = np.column_stack([linear, offset])
    flags = (cv2.INTER_CUBIC if scale <= 1 else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    if shift > 0.05 and rng.random() < 0.3:
        # As at the edge of a field: nothing from a line on that comes near the cell.
        picture = picture.copy()
        left, right, top, bottom = rng.uniform(-0.3, 0.22, 4)
        color = background(picture)
        picture[:, : max(0, round(left * width))] = color
        picture[:, width - max(0, round(right * width)) :] = color
        picture[: max(0, round(top * height))] = color
        picture[height - max(0, round(bottom * height)) :] = color
    moved, where = (
        cv2.warpAffine(layer, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101).astype(np.uint8)
        for layer in (picture, cell)
    )
    return moved, where


def _other_dyes(picture: Picture, cell: Mask, strength: float, rng: np.random.Generator) -> Picture:
    """Dyes of other strength and hue, by Beer and Lambert a linear change of optical density; then light and camera.

    The usual vectors of hematoxylin and eosin do not fit a Romanowsky stain: the matrix is random, and now and then
    the white cell has one of its own.
    """
    # Nuclei of other laboratories are paler or darker beside the same red cells.
    steep = np.exp(strength * np.clip(rng.normal(-0.15, 0.25), -0.7, 0.3))
    table = np.sign(_DENSITY) * _PIVOT * (np.abs(_DENSITY) / _PIVOT) ** steep
    density = cv2.LUT(picture, table[None].astype(np.float32))
    nuclei = _nuclei(strength * rng.uniform(-0.3, 1.1))
    matrix = _dyes(strength, 0.13, rng) @ nuclei
    if rng.random() < RED_CELLS_KEPT:
        red = np.array(RED_CELL_DENSITY)
        matrix *= (red * np.exp(strength * rng.normal(0, 0.06, 3)) / np.maximum(matrix @ red, 0.05))[:, None]
    light = _WHITE + strength * (rng.normal(0, 0.08) + rng.normal(0, 0.06, 3))
    levels = cv2.transform(density, np.column_stack([-matrix, light]).astype(np.float32))
    if strength == 1.0 and rng.random() < CELL_APART:
        own = np.column_stack([-_dyes(strength, 0.2, rng) @ nuclei, light])
        inside = cv2.transform(density, own.astype(np.float32))
        levels += cv2.GaussianBlur(cell, (0, 0), 2.0)[..., None] / np.float32(255) * (inside - levels)
    values = cv2.exp(levels)
    gamma, veil = np.exp(strength * rng.normal(0, 0.12)), strength * abs(rng.normal(0, 0.05))
    if strength == 1.0:
        values = 255 * ((1 - veil) * cv2.pow(np.clip(values, 0, 400) / 255, gamma) + veil)
    return np.clip(values, 0, 255).astype(np.uint8)


def _nuclei(blue: float) -> np.ndarray:
    """(3, 3): what becomes of the optical density where nuclei go from violet, 0, to blue, 1, and red cells stay."""
    both = np.column_stack([_VIOLET, RED_CELL_DENSITY])
    only_nuclei = np.linalg.pinv(both)[0]
    return np.eye(3) + blue * np.outer(_BLUE - _VIOLET, only_nuclei)


def _dyes(strength: float, mixed: float, rng: np.random.Generator) -> np.ndarray:
    """(3, 3): what becomes of the optical density of each channel. `mixed` is how much one takes of another."""
    amount = np.exp(strength * np.clip(rng.normal(-0.05, 0.25), -0.6, 0.5))
    return amount * (np.eye(3) + strength * (np.diag(rng.normal(0, 0.15, 3)) + rng.normal(0, mixed, (3, 3))))


def _other_camera(picture: Picture, rng: np.random.Generator) -> Picture:
    """Other optics and sensors: blurred, coarse, sharpened, noisy, packed."""
    size = picture.shape[0]
    kind = rng.random()
    if kind < 0.35:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 2.4))
    elif kind < 0.6:
        coarse = cv2.resize(picture, None, fx=(f := 1 / rng.uniform(1.3, 3.5)), fy=f, interpolation=cv2.INTER_AREA)
        picture = cv2.resize(coarse, (size, size), interpolation=int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC])))
    elif kind < 0.75:
        amount = rng.uniform(0.3, 1.5)
        soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 2))
        picture = cv2.addWeighted(picture, 1 + amount, soft, -amount, 0)
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(1, 9), picture.shape)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        picture = _packed(picture, int(rng.integers(25, 95)))
    return picture.astype(np.uint8)


def _other_focus(picture: Picture, rng: np.random.Generator) -> Picture:
    """Now and then a little defocus or JPEG, as at home."""
    if rng.random() < 0.15:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.8))
    return _packed(picture, int(rng.integers(60, 95))) if rng.random() < 0.15 else picture.astype(np.uint8)


def _packed(picture: np.ndarray, quality: int) -> Picture:
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(packed, cv2.IMREAD_COLOR).astype(np.uint8)  # type: ignore[union-attr]
