"""A heat map in color over its picture: the colors, what is hidden, and the outline of what is strong."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture
from hematovision.smear.cell_mask import CellRegions
from hematovision.vision.heatmap import VIRIDIS, Colors, color_table, overlay

HALF = 0.5
"""Of the peak: where the outline runs, unless less than a higher threshold is hidden."""
_DARK, _LIGHT = (27, 19, 38), (255, 255, 255)
_LARGER = 2
"""Outlines are drawn on a picture so many times larger, where a line between pixels is smooth."""


def _between(*ends: tuple[int, int, int]) -> Colors:
    places = np.linspace(0, 1, len(ends))
    return np.stack(
        [np.round(np.interp(np.linspace(0, 1, 256), places, channel)) for channel in zip(*ends, strict=True)], axis=1
    ).astype(np.uint8)


COLORS: Mapping[str, Colors] = MappingProxyType(
    {
        "Viridis": VIRIDIS,
        "Cividis": color_table(cv2.COLORMAP_CIVIDIS),
        "Magma": color_table(cv2.COLORMAP_MAGMA),
    }
)
"""Even in lightness, so that people with any color vision, and a printer without color, can read them."""
TWO_SIDED = _between((179, 88, 6), (241, 163, 64), (247, 247, 247), (90, 180, 172), (1, 102, 94))
"""Orange for one side, teal for the other (ColorBrewer's): apart for any color vision, and neither is a stain's."""


@dataclass(frozen=True)
class Look:
    """How a map is shown: `opacity` and `threshold` in [0, 1], below which it is hidden; with an outline or without."""

    opacity: float = 0.6
    threshold: float = 0.0
    outline: bool = False
    colors: str = "Viridis"


def paint(picture: Picture, evidence: NDArray[np.float32], look: Look) -> Picture:
    """The picture with evidence (H, W) in [0, 1] over it: as large, or `_LARGER` times as large with an outline."""
    shown = np.where(evidence >= look.threshold, evidence, 0)
    painted = overlay(picture, shown, look.opacity, COLORS[look.colors])
    return outlined(painted, evidence, max(HALF, look.threshold)) if look.outline else painted


def paint_contrast(picture: Picture, signed: NDArray[np.float32], look: Look) -> Picture:
    """The picture with a contrast map (H, W) in [-1, 1] over it. Outlines: solid above 0, dashed below it."""
    shown = np.where(np.abs(signed) >= look.threshold, signed, 0)
    painted = overlay(picture, shown, look.opacity, TWO_SIDED, is_signed=True)
    if not look.outline:
        return painted
    level = max(HALF, look.threshold)
    return outlined(outlined(painted, signed, level), -signed, level, is_dashed=True, larger=1)


def outlined_parts(picture: Picture, regions: CellRegions, has_nucleus: bool = True) -> Picture:
    """The picture with the outline of its cell: dashed, and a solid one of the nucleus, or without nucleus solid."""
    cell, nucleus = (mask.astype(np.float32) for mask in (regions.cell, regions.nucleus))
    if not has_nucleus:
        return outlined(picture, cell, HALF)
    return outlined(outlined(picture, nucleus, HALF), cell, HALF, is_dashed=True, larger=1)


def outlined(
    picture: Picture, values: NDArray[np.float32], level: float, is_dashed: bool = False, larger: int = _LARGER
) -> Picture:
    """The picture, `larger` times as large, with a light line between dark ones around where `values` reach `level`."""
    height, width = picture.shape[0] * larger, picture.shape[1] * larger
    drawn = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC) if larger > 1 else picture.copy()
    smooth = cv2.resize(values.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    found, _ = cv2.findContours((smooth >= level).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    line = max(1, round(max(height, width) / 300))
    pieces = [piece for contour in found for piece in (_dashes(contour, 14 * line) if is_dashed else [contour])]
    for color, thickness in ((_DARK, line + 2), (_LIGHT, line)):
        cv2.polylines(drawn, pieces, not is_dashed, color, thickness, cv2.LINE_AA)
    return drawn


def _dashes(contour: NDArray, length: int) -> list[NDArray]:
    return [contour[start : start + length // 3 + 1] for start in range(0, len(contour), length)]
