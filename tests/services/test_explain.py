import numpy as np
import pytest

from hematovision.cells import CLASS_HEAD
from hematovision.errors import InputError, WorkerError
from hematovision.services.explain import Explain
from hematovision.vision.gradients import GradientWorker


@pytest.fixture
def explain(tiny_model):
    made = Explain(tiny_model)
    yield made
    made.close()


def test_evidence_is_for_the_models_answer_unless_told_otherwise(explain, cell):
    answer = explain.read(cell).cells[0].prediction
    default = explain.evidence(cell, answer)
    assert default.shape == cell.shape[:2]
    assert np.array_equal(default, explain.evidence(cell, answer, (CLASS_HEAD, answer.label)))
    assert not np.array_equal(default, explain.evidence(cell, answer, ("granularity", "yes")))


def test_an_unknown_method_names_what_there_is(explain, cell):
    answer = explain.read(cell).cells[0].prediction
    with pytest.raises(InputError) as caught:
        explain.evidence(cell, answer, method="magic")
    assert "gradcam" in caught.value.hint


def test_the_worker_is_asked_once_for_one_map_and_again_after_a_failure(explain, cell, monkeypatch):
    answer = explain.read(cell).cells[0].prediction
    calls = []

    def gradcam(self, inputs, head, value):
        calls.append(value)
        if len(calls) == 1:
            raise WorkerError("The gradient worker stopped.", "Try again.")
        return np.ones((2, 2), np.float32)

    monkeypatch.setattr(GradientWorker, "gradcam", gradcam)
    target = (CLASS_HEAD, "monocyte")
    with pytest.raises(WorkerError):
        explain.evidence(cell, answer, target, "gradcam-gradients")
    for _ in range(3):
        assert explain.evidence(cell, answer, target, "gradcam-gradients")[64:192, 64:192].all()
    assert calls == ["monocyte", "monocyte"]
    explain.evidence(cell, answer, (CLASS_HEAD, "platelet"), "gradcam-gradients")
    assert len(calls) == 3
