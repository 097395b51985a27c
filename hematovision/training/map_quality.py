"""How good heat maps are: the share of the evidence that lies inside the cell and inside its nucleus.

That a map peaks inside the cell says little where the cell is in the middle of every picture, so two maps that have
seen no picture are measured beside: one that is even, and one that is a Gaussian in the middle.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hematovision import images
from hematovision.cells import CLASS_HEAD
from hematovision.library.records import Record
from hematovision.smear.cell_mask import cell_mask, middle_cell
from hematovision.smear.framing import Frame
from hematovision.training.metrics import bootstrap_interval, share
from hematovision.vision.classifier import Classifier, Prediction
from hematovision.vision.heatmap import lay

MODEL, GAUSSIAN, UNIFORM = MAPS = ("model", "gaussian", "uniform")
REGIONS = ("cell", "nucleus")
SIGMA = 0.15
"""Of the Gaussian, as a share of the picture's width."""
NO_NUCLEUS = ("platelet",)


def map_quality(
    classifier: Classifier, records: Sequence[Record], found: Sequence[Prediction] | None = None
) -> dict[str, Any]:
    """Mean share of positive evidence for the model's own answer inside cell and nucleus, of each of `MAPS`.

    Over pictures of single cells whose nucleus is found; `found` counts them, of all that have one. A map without
    evidence is counted as `without_evidence` and left out. Masks are `smear.cell_mask`'s: no hand drew them. `found`
    are the classifier's answers for `records`, asked for where they are not given.
    """
    known: Sequence[Prediction | None] = [None] * len(records) if found is None else found
    nucleated = [pair for pair in zip(records, known, strict=True) if pair[0].label not in NO_NUCLEUS]
    rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in MAPS}
    cells = 0
    for record, answer in tqdm(nucleated, desc="heat maps", unit="picture"):
        picture = images.read(record.path)
        cell = middle_cell(picture)
        if cell is None:
            continue
        cells += 1
        frame = Frame.of_cell(picture)
        answer = answer or classifier.classify(picture, frame)
        evidence = lay(answer.map_of(CLASS_HEAD, answer.label), frame, picture.shape)
        if not evidence.any():
            continue
        masks = (cell_mask(picture, cell.nucleus), cell.nucleus)
        maps = {
            MODEL: evidence,
            GAUSSIAN: centered_gaussian(picture.shape),
            UNIFORM: np.ones(picture.shape[:2], np.float32),
        }
        for name, values in maps.items():
            rows[name].append(tuple(share_inside(values, mask) for mask in masks))
    count = len(rows[MODEL])
    return {
        "found": share(cells, len(nucleated)),
        "without_evidence": cells - count,
        "n": count,
        "sigma": SIGMA,
    } | {name: _means(np.array(rows[name])) for name in MAPS if count}


def share_inside(evidence: NDArray, mask: NDArray[np.bool_]) -> float:
    """Share of the evidence (H, W), which is nowhere below 0, that lies inside a mask (H, W)."""
    return float(evidence[mask].sum(dtype=np.float64) / evidence.sum(dtype=np.float64))


def centered_gaussian(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A map (H, W) that only knows that cells lie in the middle: 1 there, with `SIGMA` of the width."""
    height, width = shape[:2]
    rows, columns = np.ogrid[:height, :width]
    squared = (rows - (height - 1) / 2) ** 2 + (columns - (width - 1) / 2) ** 2
    return np.exp(-squared / (2 * (SIGMA * width) ** 2)).astype(np.float32)


def _means(values: NDArray) -> dict[str, Any]:
    """(N, regions) -> mean and its interval, by region."""
    return {
        region: {"value": float(column.mean()), "interval": list(bootstrap_interval(np.mean, column))}
        for region, column in zip(REGIONS, values.T, strict=True)
    }
