"""Where in a picture the network looks: a square frame, cut out at the network's size, and the way back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture
from hematovision.smear.finder import Box, find_cells
from hematovision.smear.light import Table, background, evened, measure_light
from hematovision.smear.ruler import pixels_per_um

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
    def of_cell(cls, picture: Picture) -> "Frame":
        """The middle of a picture (H, W, 3) of one cell; more of it, and around the cell, where that fills it."""
        whole = cls.whole(picture.shape)
        center_x, center_y = whole.x + whole.side / 2, whole.y + whole.side / 2
        side = MIDDLE * whole.side
        x, y, width, height = min(
            (cell.box for cell in find_cells(picture)),
            key=lambda box: (box[0] + box[2] / 2 - center_x) ** 2 + (box[1] + box[3] / 2 - center_y) ** 2,
            default=(0, 0, 0, 0),
        )
        longer = max(width, height)
        if LEAST_ROOM * longer > side:
            side, center_x, center_y = LEAST_ROOM * longer, x + width / 2, y + height / 2
        elif longer < SMALL * whole.side and (scale := pixels_per_um(picture)):
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
    """The frame's content as (size, size, 3) uint8 in even light, with background beyond the picture's edge.

    `light` is that of the picture, measured where it is not given. A mirrored edge would show a cell that the edge cuts
    as two.
    """
    light = measure_light(picture) if light is None else light
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
    # Pixel centers lie at +0.5: without the half pixel the cut would drift by half a pixel of the scale.
    matrix = np.array(
        [[scale, 0, frame.x + 0.5 * scale - 0.5], [0, scale, frame.y + 0.5 * scale - 0.5]],
        dtype=np.float32,
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    framed = cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderMode=mode, borderValue=border)
    return evened(framed.astype(np.uint8), light)


def _reaches_out(frame: Frame, shape: tuple[int, ...]) -> bool:
    height, width = shape[:2]
    return frame.x < 0 or frame.y < 0 or frame.x + frame.side > width or frame.y + frame.side > height


def paste(values: NDArray[np.float32], frame: Frame, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Lay a small square map (h, h) over its frame in a picture of `shape`: (H, W) float32, 0 outside the frame."""
    height, width = shape[:2]
    scale = values.shape[0] / frame.side
    columns = (np.arange(width) + 0.5 - frame.x) * scale - 0.5
    rows = (np.arange(height) + 0.5 - frame.y) * scale - 0.5
    last = values.shape[0] - 1
    grid_x, grid_y = np.meshgrid(np.clip(columns, 0, last), np.clip(rows, 0, last))
    laid = cv2.remap(
        values.astype(np.float32),
        grid_x.astype(np.float32),
        grid_y.astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    laid = np.clip(laid, values.min(), values.max())  # a cubic overshoots
    inside_x = (columns >= -0.5) & (columns <= last + 0.5)
    inside_y = (rows >= -0.5) & (rows <= last + 0.5)
    return np.where(inside_y[:, None] & inside_x[None, :], laid, 0).astype(np.float32)
