"""How far an answer can be trusted: is it a cell, is it like what the model learned from, which classes may it be?

All figures come from `model/trust.npz` and the card's thresholds; a model without them answers without these checks.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hematovision.cells import CELL_CLASSES, CLASS_HEAD, output_slice
from hematovision.errors import ModelError
from hematovision.vision.card import RESTORE, ModelCard, checked_bytes

TRUST_FILE = "trust.npz"
GATE, FAMILIARITY = "gate", "familiarity"
PARTS = ("mean", "projection")
SCALE = ("middle", "spread")

CONFIDENT, CHECK, UNFAMILIAR, NOT_BLOOD = STATUSES = ("confident", "check", "unfamiliar", "not_blood")
"""Of an answer, the best first."""


@dataclass(frozen=True)
class Likeness:
    """How like known cells a vector of features is: minus its Mahalanobis distance to their mean."""

    mean: NDArray[np.floating]
    """(F,) of the known cells."""
    projection: NDArray[np.floating]
    """(F, D): to a space where the distance is Euclidean."""

    def scores(self, features: NDArray) -> NDArray[np.float64]:
        """(N, F) -> (N,): 0 is the most alike, and the less so the lower."""
        return -np.linalg.norm((np.asarray(features, np.float64) - self.mean) @ self.projection, axis=1)


@dataclass(frozen=True)
class Subspace:
    """How far an embedding goes where those of known cells go: the residual that ViM looks at (Wang et al. 2022)."""

    mean: NDArray[np.floating]
    """(C,) of the known cells."""
    projection: NDArray[np.floating]
    """(C, D): orthonormal directions in which the known cells differ the most."""

    def scores(self, features: NDArray) -> NDArray[np.float64]:
        """(N, C) -> (N,) in [-1, 0]: minus the share of the deviation from the mean that leaves the directions."""
        deviation = np.asarray(features, np.float64) - self.mean
        inside = ((deviation @ self.projection) ** 2).sum(1)
        whole = (deviation**2).sum(1)
        return -np.sqrt(np.clip(1 - inside / np.maximum(whole, 1e-12), 0, 1))


@dataclass(frozen=True)
class Familiarity:
    """How like known cells an answer is, by two scores of which the lower counts.

    The embedding of a cell unlike all that were learned goes elsewhere, which `subspace` sees; or it goes where known
    ones do, and no class speaks for it, which the energy of the class logits sees (Liu et al. 2020).
    """

    subspace: Subspace
    middle: NDArray[np.floating]
    """(2,): the median of each score over known cells."""
    spread: NDArray[np.floating]
    """(2,): how far below it their least 5 % begin."""

    def scores(self, embeddings: NDArray, logits: NDArray) -> NDArray[np.float64]:
        """(N, C), (N, V) of N answers -> (N,): the less alike the lower; -1 where the least 5 % of a score begin."""
        return ((familiarity_parts(self.subspace, embeddings, logits) - self.middle) / self.spread).min(1)


def familiarity_parts(subspace: Subspace, embeddings: NDArray, logits: NDArray) -> NDArray[np.float64]:
    """The two scores (N, 2) of N answers."""
    of_class = np.asarray(logits, np.float64)[:, output_slice(CLASS_HEAD)]
    return np.stack([subspace.scores(embeddings), np.logaddexp.reduce(of_class, axis=1)], axis=1)


@dataclass(frozen=True)
class Trust:
    """The two rules with their thresholds, and the least probability at which a class stays in an answer set."""

    gate: Likeness | None
    """By pooled features of the network's middle layers; None where the network does not give them away."""
    familiarity: Familiarity
    cell_from: float
    familiar_from: float
    least: Mapping[str, float]

    def is_cell(self, early: NDArray | None) -> bool:
        """Whether pooled features (F,) of the middle layers are those of a blood cell. True where nothing is known."""
        return self.gate is None or early is None or bool(self.gate.scores(early[None])[0] >= self.cell_from)

    def is_familiar(self, embedding: NDArray, logits: NDArray) -> bool:
        """Whether an answer's embedding (C,) and logits (V,) are like those of the training cells."""
        return bool(self.familiarity.scores(embedding[None], logits[None])[0] >= self.familiar_from)


def conformal_set(probabilities: Mapping[str, float], least: Mapping[str, float]) -> tuple[str, ...]:
    """The classes that reach their least probability, the likeliest first; the very likeliest is always in it.

    With thresholds of `training.measuring.trust.conformal_thresholds` it holds the right class at the promised rate in
    every class, for cells like those they were fitted on (Vovk 2012; Sadinle et al. 2019), and only for those.
    """
    ordered = sorted(probabilities, key=lambda label: -probabilities[label])
    return tuple(label for i, label in enumerate(ordered) if i == 0 or probabilities[label] >= least[label])


def load_trust(card: ModelCard) -> Trust | None:
    """What the model's folder says on trust; None where its card names no such file.

    Raises ModelError where the file is missing, damaged or not the one of the card, or a threshold lacks.
    """
    if TRUST_FILE not in card.raw.get("files", {}):
        return None
    content = checked_bytes(card, TRUST_FILE)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            middle, spread = (arrays[f"{FAMILIARITY}_{part}"] for part in SCALE)
            if not middle.shape == spread.shape == (2,) or not (spread > 0).all():
                raise ValueError(f"{FAMILIARITY}: no scale of two scores")
            familiarity = Familiarity(Subspace(*_unpack(arrays, FAMILIARITY)), middle, spread)
            gate = Likeness(*_unpack(arrays, GATE)) if f"{GATE}_mean" in arrays else None
        thresholds = card.raw["thresholds"]
        return Trust(
            gate,
            familiarity,
            cell_from=float(thresholds["cell"]),
            familiar_from=float(thresholds["familiar"]),
            least={label: float(thresholds["answer_set"][label]) for label in CELL_CLASSES},
        )
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{card.folder / TRUST_FILE} does not fit its card.", RESTORE) from error


def pack(gate: Likeness | None, familiarity: Familiarity) -> bytes:
    """The content of the file, the same for the same numbers."""
    rules = {FAMILIARITY: familiarity.subspace} | ({GATE: gate} if gate else {})
    arrays = {f"{name}_{part}": getattr(rule, part) for name, rule in rules.items() for part in PARTS}
    arrays |= {f"{FAMILIARITY}_{part}": getattr(familiarity, part) for part in SCALE}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def _unpack(arrays: Mapping[str, NDArray], name: str) -> tuple[NDArray, NDArray]:
    mean, projection = (arrays[f"{name}_{part}"] for part in PARTS)
    if mean.ndim != 1 or projection.ndim != 2 or len(mean) != len(projection):
        raise ValueError(f"{name}: shapes that do not belong together")
    # Converted once, and not again for each cell of a library.
    return mean, projection.astype(np.float64)
