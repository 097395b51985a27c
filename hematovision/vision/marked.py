"""What lies in the region that a learner marked: parts of the cell, and the model's evidence. It compares; it grades
nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hematovision.quiz.questions import Region
from hematovision.smear.cell_mask import CellRegions

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Parts:
    """Shares of a region in [0, 1]: nucleus, cytoplasm, and outside the cell. Their sum is 1."""

    nucleus: float
    cytoplasm: float
    outside: float


def ellipse(region: Region, shape: tuple[int, ...]) -> Mask:
    """The pixels (H, W) of a picture of `shape` whose middles lie in the ellipse that fills the region.

    At least one: a region finer than the pixels is the pixel in its middle.
    """
    height, width = shape[:2]
    middle_x, middle_y = region.x + region.w / 2, region.y + region.h / 2
    x = ((np.arange(width) + 0.5) / width - middle_x) / (region.w / 2)
    y = ((np.arange(height) + 0.5) / height - middle_y) / (region.h / 2)
    inside = x[None, :] ** 2 + y[:, None] ** 2 <= 1
    if not inside.any():
        inside[min(int(middle_y * height), height - 1), min(int(middle_x * width), width - 1)] = True
    return np.asarray(inside, bool)


def parts_of(marked: Mask, cell: CellRegions) -> Parts:
    """Where the marked pixels (H, W), at least one, lie in a cell's regions of the same size."""
    count = np.count_nonzero(marked)
    nucleus, cytoplasm = (np.count_nonzero(marked & part) / count for part in (cell.nucleus, cell.cytoplasm))
    return Parts(nucleus, cytoplasm, np.count_nonzero(marked & cell.background) / count)


def share_of_evidence(marked: Mask, evidence: NDArray[np.float32]) -> float | None:
    """The share in [0, 1] of the evidence (H, W), nowhere below 0, in the marked pixels; None where there is none."""
    total = float(evidence.sum(dtype=np.float64))
    return float(evidence[marked].sum(dtype=np.float64)) / total if total > 0 else None
