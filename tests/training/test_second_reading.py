from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from hematovision.cells import CELL_CLASSES, CLASS_HEAD, HEADS, output_slice
from hematovision.library.datasets import read_bccd
from hematovision.library.records import Record
from hematovision.training.measuring.evaluate import evaluate_fields, evaluate_second_reading
from hematovision.training.measuring.second_reading import reread
from hematovision.vision.classifier import Prediction


def answer(label: str) -> Prediction:
    logits = np.zeros(sum(map(len, HEADS.values())), np.float32)
    logits[output_slice(CLASS_HEAD)][CELL_CLASSES.index(label)] = 5
    return Prediction(logits, np.zeros((1, 1, logits.size), np.float32), np.zeros(1, np.float32), 1.0, 0.9)


def test_the_readings_are_of_eosinophils_and_change_nothing_else(real_data):
    fields = read_bccd(real_data / "bccd")
    changes = Counter(
        (old.label, new.label if new else None)
        for old, new in zip(fields, reread(fields), strict=True)
        if new is None or new.label != old.label
    )
    assert changes == {("eosinophil", "neutrophil"): 32, ("eosinophil", None): 8}


def test_a_changed_key_is_counted_anew_and_an_unclear_cell_not_at_all():
    names = ["BloodImage_00023", "BloodImage_00056", "BloodImage_00017"]
    fields = [Record("BCCD", Path(f"{name}.jpg"), "eosinophil") for name in names]
    classifier = SimpleNamespace(card=SimpleNamespace(temperature=1.0))
    largest = [answer("neutrophil"), answer("neutrophil"), None]
    by_key = evaluate_fields(classifier, fields, largest)
    read = evaluate_second_reading(classifier, fields, largest)
    assert by_key["core_four_accuracy"]["value"] == 0 and by_key["core_four_accuracy"]["n"] == 3
    assert (read["changed"], read["unclear"]) == (1, 1)
    # The cell that none found is wrong in both.
    assert (read["core_four_accuracy"]["value"], read["core_four_accuracy"]["n"]) == (0.5, 2)
    assert read["classes"]["neutrophil"]["recall"] == 1
