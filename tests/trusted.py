"""A file on trust beside the tiny model, with thresholds as a test wants them."""

import hashlib
import json
from pathlib import Path

import numpy as np

from hematovision.cells import CELL_CLASSES
from hematovision.vision.classifier import Classifier
from hematovision.vision.trust import TRUST_FILE, Familiarity, Likeness, Subspace, pack

LEAST = dict.fromkeys(CELL_CLASSES, 0.2)


def by_directions(subspace: Subspace) -> Familiarity:
    """Familiarity that is the subspace's score: the energy counts for nothing."""
    return Familiarity(subspace, np.zeros(2), np.array([1, 1e12]))


def indifferent(folder: Path) -> bytes:
    """Rules that give everything the same scores, 0 by the gate and -1 by familiarity: thresholds alone decide."""
    classifier = Classifier(folder)
    answer = classifier.classify_inputs(np.zeros((1, classifier.card.size, classifier.card.size, 3)))[0]
    features, depth = answer.early.size, answer.embedding.size
    gate = Likeness(np.zeros(features, np.float32), np.zeros((features, 1), np.float32))
    return pack(gate, by_directions(Subspace(np.zeros(depth, np.float32), np.zeros((depth, 1), np.float32))))


def give_trust(folder: Path, content: bytes, **thresholds: object) -> None:
    """Write the file and its card; without `thresholds` everything is a cell, and familiar."""
    (folder / TRUST_FILE).write_bytes(content)
    card = json.loads((folder / "card.json").read_text())
    card["files"][TRUST_FILE] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    card["thresholds"] |= {"cell": -1.0, "familiar": -1.0, "answer_set": LEAST} | thresholds
    (folder / "card.json").write_text(json.dumps(card))
