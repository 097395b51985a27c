"""The light of a picture, measured on what every smear has: empty background and red cells.

Each channel gets the gain and the gamma with which both look as in PBC, which the network learned from. By Beer and
Lambert that is one factor for the channel's optical density, whatever the lamp, the camera and the strength of eosin.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture
from hematovision.smear.finder import count_levels
from hematovision.smear.ruler import red_cells

BACKGROUND = (254.0, 228.0, 203.0)
"""RGB of the empty background in PBC."""
RED_CELL_DENSITY = (0.214, 0.317, 0.195)
"""Optical density of red cells in PBC, for each channel: median of 150 pictures."""
_GAINS, _GAMMAS = (0.6, 2.5), (0.5, 2.0)
_LEAST_AREA = 0.02
"""Of red cells, as a share of the picture: less says nothing of the stain, and the light alone is evened."""

Table = NDArray[np.uint8]
"""(1, 256, 3): what becomes of each level of each channel."""


def background(picture: Picture) -> tuple[float, ...]:
    """RGB of what lies empty: nearly the brightest of each channel, but not a glare."""
    return tuple(float(v) for v in np.percentile(picture[::4, ::4], 92, axis=(0, 1)))


def measure_light(picture: Picture, red: NDArray[np.uint8] | None = None) -> Table:
    """The table that brings a picture (H, W, 3) to the light and the red cells of PBC.

    `red` are the red cells of the picture, looked for where they are not given.
    """
    empty = np.maximum(background(picture), 1)
    gammas = np.ones(3)
    red = red_cells(picture) if red is None else red
    if np.count_nonzero(red) / red.size > _LEAST_AREA:
        density = np.log(empty / np.maximum([_median(count_levels(picture, c, red)) for c in range(3)], 1))
        gammas = np.clip(np.array(RED_CELL_DENSITY) / np.maximum(density, 0.01), *_GAMMAS)
    # No gain out of all bounds for a picture that has no empty background.
    white = np.clip(np.array(BACKGROUND) / empty, *_GAINS) * empty
    levels = white * (np.arange(256)[:, None] / empty) ** gammas
    return np.clip(levels + 0.5, 0, 255).astype(np.uint8)[None]


def evened(picture: Picture, table: Table) -> Picture:
    """The picture in the light that `measure_light` found the way to."""
    return cv2.LUT(picture, table).astype(np.uint8)


def _median(counts: NDArray) -> float:
    """Of pixels of which so many (256,) have each level."""
    counted = np.cumsum(counts)
    total = int(counted[-1])
    return float(np.searchsorted(counted, (total + 1) // 2) + np.searchsorted(counted, total // 2 + 1)) / 2
