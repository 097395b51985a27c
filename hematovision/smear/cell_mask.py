"""The outline of a white cell, grown from its nucleus."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture, at_most
from hematovision.smear.finder import FoundCell, find_cells

WORKING_SIDE = 180
LIKELY, REACH = 0.05, 0.17
"""Around the nucleus' convex hull, as shares of the picture's shorter side: likely cell, and the farthest it goes."""
_ROUNDS = 2


def middle_cell(picture: Picture) -> FoundCell | None:
    """The white cell nearest the middle of a picture (H, W, 3); None where no nucleus is found."""
    height, width = picture.shape[:2]

    def distance(cell: FoundCell) -> float:
        rows, columns = np.nonzero(cell.nucleus)
        return float(np.hypot(rows - height / 2, columns - width / 2).min())

    return min(find_cells(picture), key=distance, default=None)


def cell_mask(picture: Picture, nucleus: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cell (H, W) that a nucleus (H, W) of the picture belongs to, nucleus and cytoplasm, without holes.

    Grows the nucleus into what is colored like its surroundings and unlike the plasma and red cells farther out
    (GrabCut, Rother et al. 2004). Made for pictures of one cell: in a field the reach, which goes by the picture's
    side, would be too far. On drawn cells it shares 0.96 of the union with the truth; tests hold it above 0.9.
    """
    height, width = picture.shape[:2]
    small, _ = at_most(picture, WORKING_SIDE)
    size = (small.shape[1], small.shape[0])
    core = cv2.resize(nucleus.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    if not core.any():
        return np.zeros((height, width), bool)
    hull = cv2.fillConvexPoly(np.zeros_like(core), cv2.convexHull(np.argwhere(core)[:, ::-1].astype(np.int32)), 1)
    side = min(size)
    what = np.full(core.shape, cv2.GC_BGD, np.uint8)
    what[_grown(hull, REACH * side) > 0] = cv2.GC_PR_BGD
    what[_grown(hull, LIKELY * side) > 0] = cv2.GC_PR_FGD
    what[core > 0] = cv2.GC_FGD
    cv2.setRNGSeed(0)  # GrabCut begins with clusters of colors that are drawn at random
    cv2.grabCut(small, what, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    cell = np.isin(what, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    cell = cv2.morphologyEx(cell, cv2.MORPH_OPEN, _disc(2)) | core
    _, parts = cv2.connectedComponents(cell)
    own = np.isin(parts, np.unique(parts[core > 0])).astype(np.uint8)
    outlines, _ = cv2.findContours(own, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = cv2.drawContours(np.zeros_like(own), outlines, -1, 1, -1)
    return (cv2.resize(filled, (width, height), interpolation=cv2.INTER_NEAREST) > 0) | nucleus


def _grown(mask: NDArray[np.uint8], radius: float) -> NDArray[np.uint8]:
    return cv2.dilate(mask, _disc(round(radius))).astype(np.uint8)


def _disc(radius: int) -> NDArray[np.uint8]:
    size = 2 * max(1, radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
