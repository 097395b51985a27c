"""Occlusion (Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901): cover a patch and see what the score does.

The cover has the color of the picture's empty background, so that it takes something away and adds nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hematovision.cells import output_index, output_slice
from hematovision.vision.classifier import Floats, softmax
from hematovision.vision.passes import Color, Forward, Progress, logits_of_all

CELLS = 12
"""Cells of the map a side. A patch covers two by two of them, a sixth of the side, and moves by one."""


@dataclass(frozen=True)
class Occluded:
    """What covering a patch did to one target: its logit and its probability within the head, before and after."""

    logit_before: float
    logit_after: float
    probability_before: float
    probability_after: float

    @property
    def logit_change(self) -> float:
        return self.logit_after - self.logit_before

    @property
    def probability_change(self) -> float:
        return self.probability_after - self.probability_before


def occlusion_map(
    inputs: NDArray, target: tuple[str, str], empty: Color, forward: Forward, progress: Progress | None = None
) -> Floats:
    """The map (12, 12): by how much the target's logit falls, as the mean over the patches that cover a cell.

    `inputs` is a picture at the network's size, (size, size, 3) in 0..255. Below 0 where the score rises. Takes 122
    passes.
    """
    places = [(row, column) for row in range(CELLS - 1) for column in range(CELLS - 1)]
    edges = np.round(np.linspace(0, inputs.shape[0], CELLS + 1)).astype(int)

    def pictures() -> Iterator[NDArray]:
        yield inputs
        for row, column in places:
            yield covered(inputs, (edges[row], edges[row + 2]), (edges[column], edges[column + 2]), empty)

    scores = logits_of_all(forward, pictures(), len(places) + 1, progress)[:, output_index(*target)]
    fall, patches = np.zeros((2, CELLS, CELLS))
    for (row, column), score in zip(places, scores[1:], strict=True):
        fall[row : row + 2, column : column + 2] += scores[0] - score
        patches[row : row + 2, column : column + 2] += 1
    return (fall / patches).astype(np.float32)


def occlude_at(
    inputs: NDArray,
    place: tuple[float, float],
    side: float,
    target: tuple[str, str],
    empty: Color,
    forward: Forward,
    temperature: float = 1.0,
) -> Occluded:
    """What one square patch does, with its middle at `place` (x, y) and of `side`, in pixels of `inputs`.

    Probabilities are calibrated where `temperature` is that of the target's head.
    """
    x, y = place
    patch = covered(inputs, _span(y, side, inputs.shape[0]), _span(x, side, inputs.shape[1]), empty)
    logits = forward(np.stack([inputs, patch]))
    head, value = target
    index, within = output_index(head, value), output_slice(head)
    probabilities = softmax(logits[:, within] / temperature)[:, index - within.start]
    return Occluded(*map(float, (*logits[:, index], *probabilities)))


def covered(inputs: NDArray, rows: tuple[int, int], columns: tuple[int, int], empty: Color) -> NDArray:
    """A copy of the picture (H, W, 3) whose pixels in these rows and columns have the color `empty`."""
    found = inputs.copy()
    found[slice(*rows), slice(*columns)] = np.asarray(empty).astype(found.dtype)
    return found


def _span(middle: float, side: float, size: int) -> tuple[int, int]:
    return max(0, round(middle - side / 2)), min(size, max(0, round(middle + side / 2)))
