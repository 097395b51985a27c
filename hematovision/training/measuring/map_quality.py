"""How good heat maps are, over many pictures: every method beside two maps that have seen no picture.

What takes a pass or two is measured over all pictures; what takes many, over a sample that a seed draws of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hematovision import images
from hematovision.cells import CLASS_HEAD, NO_NUCLEUS
from hematovision.images import Picture
from hematovision.library.records import Record
from hematovision.smear.cell_mask import CellRegions, cell_regions
from hematovision.smear.framing import Frame
from hematovision.training.measuring.metrics import bootstrap_interval, share
from hematovision.vision.classifier import Classifier, Prediction
from hematovision.vision.heatmap import lay, shift_of
from hematovision.vision.methods import GRADCAM
from hematovision.vision.quality import SIGMA, centered_gaussian, share_inside

if TYPE_CHECKING:
    from hematovision.vision.gradients import Gradients

REGIONS = ("cell", "nucleus")
GAUSSIAN, UNIFORM = "gaussian", "uniform"
SAMPLE = 100
"""Pictures on which what takes many passes is measured: 700 each."""
SEED = 0
BATCH = 32
THREADS = 2

Maps = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Case:
    """One cell whose nucleus was found, the model's answer for it, and whether it is in the sample."""

    picture: Picture
    frame: Frame
    regions: CellRegions
    prediction: Prediction
    is_sampled: bool

    @property
    def target(self) -> tuple[str, str]:
        return CLASS_HEAD, self.prediction.label


def map_quality(
    classifier: Classifier,
    records: Sequence[Record],
    found: Sequence[Prediction] | None = None,
    gradients: "Gradients | None" = None,
) -> dict[str, Any]:
    """Mean share of positive evidence for the model's own answer inside cell and nucleus, of each method's maps.

    Over pictures of single cells whose nucleus is found; `found` counts them, of all that have one. A map without
    evidence is counted as `without_evidence` and left out. Masks are `smear.cell_mask`'s: no hand drew them.
    `found` are the classifier's answers for `records`, asked for where they are not given. `gradients` are those of
    the same model: without them only the map that comes with the answer is measured; with them every method, and
    deletion, insertion, agreement and the check by random weights of `training.map_checks` on the sample.
    """
    known: Sequence[Prediction | None] = [None] * len(records) if found is None else found
    nucleated = [pair for pair in zip(records, known, strict=True) if pair[0].label not in NO_NUCLEUS]
    drawn = set(np.random.default_rng(SEED).permutation(len(nucleated))[:SAMPLE].tolist())
    makers = None
    if gradients is not None:
        from hematovision.training.measuring.map_checks import Makers

        makers = Makers(classifier, gradients)
    shares: dict[str, list[tuple[float, ...] | None]] = defaultdict(list)
    sample: list[tuple[Case, Maps]] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for cases in _cases(classifier, nucleated, drawn, pool):
            maps = [{GRADCAM: case.prediction.map_of(*case.target)} for case in cases]
            if makers is not None:
                maps = makers.of_all(cases)
                for case, its in zip(cases, maps, strict=True):
                    if case.is_sampled:
                        its |= makers.of_sampled(case)
                        sample.append((case, its))
            for placed in pool.map(partial(_placed, shift_of(classifier.card)), cases, maps):
                for name, values in placed.items():
                    shares[name].append(values)
    null = {name: shares.pop(name, []) for name in (GAUSSIAN, UNIFORM)}
    count = len(null[UNIFORM])
    metrics = {
        "found": share(count, len(nucleated)),
        "n": count,
        "sigma": SIGMA,
        "seed": SEED,
        "methods": {name: _row(values) for name, values in shares.items()},
    } | {name: _means(np.array(values)) for name, values in null.items() if values}
    return metrics if makers is None or not sample else metrics | makers.checks(sample)


def _cases(
    classifier: Classifier,
    answered: Sequence[tuple[Record, Prediction | None]],
    drawn: set[int],
    pool: ThreadPoolExecutor,
) -> Iterator[list[Case]]:
    """Some at a time; the next are made ready meanwhile, and no more than these: each takes a megabyte."""

    def start(first: int) -> list[Future]:
        return [pool.submit(_ready, record) for record, _ in answered[first : first + BATCH]]

    waiting = start(0)
    with tqdm(total=len(answered), desc="heat maps", unit="picture") as bar:
        for first in range(0, len(answered), BATCH):
            ready = [future.result() for future in waiting]
            waiting = start(first + BATCH)
            seen = [(first + i, *one) for i, one in enumerate(ready) if one is not None]
            unknown = [(picture, frame) for nth, picture, frame, _ in seen if answered[nth][1] is None]
            asked = iter(classifier.classify_many(unknown))
            cases = []
            for nth, picture, frame, regions in seen:
                cases.append(Case(picture, frame, regions, answered[nth][1] or next(asked), nth in drawn))
            if cases:
                yield cases
            bar.update(len(ready))


def _ready(record: Record) -> tuple[Picture, Frame, CellRegions] | None:
    """What is measured of a picture; None where no nucleus is found."""
    picture = images.read(record.path)
    regions = cell_regions(picture)
    return None if regions is None else (picture, Frame.of_cell(picture), regions)


def _placed(shift: float, case: Case, maps: Maps) -> dict[str, tuple[float, ...] | None]:
    """For each map, and for those that have seen nothing, the shares inside cell and nucleus; None without evidence."""
    shape = case.picture.shape
    evidence = {name: lay(raw, case.frame, shape, name, shift) for name, raw in maps.items()}
    evidence |= {GAUSSIAN: centered_gaussian(shape), UNIFORM: np.ones(shape[:2], np.float32)}
    masks = (case.regions.cell, case.regions.nucleus)
    return {
        name: tuple(share_inside(values, mask) for mask in masks) if values.any() else None
        for name, values in evidence.items()
    }


def _row(shares: Sequence[tuple[float, ...] | None]) -> dict[str, Any]:
    kept = [values for values in shares if values is not None]
    row = {"n": len(kept), "without_evidence": len(shares) - len(kept)}
    return row | _means(np.array(kept)) if kept else row


def _means(values: NDArray) -> dict[str, Any]:
    """(N, regions) -> mean and its interval, by region."""
    return {region: mean_of(column) for region, column in zip(REGIONS, values.T, strict=True)}


def mean_of(values: NDArray) -> dict[str, Any]:
    """The mean of (N,) with its interval, as the card keeps it."""
    return {"value": float(values.mean()), "interval": list(bootstrap_interval(np.mean, values))}
