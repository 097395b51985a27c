"""k-fold cross-validation: how much a recipe's figures depend on which pictures happened to be in which part."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import keras

from hematovision.cells import CELL_CLASSES
from hematovision.errors import InputError
from hematovision.files import write_whole
from hematovision.library.records import Record
from hematovision.training.fitting.fit import Recipe
from hematovision.training.folds import assign_folds, group_pictures
from hematovision.training.measuring.evaluate import evaluate_cells
from hematovision.training.plans import keep_plan, plan_of
from hematovision.training.run import calibrate_card, produce
from hematovision.vision.classifier import Classifier

DEALT = "folds.json"


def crossvalidate(
    records: Sequence[Record], folds: int, recipe: Recipe, folder: Path, backbone_weights: str | Path | None
) -> dict[str, Any]:
    """Each fold once measures a model that never saw it; the next fold chooses that model's epoch.

    Uses the pictures of `train` and `val`, or all where none has a split. `folder` keeps each finished fold; called
    again with the same arguments it goes on. Raises InputError where `folder` holds another run.
    """
    if folds < 3:
        raise InputError(f"{folds} folds are too few.", "It takes 3: one measures, one chooses the epoch, one trains.")
    pool = [r for r in records if r.split in ("train", "val")] or [r for r in records if not r.split]
    keep_plan(folder, {"folds": folds, **plan_of(pool, recipe, backbone_weights)})
    dealt = _deal(pool, folds, recipe.seed, folder)
    results = []
    for number in range(folds):
        result = folder / f"fold-{number + 1}" / "result.json"
        if not result.is_file():
            splits = {number: "test", (number + 1) % folds: "val"}
            parts = [replace(r, split=splits.get(f, "train")) for r, f in zip(pool, dealt["folds"], strict=True)]
            metrics = _measure(parts, recipe, result.parent, backbone_weights)
            write_whole(result, json.dumps(metrics))
        results.append(json.loads(result.read_text()))
    return {"folds": folds, "pictures": len(pool), "groups": dealt["groups"], **_summary(results)}


def _deal(pool: Sequence[Record], folds: int, seed: int, folder: Path) -> dict[str, Any]:
    """The fold of each picture; read from `folder` where it has been dealt before, as comparing them takes a while."""
    path = folder / DEALT
    if not path.is_file():
        groups = group_pictures(pool)
        assigned = assign_folds([r.label for r in pool], groups, folds, seed)
        write_whole(path, json.dumps({"groups": len(set(groups)), "folds": assigned}))
    return json.loads(path.read_text())


def _measure(
    parts: Sequence[Record], recipe: Recipe, folder: Path, backbone_weights: str | Path | None
) -> dict[str, Any]:
    keras.backend.clear_session()
    made = produce(parts, folder, recipe, backbone_weights)
    assert made is not None  # one machine writes its own files
    calibrate_card(made, [r for r in parts if r.split == "val"])
    return evaluate_cells(Classifier(made), [r for r in parts if r.split == "test"])


def _summary(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "accuracy": spread([r["accuracy"]["value"] for r in results]),
        "macro_f1": spread([r["macro_f1"] for r in results]),
        "recall": {label: spread([r["classes"][label]["recall"] for r in results]) for label in CELL_CLASSES},
        "attributes": {
            name: spread([r["attributes"].get(name) for r in results]) for name in ("mean_accuracy", "mean_macro_f1")
        },
    }


def spread(values: Sequence[float | None]) -> dict[str, Any]:
    """Mean and standard deviation (of a sample) over the folds that have a value; None where too few have one."""
    known = [value for value in values if value is not None]
    return {
        "mean": fmean(known) if known else None,
        "sd": stdev(known) if len(known) > 1 else None,
        "folds": list(values),
    }
