"""Measure the model of a folder as it runs in the app: LiteRT, one decoder, one way of framing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
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
from hematovision.training.measuring.trust import answers, familiarity_scores
from hematovision.vision.classifier import Classifier, Prediction, softmax
from hematovision.vision.evidence import CLAIMED, seen
from hematovision.vision.reading import read_picture
from hematovision.vision.trust import NOT_BLOOD, STATUSES

CONFIDENT_ACCURACY = 0.995
"""An answer counts as confident where on `val` this share of the answers at least as sure was right."""
CLAIMED_ACCURACY = 0.95
"""The same of the values of an attribute that are claimed."""


def calibrate(classifier: Classifier, val: Sequence[Record]) -> tuple[float, float, dict[str, float]]:
    """(temperature, probability from which an answer is confident, and that from which each attribute's value is
    claimed), all fitted on `val`; an attribute that nobody annotated there has none."""
    found = classified(classifier, val, "calibrating")
    logits, keys = _class_logits(_stacked(found)), _keys(val)
    temperature = fit_temperature(logits, keys)
    probabilities = softmax(logits / temperature)
    threshold = threshold_for(probabilities.max(1), probabilities.argmax(1) == keys, CONFIDENT_ACCURACY)
    return temperature, threshold, _claimed_from(found, val)


def _claimed_from(found: Sequence[Prediction], records: Sequence[Record]) -> dict[str, float]:
    """The probability from which on `CLAIMED_ACCURACY` of each attribute's values are as annotated; never below
    `CLAIMED`, as what is right of all of them together need not be right of the least sure."""
    least = {}
    for name in ATTRIBUTES:
        pairs = [
            (max(values, key=values.__getitem__) == record.attributes[name], max(values.values()))
            for answer, record in zip(found, records, strict=True)
            if name in record.attributes
            for values in [seen(answer)[name]]
        ]
        if pairs:
            right, sure = map(np.array, zip(*pairs, strict=True))
            least[name] = max(CLAIMED, threshold_for(sure, right, CLAIMED_ACCURACY))
    return least


def evaluate_cells(
    classifier: Classifier, records: Sequence[Record], found: Sequence[Prediction] | None = None
) -> dict[str, Any]:
    """Metrics on pictures of single cells: classes, core four, calibration, attributes.

    A cell that is refused as no blood cell gets no answer in the app, and is wrong; calibration is of the others.

    `found` are the classifier's answers for `records`, asked for where they are not given.
    """
    found = classified(classifier, records) if found is None else found
    matrix, unanswered = _counted(found, records)
    core = [CELL_CLASSES.index(label) for label in CORE_FOUR]
    of_core = [(record, answer) for record, answer in zip(records, found, strict=True) if record.label in CORE_FOUR]
    among_four = sum(
        named(answer) != "" and max(CORE_FOUR, key=answer.probabilities.__getitem__) == record.label
        for record, answer in of_core
    )
    return {
        "accuracy": share(int(np.trace(matrix)), len(records)),
        "core_four": {
            "answers_among_four": share(among_four, len(of_core)),
            "answers_among_eight": share(int(matrix[core, core].sum()), len(of_core)),
        },
        "macro_f1": macro_f1(matrix, unanswered),
        "classes": scores_by_class(matrix, CELL_CLASSES, unanswered),
        "confusion": {"labels": list(CELL_CLASSES), "rows": matrix.tolist()},
        "status": _statuses(found),
        "answer_sets": _coverage(found, records),
        "attributes": _attributes(found, records),
    } | _calibration(classifier, found, records)


def evaluate_fields(
    classifier: Classifier, records: Sequence[Record], largest: Sequence[Prediction | None] | None = None
) -> dict[str, Any]:
    """Metrics on fields with one labeled white cell: the largest cell that is found is the answer.

    A field in which none is found, or all that are found are refused as no blood cell, is wrong.

    `largest` are the answers of `largest_cells` for `records`, asked for where they are not given.
    """
    largest = largest_cells(classifier, records) if largest is None else largest
    found = [answer for answer in largest if answer]
    matrix, unanswered = _counted(largest, records)
    core = [record for record in records if record.label in CORE_FOUR]
    right = sum(int(matrix[i, i]) for i in map(CELL_CLASSES.index, CORE_FOUR))
    metrics = {
        "cells_found": share(len(found), len(records)),
        "core_four_accuracy": share(right, len(core)),
        "classes": {k: v for k, v in scores_by_class(matrix, CELL_CLASSES, unanswered).items() if v["n"]},
        "confusion": {"labels": list(CELL_CLASSES), "rows": matrix.tolist()},
    }
    if matrix.any():
        metrics |= {"status": _statuses(found), "answer_sets": _coverage(largest, records)}
    return metrics | _calibration(classifier, largest, records)


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
        home, away = (familiarity_scores(classifier.trust.familiarity, some) for some in (found, abroad))
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


def named(answer: Prediction | None) -> str:
    """The class that the app names; empty where it names none: the cell is refused, or was not found."""
    return answer.label if answer and answer.status != NOT_BLOOD else ""


def _counted(
    found: Sequence[Prediction | None], records: Sequence[Record]
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """(how often each class was named for each key, how many cells of each key got no name)."""
    count = len(CELL_CLASSES)
    names = np.array([CELL_CLASSES.index(named(answer)) if named(answer) else -1 for answer in found])
    keys, has_name = _keys(records), names >= 0
    unanswered = np.bincount(keys[~has_name], minlength=count)
    return confusion_matrix(keys[has_name], names[has_name], count), unanswered


def _calibration(
    classifier: Classifier, found: Sequence[Prediction | None], records: Sequence[Record]
) -> dict[str, Any]:
    """Of the answers that name a class; nothing where none does."""
    pairs = [(answer, record) for answer, record in zip(found, records, strict=True) if answer and named(answer)]
    if not pairs:
        return {}
    logits = _class_logits(_stacked([answer for answer, _ in pairs]))
    keys = _keys([record for _, record in pairs])
    return {"calibration": calibration(logits, keys, classifier.card.temperature)}


def _statuses(found: Sequence[Prediction]) -> dict[str, Any]:
    return {status: share(sum(answer.status == status for answer in found), len(found)) for status in STATUSES}


def _coverage(found: Sequence[Prediction | None], records: Sequence[Record]) -> dict[str, Any]:
    """Of the answer sets that are shown: unfamiliar cells get none."""
    pairs = zip(found, records, strict=True)
    shown = [(answer.answer_set, record.label) for answer, record in pairs if answer and answer.answer_set]
    return coverage_by_class([labels for labels, _ in shown], [key for _, key in shown])


def _attributes(found: Sequence[Prediction], records: Sequence[Record]) -> dict[str, Any]:
    """Of the annotated cells; of a refused one the app reads no attribute, which is wrong."""
    accuracy, f1 = {}, {}
    has_name = np.array([named(answer) != "" for answer in found])
    for name, values in ATTRIBUTES.items():
        rows = np.array([i for i, record in enumerate(records) if name in record.attributes], int)
        if not len(rows):
            continue
        keys = np.array([values.index(records[i].attributes[name]) for i in rows])
        answers = np.array([values.index(found[i].attributes[name]) for i in rows])
        read = has_name[rows]
        matrix = confusion_matrix(keys[read], answers[read], len(values))
        accuracy[name] = float(np.trace(matrix) / len(rows))
        f1[name] = macro_f1(matrix, np.bincount(keys[~read], minlength=len(values)))
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
