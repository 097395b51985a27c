"""Adapt the model to another laboratory's cells, and take the result only where it costs nothing at home."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from hematovision.cells import CELL_CLASSES
from hematovision.errors import InputError
from hematovision.library.datasets import data_hash, read_datasets
from hematovision.library.records import Record
from hematovision.training.fitting.augment import MILD
from hematovision.training.fitting.backbone import RelativeAdam, set_trainable
from hematovision.training.fitting.batches import Batches
from hematovision.training.fitting.devices import Steps
from hematovision.training.fitting.export import export
from hematovision.training.fitting.fit import Recipe, check_limits, train_epoch
from hematovision.training.fitting.loss import loss_weights
from hematovision.training.folds import assign_folds, group_pictures
from hematovision.training.measuring.evaluate import evaluate_cells
from hematovision.training.plans import keep_plan
from hematovision.training.run import calibrate_card, check_same_data, finish
from hematovision.training.shelf import put_in_place
from hematovision.vision.card import KERAS_FILE, checked_bytes, load_card
from hematovision.vision.classifier import Classifier

PARTS = 4
"""One part in so many of the extra pictures is held out, to be measured."""


@dataclass(frozen=True)
class Adaptation:
    """How the model is adapted."""

    replay: float = 0.5
    """Share of each batch that is taken from the original training pictures, in [0, 1)."""
    epochs: int = 8
    """An epoch takes every extra picture once."""
    batch_size: int = 32
    rate: float = 5e-5
    attribute_weight: float = Recipe.attribute_weight
    seed: int = Recipe.seed

    def __post_init__(self) -> None:
        """Raises InputError for a value that nothing can be trained with."""
        check_limits(asdict(self))
        if not self.epochs:
            raise InputError("There is no epoch to train.", "Give --epochs.")
        if not 0 <= self.replay < 1:
            raise InputError(f"{self.replay} is no share of replay.", "It should be 0 or more and less than 1.")


def adapt(data: Path, extra: Path, model_folder: Path, run_folder: Path, how: Adaptation) -> dict[str, Any]:
    """Train the model of `model_folder` on with the cells in `extra`; replace it only where the gate lets it pass.

    The gate: on `val` of `data` no class loses recall and macro-F1 is not lower, and accuracy on the extra cells that
    were held out is not lower. Returns the figures before and after, `accepted` and the `reasons` where it is not.
    Raises InputError where there is too little to learn from, other data than the model's, or `run_folder` holds
    another run; DataError, ModelError.
    """
    card = load_card(model_folder)
    checked_bytes(card, KERAS_FILE)
    original = read_datasets(data)
    home, val = ([r for r in original if r.split == split] for split in ("train", "val"))
    if not home or not val:
        raise InputError(
            "Adapting needs the original pictures in the splits 'train' and 'val'.",
            "--data names the data that the model was trained on, with its splits.csv.",
        )
    check_same_data(card, original)
    added = read_datasets(extra)
    learned, held_out = _split(added, how.seed)
    # It begins anew each time: any adaptation may take the folder of another, and of no other run.
    keep_plan(run_folder, {"run": "adapt"})
    before = _figures(model_folder, val, held_out)
    model = keras.models.load_model(model_folder / KERAS_FILE, compile=False)
    _train(model, learned, home, how, card.size)
    model.save(run_folder / "last.keras")
    model = keras.models.load_model(run_folder / "last.keras", compile=False)
    made = run_folder / "model"
    raw = {key: value for key, value in card.raw.items() if key not in ("format", "input", "heads", "files", "metrics")}
    counts = {"learned": len(learned), "held_out": len(held_out)}
    adaptation = {
        "how": asdict(how),
        "pictures": counts,
        "from": card.version,
        "data": {"name": ", ".join(sorted({record.dataset for record in added})), "sha256": data_hash(added)},
    }
    adaptations = [*card.raw.get("adaptations", ()), adaptation]
    # The other thresholds belong to the file on trust, which is not this model's.
    thresholds = {"confident": card.confident_from}
    export(model, made, raw | {"thresholds": thresholds, "adaptations": adaptations}, card.raw["input"]["scaling"])
    calibrate_card(made, val)
    after = _figures(made, val, held_out)
    reasons = objections(before, after)
    if not reasons:
        finish(data, made, learned)
        put_in_place(made, model_folder)
    return {"accepted": not reasons, "reasons": reasons, "before": before, "after": after, "pictures": counts}


def objections(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Why a model that has the figures `after` may not replace the one that has `before`; empty where it may."""
    found = []
    for label, (old, new) in _pairs(before["val"]["recall"], after["val"]["recall"]).items():
        if old is not None and (new is None or new < old):
            found.append(f"recall of {label} on val fell from {old:.4f} to {new or 0:.4f}")
    for part, figure in (("val", "macro_f1"), ("held_out", "accuracy")):
        old, new = before[part][figure], after[part][figure]
        if new < old:
            found.append(f"{figure} on {part} fell from {old:.4f} to {new:.4f}")
    return found


def mixed_order(extra: int, home: int, batch_size: int, replay: float, rng: np.random.Generator) -> np.ndarray:
    """Positions for batches of `batch_size`, each with its share of replay: every one of 0..`extra` once, shuffled,
    among as many as needed of `extra`..`extra` + `home`, each at most once while there are enough."""
    own = max(1, round(batch_size * (1 - replay)))
    fresh = rng.permutation(extra)
    needed = batch_size - own
    replayed = extra + np.resize(rng.permutation(home), -(-extra // own) * needed)
    parts: list[np.ndarray] = []
    for i in range(-(-extra // own)):
        parts += [fresh[i * own : (i + 1) * own], replayed[i * needed : (i + 1) * needed]]
    return np.concatenate(parts)


def _split(records: Sequence[Record], seed: int) -> tuple[list[Record], list[Record]]:
    """(to learn from, to hold out): a part of each class is held out, doubles and cells of one field together."""
    folds = assign_folds([r.label for r in records], group_pictures(records), PARTS, seed)
    pairs = list(zip(records, folds, strict=True))
    return (
        [replace(r, split="train", attributes={}) for r, fold in pairs if fold],
        [replace(r, split="test") for r, fold in pairs if not fold],
    )


def _train(model: keras.Model, learned: Sequence[Record], home: Sequence[Record], how: Adaptation, size: int) -> None:
    keras.utils.set_random_seed(how.seed)
    set_trainable(model, backbone=True)
    model.compile(optimizer=RelativeAdam(how.rate))
    steps = Steps(model, loss_weights(how.attribute_weight))
    for epoch in range(how.epochs):
        batches = Batches([*learned, *home], size, how.batch_size, seed=how.seed, epoch=epoch, abroad=MILD)
        rng = np.random.default_rng((how.seed, epoch))
        batches.order = mixed_order(len(learned), len(home), how.batch_size, how.replay, rng)
        train_epoch(steps, batches, f"epoch {epoch + 1}/{how.epochs}")


def _figures(folder: Path, val: Sequence[Record], held_out: Sequence[Record]) -> dict[str, Any]:
    classifier = Classifier(folder)
    # Networks are compared: the new one has no rules yet by which it would refuse a cell.
    classifier.trust = None
    return {"val": _scores(classifier, val), "held_out": _scores(classifier, held_out)}


def _scores(classifier: Classifier, records: Sequence[Record]) -> dict[str, Any]:
    metrics = evaluate_cells(classifier, records)
    return {
        "n": len(records),
        "accuracy": metrics["accuracy"]["value"],
        "macro_f1": metrics["macro_f1"],
        "recall": {label: metrics["classes"][label]["recall"] for label in CELL_CLASSES},
    }


def _pairs(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (before[name], after[name]) for name in before}
