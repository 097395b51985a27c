"""Measure the model of a folder as it runs in the app: LiteRT, one decoder, one way of framing."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from hematovision import images
from hematovision.cells import ATTRIBUTES, CELL_CLASSES, CLASS_HEAD, CORE_FOUR, output_slice
from hematovision.library.records import Record
from hematovision.training.measuring.metrics import (
    auroc,
    calibration,
    confusion_matrix,
    coverage_by_class,
    fit_temperature,
    macro_f1,
    scores_by_class,
    share,
    threshold_for,
)
from hematovision.training.measuring.noncells import HELD_OUT, KINDS, NO_WHITE_CELL, noncells
from hematovision.training.measuring.second_reading import reread
from hematovision.training.measuring.trust import answers, embeddings
from hematovision.vision.classifier import Classifier, Prediction, softmax
from hematovision.vision.reading import read_picture
from hematovision.vision.trust import NOT_BLOOD, STATUSES

CONFIDENT_ACCURACY = 0.995
"""An answer counts as confident where on `val` this share of the answers at least as sure was right."""


def calibrate(classifier: Classifier, val: Sequence[Record]) -> tuple[float, float]:
    """(temperature, probability from which an answer is confident), both fitted on `val`."""
    logits, keys = _class_logits(_stacked(classified(classifier, val, "calibrating"))), _keys(val)
    temperature = fit_temperature(logits, keys)
    probabilities = softmax(logits / temperature)
    threshold = threshold_for(probabilities.max(1), probabilities.argmax(1) == keys, CONFIDENT_ACCURACY)
    return temperature, threshold


def evaluate_cells(
    classifier: Classifier, records: Sequence[Record], found: Sequence[Prediction] | None = None
) -> dict[str, Any]:
    """Metrics on pictures of single cells: classes, core four, calibration, attributes.

    `found` are the classifier's answers for `records`, asked for where they are not given.
    """
    found = classified(classifier, records) if found is None else found
    logits = _stacked(found)
    keys = _keys(records)
    of_class = _class_logits(logits)
    chosen = of_class.argmax(1)
    matrix = confusion_matrix(keys, chosen, len(CELL_CLASSES))
    core = np.array([CELL_CLASSES.index(label) for label in CORE_FOUR])
    is_core = np.isin(keys, core)
    among_four = core[of_class[:, core].argmax(1)]
    return {
        "accuracy": share(int((chosen == keys).sum()), len(keys)),
        "core_four": {
            "answers_among_four": share(int((among_four == keys)[is_core].sum()), int(is_core.sum())),
            "answers_among_eight": share(int((chosen == keys)[is_core].sum()), int(is_core.sum())),
        },
        "macro_f1": macro_f1(matrix),
        "classes": scores_by_class(matrix, CELL_CLASSES),
        "confusion": {"labels": list(CELL_CLASSES), "rows": matrix.tolist()},
        "calibration": calibration(of_class, keys, classifier.card.temperature),
        "status": _statuses(found),
        "answer_sets": _coverage(found, records),
        "attributes": _attributes(logits, records),
    }


def evaluate_fields(
    classifier: Classifier, records: Sequence[Record], largest: Sequence[Prediction | None] | None = None
) -> dict[str, Any]:
    """Metrics on fields with one labeled white cell: the largest cell that is found is the answer.

    A field in which none is found, or all that are found are refused as no blood cell, is wrong.

    `largest` are the answers of `largest_cells` for `records`, asked for where they are not given.
    """
    largest = largest_cells(classifier, records) if largest is None else largest
    found = [answer for answer in largest if answer]
    named = [(r, answer) for r, answer in zip(records, largest, strict=True) if answer and answer.status != NOT_BLOOD]
    answered, given = [record for record, _ in named], [answer for _, answer in named]
    matrix = np.zeros((len(CELL_CLASSES), len(CELL_CLASSES)), int)
    for record, answer in named:
        matrix[CELL_CLASSES.index(record.label), CELL_CLASSES.index(answer.label)] += 1
    keys = Counter(record.label for record in records)
    keys.subtract(record.label for record in answered)
    unanswered = [keys[label] for label in CELL_CLASSES]
    core = [record for record in records if record.label in CORE_FOUR]
    right = sum(int(matrix[i, i]) for i in map(CELL_CLASSES.index, CORE_FOUR))
    return {
        "cells_found": share(len(found), len(records)),
        "core_four_accuracy": share(right, len(core)),
        "classes": {k: v for k, v in scores_by_class(matrix, CELL_CLASSES, unanswered).items() if v["n"]},
        "confusion": {"labels": list(CELL_CLASSES), "rows": matrix.tolist()},
    } | (
        {
            "calibration": calibration(_class_logits(_stacked(given)), _keys(answered), classifier.card.temperature),
            "status": _statuses(found),
            "answer_sets": _coverage(given, answered),
        }
        if named
        else {}
    )


def evaluate_second_reading(
    classifier: Classifier, records: Sequence[Record], largest: Sequence[Prediction | None]
) -> dict[str, Any]:
    """Metrics on the same fields with the keys of `reread`: how many it changed, and what is then right."""
    pairs = [(new, answer) for new, answer in zip(reread(records), largest, strict=True) if new]
    fields, answers = [new for new, _ in pairs], [answer for _, answer in pairs]
    metrics = evaluate_fields(classifier, fields, answers)
    keys = {record.path: record.label for record in records}
    return {
        "changed": sum(keys[field.path] != field.label for field in fields),
        "unclear": len(records) - len(fields),
    } | {name: metrics[name] for name in ("core_four_accuracy", "classes", "confusion")}


def evaluate_trust(
    classifier: Classifier,
    records: Sequence[Record],
    fields: Sequence[Record],
    each: int = 24,
    seed: int = 2,
    found: Sequence[Prediction] | None = None,
    largest: Sequence[Prediction | None] | None = None,
) -> dict[str, Any]:
    """What is refused of non-cells, `each` of every kind, and how far scores of cells lie from those of others.

    `held_out` counts the kinds that had no part in the fit; fields without white cells stand beside, as of a kind of
    its own. The AUROC is of familiarity, for `records` against the cells of `fields`; None without a fit or a field.
    `found` and `largest` are the answers for both, asked for where they are not given.
    """
    refused: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for other in tqdm(noncells(each, seed), desc="non-cells", total=each * len(KINDS), unit="picture"):
        refused[other.kind].append(read_picture(other.picture, classifier, "cell").status == NOT_BLOOD)
    held_out = [one for kind in sorted(HELD_OUT) for one in refused[kind]]
    fitted = [one for kind in KINDS if kind not in HELD_OUT | {NO_WHITE_CELL} for one in refused[kind]]
    result: dict[str, Any] = {
        "refused": {
            "held_out": share(sum(held_out), len(held_out)),
            "fitted": share(sum(fitted), len(fitted)),
            "kinds": {kind: sum(ones) / len(ones) for kind, ones in refused.items()},
        },
        "familiarity_auroc": None,
    }
    largest = largest_cells(classifier, fields) if largest is None else largest
    abroad = [answer for answer in largest if answer]
    if classifier.trust is not None and abroad:
        found = classified(classifier, records) if found is None else found
        home, away = (classifier.trust.familiarity.scores(embeddings(some)) for some in (found, abroad))
        result["familiarity_auroc"] = auroc(home, away)
    return result


def classified(classifier: Classifier, records: Sequence[Record], title: str = "evaluating") -> list[Prediction]:
    """The answers for pictures of single cells, in order; `title` stands beside the bar of progress."""
    return answers(classifier, (images.read(record.path) for record in tqdm(records, desc=title, unit="picture")))


def largest_cells(classifier: Classifier, fields: Sequence[Record]) -> list[Prediction | None]:
    """The answer for the largest cell of each field, of the refused ones where there is no other; None for no cell."""
    readings = (
        read_picture(images.read(field.path), classifier, "field")
        for field in tqdm(fields, desc="fields", unit="field")
    )
    found = (reading.cells or reading.refused for reading in readings)
    return [cells[0].prediction if cells else None for cells in found]


def _statuses(found: Sequence[Prediction]) -> dict[str, Any]:
    return {status: share(sum(answer.status == status for answer in found), len(found)) for status in STATUSES}


def _coverage(found: Sequence[Prediction], records: Sequence[Record]) -> dict[str, Any]:
    """Of the answer sets that are shown: unfamiliar cells get none."""
    shown = [(answer.answer_set, r.label) for answer, r in zip(found, records, strict=True) if answer.answer_set]
    return coverage_by_class([labels for labels, _ in shown], [key for _, key in shown])


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


def _stacked(found: Sequence[Prediction]) -> np.ndarray:
    return np.stack([answer.logits for answer in found])


def _class_logits(logits: np.ndarray) -> np.ndarray:
    return logits[:, output_slice(CLASS_HEAD)]


def _keys(records: Sequence[Record]) -> np.ndarray:
    return np.array([CELL_CLASSES.index(record.label) for record in records])
