"""Measure the model of a folder as it runs in the app: LiteRT, one decoder, one way of framing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from hematovision import images
from hematovision.cells import ATTRIBUTES, CELL_CLASSES, CLASS_HEAD, CORE_FOUR, output_slice
from hematovision.library.records import Record
from hematovision.training.metrics import (
    confusion_matrix,
    expected_calibration_error,
    fit_temperature,
    macro_f1,
    negative_log_likelihood,
    scores_by_class,
    share,
    threshold_for,
)
from hematovision.vision.classifier import BATCH, Classifier, softmax
from hematovision.vision.reading import read_picture

CONFIDENT_ACCURACY = 0.995
"""An answer counts as confident where on `val` this share of the answers at least as sure was right."""


def calibrate(classifier: Classifier, val: Sequence[Record]) -> tuple[float, float]:
    """(temperature, probability from which an answer is confident), both fitted on `val`."""
    logits, keys = _class_logits(_logits(classifier, val, "calibrating")), _keys(val)
    temperature = fit_temperature(logits, keys)
    probabilities = softmax(logits / temperature)
    threshold = threshold_for(probabilities.max(1), probabilities.argmax(1) == keys, CONFIDENT_ACCURACY)
    return temperature, threshold


def evaluate_cells(classifier: Classifier, records: Sequence[Record]) -> dict[str, Any]:
    """Metrics on pictures of single cells: classes, core four, calibration, attributes."""
    logits = _logits(classifier, records, "evaluating")
    keys = _keys(records)
    of_class = _class_logits(logits)
    answers = of_class.argmax(1)
    matrix = confusion_matrix(keys, answers, len(CELL_CLASSES))
    core = np.array([CELL_CLASSES.index(label) for label in CORE_FOUR])
    is_core = np.isin(keys, core)
    among_four = core[of_class[:, core].argmax(1)]
    probabilities = softmax(of_class / classifier.card.temperature)
    return {
        "accuracy": share(int((answers == keys).sum()), len(keys)),
        "core_four": {
            "answers_among_four": share(int((among_four == keys)[is_core].sum()), int(is_core.sum())),
            "answers_among_eight": share(int((answers == keys)[is_core].sum()), int(is_core.sum())),
        },
        "macro_f1": macro_f1(matrix),
        "classes": scores_by_class(matrix, CELL_CLASSES),
        "confusion": {"labels": list(CELL_CLASSES), "rows": matrix.tolist()},
        "calibration": {
            "nll": negative_log_likelihood(of_class, keys, classifier.card.temperature),
            "ece": expected_calibration_error(probabilities.max(1), answers == keys),
            "confident": share(int((probabilities.max(1) >= classifier.card.confident_from).sum()), len(keys)),
        },
        "attributes": _attributes(logits, records),
    }


def evaluate_fields(classifier: Classifier, records: Sequence[Record]) -> dict[str, Any]:
    """Metrics on fields with one labeled white cell: the largest cell that is found is the answer, none is wrong."""
    found = 0
    matrix = np.zeros((len(CELL_CLASSES), len(CELL_CLASSES)), int)
    for record in tqdm(records, desc="fields", unit="field"):
        cells = read_picture(images.read(record.path), classifier, "field").cells
        if cells:
            found += 1
            matrix[CELL_CLASSES.index(record.label), CELL_CLASSES.index(cells[0].prediction.label)] += 1
    core = [record for record in records if record.label in CORE_FOUR]
    right = sum(int(matrix[i, i]) for i in map(CELL_CLASSES.index, CORE_FOUR))
    return {
        "cells_found": share(found, len(records)),
        "core_four_accuracy": share(right, len(core)),
        "classes": {k: v for k, v in scores_by_class(matrix, CELL_CLASSES).items() if v["n"]},
        "confusion": {"labels": list(CELL_CLASSES), "rows": matrix.tolist()},
    }


def _attributes(logits: np.ndarray, records: Sequence[Record]) -> dict[str, Any]:
    accuracy, f1 = {}, {}
    for name, values in ATTRIBUTES.items():
        rows = [i for i, record in enumerate(records) if name in record.attributes]
        if not rows:
            continue
        keys = np.array([values.index(records[i].attributes[name]) for i in rows])
        answers = logits[rows, output_slice(name)].argmax(1)
        accuracy[name] = float((keys == answers).mean())
        f1[name] = macro_f1(confusion_matrix(keys, answers, len(values)))
    if not accuracy:
        return {"n": 0}
    return {
        "n": sum(bool(record.attributes) for record in records),
        "mean_accuracy": float(np.mean(list(accuracy.values()))),
        "mean_macro_f1": float(np.mean(list(f1.values()))),
        "accuracy": accuracy,
        "macro_f1": f1,
    }


def _logits(classifier: Classifier, records: Sequence[Record], title: str) -> np.ndarray:
    rows: list[np.ndarray] = []
    with tqdm(total=len(records), desc=title, unit="picture") as bar:
        for start in range(0, len(records), BATCH):
            chunk = records[start : start + BATCH]
            answers = classifier.classify_many([(images.read(record.path), None) for record in chunk])
            rows += [answer.logits for answer in answers]
            bar.update(len(chunk))
    return np.stack(rows)


def _class_logits(logits: np.ndarray) -> np.ndarray:
    return logits[:, output_slice(CLASS_HEAD)]


def _keys(records: Sequence[Record]) -> np.ndarray:
    return np.array([CELL_CLASSES.index(record.label) for record in records])
