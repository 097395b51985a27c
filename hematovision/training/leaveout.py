"""How far familiarity tells a class that training never saw: each class in turn is left out, and looked for."""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any

import keras
import numpy as np

from hematovision import images
from hematovision.cells import CELL_CLASSES
from hematovision.errors import InputError
from hematovision.files import write_whole
from hematovision.library.records import Record
from hematovision.smear.framing import Frame, cut
from hematovision.smear.survey import Survey
from hematovision.training.fitting.fit import Recipe
from hematovision.training.measuring.metrics import auroc
from hematovision.training.measuring.trust import Amounts, familiarity_scores, fit_familiarity, sample_classes
from hematovision.training.plans import keep_plan, plan_of
from hematovision.training.run import produce
from hematovision.vision.classifier import Classifier, Prediction

SHORT = Recipe(size=128, epochs=3, settled_epochs=0)
"""Eight models are trained: each as briefly as serves, on small pictures."""


def leave_out(
    records: Sequence[Record], recipe: Recipe, folder: Path, backbone_weights: str | Path | None
) -> dict[str, Any]:
    """Train once without each class of `cells.CELL_CLASSES`, fit familiarity as for the model itself, and score `test`.

    The AUROC of a class is the chance that a cell of the other classes is more familiar than one of that class;
    `unfamiliar` are the shares of both that would be called so.
    `folder` keeps each finished class; called again with the same arguments it goes on. Raises InputError where a class
    has no picture in `test`, or `folder` holds a run with other arguments.
    """
    lacking = [label for label in CELL_CLASSES if not any((r.label, r.split) == (label, "test") for r in records)]
    if lacking:
        raise InputError(
            f"No picture of {', '.join(lacking)} is in the split 'test'.",
            "Each class is left out once: all eight have to be there.",
        )
    plan = plan_of(records, recipe, backbone_weights)
    keep_plan(folder, plan)
    classes = {}
    for label in CELL_CLASSES:
        result = folder / label / "result.json"
        if not result.is_file():
            found = _without(label, records, recipe, result.parent, backbone_weights)
            write_whole(result, json.dumps(found))
        classes[label] = json.loads(result.read_text())
    mean = fmean(found["auroc"] for found in classes.values())
    return {**plan, "mean_auroc": mean, "classes": classes}


def _without(
    label: str, records: Sequence[Record], recipe: Recipe, folder: Path, backbone_weights: str | Path | None
) -> dict[str, Any]:
    """A model that never saw `label`, not even to choose its epoch, and what its familiarity makes of `test`."""
    keras.backend.clear_session()
    others = [record for record in records if record.label != label]
    made = produce(others, folder, recipe, backbone_weights)
    assert made is not None  # one machine writes its own files
    classifier, amounts = Classifier(made), Amounts()
    train, val = ([record for record in others if record.split == split] for split in ("train", "val"))
    sample = sample_classes(train, amounts.of_class, np.random.default_rng(amounts.seed))
    familiarity, familiar_from = fit_familiarity(_answers(classifier, sample), _answers(classifier, val))
    test = [record for record in records if record.split == "test"]
    known, unknown = (
        familiarity_scores(familiarity, _answers(classifier, [r for r in test if (r.label == label) == left]))
        for left in (False, True)
    )
    return {
        "auroc": auroc(known, unknown),
        "known": len(known),
        "left_out": len(unknown),
        "unfamiliar": {
            "known": float((known < familiar_from).mean()),
            "left_out": float((unknown < familiar_from).mean()),
        },
    }


def _answers(classifier: Classifier, records: Sequence[Record]) -> list[Prediction]:
    size = classifier.card.size
    return classifier.classify_inputs(np.stack([_input(record.path, size) for record in records]))


@lru_cache(maxsize=20_000)
def _input(path: Path, size: int) -> images.Picture:
    """What the network sees of a picture, kept: to find the cell takes longer than the answer, and all eight are asked.

    PBC's `test` takes 250 MB at 128 pixels.
    """
    seen = Survey.of(images.read(path))
    return cut(seen.picture, Frame.of_cell(seen), size, seen.light)
