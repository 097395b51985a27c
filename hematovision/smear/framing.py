"""Where in a picture the network looks: a square frame, cut out at the network's size, and the way back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture
from hematovision.smear.contrast import contrasted
from hematovision.smear.finder import Box
from hematovision.smear.light import Table, background, evened, measure_light
from hematovision.smear.survey import Survey

MIDDLE = 0.75
"""Share of the side of a picture of one cell that is looked at: of PBC's 256 pixels just the 192 of the network."""
SIDE_UM = 27.9
"""Side of that middle in µm: the ruler reads 6.89 pixels a µm in PBC (median of 406 pictures)."""
SMALL, FAR_OFF = 0.3, 1.6
"""A picture of one cell is framed by the ruler only where the cell's box takes less than the first share of its side,
as in PBC that of a platelet, and the middle would be so many times too large or too small."""
LEAST_ROOM, ROOM, MOST_ROOM = 1.25, 1.6, 2.5
"""Side of the frame per longer side of the cell's box: at least, where red cells give no scale, and at most."""


@dataclass(frozen=True)
class Frame:
    """A square in picture coordinates; it may reach over the edge, where there is plasma."""

    x: float
    y: float
    side: float

    @classmethod
    def whole(cls, shape: tuple[int, ...]) -> "Frame":
        """The smallest centered square that holds a whole picture of `shape` (H, W, ...)."""
        height, width = shape[:2]
        side = max(height, width)
        return cls((width - side) / 2, (height - side) / 2, side)

    @classmethod
    def of_cell(cls, picture: Picture | Survey) -> "Frame":
        """The middle of a picture (H, W, 3) of one cell; more of it, and around the cell, where that fills it."""
        seen = Survey.of(picture)
        whole = cls.whole(seen.picture.shape)
        center_x, center_y = whole.x + whole.side / 2, whole.y + whole.side / 2
        side = MIDDLE * whole.side
        x, y, width, height = min(
            (cell.box for cell in seen.cells),
            key=lambda box: (box[0] + box[2] / 2 - center_x) ** 2 + (box[1] + box[3] / 2 - center_y) ** 2,
            default=(0, 0, 0, 0),
        )
        longer = max(width, height)
        if LEAST_ROOM * longer > side:
            side, center_x, center_y = LEAST_ROOM * longer, x + width / 2, y + height / 2
        elif longer < SMALL * whole.side and (scale := seen.pixels_per_um):
            by_ruler = SIDE_UM * scale
            if not 1 / FAR_OFF < by_ruler / side < FAR_OFF:
                side = max(by_ruler, LEAST_ROOM * longer)
        return cls(center_x - side / 2, center_y - side / 2, side)

    @classmethod
    def around(cls, box: Box, pixels_per_um: float | None = None) -> "Frame":
        """The square around a cell's box at the scale the network knows.

        By its box alone, large and small cells would look alike; by red cells alone, an error of the ruler would count
        in full. So it is the geometric mean of both, and the box's where no red cell gives a scale.
        """
        x, y, width, height = box
        longer = max(width, height)
        side = ROOM * longer
        if pixels_per_um is not None:
            by_both = (side * SIDE_UM * pixels_per_um) ** 0.5
            side = min(max(by_both, LEAST_ROOM * longer), MOST_ROOM * longer)
        return cls(x + width / 2 - side / 2, y + height / 2 - side / 2, side)


def cut(picture: Picture, frame: Frame, size: int, light: Table | None = None) -> Picture:
    """The frame's content as the network sees it: (size, size, 3) uint8 in even light, its detail as in PBC.

    `light` is that of the picture, measured where it is not given.
    """
    light = measure_light(picture) if light is None else light
    return contrasted(evened(framed(picture, frame, size), light))


def framed(picture: Picture, frame: Frame, size: int) -> Picture:
    """The frame's content as (size, size, 3) uint8, with background beyond the picture's edge.

    A mirrored edge would show a cell that the edge cuts as two.
    """
    if _reaches_out(frame, picture.shape):
        mode, border = cv2.BORDER_CONSTANT, background(picture)
    else:
        # Between the middle of the last pixel and the edge there is that pixel, not plasma.
        mode, border = cv2.BORDER_REPLICATE, (0.0, 0.0, 0.0)
    scale = frame.side / size
    if scale > 1:
        # Area averaging keeps fine texture from aliasing; a warp alone samples too few pixels.
        shrink = 1 / scale
        picture = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        frame = Frame(frame.x * shrink, frame.y * shrink, size)
        scale = 1.0
    elif scale == 1 and not _reaches_out(frame, picture.shape) and frame.x % 1 == frame.y % 1 == 0:
        # As in PBC: whole pixels, between which there is nothing to interpolate.
        left, top = int(frame.x), int(frame.y)
        return picture[top : top + size, left : left + size]
    # Pixel centers lie at +0.5: without the half pixel the cut would drift by half a pixel of the scale.
    matrix = np.array(
        [[scale, 0, frame.x + 0.5 * scale - 0.5], [0, scale, frame.y + 0.5 * scale - 0.5]],
        dtype=np.float32,
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderMode=mode, borderValue=border)
    return moved.astype(np.uint8)


def _reaches_out(frame: Frame, shape: tuple[int, ...]) -> bool:
    height, width = shape[:2]
    return frame.x < 0 or frame.y < 0 or frame.x + frame.side > width or frame.y + frame.side > height


def paste(
    values: NDArray[np.float32], frame: Frame, shape: tuple[int, ...], tiled: Frame | None = None
) -> NDArray[np.float32]:
    """Lay a small square map (h, h) over its frame in a picture of `shape`: (H, W) float32, 0 outside the frame.

    The cells of the map tile the frame, or `tiled` where that is another square as large.
    """
    height, width = shape[:2]
    size = values.shape[0]
    tiled = tiled or frame
    laid = np.zeros((height, width), np.float32)
    columns, grid_x = _inside(frame.x, frame.side, width, size, tiled.x)
    rows, grid_y = _inside(frame.y, frame.side, height, size, tiled.y)
    if grid_x.size and grid_y.size:
        mapped = cv2.remap(
            values.astype(np.float32), *np.meshgrid(grid_x, grid_y), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        laid[rows, columns] = np.clip(mapped, values.min(), values.max())  # a cubic overshoots
    return laid


def _inside(start: float, side: float, length: int, size: int, first: float) -> tuple[slice, NDArray[np.float32]]:
    """The pixels, of `length`, in a frame from `start` on; and where they lie in a map of `size` from `first` on."""
    middles = np.arange(length) + 0.5
    places = (middles - start) * (size / side) - 0.5
    inside = np.flatnonzero((places >= -0.5) & (places <= size - 0.5))
    pixels = slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0)
    places = (middles - first) * (size / side) - 0.5
    return pixels, np.clip(places[pixels], 0, size - 1).astype(np.float32)
