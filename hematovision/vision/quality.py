"""How good the heat map of one picture is, each figure beside that of a map which has not seen the picture.

That a map peaks inside the cell says little where the cell is in the middle of every picture.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hematovision.cells import output_index, output_slice
from hematovision.smear.cell_mask import CellRegions
from hematovision.vision.classifier import Floats, softmax
from hematovision.vision.passes import Color, Forward, Progress, logits_of_all

SIGMA = 0.15
"""Of the Gaussian in the middle, as a share of the picture's width."""
STEPS = 24
"""In which pixels are taken away or given back: two curves with their start and end, twice, are 100 passes."""
BLUR = 0.05
"""Of the picture that insertion starts from, as a share of its side: 10 of 192 pixels leave no cell to be named."""
GRID = 24
"""Cells a side on which maps of different methods are compared."""
SEED = 0


@dataclass(frozen=True)
class Inside:
    """Shares of the positive evidence inside the cell and its nucleus."""

    cell: float
    nucleus: float


@dataclass(frozen=True)
class Placement:
    """Where the evidence lies, beside a Gaussian in the middle of the picture and an even map."""

    evidence: Inside
    gaussian: Inside
    uniform: Inside


@dataclass(frozen=True)
class Curve:
    """The target's probability as pixels are taken away (or given back), and the area under it, in [0, 1]."""

    probabilities: tuple[float, ...]

    @property
    def area(self) -> float:
        values = np.array(self.probabilities)
        return float((values[1:] + values[:-1]).mean() / 2)


@dataclass(frozen=True)
class Faithfulness:
    """Deletion (a good map's area is small) and insertion (large), each beside that of a random map."""

    deletion: Curve
    insertion: Curve
    random_deletion: Curve
    random_insertion: Curve


def placement(evidence: NDArray, regions: CellRegions) -> Placement | None:
    """Where the evidence (H, W) lies; None where there is none."""
    if not evidence.any():
        return None
    maps = (evidence, centered_gaussian(evidence.shape), np.ones(evidence.shape, np.float32))
    return Placement(*(Inside(share_inside(m, regions.cell), share_inside(m, regions.nucleus)) for m in maps))


def share_inside(evidence: NDArray, mask: NDArray[np.bool_]) -> float:
    """Share of the evidence (H, W), which is nowhere below 0, that lies inside a mask (H, W)."""
    return float(evidence[mask].sum(dtype=np.float64) / evidence.sum(dtype=np.float64))


def centered_gaussian(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A map (H, W) that only knows that cells lie in the middle: 1 there, with `SIGMA` of the width."""
    height, width = shape[:2]
    rows, columns = np.ogrid[:height, :width]
    squared = (rows - (height - 1) / 2) ** 2 + (columns - (width - 1) / 2) ** 2
    return np.exp(-squared / (2 * (SIGMA * width) ** 2)).astype(np.float32)


def faithfulness(
    inputs: NDArray,
    evidence: NDArray,
    target: tuple[str, str],
    empty: Color,
    forward: Forward,
    progress: Progress | None = None,
) -> Faithfulness:
    """Deletion and insertion (Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421) of a map, and of a random one.

    `inputs` is the picture at the network's size, (size, size, 3), and `evidence` (size, size) lies over it. The random
    map is as coarse as a class activation map, and always the same.
    """
    maps = (evidence, random_map(inputs.shape[0]))
    (deletion, insertion), random = curves(inputs, maps, target, empty, forward, progress)
    return Faithfulness(deletion, insertion, *random)


def curves(
    inputs: NDArray,
    maps: Sequence[NDArray],
    target: tuple[str, str],
    empty: Color,
    forward: Forward,
    progress: Progress | None = None,
) -> list[tuple[Curve, Curve]]:
    """Deletion and insertion of each of the maps (size, size), which takes 50 passes.

    Pixels go in the order of their evidence, the strongest first: to the background's color `empty` by deletion, from a
    blurred picture to the real one by insertion.
    """
    blurred = cv2.GaussianBlur(inputs, (0, 0), BLUR * inputs.shape[0])
    blank = np.broadcast_to(np.asarray(empty).astype(inputs.dtype), inputs.shape)

    def pictures() -> Iterator[NDArray]:
        for values in maps:
            step = steps_by_rank(values)
            for before, after in ((inputs, blank), (blurred, inputs)):
                for done in range(STEPS + 1):
                    yield np.where((step < done)[..., None], after, before)

    head, value = target
    logits = logits_of_all(forward, pictures(), 2 * len(maps) * (STEPS + 1), progress)
    within = output_slice(head)
    probabilities = softmax(logits[:, within])[:, output_index(head, value) - within.start]
    parts = probabilities.reshape(len(maps), 2, STEPS + 1)
    return [(Curve(tuple(map(float, deletion))), Curve(tuple(map(float, insertion)))) for deletion, insertion in parts]


def steps_by_rank(evidence: NDArray) -> NDArray[np.intp]:
    """In which of `STEPS` equal steps each pixel (H, W) has its turn, the strongest evidence first.

    Where it is the same, chance decides, always the same way: the order of rows would favor the top.
    """
    chance = np.random.default_rng(SEED).permutation(evidence.size)
    order = np.lexsort((chance, -evidence.ravel()))
    step = np.empty(evidence.size, np.intp)
    step[order] = np.arange(evidence.size) * STEPS // evidence.size
    return step.reshape(evidence.shape)


def random_map(size: int, cells: int = 6) -> Floats:
    """A map (size, size) in [0, 1] that knows nothing, and is as smooth as one of so many cells a side."""
    values = np.random.default_rng(SEED).random((cells, cells)).astype(np.float32)
    return cv2.resize(values, (size, size), interpolation=cv2.INTER_LINEAR)


def agreement(one: NDArray, other: NDArray) -> float | None:
    """Spearman's rank correlation of two maps of any size, on a common grid, in [-1, 1]: 1 where the order is the same.

    None where a map is the same everywhere. Adebayo et al. 2018 compare the maps of trained and random weights by it:
    a map that hardly changes does not explain what was learned.
    """
    first, second = (_ranks(_on_grid(values)) for values in (one, other))
    if first.std() == 0 or second.std() == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _on_grid(values: NDArray) -> NDArray[np.float32]:
    way = cv2.INTER_AREA if values.shape[0] > GRID else cv2.INTER_LINEAR
    return cv2.resize(values.astype(np.float32), (GRID, GRID), interpolation=way).astype(np.float32)


def _ranks(values: NDArray) -> NDArray[np.float64]:
    """The rank of each value, the mean of their ranks for those that are the same."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[where.ravel()]
