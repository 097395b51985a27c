"""Fit what `vision/trust.py` goes by: how like a cell, how like the training cells, and the thresholds on the card.

Likenesses are fitted on training cells, some of them in other stains; thresholds on `val`. Kinds of non-cells are only
needed to lay the border between them and cells. `noncells.HELD_OUT` and drawn cells have no part in it: they test it.
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
from hematovision.files import write_whole
from hematovision.images import Picture
from hematovision.library.records import Record
from hematovision.training.fitting.batches import variant
from hematovision.training.fitting.export import describe_file, write_card
from hematovision.training.measuring.noncells import KINDS, NOT_FITTED, noncells
from hematovision.vision.card import ModelCard
from hematovision.vision.classifier import BATCH, Classifier, Prediction
from hematovision.vision.trust import TRUST_FILE, Familiarity, Likeness, Subspace, Trust, familiarity_parts, pack

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
    non_cells: int = 24
    """Of each kind."""
    seed: int = 1


def fit_trust(
    classifier: Classifier,
    train: Sequence[Record],
    val: Sequence[Record],
    extra: Sequence[Record] = (),
    amounts: Amounts | None = None,
) -> dict[str, Any]:
    """Fit, and write the file and its entries on the card into the model's folder; returns the card.

    Looks at some of `train` and at all of `extra`, the few cells of another laboratory that were learned too. The
    card's temperature has to be fitted before: answer sets go by calibrated probabilities, and by those cells of `val`
    that get one. Load the classifier anew afterwards.
    """
    amounts = amounts or Amounts()
    rng = default_rng(amounts.seed)
    chosen = [*sample_classes(train, amounts.of_class, rng), *extra]
    known = answers(classifier, (images.read(record.path) for record in chosen))
    checked = answers(classifier, (images.read(record.path) for record in val))
    familiarity, familiar_from = fit_familiarity(known, checked)
    gate, cell_from = None, 0.0
    if known[0].early is not None:
        size = classifier.card.size
        abroad = classifier.classify_inputs(
            np.stack(
                [
                    _from_abroad(chosen[i], size, default_rng((amounts.seed, nth)))
                    for nth, i in enumerate(rng.integers(len(chosen), size=amounts.abroad))
                ]
            )
        )
        kinds = tuple(kind for kind in KINDS if kind not in NOT_FITTED)
        others = answers(classifier, (n.picture for n in noncells(amounts.non_cells, amounts.seed, kinds)))
        gate = fit_likeness(np.concatenate([_early(known), _early(abroad)]))
        cell_from = border(gate.scores(_early(checked)), gate.scores(_early(others)))
    trust = Trust(gate, familiarity, cell_from, familiar_from, least={})
    shown = [
        (answer.probabilities, record.label)
        for answer, record in zip(checked, val, strict=True)
        if trust.is_cell(answer.early) and trust.is_familiar(answer.embedding, answer.logits)
    ]
    least = conformal_thresholds([found for found, _ in shown], [key for _, key in shown])
    thresholds = {"cell": cell_from, "familiar": familiar_from, "answer_set": least}
    return _write(classifier.card, pack(gate, familiarity), thresholds)


def sample_classes(records: Sequence[Record], count: int, rng: np.random.Generator) -> list[Record]:
    """At most `count` records of each class, drawn by `rng`."""
    return [
        own[i]
        for label in CELL_CLASSES
        if (own := [record for record in records if record.label == label])
        for i in rng.permutation(len(own))[:count]
    ]


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


def _from_abroad(record: Record, size: int, rng: np.random.Generator) -> Picture:
    """What the network would see of the cell in another laboratory."""
    return variant(record.path, size, rng, abroad=1)[0]


def fit_familiarity(known: Sequence[Prediction], checked: Sequence[Prediction]) -> tuple[Familiarity, float]:
    """By the directions of training cells, which are `known`, and the scores of others like them, which are `checked`.

    Returns the score, too, from which on a cell is familiar.
    """
    subspace = fit_subspace(_stacked(known)[0])
    parts = familiarity_parts(subspace, *_stacked(checked))
    middle, low = np.median(parts, axis=0), np.quantile(parts, 0.05, axis=0)
    familiarity = Familiarity(subspace, middle, np.maximum(middle - low, 1e-9))
    return familiarity, float(np.quantile(familiarity_scores(familiarity, checked), UNFAMILIAR))


def familiarity_scores(familiarity: Familiarity, found: Sequence[Prediction]) -> NDArray[np.float64]:
    """(N,) of N answers."""
    return familiarity.scores(*_stacked(found))


def _stacked(found: Sequence[Prediction]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Embeddings (N, C) and logits (N, V) of N answers."""
    return np.stack([answer.embedding for answer in found]), np.stack([answer.logits for answer in found])


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


def fit_subspace(known: NDArray, directions: int = DIRECTIONS) -> Subspace:
    """The mean of embeddings (N, C) and the directions, at most, in which they differ the most."""
    values = np.asarray(known, np.float64)
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
    # A fit that is killed here leaves a model without the file, never with one that its card does not describe.
    others = {name: file for name, file in card.raw["files"].items() if name != TRUST_FILE}
    write_card(card.folder, card.raw | {"files": others})
    write_whole(path, content)
    new = card.raw | {
        "thresholds": card.raw["thresholds"] | thresholds,
        "files": others | {TRUST_FILE: describe_file(path)},
    }
    write_card(card.folder, new)
    return new


def _early(found: Sequence[Prediction]) -> NDArray[np.float32]:
    return np.stack([answer.early for answer in found if answer.early is not None])
