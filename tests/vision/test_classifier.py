import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from hematovision.cells import CELL_CLASSES, CLASS_HEAD, HEADS, output_index, output_slice
from hematovision.errors import ModelError
from hematovision.smear import survey
from hematovision.smear.framing import Frame, cut
from hematovision.smear.survey import Survey
from hematovision.vision.classifier import Classifier, Prediction, softmax


@pytest.fixture(scope="module")
def classifier(tiny_model):
    return Classifier(tiny_model)


def prediction(**scores) -> Prediction:
    """A prediction whose class probabilities are `scores`."""
    logits = np.zeros(39, np.float32)
    for label in CELL_CLASSES:
        logits[output_index(CLASS_HEAD, label)] = np.log(scores.get(label, 1e-9))
    return Prediction(logits, np.zeros((7, 7, 39), np.float32), np.zeros(4, np.float32), 1.0, 0.9)


def test_the_map_is_an_exact_decomposition_of_the_logit(classifier, cell, tiny_model):
    """Mean of a map plus the head's bias is the logit, for each class and each attribute value."""
    import keras

    model = keras.models.load_model(tiny_model / "hematovision.keras")
    answer = classifier.classify(cell)
    for head, values in HEADS.items():
        bias = model.get_layer(head).get_weights()[1]
        for i, value in enumerate(values):
            logit = answer.logits[output_slice(head)][i]
            assert answer.map_of(head, value).mean() + bias[i] == pytest.approx(logit, abs=1e-3)


def test_one_pass_for_many_gives_what_one_by_one_gives(classifier, cell):
    pictures = [np.roll(cell, i * 9, axis=1) for i in range(19)]
    together = classifier.classify_many([(picture, None) for picture in pictures])
    for picture, answer in zip(pictures, together, strict=True):
        alone = classifier.classify(picture)
        assert np.allclose(alone.logits, answer.logits, atol=1e-3)
        assert np.allclose(alone.maps, answer.maps, atol=1e-2)


def test_cells_of_one_picture_are_seen_in_its_light_which_is_measured_once(classifier, cell, field, monkeypatch):
    frames = [Frame(110, 150, 100), Frame(410, 250, 100), None]
    alone = [classifier.classify(field.picture, frame) for frame in frames]
    measured = []
    measure = survey.measure_light
    monkeypatch.setattr(survey, "measure_light", lambda *given: measured.append(1) or measure(*given))
    together = classifier.classify_many([*((field.picture, frame) for frame in frames), (cell, None)])
    assert len(measured) == 2
    for one, other in zip(alone, together, strict=False):
        assert np.array_equal(one.logits, other.logits)
    assert np.array_equal(together[-1].logits, classifier.classify(cell).logits)
    assert np.array_equal(classifier.classify(Survey(field.picture), frames[0]).logits, alone[0].logits)


def test_no_pictures_give_no_answers(classifier):
    assert classifier.classify_many([]) == []


def test_probabilities_sum_to_one_and_use_the_temperature(classifier, cell):
    answer = classifier.classify(cell)
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    expected = softmax(answer.logits[output_slice(CLASS_HEAD)] / 1.5).max()
    assert answer.probability == pytest.approx(expected)
    assert set(answer.attributes) == set(HEADS) - {CLASS_HEAD}


def test_status_and_answer_set_follow_the_threshold():
    sure = prediction(monocyte=0.95, lymphocyte=0.05)
    assert (sure.label, sure.status, sure.answer_set) == ("monocyte", "confident", ("monocyte",))
    torn = prediction(monocyte=0.6, lymphocyte=0.35, neutrophil=0.05)
    assert (torn.status, torn.answer_set) == ("check", ("monocyte", "lymphocyte"))


@pytest.fixture
def damaged(tiny_model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    return folder


def change_card(folder, **entries):
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | entries))


DAMAGE = {
    "no folder": lambda f: shutil.rmtree(f),
    "no weights": lambda f: (f / "hematovision.tflite").unlink(),
    "no card": lambda f: (f / "card.json").unlink(),
    "garbled card": lambda f: (f / "card.json").write_text("{"),
    "card without threshold": lambda f: change_card(f, thresholds={}),
    "another label order": lambda f: change_card(f, heads={"cell_class": ["platelet"]}),
    "another file": lambda f: (f / "hematovision.tflite").write_bytes(b"TFL3 something else"),
    "cut off": lambda f: (f / "hematovision.tflite").write_bytes((f / "hematovision.tflite").read_bytes()[:-1]),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_model_that_is_not_what_its_card_says_is_refused(name, damaged):
    DAMAGE[name](damaged)
    with pytest.raises(ModelError) as caught:
        Classifier(damaged)
    assert caught.value.message and caught.value.hint


def test_a_file_with_the_right_sum_that_is_no_model_is_refused(damaged):
    import hashlib

    (damaged / "hematovision.tflite").write_bytes(b"no model")
    files = json.loads((damaged / "card.json").read_text())["files"]
    files["hematovision.tflite"]["sha256"] = hashlib.sha256(b"no model").hexdigest()
    change_card(damaged, files=files)
    with pytest.raises(ModelError):
        Classifier(damaged)


@pytest.mark.parametrize("module", ["hematovision", "hematovision.services.explain", "hematovision.cli"])
def test_answers_need_neither_tensorflow_nor_streamlit(module):
    code = f"import sys, {module}; print([m for m in ('tensorflow', 'keras', 'streamlit') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_framing_is_part_of_the_answer(classifier, cell):
    frame = Frame(40, 40, 150)
    framed = classifier.classify(cell, frame)
    same = classifier.classify_inputs(cut(cell, frame, classifier.card.size)[None])[0]
    assert np.array_equal(framed.logits, same.logits)


def test_what_is_claimed_of_an_attribute_goes_by_the_card(tiny_model, tmp_path, cell):
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    assert Classifier(folder).classify(cell).claimed_from == {}
    card = json.loads((folder / "card.json").read_text())
    card["thresholds"]["attributes"] = {"cell_size": 0.94}
    (folder / "card.json").write_text(json.dumps(card))
    assert Classifier(folder).classify(cell).claimed_from == {"cell_size": 0.94}
    card["thresholds"]["attributes"] = 0.94
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="garbles"):
        Classifier(folder)
