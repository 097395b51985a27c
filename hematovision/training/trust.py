"""Fit what `vision/trust.py` goes by: how like a cell, how like the training cells, and the thresholds on the card.

Likenesses are fitted on training cells, some of them in other stains, and on drawn cells; thresholds on `val`. Kinds of
non-cells are only needed to lay the border between them and cells; `noncells.HELD_OUT` has no part in it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

from hematovision import images
from hematovision.cells import CELL_CLASSES
from hematovision.images import Picture
from hematovision.library.drawn import draw_cell, series
from hematovision.library.records import Record
from hematovision.smear.stain import STAINS
from hematovision.training.augment import augment
from hematovision.training.export import describe_file, write_card
from hematovision.training.noncells import KINDS, NOT_FITTED, noncells
from hematovision.vision.card import ModelCard
from hematovision.vision.classifier import BATCH, Classifier, Prediction
from hematovision.vision.trust import TRUST_FILE, Likeness, Subspace, pack

COVERAGE = 0.99
"""Promised share of answer sets that hold the right class, in every class."""
UNFAMILIAR = 0.01
"""Share of the cells of `val` that are called unfamiliar."""
CELLS, NON_CELLS = 0.003, 0.01
"""Shares of `val` and of the non-cells between which the border lies, half-way in the logarithm of the distance."""
DIRECTIONS = 64
"""Of the embedding, at most."""
SHRINKAGE = 0.1
"""Of a covariance towards a multiple of the identity."""


@dataclass(frozen=True)
class Amounts:
    """How many pictures of each sort a fit looks at."""

    of_class: int = 200
    abroad: int = 640
    drawn: int = 20
    """Of each class in each stain."""
    non_cells: int = 24
    """Of each kind."""
    seed: int = 1


def fit_trust(
    classifier: Classifier, train: Sequence[Record], val: Sequence[Record], amounts: Amounts | None = None
) -> dict[str, Any]:
    """Fit, and write the file and its entries on the card into the model's folder; returns the card.

    The card's temperature has to be fitted before: answer sets go by calibrated probabilities. Load the classifier
    anew afterwards.
    """
    amounts = amounts or Amounts()
    rng = default_rng(amounts.seed)
    chosen = [
        records[i]
        for label in CELL_CLASSES
        if (records := [r for r in train if r.label == label])
        for i in rng.permutation(len(records))[: amounts.of_class]
    ]
    known = answers(classifier, (images.read(record.path) for record in chosen))
    checked = answers(classifier, (images.read(record.path) for record in val))
    keys = [record.label for record in val]
    familiarity = fit_subspace(_embeddings(known))
    thresholds: dict[str, Any] = {
        "familiar": float(np.quantile(familiarity.scores(_embeddings(checked)), UNFAMILIAR)),
        "cell": 0.0,
        "answer_set": conformal_thresholds([answer.probabilities for answer in checked], keys),
    }
    gate = None
    if known[0].early is not None:
        size, drawn_seed = classifier.card.size, amounts.seed + 1_000
        abroad = (
            augment(images.read(chosen[i].path), size, default_rng((amounts.seed, nth)))
            for nth, i in enumerate(rng.integers(len(chosen), size=amounts.abroad))
        )
        drawn = (
            draw_cell(cell).picture
            for stain in STAINS
            for cell in series(CELL_CLASSES, amounts.drawn, drawn_seed, stain)
        )
        cells = np.concatenate([_early(known), _early(answers(classifier, abroad)), _early(answers(classifier, drawn))])
        kinds = tuple(kind for kind in KINDS if kind not in NOT_FITTED)
        others = answers(classifier, (n.picture for n in noncells(amounts.non_cells, amounts.seed, kinds)))
        gate = fit_likeness(cells)
        thresholds["cell"] = border(gate.scores(_early(checked)), gate.scores(_early(others)))
    return _write(classifier.card, pack(gate, familiarity), thresholds)


def answers(classifier: Classifier, pictures: Iterable[Picture]) -> list[Prediction]:
    """The model's answers for whole pictures, which need not all fit into memory."""
    found: list[Prediction] = []
    waiting: list[tuple[Picture, None]] = []
    for picture in pictures:
        waiting.append((picture, None))
        if len(waiting) == BATCH:
            found += classifier.classify_many(waiting)
            waiting.clear()
    return found + classifier.classify_many(waiting)


def fit_likeness(features: NDArray) -> Likeness:
    """Likeness to features (N, F), standardized before; one whose values do not vary counts little."""
    values = np.asarray(features, np.float64)
    mean, spread = values.mean(0), values.std(0)
    scale = np.maximum(spread, 1e-3 * spread.max() + 1e-9)
    standardized = (values - mean) / scale
    covariance = standardized.T @ standardized / len(values)
    even = np.eye(len(covariance)) * np.trace(covariance) / len(covariance)
    shrunk = (1 - SHRINKAGE) * covariance + (SHRINKAGE + 1e-9) * even
    projection = np.linalg.cholesky(np.linalg.inv(shrunk)) / scale[:, None]
    return Likeness(mean.astype(np.float32), projection.astype(np.float32))


def fit_subspace(embeddings: NDArray, directions: int = DIRECTIONS) -> Subspace:
    """The mean of embeddings (N, C) and the directions, at most, in which they differ the most."""
    values = np.asarray(embeddings, np.float64)
    mean = values.mean(0)
    strongest = np.linalg.svd(values - mean, full_matrices=False)[2][:directions]
    return Subspace(mean.astype(np.float32), strongest.T.astype(np.float32))


def border(cells: NDArray, others: NDArray) -> float:
    """The score between cells and others, half-way in the logarithm of the distance; never above that of cells."""
    far, near = np.quantile(-cells, 1 - CELLS), np.quantile(-others, NON_CELLS)
    return -float(np.sqrt(far * max(near, far)))


def conformal_thresholds(
    probabilities: Sequence[dict[str, float]], keys: Sequence[str], coverage: float = COVERAGE
) -> dict[str, float]:
    """The least probability at which each class stays in an answer set, so that the promise holds in each class.

    Split conformal prediction, class by class: of n cells, and one more like them, at least the share `coverage` of the
    n + 1 keep their key. 0, which no class falls short of, where n is too small for that: below 99 at 99 %.
    """
    least = {}
    for label in CELL_CLASSES:
        own = sorted(p[label] for p, key in zip(probabilities, keys, strict=True) if key == label)
        # Decimals first: 100 · 0.99 is a little more than 99 in binary.
        spared = len(own) - ceil(round((len(own) + 1) * coverage, 9))
        least[label] = own[spared] if spared >= 0 and own else 0.0
    return least


def _write(card: ModelCard, content: bytes, thresholds: dict[str, Any]) -> dict[str, Any]:
    path = card.folder / TRUST_FILE
    draft = path.with_name(path.name + ".draft")
    draft.write_bytes(content)
    draft.replace(path)
    new = card.raw | {
        "thresholds": card.raw["thresholds"] | thresholds,
        "files": card.raw["files"] | {TRUST_FILE: describe_file(path)},
    }
    write_card(card.folder, new)
    return new


def _embeddings(found: Sequence[Prediction]) -> NDArray[np.float32]:
    return np.stack([answer.embedding for answer in found])


def _early(found: Sequence[Prediction]) -> NDArray[np.float32]:
    return np.stack([answer.early for answer in found if answer.early is not None])
