"""Heat maps: evidence for a class or an attribute value, scaled, laid over the picture.

The model ends in global average pooling and one linear layer, so Grad-CAM on the logit (Selvaraju et al. 2017) equals
the class activation map (Zhou et al. 2016) up to a constant: it comes out of the same pass as the answer.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture
from hematovision.smear.framing import Frame, paste
from hematovision.vision.card import ModelCard
from hematovision.vision.methods import GRADCAM, OF_PLACES, SALIENCY, SMOOTHGRAD

Colors = NDArray[np.uint8]
"""(256, 3) RGB, from the weakest level to the strongest."""


def color_table(name: int) -> Colors:
    """One of OpenCV's color maps."""
    levels = np.arange(256, dtype=np.uint8)[:, None]
    return cv2.cvtColor(cv2.applyColorMap(levels, name), cv2.COLOR_BGR2RGB)[:, 0]


VIRIDIS = color_table(cv2.COLORMAP_VIRIDIS)
"""Which people with any color vision can read."""

SHIFT = 0.2
"""Of a cell of a layer's map: how much lower and more to the right a cell is drawn than where it would tile the frame.

MobileNetV2, of which it is, pads to the lower right. By that alone the middle of a receptive field would lie
(32 - 1) / 2 pixels off its cell, 0.48 of one, but the field counts most where the padding did not reach.
`benchmarks/map_shift.py` measures it; see docs/heatmaps.md.
"""
CAP = 99.0
"""Percentile at which maps of single pixels are cut off: a few of these lie far above all others (Smilkov et al. 2017).
"""
SHARPNESS = 2.0
"""The LayerCAM paper's scaling of the maps of early layers, whose peaks are far above the rest of them."""


def shift_of(card: ModelCard) -> float:
    """`SHIFT` for the network that it was measured on, else 0: others pad otherwise."""
    return SHIFT if str(card.raw.get("backbone", "")).startswith("MobileNetV2") else 0.0


def positive(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """Evidence for the target in [0, 1]: ReLU first, then scaled to a peak of 1. All zero where there is none."""
    evidence = np.maximum(raw, 0)
    peak = evidence.max()
    return (evidence / peak if peak > 0 else evidence).astype(np.float32)


def fused(maps: Sequence[NDArray[np.float32]], shift: float = SHIFT) -> NDArray[np.float32]:
    """Maps of several depths, the last layer's at the end, as one on the finest grid: the largest of each cell.

    As in the LayerCAM paper (Jiang et al. 2021): those of earlier layers are scaled by tanh(2 x / max x) before, or
    they would hardly show. A depth without evidence adds nothing.
    """
    scaled = [np.tanh(SHARPNESS * positive(raw)) for raw in maps[:-1]] + [positive(maps[-1])]
    return np.max(_on_finest_grid(scaled, shift), axis=0).astype(np.float32)


def common(maps: Sequence[NDArray[np.float32]], shift: float = SHIFT) -> NDArray[np.float32]:
    """The product of maps of several depths on the finest grid: what all of them show. 0 where one shows nothing.

    As Guided Grad-CAM (Selvaraju et al. 2017) multiplies a coarse map, which knows what speaks for the target, with a
    fine one, which knows where the edges are.
    """
    return np.prod(_on_finest_grid([positive(raw) for raw in maps], shift), axis=0).astype(np.float32)


def _on_finest_grid(maps: Sequence[NDArray[np.float32]], shift: float) -> list[NDArray[np.float32]]:
    """Each drawn out to the most cells a side, and laid off by `shift` of its own cells."""
    most = max(values.shape[0] for values in maps)
    found = []
    for values in maps:
        side = values.shape[0]
        places = (np.arange(most) + 0.5 + shift) * (side / most) - 0.5 - shift
        grid = np.clip(places, 0, side - 1).astype(np.float32)
        columns, rows = np.meshgrid(grid, grid)
        found.append(cv2.remap(values, columns, rows, cv2.INTER_LINEAR).astype(np.float32))
    return found


def contrast(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """What speaks for one target rather than another, from their raw maps (h, w): signed, in [-1, 1].

    Both are of one method and on the scale of the logit, so that their difference says what the difference of the two
    logits comes from. Above 0 for the first; the larger side peaks at 1. All zero where the maps are the same.
    """
    difference = one.astype(np.float32) - other
    peak = np.abs(difference).max()
    return difference / peak if peak > 0 else difference


def tiled(frame: Frame, cells: int, method: str = GRADCAM, shift: float = SHIFT) -> Frame:
    """The square that the cells of a method's map, so many a side, tile as they are drawn.

    `shift` is that of the network, by `shift_of`: here and wherever maps are laid.
    """
    off = 0.0 if method in OF_PLACES else shift * frame.side / cells
    return Frame(frame.x + off, frame.y + off, frame.side)


def lay(
    raw: NDArray[np.float32], frame: Frame, shape: tuple[int, ...], method: str = GRADCAM, shift: float = SHIFT
) -> NDArray[np.float32]:
    """A method's raw map (h, w) as evidence (H, W) in [0, 1] at the size of the picture, 0 outside the frame."""
    if method in (SALIENCY, SMOOTHGRAD) and (cap := np.percentile(raw, CAP)) > 0:
        raw = np.minimum(raw, np.float32(cap))
    return lay_signed(positive(raw), frame, shape, method, shift)


def lay_signed(
    values: NDArray[np.float32], frame: Frame, shape: tuple[int, ...], method: str = GRADCAM, shift: float = SHIFT
) -> NDArray[np.float32]:
    """A signed map (h, w), as `contrast` gives it, at the size of the picture: (H, W), 0 outside the frame."""
    return paste(values, frame, shape, tiled(frame, values.shape[0], method, shift))


def overlay(
    picture: Picture,
    evidence: NDArray[np.float32],
    opacity: float = 0.6,
    colors: Colors = VIRIDIS,
    is_signed: bool = False,
) -> Picture:
    """The picture with evidence (H, W) in [0, 1] laid over it; where there is none, the picture shows as it is.

    Signed evidence is in [-1, 1], and 0 in the middle of `colors`. `opacity` is in [0, 1].
    """
    levels = np.round((evidence + 1) * 127.5 if is_signed else evidence * 255).astype(np.uint8)
    # Steeper than the evidence itself, so that a middling one is seen, and smooth where it fades out.
    weight = (opacity * np.sin(np.abs(evidence) * np.pi / 2)).astype(np.float32)
    painted = np.take(colors, levels, axis=0)
    return cv2.blendLinear(picture, painted, 1 - weight, weight).astype(np.uint8)
