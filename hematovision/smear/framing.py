"""Where in a picture the network looks: a square frame, cut out at the network's size, and the way back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture

CELL_SHARE = 1 / 2.2
"""Share of the frame's side that a found cell takes: between the middle cells of PBC (0.4) and a close-up."""

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels of the picture."""


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
    def around(cls, box: Box) -> "Frame":
        """The square around a cell's box that shows the cell at the share of the frame the network knows."""
        x, y, width, height = box
        side = max(width, height) / CELL_SHARE
        return cls(x + width / 2 - side / 2, y + height / 2 - side / 2, side)


def cut(picture: Picture, frame: Frame, size: int) -> Picture:
    """The frame's content as (size, size, 3) uint8, with the color of plasma beyond the picture's edge.

    A mirrored edge would show a cell that the edge cuts as two.
    """
    if _reaches_out(frame, picture.shape):
        mode, border = cv2.BORDER_CONSTANT, _plasma(picture)
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
    return framed.astype(np.uint8)


def _reaches_out(frame: Frame, shape: tuple[int, ...]) -> bool:
    height, width = shape[:2]
    return frame.x < 0 or frame.y < 0 or frame.x + frame.side > width or frame.y + frame.side > height


def _plasma(picture: Picture) -> tuple[float, ...]:
    """The color of the empty background: nearly the brightest of each channel, but not a glare."""
    return tuple(float(v) for v in np.percentile(picture[::4, ::4], 85, axis=(0, 1)))


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
