"""Two engines, one contract; and a worker that may die."""

import csv
import os
import shutil
import signal
import threading

import keras
import numpy as np
import pytest

from hematovision import images
from hematovision.cells import CLASS_HEAD, HEADS, output_index
from hematovision.errors import ModelError, WorkerError
from hematovision.settings import ROOT
from hematovision.smear.framing import Frame, cut
from hematovision.vision.card import KERAS_FILE
from hematovision.vision.classifier import Classifier
from hematovision.vision.gradients import GradientWorker
from hematovision.vision.heatmap import positive
from hematovision.vision.methods import DEPTHS, WEIGHTS


@pytest.fixture(scope="module")
def worker(tiny_model):
    client = GradientWorker(tiny_model)
    yield client
    client.close()


@pytest.fixture
def inputs(cell):
    return cut(cell, Frame.of_cell(cell), 64)


def test_gradcam_of_the_worker_is_the_map_of_the_classifier(worker, inputs, tiny_model):
    answer = Classifier(tiny_model).classify_inputs(inputs[None])[0]
    assert np.allclose(worker.logits(inputs), answer.logits, atol=1e-3)
    for head, value in ((CLASS_HEAD, "monocyte"), (CLASS_HEAD, "platelet"), ("granularity", "yes")):
        by_gradients = positive(worker.gradcam(inputs, head, value))
        assert np.allclose(by_gradients, positive(answer.map_of(head, value)), atol=1e-4)


TARGET = (CLASS_HEAD, "monocyte")


def test_layercam_of_the_last_layer_is_the_features_by_their_positive_weights(worker, inputs, tiny_model):
    """By hand: the gradient of the logit there is the head's weights per cell of the map, those below 0 cut off."""
    features = Classifier(tiny_model).features_of(inputs)
    assert np.allclose(worker.features_of(inputs), features, atol=1e-3)
    kernel = keras.models.load_model(tiny_model / KERAS_FILE, compile=False).get_layer(CLASS_HEAD).get_weights()[0]
    weights = np.maximum(kernel[:, HEADS[CLASS_HEAD].index("monocyte")], 0)
    by_hand = features @ weights / features[..., 0].size
    assert np.allclose(worker.map_by("layercam", inputs, TARGET), by_hand, rtol=1e-3, atol=1e-4)


def test_earlier_depths_have_finer_maps(worker, inputs):
    sides = [worker.map_by("layercam", inputs, TARGET, depth).shape for depth in DEPTHS]
    assert sides == [(16, 16), (8, 8), (4, 4), (2, 2)]


@pytest.mark.parametrize(("method", "side"), [("gradcam++", 2), ("saliency", 64)])
def test_a_map_by_gradients_is_nowhere_below_zero(worker, inputs, method, side):
    found = worker.map_by(method, inputs, TARGET)
    assert found.shape == (side, side) and found.dtype == np.float32 and found.min() >= 0
    assert not np.allclose(found, worker.map_by(method, inputs, (CLASS_HEAD, "platelet")))


def test_saliency_is_the_slope_of_the_logit(worker, inputs):
    found = worker.map_by("saliency", inputs, TARGET)
    row, column = np.unravel_index(found.argmax(), found.shape)
    slopes = []
    for channel in range(3):
        ends = np.stack([inputs, inputs]).astype(np.float32)
        ends[:, row, column, channel] += [-0.5, 0.5]
        low, high = worker.logits_of(ends)[:, output_index(*TARGET)]
        slopes.append(abs(high - low))
    assert found.max() == pytest.approx(max(slopes), rel=0.1)


def test_smoothgrad_is_the_same_each_time_and_stops_when_told_to(worker, inputs, monkeypatch):
    monkeypatch.setattr("hematovision.vision.gradients.SMOOTH_SAMPLES", 4)
    told = []
    found = worker.smoothgrad(inputs, TARGET, progress=lambda *done: told.append(done))
    assert found.shape == (64, 64) and found.min() >= 0 and told == [(0, 4), (2, 4), (4, 4)]
    assert np.allclose(found, worker.smoothgrad(inputs, TARGET), rtol=1e-4)
    # Noise of a tenth of the range: near the plain map, and not the same.
    assert not np.allclose(found, worker.map_by("saliency", inputs, TARGET))

    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    asked = []
    ask = GradientWorker.ask
    monkeypatch.setattr(GradientWorker, "ask", lambda self, *what: asked.append(what[0]) or ask(self, *what))
    with pytest.raises(KeyboardInterrupt):
        worker.smoothgrad(inputs, TARGET, progress=stop)
    assert asked == ["noisy_saliency"]


def test_random_weights_come_from_the_top_down(worker, inputs, tiny_model):
    answer = Classifier(tiny_model).classify_inputs(inputs[None])[0]
    assert np.allclose(worker.raw_map(inputs, TARGET), answer.map_of(*TARGET), atol=1e-3)
    trained = worker.features_of(inputs)
    assert np.array_equal(worker.features_of(inputs, "heads"), trained)
    assert not np.allclose(worker.features_of(inputs, "half"), trained)
    maps = {weights: worker.raw_map(inputs, TARGET, weights) for weights in WEIGHTS}
    assert all(np.isfinite(found).all() for found in maps.values())
    assert len({found.tobytes() for found in maps.values()}) == len(WEIGHTS)
    assert np.array_equal(worker.raw_map(inputs, TARGET, "all"), maps["all"])


def test_a_worker_killed_in_the_middle_of_a_click_says_so_and_recovers(worker, inputs):
    before = worker.gradcam(inputs, CLASS_HEAD, "monocyte")
    killed = worker.pid
    killer = threading.Timer(0.15, os.kill, (killed, signal.SIGKILL))
    killer.start()
    with pytest.raises(WorkerError) as caught:
        for _ in range(200):
            worker.gradcam(inputs, CLASS_HEAD, "monocyte")
    killer.join()
    assert "Try again" in caught.value.hint
    assert np.array_equal(worker.gradcam(inputs, CLASS_HEAD, "monocyte"), before)
    assert worker.pid != killed


def test_a_worker_that_takes_too_long_is_ended(worker, inputs, monkeypatch):
    worker.gradcam(inputs, CLASS_HEAD, "monocyte")
    monkeypatch.setattr("hematovision.vision.gradients.ANSWER_LIMIT", 0.0)
    with pytest.raises(WorkerError, match="no answer"):
        worker.gradcam(inputs, CLASS_HEAD, "monocyte")
    assert worker.pid is None


def test_a_damaged_model_is_refused_by_the_worker(tiny_model, tmp_path, inputs):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    (folder / "hematovision.keras").write_bytes(b"something else")
    worker = GradientWorker(folder)
    with pytest.raises(ModelError, match="not the one its card describes"):
        worker.gradcam(inputs, CLASS_HEAD, "monocyte")
    worker.close()


def test_both_engines_agree_on_real_weights_and_pictures(real_data):
    classifier = Classifier(ROOT / "model")
    worker = GradientWorker(ROOT / "model")
    with (real_data / "pbc" / "splits.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == "test" and row["class"] != "ig"][::700]
    for row in rows:
        picture = images.read(real_data / "pbc" / "PBC_dataset_normal_DIB" / row["class"] / row["name"])
        inputs = cut(picture, Frame.of_cell(picture), classifier.card.size)
        answer = classifier.classify_inputs(inputs[None])[0]
        assert np.abs(worker.logits(inputs) - answer.logits).max() < 1e-4
        for target in ((CLASS_HEAD, answer.label), ("granularity", "yes")):
            by_gradients = positive(worker.gradcam(inputs, *target))
            assert np.abs(by_gradients - positive(answer.map_of(*target))).max() < 1e-4
    worker.close()
