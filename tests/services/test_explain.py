import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hematovision.cells import CLASS_HEAD, output_index
from hematovision.errors import InputError, WorkerError
from hematovision.services.explain import Explain, Subject, _Kept
from hematovision.smear.framing import Frame
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


@pytest.fixture
def answer(explain, cell):
    return explain.read(cell).cells[0].prediction


def test_the_worker_is_asked_once_for_one_map_and_again_after_a_failure(explain, cell, answer, monkeypatch):
    calls = []

    def map_by(self, method, inputs, target, depth="last", weights="trained"):
        calls.append((target[1], depth))
        if len(calls) == 1:
            raise WorkerError("The gradient worker stopped.", "Try again.")
        return np.ones((2, 2), np.float32)

    monkeypatch.setattr(GradientWorker, "map_by", map_by)
    target = (CLASS_HEAD, "monocyte")
    with pytest.raises(WorkerError):
        explain.evidence(cell, answer, target, "gradcam-gradients")
    for _ in range(3):
        assert explain.evidence(cell, answer, target, "gradcam-gradients")[64:192, 64:192].all()
    assert calls == [("monocyte", "last")] * 2
    explain.evidence(cell, answer, (CLASS_HEAD, "platelet"), "gradcam-gradients")
    assert len(calls) == 3
    # The map of all depths is made of four, each of which is there for whoever looks at that depth next.
    subject = Subject.of(cell, answer, target)
    for depth in ("common", "fused", "fine"):
        explain.map_of(subject, "layercam", depth)
    assert calls[3:] == [("monocyte", depth) for depth in ("fine", "middle", "coarse", "last")]
    with pytest.raises(InputError, match="depth"):
        explain.map_of(subject, "layercam", "deepest")


@pytest.mark.parametrize("method", ["scorecam", "occlusion"])
def test_a_map_by_forward_passes_is_computed_once_for_all_who_look_at_a_cell(explain, cell, answer, method):
    told = []
    first = explain.map_of(Subject.of(cell, answer), method, progress=lambda *done: told.append(done))
    assert first.shape == cell.shape[:2] and first.dtype == np.float32 and 0 <= first.min() <= first.max() <= 1
    assert told[-1][0] == told[-1][1] > 60
    count = len(told)
    again = explain.map_of(Subject.of(cell.copy(), answer), method, progress=lambda *done: told.append(done))
    assert np.array_equal(first, again) and len(told) == count
    # Another picture, frame or target is another map.
    explain.map_of(Subject.of(255 - cell, answer), method, progress=lambda *done: told.append(done))
    explain.map_of(Subject.of(cell, answer, frame=Frame(0, 0, 99)), method, progress=lambda *done: told.append(done))
    assert len(told) == 3 * count


def test_work_that_is_stopped_goes_no_further_and_is_not_kept(explain, cell, answer, monkeypatch):
    passed = []
    logits_of = explain.classifier.logits_of
    monkeypatch.setattr(explain.classifier, "logits_of", lambda batch: passed.append(len(batch)) or logits_of(batch))

    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain.map_of(Subject.of(cell, answer), "occlusion", progress=stop)
    assert passed == [16]
    explain.evidence(cell, answer, method="occlusion")
    assert sum(passed) == 16 + 122


def test_two_who_ask_at_the_same_time_share_the_work():
    kept, at_work, asked = _Kept(2), threading.Event(), []

    def compute():
        asked.append(None)
        at_work.set()
        time.sleep(0.05)
        return "map"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.get, "key", compute)
        at_work.wait()
        second = pool.submit(kept.get, "key", compute)
        assert first.result() == second.result() == "map"
    assert len(asked) == 1


def test_only_the_results_asked_for_last_are_kept():
    kept, computed = _Kept(2), []
    for key in ("a", "b", "a", "c", "a", "b"):
        kept.get(key, lambda key=key: computed.append(key))
    assert computed == ["a", "b", "c", "b"]


def test_the_parts_add_up_to_the_logit_of_any_target(explain, cell, answer):
    for target in (None, (CLASS_HEAD, "platelet"), ("granularity", "yes")):
        found = explain.logit_parts(Subject.of(cell, answer, target))
        logit = answer.logits[output_index(*(target or (CLASS_HEAD, answer.label)))]
        assert found.logit == pytest.approx(float(logit), abs=1e-4)
    assert explain.logit_parts(Subject.of(np.full((64, 64, 3), 200, np.uint8), answer)) is None


def test_a_contrast_shows_both_sides(explain, cell, answer):
    one, other = (CLASS_HEAD, "monocyte"), (CLASS_HEAD, "neutrophil")
    found = explain.contrast(Subject.of(cell, answer, one), other)
    assert found.shape == cell.shape[:2] and np.abs(found).max() <= 1
    assert np.array_equal(found, -explain.contrast(Subject.of(cell, answer, other), one))


def test_a_covered_place_is_meant_in_pixels_of_the_picture(explain, cell, answer):
    """The frame is the middle of the picture: its corners are not seen, and covering them changes nothing."""
    subject = Subject.of(cell, answer)
    assert explain.occlude(subject, (10, 10), 20).logit_change == 0
    middle = explain.occlude(subject, (128, 128), 60)
    assert middle.logit_change != 0
    assert middle.logit_before == pytest.approx(float(answer.logits[output_index(CLASS_HEAD, answer.label)]), abs=1e-3)


def test_quality_is_measured_beside_maps_that_know_nothing(explain, cell, answer):
    subject = Subject.of(cell, answer)
    placed = explain.placement(subject)
    assert 0 <= placed.evidence.nucleus <= placed.evidence.cell <= 1
    assert placed.uniform.cell < placed.gaussian.cell
    found = explain.faithfulness(subject)
    assert found.deletion.probabilities[0] == pytest.approx(found.random_insertion.probabilities[-1], abs=1e-5)
    assert explain.faithfulness(subject) is found
    agreed = explain.agreement(subject, ("gradcam", "occlusion"))
    assert list(agreed) == [("gradcam", "occlusion")] and -1 <= agreed["gradcam", "occlusion"] <= 1


def test_the_sanity_check_compares_with_each_step_of_random_weights(explain, cell, answer, monkeypatch):
    """Of which the map that stays the same would say that it explains nothing that was learned."""
    raw = answer.map_of(CLASS_HEAD, answer.label)
    # Where all speaks against, there still is an order of places.
    ways = {"heads": raw - raw.max() - np.ptp(raw), "half": raw.max() + raw.min() - raw, "all": np.full_like(raw, -1)}
    monkeypatch.setattr(GradientWorker, "raw_map", lambda self, inputs, target, weights: ways[weights])
    found = explain.sanity(Subject.of(cell, answer))
    assert (
        found["heads"] == pytest.approx(1, abs=1e-3)
        and found["half"] == pytest.approx(-1, abs=1e-3)
        and found["all"] is None
    )
