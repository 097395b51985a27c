import io
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hematovision.cells import CELL_CLASSES, CLASS_HEAD, output_index
from hematovision.errors import ModelError
from hematovision.vision.card import load_card
from hematovision.vision.classifier import Classifier, Prediction
from hematovision.vision.reading import read_picture
from hematovision.vision.trust import (
    TRUST_FILE,
    Familiarity,
    Likeness,
    Subspace,
    Trust,
    conformal_set,
    load_trust,
    pack,
)
from tests.trusted import LEAST, by_directions, give_trust, indifferent

PLANE = Likeness(mean=np.array([1, 1], np.float32), projection=np.array([[1, 0], [0, 0.5]], np.float32))
AXIS = Subspace(mean=np.array([1, 1], np.float32), projection=np.array([[1], [0]], np.float32))
ALONG = by_directions(AXIS)
TRUST = Trust(PLANE, ALONG, cell_from=-4, familiar_from=-0.6, least=LEAST)


def prediction(early, embedding, trust=TRUST, **scores) -> Prediction:
    logits = np.zeros(39, np.float32)
    for label in CELL_CLASSES:
        logits[output_index(CLASS_HEAD, label)] = np.log(scores.get(label, 1e-9))
    maps = np.zeros((7, 7, 39), np.float32)
    return Prediction(logits, maps, np.array(embedding, np.float32), 1.0, 0.9, early, trust)


def test_likeness_is_the_distance_to_the_mean():
    assert PLANE.scores(np.array([[1, 1], [1, 5], [4, 1], [4, -7]])).tolist() == [0, -2, -3, -5]


def test_a_subspace_scores_the_share_that_stays_in_the_known_directions():
    scores = AXIS.scores(np.array([[9, 1], [1, 5], [4, 5], [1, 1]]))
    assert scores == pytest.approx([0, -1, -0.8, -1])


def test_an_answer_is_as_familiar_as_the_worse_of_its_two_scores():
    familiarity = Familiarity(AXIS, middle=np.array([-0.4, 6.0]), spread=np.array([0.2, 2.0]))
    known, no_class = np.zeros((2, 39), np.float32)
    known[output_index(CLASS_HEAD, "monocyte")], known[-1] = 6, 99
    # All eight logits 0: an energy of log 8. What an attribute's head says does not count.
    scores = familiarity.scores(
        np.array([[9, 1], [4, 5], [9, 1], [4, 5]]), np.stack([known, known, no_class, no_class])
    )
    low = (np.log(8) - 6) / 2
    assert scores == pytest.approx([np.log1p(7 * np.exp(-6)) / 2, -2, low, min(low, -2)])


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0, 1))
def test_farther_out_is_never_more_alike(x, y, share):
    way = np.array([x, y])
    far, near = PLANE.scores(np.array([PLANE.mean + way, PLANE.mean + share * way]))
    assert far <= near + 1e-9


@pytest.mark.parametrize(
    ("early", "embedding", "probability", "status"),
    [
        ([1, 1], [9, 1], 0.95, "confident"),
        ([1, 1], [9, 1], 0.6, "check"),
        ([1, 1], [4, 5], 0.95, "unfamiliar"),
        ([1, 9.1], [9, 1], 0.95, "not_blood"),
        ([1, 9.1], [4, 5], 0.6, "not_blood"),
        (None, [9, 1], 0.95, "confident"),
        (None, [4, 5], 0.95, "unfamiliar"),
    ],
)
def test_the_worst_that_is_known_is_the_status(early, embedding, probability, status):
    features = None if early is None else np.array(early, np.float32)
    answer = prediction(features, embedding, monocyte=probability, lymphocyte=1 - probability)
    assert answer.status == status
    assert bool(answer.answer_set) == (status in ("confident", "check"))


def test_without_a_gate_everything_is_a_cell():
    trust = Trust(None, ALONG, cell_from=-4, familiar_from=-0.6, least=LEAST)
    assert prediction(np.array([1, 99.0]), [9, 1], trust, monocyte=1.0).status == "confident"


def test_an_answer_set_holds_who_reaches_their_class_s_least_probability():
    least = LEAST | {"monocyte": 0.02, "lymphocyte": 0.5}
    torn = {"neutrophil": 0.6, "lymphocyte": 0.3, "monocyte": 0.05, "basophil": 0.05}
    assert conformal_set(torn, least) == ("neutrophil", "monocyte")
    assert conformal_set({"lymphocyte": 0.4, "neutrophil": 0.1}, least) == ("lymphocyte",)
    trust = Trust(PLANE, ALONG, -4, -0.6, least)
    assert prediction(None, [9, 1], trust, **torn).answer_set == ("neutrophil", "monocyte")


@given(st.lists(st.floats(0, 1), min_size=8, max_size=8), st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_an_answer_set_is_never_empty_and_shrinks_as_thresholds_rise(values, thresholds):
    probabilities = dict(zip(CELL_CLASSES, values, strict=True))
    least = dict(zip(CELL_CLASSES, thresholds, strict=True))
    chosen = conformal_set(probabilities, least)
    assert chosen[0] == max(probabilities, key=probabilities.__getitem__)
    assert set(conformal_set(probabilities, {k: (1 + v) / 2 for k, v in least.items()})) <= set(chosen)
    assert set(conformal_set(probabilities, dict.fromkeys(CELL_CLASSES, 0.0))) == set(CELL_CLASSES)


@pytest.fixture
def trusted(tiny_model, tmp_path):
    """The tiny model with a file on trust, which takes every cell for known."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    give_trust(folder, indifferent(folder))
    return folder


def test_a_model_without_the_file_answers_as_before(tiny_model, cell):
    answer = Classifier(tiny_model).classify(cell)
    assert answer.trust is None and answer.status in ("confident", "check") and answer.answer_set


def test_thresholds_come_from_the_card(trusted, cell):
    assert Classifier(trusted).classify(cell).status in ("confident", "check")
    give_trust(trusted, indifferent(trusted), familiar=1.0)
    reading = read_picture(cell, Classifier(trusted), "cell")
    assert reading.status == "unfamiliar" and len(reading.cells) == 1
    assert reading.cells[0].as_json()["answer_set"] == []


def test_a_picture_of_refused_cells_has_none(trusted, cell):
    give_trust(trusted, indifferent(trusted), cell=1.0)
    reading = read_picture(cell, Classifier(trusted), "cell")
    assert (reading.status, reading.cells) == ("not_blood", ())


def without(folder, name):
    """The folder's file on trust, less one of its arrays."""
    with np.load(folder / TRUST_FILE) as arrays:
        rest = {key: arrays[key] for key in arrays if key != name}
    content = io.BytesIO()
    np.savez(content, **rest)
    return content.getvalue()


def familiarity_of(folder):
    return load_trust(load_card(folder)).familiarity


DAMAGE = {
    "missing": lambda f: (f / TRUST_FILE).unlink(),
    "another": lambda f: (f / TRUST_FILE).write_bytes(b"PK"),
    "no numbers": lambda f: give_trust(f, b"PK"),
    "no archive": lambda f: give_trust(f, b"numbers"),
    "no thresholds": lambda f: give_trust(f, (f / TRUST_FILE).read_bytes(), answer_set={}),
    "no scale": lambda f: give_trust(f, without(f, "familiarity_spread")),
    "a scale of one score": lambda f: give_trust(f, pack(None, replace(familiarity_of(f), middle=np.zeros(1)))),
    "wrong shapes": lambda f: give_trust(
        f, pack(None, by_directions(Subspace(np.zeros(3, np.float32), np.zeros((2, 2), np.float32))))
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_file_that_does_not_fit_the_card_is_refused(name, trusted):
    DAMAGE[name](trusted)
    with pytest.raises(ModelError) as caught:
        Classifier(trusted)
    assert caught.value.hint


def test_the_same_numbers_make_the_same_file():
    assert pack(PLANE, ALONG) == pack(PLANE, ALONG) != pack(None, ALONG)
