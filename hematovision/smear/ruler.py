"""Red cells as the ruler: how many pixels a micrometer has.

A normal red cell measures 7 to 7.5 µm in a dried smear, whatever the camera. The largest disc that fits into a red
cell, or into a clump of them, is about as wide as one cell: so clumps need not be taken apart.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture, at_most
from hematovision.smear.finder import WORKING_SIDE, Tone, measure_tone, multi_otsu

RED_CELL = 7.2
"""Diameter in µm."""
LEAST_DISCS = 3
FIT = 1.1
"""Diameter of a red cell per diameter of its disc, which the blurred edge makes small: measured on drawn fields."""
_QUANTILE = 0.6
"""Of the discs: some lie in slivers between cells, few are larger than a cell."""


def pixels_per_um(picture: Picture, red: NDArray[np.uint8] | None = None) -> float | None:
    """Scale of a picture (H, W, 3), or None where fewer than three red cells can be measured.

    `red` are the red cells of a picture no larger than `WORKING_SIDE`, looked for where they are not given.
    """
    small, shrink = at_most(picture, WORKING_SIDE)
    mask = red_cells(small) if red is None else red
    side = min(mask.shape)
    depth = cv2.GaussianBlur(cv2.distanceTransform(mask, cv2.DIST_L2, 5), (0, 0), 1)
    near = 2 * round(0.03 * side) + 1
    peaks = (depth == cv2.dilate(depth, np.ones((near, near), np.uint8))) & (depth > max(3.0, 0.02 * side))
    y, x = np.nonzero(peaks)
    radius = depth[peaks]
    # A disc that touches the edge may be part of a larger one.
    height, width = mask.shape
    whole = np.minimum(np.minimum(x, width - x), np.minimum(y, height - y)) > 1.15 * radius
    if whole.sum() < LEAST_DISCS:
        return None
    return float(2 * FIT * np.quantile(radius[whole], _QUANTILE) / shrink / RED_CELL)


def red_cells(picture: Picture, tone: Tone | None = None) -> NDArray[np.uint8]:
    """Red cells of (H, W, 3) as 0 or 1, their pallor filled: what absorbs green light and is not violet.

    `tone` is that of the picture, measured where it is not given.
    """
    tone = measure_tone(picture) if tone is None else tone
    green = cv2.GaussianBlur(picture[..., 1], (0, 0), 1.0)
    brightness, _ = cv2.threshold(green, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    nuclei = cv2.dilate((tone.values > tone.high).astype(np.uint8), np.ones((5, 5), np.uint8))
    dark = ((green < max(multi_otsu(green)[1], brightness)) & (nuclei == 0)).astype(np.uint8)
    filled = np.zeros_like(dark)
    contours, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(filled, contours, -1, 1, -1)
    size = 2 * max(1, round(min(dark.shape) * 0.006)) + 1
    opened = cv2.morphologyEx(filled, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return opened.astype(np.uint8)
