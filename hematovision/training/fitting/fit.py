"""Fit the heads alone, then everything, then everything once more near home; resumable after a kill."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from hematovision.cells import CLASS_HEAD, HEADS
from hematovision.errors import InputError
from hematovision.files import write_whole
from hematovision.library.records import Record
from hematovision.training.fitting.augment import ABROAD, MILD
from hematovision.training.fitting.backbone import DEFAULT_BACKBONE, RelativeAdam, build_model, set_trainable
from hematovision.training.fitting.batches import Batches, targets
from hematovision.training.fitting.devices import Steps, meet, place
from hematovision.training.fitting.loss import loss_weights
from hematovision.training.fitting.teachers import Teachers
from hematovision.training.plans import Weights, keep_plan, plan_of

LAST, BEST = "last-{}.keras", "best-{}.keras"
"""Files of a run, by the number of the epoch that they were saved after: its state, and the averaged weights."""


@dataclass(frozen=True)
class Recipe:
    """All that decides a run's outcome beside the data."""

    backbone: str = DEFAULT_BACKBONE
    size: int = 192
    batch_size: int = 32
    frozen_epochs: int = 1
    epochs: int = 30
    settled_epochs: int = 5
    frozen_rate: float = 2e-3
    rate: float = 3e-4
    settled_rate: float = 6e-5
    averaged: float = 0.998
    """Weight of the past in the moving average of the weights, step by step: the average is what is kept."""
    dropout: float = 0.3
    l2: float = 1e-4
    unfrozen_layers: int | None = None
    """How many of the backbone's last layers with weights are trained; None: all."""
    attribute_weight: float = 0.25
    seed: int = 1

    def __post_init__(self) -> None:
        """Raises InputError for a value that nothing can be trained with."""
        check_limits(asdict(self))
        if not recipe_phases(self):
            raise InputError("There is no epoch to train.", "Give --frozen-epochs, --epochs or --settled-epochs.")


LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "size": (32, inf),
        "batch_size": (1, inf),
        "frozen_epochs": (0, inf),
        "epochs": (0, inf),
        "settled_epochs": (0, inf),
        "frozen_rate": (1e-9, 1),
        "rate": (1e-9, 1),
        "settled_rate": (1e-9, 1),
        "averaged": (0, 0.9999),
        "dropout": (0, 0.99),
        "l2": (0, 1),
        "unfrozen_layers": (0, inf),
        "attribute_weight": (0, 100),
        "seed": (0, 2**32 - 1),
    }
)
"""Field of a recipe -> its least and its greatest value."""


def check_limits(values: Mapping[str, Any]) -> None:
    """Raises InputError for the first of `values` outside of its `LIMITS`; those without limits may be anything."""
    for name, (least, most) in LIMITS.items():
        value = values.get(name)
        if value is not None and not least <= value <= most:
            limits = f"{least:g} or more" if most == inf else f"{least:g} to {most:,}"
            raise InputError(f"The {name.replace('_', ' ')} cannot be {value:g}.", f"It should be {limits}.")


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave: `loss` over the training pictures, of all heads and the weights; the rest on `val`, where
    `val_loss` is of the class alone."""

    number: int
    phase: str
    loss: float
    val_loss: float
    val_accuracy: float
    val_attribute_accuracy: float | None
    """None where nobody annotated an attribute of `val`."""


def fit(
    records: Sequence[Record],
    recipe: Recipe,
    folder: Path,
    backbone_weights: Weights,
    on_epoch: Callable[[Epoch], None] | None = None,
    teachers: Teachers | None = None,
) -> keras.Model:
    """Train on split `train`, choose the epoch on `val`, and return the chosen model.

    `folder` keeps `history.json`, the state after its last epoch and the average of its best one; called again with
    the same recipe it goes on where it stopped.
    `on_epoch` is told of each epoch, those of the stopped run first; what it raises ends the run. What the `teachers`
    answer is learned beside the keys.
    In the scope of a strategy of several machines, each calls this with the same arguments and sees the same `folder`.
    Raises InputError where `folder` holds another run, or lacks the files of its last or best epoch.
    """
    train = [r for r in records if r.split == "train"]
    val = [r for r in records if r.split == "val"]
    if not train or not val:
        raise InputError(
            "Training needs pictures in the splits 'train' and 'val'.",
            "Those of PBC stand in a splits.csv beside it. Folders of one's own have none: 'crossvalidate' deals them "
            "into folds, and 'train --extra' adapts a model to them.",
        )
    if teachers:
        teachers.check_size(recipe.size)
    strategy = tf.distribute.get_strategy()
    writes = place(strategy)[0] == 0
    keep_plan(folder, plan_of(records, recipe, backbone_weights, teachers), writes)
    history = read_history(folder)
    tell = on_epoch or (lambda epoch: None)
    for epoch in history:
        tell(epoch)
    keras.utils.set_random_seed(recipe.seed)
    steps = -(-len(train) // recipe.batch_size)
    phases = recipe_phases(recipe)
    model = build_model(
        recipe.size, None if history else backbone_weights, recipe.dropout, recipe.l2, backbone=recipe.backbone
    )
    if history:
        _begin(model, recipe, steps, history[-1].phase)
        model.load_weights(_checkpoint(folder, LAST, history))
    meet(strategy)
    trainer: Steps | None = None
    for number, phase in list(enumerate(phases))[len(history) :]:
        if number == phases.index(phase):
            _begin(model, recipe, steps, phase)
            trainer = None
        trainer = trainer or Steps(model, loss_weights(recipe.attribute_weight))
        abroad = MILD if phase == "settled" else ABROAD
        batches = Batches(
            train, recipe.size, recipe.batch_size, seed=recipe.seed, epoch=number, abroad=abroad, teachers=teachers
        )
        _seed_dropout(model, recipe.seed, number * steps)
        loss = train_epoch(trainer, batches, f"epoch {number + 1}/{len(phases)}", quiet=not writes)
        # Both under the number of the epoch: until the history names it, a killed run goes on from the one before.
        _save(model, folder / LAST.format(number + 1), writes)
        with averaged(model):
            scores = _validate(model, val, recipe)
            _save(model, folder / BEST.format(number + 1), writes)
        history.append(Epoch(number + 1, phase, loss, *scores))
        if writes:
            _write_history(folder, history)
            _remove_all_but(folder, [name.format(epoch.number) for name, epoch in _kept(history).items()])
            attributes = "" if scores[2] is None else f", {scores[2]:.2%} of attributes"
            tqdm.write(f"  loss {loss:.3f}  val: {scores[1]:.2%} of classes{attributes}", file=sys.stderr)
        tell(history[-1])
    meet(strategy)
    # Without its optimizer, which is twice as large as the model and of no use to anyone who runs it.
    return keras.models.load_model(_checkpoint(folder, BEST, read_history(folder)), compile=False)


def recipe_phases(recipe: Recipe) -> list[str]:
    """The phase of each epoch."""
    return ["frozen"] * recipe.frozen_epochs + ["fine-tuned"] * recipe.epochs + ["settled"] * recipe.settled_epochs


def train_epoch(trainer: Steps, batches: Batches, title: str, quiet: bool = False) -> float:
    """Train on every batch once, with a bar; returns the mean loss of the pictures."""
    total, seen = 0.0, 0
    with tqdm(total=len(batches), desc=title, unit="batch", disable=quiet) as bar:
        for loss, count in trainer.epoch(batches):
            total, seen = total + loss * count, seen + count
            bar.set_postfix(loss=f"{total / seen:.3f}", refresh=False)
            bar.update()
    return total / seen


def read_history(folder: Path) -> list[Epoch]:
    """The epochs that a run in `folder` has finished."""
    path = folder / "history.json"
    return [Epoch(**epoch) for epoch in json.loads(path.read_text())["epochs"]] if path.is_file() else []


def _begin(model: keras.Model, recipe: Recipe, steps: int, phase: str) -> None:
    """What a phase trains, and an optimizer that has not made a step."""
    set_trainable(model, phase != "frozen", recipe.unfrozen_layers)
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
    average = {"use_ema": True, "ema_momentum": recipe.averaged, "ema_overwrite_frequency": None}
    model.compile(optimizer=RelativeAdam(rate, **average))
    model.optimizer.build(model.trainable_variables)


def _seed_dropout(model: keras.Model, seed: int, drawn: int) -> None:
    """What is dropped from here on, as after `drawn` steps: Keras does not save how far its draws have come."""
    for layer in model.layers:
        if getattr(layer, "seed_generator", None) is not None:
            layer.seed_generator.state.assign(np.array([seed, drawn], np.uint32))


def _validate(model: keras.Model, val: Sequence[Record], recipe: Recipe) -> tuple[float, float, float | None]:
    """(cross-entropy of the class, accuracy of the class, mean accuracy of the attributes that `val` knows)."""
    truth = targets(val)
    parts: dict[str, list[np.ndarray]] = {head: [] for head in HEADS}
    forward = tf.function(lambda pictures: model(pictures, training=False), reduce_retracing=True)
    for pictures, _ in map(Batches(val, recipe.size, 64).__getitem__, range(-(-len(val) // 64))):
        for head, logits in forward(pictures).items():
            parts[head].append(np.asarray(logits))
    logits = {head: np.concatenate(rows) for head, rows in parts.items()}
    right = {}
    for head, rows in truth.items():
        known = rows.any(axis=1)
        if known.any():
            right[head] = float((logits[head].argmax(1) == rows.argmax(1))[known].mean())
    z = logits[CLASS_HEAD] - logits[CLASS_HEAD].max(1, keepdims=True)
    log_probability = z - np.log(np.exp(z).sum(1, keepdims=True))
    loss = float(-(log_probability * truth[CLASS_HEAD]).sum(1).mean())
    of_class = right.pop(CLASS_HEAD)
    return loss, of_class, float(np.mean(list(right.values()))) if right else None


def _kept(history: Sequence[Epoch]) -> dict[str, Epoch]:
    """The epoch of each checkpoint that a run keeps."""
    return {LAST: history[-1], BEST: min(history, key=lambda e: (-e.val_accuracy, e.val_loss))}


def _checkpoint(folder: Path, name: str, history: Sequence[Epoch]) -> Path:
    path = folder / name.format(_kept(history)[name].number)
    if not path.is_file():
        raise InputError(f"{path} is missing: the run cannot go on.", "Give another --run folder, to begin anew.")
    return path


def _remove_all_but(folder: Path, names: Sequence[str]) -> None:
    for path in folder.glob("*.keras"):
        if path.name not in names:
            path.unlink()


def _save(model: keras.Model, path: Path, writes: bool) -> None:
    """Save the model at `path`, whole or not at all; without `writes` take part in saving, and leave no file.

    Saving exchanges values between machines: all of them have to do it.
    """
    if not writes:
        with tempfile.TemporaryDirectory() as aside:
            model.save(Path(aside) / path.name)
        return
    draft = path.with_name("draft.keras")
    model.save(draft)
    draft.replace(path)


@contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Within, the model has the moving average of its weights."""
    values = [variable.numpy() for variable in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    yield
    for variable, value in zip(model.trainable_variables, values, strict=True):
        variable.assign(value)


def _write_history(folder: Path, history: Sequence[Epoch]) -> None:
    write_whole(folder / "history.json", json.dumps({"epochs": [asdict(epoch) for epoch in history]}, indent=1))
