"""Two engines, one contract; and a worker that may die."""

import csv
import os
import shutil
import signal
import threading

import numpy as np
import pytest

from hematovision import images
from hematovision.cells import CLASS_HEAD
from hematovision.errors import ModelError, WorkerError
from hematovision.settings import ROOT
from hematovision.smear.framing import Frame, cut
from hematovision.vision.classifier import Classifier
from hematovision.vision.gradients import GradientWorker
from hematovision.vision.heatmap import positive


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
