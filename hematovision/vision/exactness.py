"""A logit taken apart, without a rest: what nucleus, cytoplasm and background add to it, and the bias.

The mean of the class activation map plus the head's bias is the logit (Zhou et al. 2016), so each cell of the map adds
its value by the number of cells; a cell that lies over two regions is shared out by area.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hematovision.smear.cell_mask import CellRegions
from hematovision.smear.framing import Frame


@dataclass(frozen=True)
class LogitParts:
    """What adds up to a logit, signed. `background` holds everything outside the cell."""

    nucleus: float
    cytoplasm: float
    background: float
    bias: float

    @property
    def logit(self) -> float:
        return self.nucleus + self.cytoplasm + self.background + self.bias


def logit_parts(raw: NDArray[np.float32], logit: float, regions: CellRegions, frame: Frame) -> LogitParts:
    """The parts of one target's logit, from its class activation map (h, w) and the regions of the picture.

    `frame` is what the cells of the map tile, as they are drawn: `heatmap.tiled`. Wherever that lies, each cell is
    shared out in full. What a cell has seen reaches farther, so that evidence of a region's rim may be counted to its
    neighbor.
    """
    values = raw.astype(np.float64) / raw.size
    nucleus, cytoplasm = (area_shares(mask, frame, raw.shape[0]) for mask in (regions.nucleus, regions.cytoplasm))
    background = 1 - nucleus - cytoplasm
    return LogitParts(
        nucleus=float((values * nucleus).sum()),
        cytoplasm=float((values * cytoplasm).sum()),
        background=float((values * background).sum()),
        bias=float(logit) - float(values.sum()),
    )


def area_shares(mask: NDArray[np.bool_], frame: Frame, cells: int) -> NDArray[np.float64]:
    """The share of each cell of a map (cells, cells) over `frame` that a mask (H, W) of the picture takes: exact.

    What of the frame lies outside the picture is not in the mask.
    """
    height, width = mask.shape
    rows = _overlaps(frame.y, frame.side / cells, cells, height)
    columns = _overlaps(frame.x, frame.side / cells, cells, width)
    return rows @ mask @ columns.T


def _overlaps(start: float, step: float, cells: int, pixels: int) -> NDArray[np.float64]:
    """(cells, pixels): the share of each cell along one axis that each pixel takes."""
    low = start + step * np.arange(cells)[:, None]
    pixel = np.arange(pixels)[None]
    return np.clip(np.minimum(low + step, pixel + 1) - np.maximum(low, pixel), 0, None) / step
