"""Fit the heads alone, then everything, then everything once more near home; resumable after a kill."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from hematovision.cells import CLASS_HEAD, HEADS
from hematovision.errors import InputError
from hematovision.library.records import Record
from hematovision.training.backbone import build_model, set_trainable
from hematovision.training.batches import Batches, targets


@dataclass(frozen=True)
class Recipe:
    """All that decides a run's outcome beside the data."""

    size: int = 224
    batch_size: int = 32
    frozen_epochs: int = 1
    epochs: int = 12
    settled_epochs: int = 4
    frozen_rate: float = 2e-3
    rate: float = 2e-4
    settled_rate: float = 6e-5
    dropout: float = 0.3
    l2: float = 1e-4
    attribute_weight: float = 0.25
    seed: int = 1


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave: `loss` over the training pictures, the rest on `val`."""

    number: int
    phase: str
    loss: float
    val_loss: float
    val_accuracy: float
    val_attribute_accuracy: float


def fit(records: Sequence[Record], recipe: Recipe, folder: Path, backbone_weights: str | Path | None) -> keras.Model:
    """Train on split `train`, choose the epoch on `val`, and return the chosen model.

    `folder` keeps `last.keras`, `best.keras` and `history.json`; called again with the same recipe it goes on where
    it stopped. Raises InputError where `folder` holds another recipe's run.
    """
    train = [r for r in records if r.split == "train"]
    val = [r for r in records if r.split == "val"]
    if not train or not val:
        raise InputError(
            "Training needs pictures in the splits 'train' and 'val'.", "A splits.csv beside the data set names them."
        )
    history = _resume(folder, recipe)
    keras.utils.set_random_seed(recipe.seed)
    steps = -(-len(train) // recipe.batch_size)
    phases = ["frozen"] * recipe.frozen_epochs + ["fine-tuned"] * recipe.epochs + ["settled"] * recipe.settled_epochs
    model = keras.models.load_model(folder / "last.keras") if history else None
    for number, phase in list(enumerate(phases))[len(history) :]:
        if model is None:
            model = build_model(recipe.size, backbone_weights, recipe.dropout, recipe.l2)
        if number == phases.index(phase):
            set_trainable(model, backbone=phase != "frozen")
            _compile(model, recipe, steps, phase)
        mild = phase == "settled"
        batches = Batches(train, recipe.size, recipe.batch_size, seed=recipe.seed, epoch=number, mild=mild)
        log = model.fit(
            batches, verbose=0, shuffle=False, callbacks=[_Progress(f"epoch {number + 1}/{len(phases)}", steps)]
        )
        scores = _validate(model, val, recipe)
        history.append(Epoch(number + 1, phase, float(log.history["loss"][-1]), *scores))
        best = min(history, key=lambda e: (-e.val_accuracy, e.val_loss))
        if best is history[-1]:
            _save(model, folder / "best.keras")
        _save(model, folder / "last.keras")
        _write_history(folder, recipe, history)
        tqdm.write(
            f"  loss {history[-1].loss:.3f}  val: {scores[1]:.2%} of classes, {scores[2]:.2%} of attributes",
            file=sys.stderr,
        )
    # Without its optimizer, which is twice as large as the model and of no use to anyone who runs it.
    return keras.models.load_model(folder / "best.keras", compile=False)


def read_history(folder: Path) -> list[Epoch]:
    """The epochs that a run in `folder` has finished."""
    path = folder / "history.json"
    return [Epoch(**epoch) for epoch in json.loads(path.read_text())["epochs"]] if path.is_file() else []


@keras.saving.register_keras_serializable("hematovision")
def masked_cross_entropy(truth, logits):
    """Categorical cross-entropy (N,) of one-hot rows with logits; a row of zeros is a missing value.

    Keras' own loss gives 0 for such a row too, but a gradient that is not 0: TensorFlow's operation takes for granted
    that each row sums to 1. Training diverges on it.
    """
    return -keras.ops.sum(truth * keras.ops.log_softmax(logits, axis=-1), axis=-1)


def _resume(folder: Path, recipe: Recipe) -> list[Epoch]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "history.json"
    if path.is_file() and json.loads(path.read_text())["recipe"] != asdict(recipe):
        raise InputError(
            f"{folder} holds a run of another recipe.", "Give another --run folder, or the same options as before."
        )
    return read_history(folder)


def _compile(model: keras.Model, recipe: Recipe, steps: int, phase: str) -> None:
    rate: float | keras.optimizers.schedules.LearningRateSchedule = recipe.frozen_rate
    if phase != "frozen":
        epochs, peak = (
            (recipe.epochs, recipe.rate) if phase == "fine-tuned" else (recipe.settled_epochs, recipe.settled_rate)
        )
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=peak / 10,
            decay_steps=max(1, epochs * steps - steps // 2),
            alpha=0.01,
            warmup_target=peak,
            warmup_steps=steps // 2,
        )
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=dict.fromkeys(HEADS, masked_cross_entropy),
        loss_weights={head: 1.0 if head == CLASS_HEAD else recipe.attribute_weight for head in HEADS},
    )


def _validate(model: keras.Model, val: Sequence[Record], recipe: Recipe) -> tuple[float, float, float]:
    """(cross-entropy of the class, accuracy of the class, mean accuracy of the attributes) on `val`."""
    truth = targets(val)
    parts: dict[str, list[np.ndarray]] = {head: [] for head in HEADS}
    for pictures, _ in map(Batches(val, recipe.size, 64).__getitem__, range(-(-len(val) // 64))):
        for head, logits in model.predict_on_batch(pictures).items():
            parts[head].append(np.asarray(logits))
    logits = {head: np.concatenate(rows) for head, rows in parts.items()}
    right = {}
    for head, rows in truth.items():
        known = rows.any(axis=1)
        right[head] = float((logits[head].argmax(1) == rows.argmax(1))[known].mean()) if known.any() else 0.0
    z = logits[CLASS_HEAD] - logits[CLASS_HEAD].max(1, keepdims=True)
    log_probability = z - np.log(np.exp(z).sum(1, keepdims=True))
    loss = float(-(log_probability * truth[CLASS_HEAD]).sum(1).mean())
    return loss, right[CLASS_HEAD], float(np.mean([right[h] for h in HEADS if h != CLASS_HEAD]))


def _save(model: keras.Model, path: Path) -> None:
    # A kill while writing must not cost the former checkpoint.
    draft = path.with_name("draft.keras")
    model.save(draft)
    draft.replace(path)


def _write_history(folder: Path, recipe: Recipe, history: Sequence[Epoch]) -> None:
    text = json.dumps({"recipe": asdict(recipe), "epochs": [asdict(epoch) for epoch in history]}, indent=1)
    draft = folder / "history.draft"
    draft.write_text(text)
    draft.replace(folder / "history.json")


class _Progress(keras.callbacks.Callback):
    def __init__(self, title: str, steps: int):
        super().__init__()
        self.bar = tqdm(total=steps, desc=title, unit="batch")

    def on_train_batch_end(self, batch, logs=None):
        self.bar.set_postfix(loss=f"{logs['loss']:.3f}", refresh=False)
        self.bar.update()

    def on_epoch_end(self, epoch, logs=None):
        self.bar.close()
