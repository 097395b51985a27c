from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hematovision.cells import CELL_CLASSES, CLASS_HEAD, HEADS, output_slice
from hematovision.library.records import Record
from hematovision.training.measuring import evaluate
from hematovision.training.measuring.evaluate import evaluate_cells, evaluate_fields
from hematovision.vision.classifier import Prediction
from hematovision.vision.evidence import CLAIMED
from hematovision.vision.trust import NOT_BLOOD

CLASSIFIER = SimpleNamespace(card=SimpleNamespace(temperature=1.0))


def answer(label: str) -> Prediction:
    logits = np.zeros(sum(map(len, HEADS.values())), np.float32)
    logits[output_slice(CLASS_HEAD)][CELL_CLASSES.index(label)] = 5
    return Prediction(logits, np.zeros((1, 1, logits.size), np.float32), np.zeros(1, np.float32), 1.0, 0.9)


def refused(label: str) -> Prediction:
    """What the network says where the app says no class."""
    return replace(answer(label), trust=SimpleNamespace(is_cell=lambda early: False))


def test_a_picture_of_a_cell_that_is_refused_has_no_answer_and_is_wrong():
    """The same four answers count alike for pictures of cells and for fields."""
    attributes = {"cell_size": "big"}
    cells = [Record("PBC", Path(f"{i}.jpg"), "neutrophil", "test", attributes) for i in range(4)]
    found = [answer("neutrophil"), answer("neutrophil"), answer("monocyte"), refused("neutrophil")]
    measured = evaluate_cells(CLASSIFIER, cells, found)
    assert (measured["accuracy"]["value"], measured["accuracy"]["n"]) == (0.5, 4)
    four = measured["core_four"]
    assert four["answers_among_four"]["value"] == four["answers_among_eight"]["value"] == 0.5
    assert np.sum(measured["confusion"]["rows"]) == measured["calibration"]["n"] == 3
    assert measured["macro_f1"] == pytest.approx((2 * 2 / (4 + 2) + 0) / 2)
    assert measured["attributes"]["accuracy"]["cell_size"] == 0.75
    fields = evaluate_fields(CLASSIFIER, cells, found)
    for same in ("classes", "confusion", "calibration", "status"):
        mine = {k: v for k, v in measured[same].items() if same != "classes" or v["n"]}
        assert mine == fields[same]


def test_where_all_cells_are_refused_all_are_wrong_and_nothing_is_calibrated():
    cells = [Record("PBC", Path("0.jpg"), "neutrophil", "test")]
    measured = evaluate_cells(CLASSIFIER, cells, [refused("neutrophil")])
    assert measured["accuracy"]["value"] == measured["macro_f1"] == 0 and "calibration" not in measured


def test_an_attribute_is_claimed_from_where_enough_of_it_is_right(monkeypatch):
    """Of sizes the surest four are right; shapes are right however dim; of granules nobody knows."""
    found, cells = [], []
    for i, sure in enumerate((9, 8, 7, 6, 5, 4)):
        one = answer("neutrophil")
        one.logits[output_slice("cell_size")] = (sure, 0)
        one.logits[output_slice("cell_shape")] = (0.1, 0)
        found.append(one)
        size = "big" if i < 4 else "small"
        cells.append(
            Record("PBC", Path(f"{i}.jpg"), "neutrophil", "val", {"cell_size": size, "cell_shape": "irregular"})
        )
    monkeypatch.setattr(evaluate, "classified", lambda *given: found)
    _, _, least = evaluate.calibrate(CLASSIFIER, cells)
    assert least == {"cell_size": pytest.approx(1 / (1 + np.exp(-6))), "cell_shape": CLAIMED}


def test_a_cell_that_is_refused_was_found_and_is_wrong():
    fields = [Record("BCCD", Path(f"{i}.jpg"), "neutrophil") for i in range(4)]
    assert refused("neutrophil").status == NOT_BLOOD
    found = evaluate_fields(CLASSIFIER, fields, [answer("neutrophil"), answer("monocyte"), refused("neutrophil"), None])
    assert found["cells_found"]["value"] == 0.75
    assert (found["status"][NOT_BLOOD]["value"], found["status"][NOT_BLOOD]["n"]) == (pytest.approx(1 / 3), 3)
    assert found["core_four_accuracy"]["value"] == found["classes"]["neutrophil"]["recall"] == 0.25
    assert found["classes"]["neutrophil"]["n"] == 4 and found["calibration"]["n"] == 2
