from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hematovision.cells import CELL_CLASSES, CLASS_HEAD, HEADS, output_slice
from hematovision.library.records import Record
from hematovision.training.measuring.evaluate import evaluate_fields
from hematovision.vision.classifier import Prediction
from hematovision.vision.trust import NOT_BLOOD

CLASSIFIER = SimpleNamespace(card=SimpleNamespace(temperature=1.0))


def answer(label: str) -> Prediction:
    logits = np.zeros(sum(map(len, HEADS.values())), np.float32)
    logits[output_slice(CLASS_HEAD)][CELL_CLASSES.index(label)] = 5
    return Prediction(logits, np.zeros((1, 1, logits.size), np.float32), np.zeros(1, np.float32), 1.0, 0.9)


def test_a_cell_that_is_refused_was_found_and_is_wrong():
    fields = [Record("BCCD", Path(f"{i}.jpg"), "neutrophil") for i in range(4)]
    refused = replace(answer("neutrophil"), trust=SimpleNamespace(is_cell=lambda early: False))
    assert refused.status == NOT_BLOOD
    found = evaluate_fields(CLASSIFIER, fields, [answer("neutrophil"), answer("monocyte"), refused, None])
    assert found["cells_found"]["value"] == 0.75
    assert (found["status"][NOT_BLOOD]["value"], found["status"][NOT_BLOOD]["n"]) == (pytest.approx(1 / 3), 3)
    assert found["core_four_accuracy"]["value"] == found["classes"]["neutrophil"]["recall"] == 0.25
    assert found["classes"]["neutrophil"]["n"] == 4 and found["calibration"]["n"] == 2
