from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hematovision.cells import ATTRIBUTES, CELL_CLASSES, CLASS_HEAD, HEADS, output_index
from hematovision.library.records import Record
from hematovision.training.card.error_gallery import find_wrong_cells, hints, seen_shares
from hematovision.vision.classifier import Classifier, Prediction
from hematovision.vision.wrong_cells import Hint


def prediction(label: str, **seen: str) -> Prediction:
    """An answer that is sure of a class and of some attributes; the rest takes its first value."""
    logits = np.zeros(sum(map(len, HEADS.values())), np.float32)
    for head, value in {CLASS_HEAD: label, **seen}.items():
        logits[output_index(head, value)] = 5
    return Prediction(logits, np.zeros((2, 2, len(logits)), np.float32), np.zeros(3, np.float32), 1.0, 0.9)


def test_shares_are_those_of_the_cells_that_are_named_right():
    found = [
        prediction("monocyte", granularity="yes"),
        prediction("monocyte", granularity="no"),
        prediction("monocyte", granularity="no"),
        prediction("monocyte", granularity="yes"),  # wrong: a lymphocyte
    ]
    shares = seen_shares(found, ["monocyte"] * 3 + ["lymphocyte"])
    assert set(shares) == {"monocyte"} and set(shares["monocyte"]) == set(ATTRIBUTES)
    assert shares["monocyte"]["granularity"] == {"no": pytest.approx(2 / 3), "yes": pytest.approx(1 / 3)}


def test_a_feature_speaks_for_the_class_that_has_it_more_often_and_only_where_it_tells():
    seen = {"granularity": "yes", "cell_size": "big", "cell_shape": "round", "chromatin_density": "loosely"}
    shares = {
        "monocyte": {
            "granularity": {"yes": 0.1},
            "cell_size": {"big": 0.9},
            "cell_shape": {"round": 0.5},
            "chromatin_density": {"loosely": 0.99},
        },
        "lymphocyte": {
            "granularity": {"yes": 0.9},
            "cell_size": {"big": 0.4},
            "cell_shape": {"round": 0.6},
            "chromatin_density": {"loosely": 0.1},
        },
    }
    assert hints(seen, shares, key="monocyte", answer="lymphocyte") == (
        Hint("chromatin_density", "loosely", 0.99, 0.1),
        Hint("cell_size", "big", 0.9, 0.4),
        Hint("granularity", "yes", 0.1, 0.9),
    )
    assert hints(seen, shares, key="platelet", answer="lymphocyte") == ()


def test_a_refused_cell_is_wrong_whatever_the_network_said_and_has_no_answer():
    kept = [prediction("monocyte", granularity="no")] * 3
    given = replace(prediction("monocyte", granularity="yes"), trust=SimpleNamespace(is_cell=lambda early: False))
    cells = [Record("PBC", Path(f"monocyte/{i}.jpg"), "monocyte", "test") for i in range(4)]
    classifier = SimpleNamespace(card=SimpleNamespace(version="version"))
    (wrong,) = find_wrong_cells(classifier, cells, [*kept, given]).cells
    assert (wrong.name, wrong.key, wrong.answer, wrong.status) == ("monocyte/3.jpg", "monocyte", "", "not_blood")
    assert wrong.hints == () and wrong.probabilities["monocyte"] > 0.9
    assert seen_shares([*kept, given], ["monocyte"] * 4)["monocyte"]["granularity"]["no"] == 1


def test_every_wrong_cell_is_listed_by_its_name_in_the_data_set(tiny_model, records):
    classifier = Classifier(tiny_model)
    test = [record for record in records if record.split == "test"]
    wrong = find_wrong_cells(classifier, test)
    # Random weights give all cells much the same answer: of eight classes, most are wrong.
    assert (wrong.model, wrong.split, wrong.n) == (classifier.card.version, "test", len(CELL_CLASSES))
    assert len(wrong.cells) >= 4
    by_name = {f"{record.label}/{record.path.name}": record for record in test}
    for cell in wrong.cells:
        record = by_name[cell.name]
        assert cell.key == record.label != cell.answer
        assert cell.annotated == dict(record.attributes)
        assert cell.answer == max(cell.probabilities, key=cell.probabilities.__getitem__)
        assert set(cell.seen) == set(ATTRIBUTES)
