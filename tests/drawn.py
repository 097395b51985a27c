"""A crude drawn cell for tests: plasma, red cells with pallor, cytoplasm and a violet nucleus."""

import cv2
import numpy as np

from hematovision.images import Picture

PLASMA, RED_CELL, PALLOR = (250, 228, 214), (214, 160, 158), (238, 205, 196)
CYTOPLASM, NUCLEUS = (216, 190, 220), (98, 52, 140)


def draw_cell(rng: np.random.Generator, size: int = 256) -> Picture:
    """One white cell in the middle of a picture."""
    picture = np.full((size, size, 3), PLASMA, np.uint8)
    for _ in range(14):
        x, y = (int(v) for v in rng.integers(0, size, 2))
        if (x - size / 2) ** 2 + (y - size / 2) ** 2 > (size * 0.3) ** 2:
            cv2.circle(picture, (x, y), size // 11, RED_CELL, -1, cv2.LINE_AA)
            cv2.circle(picture, (x, y), size // 28, PALLOR, -1, cv2.LINE_AA)
    draw_white_cell(picture, (size // 2, size // 2), size // 5, rng)
    return finish(picture, rng)


def draw_field(rng: np.random.Generator, centers: list[tuple[int, int]], radius: int = 40) -> Picture:
    """A field, 480 x 640, with white cells at `centers` (x, y)."""
    picture = np.full((480, 640, 3), PLASMA, np.uint8)
    for _ in range(60):
        x, y = int(rng.integers(0, 640)), int(rng.integers(0, 480))
        cv2.circle(picture, (x, y), 24, RED_CELL, -1, cv2.LINE_AA)
    for center in centers:
        draw_white_cell(picture, center, radius, rng)
    return finish(picture, rng)


def draw_white_cell(picture: Picture, center: tuple[int, int], radius: int, rng: np.random.Generator) -> None:
    cv2.circle(picture, center, radius, CYTOPLASM, -1, cv2.LINE_AA)
    dx, dy = (int(v) for v in rng.integers(-radius // 8, radius // 8 + 1, 2))
    axes = (round(radius * rng.uniform(0.6, 0.85)), round(radius * rng.uniform(0.6, 0.85)))
    cv2.ellipse(picture, (center[0] + dx, center[1] + dy), axes, rng.uniform(0, 180), 0, 360, NUCLEUS, -1, cv2.LINE_AA)


def finish(picture: Picture, rng: np.random.Generator) -> Picture:
    noisy = cv2.GaussianBlur(picture, (0, 0), 1.2) + rng.normal(0, 3, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)
