"""Score-CAM (Wang et al. 2020, https://arxiv.org/abs/1910.01279): a heat map by forward passes alone."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.cells import output_index, output_slice
from hematovision.vision.classifier import Floats, softmax
from hematovision.vision.passes import Color, Forward, Progress, logits_of_all

CHANNELS = 64
"""Of the last feature map, those whose activation spreads most over the picture; the others hardly mask anything."""


def score_cam(
    inputs: NDArray,
    features: Floats,
    target: tuple[str, str],
    empty: Color,
    forward: Forward,
    progress: Progress | None = None,
) -> Floats:
    """The map (h, w), not scaled: the channels of `features` (h, w, C), each by what it is worth to the target.

    Each of the `CHANNELS` that spread most is scaled to [0, 1], drawn out to the size of `inputs` (size, size, 3), and
    laid over it as a mask: what it hides becomes background, of the color `empty` (the paper's black would be a
    thing of its own here). Its weight is the target's probability for that picture, as in the authors' code, less that
    for an empty one. Takes `CHANNELS` + 1 passes.
    """
    head, value = target
    chosen = most_spread(features)
    blank = np.broadcast_to(np.asarray(empty, np.float32), inputs.shape)
    masks = (_mask(features[..., channel], inputs.shape[0]) for channel in chosen)
    pictures = (blank + (inputs - blank) * mask[..., None] for mask in masks)
    logits = logits_of_all(forward, _first(blank, pictures), len(chosen) + 1, progress)
    probabilities = softmax(logits[:, output_slice(head)])[:, output_index(head, value) - output_slice(head).start]
    return (features[..., chosen] @ (probabilities[1:] - probabilities[0])).astype(np.float32)


def most_spread(features: Floats) -> NDArray[np.intp]:
    """The channels (K,) of a feature map (h, w, C) with the largest deviation over it, at most `CHANNELS`."""
    spread = features.std(axis=(0, 1))
    order = np.argsort(-spread, kind="stable")[:CHANNELS]
    return order[spread[order] > 0]


def _mask(channel: Floats, size: int) -> Floats:
    drawn_out = cv2.resize(channel, (size, size), interpolation=cv2.INTER_LINEAR)
    return ((drawn_out - drawn_out.min()) / (drawn_out.max() - drawn_out.min())).astype(np.float32)


def _first(blank, pictures):
    yield blank
    yield from pictures
