import numpy as np
import pytest

from hematovision.training.measuring import metrics


def test_confusion_counts_key_by_answer():
    matrix = metrics.confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_scores_of_each_class_and_their_mean():
    matrix = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]])
    scores = metrics.scores_by_class(matrix, ("a", "b", "c"))
    assert scores["a"] == {"recall": 0.8, "precision": 8 / 9, "f1": 16 / 19, "n": 10}
    assert scores["c"] == {"recall": None, "precision": None, "f1": None, "n": 0}
    assert metrics.macro_f1(matrix) == pytest.approx((16 / 19 + 18 / 21) / 2)


def test_temperature_cools_the_overconfident_and_leaves_the_calibrated():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 4))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    keys = np.array([rng.choice(4, p=p) for p in probabilities])
    assert metrics.fit_temperature(logits, keys) == pytest.approx(1, abs=0.03)
    assert metrics.fit_temperature(3 * logits, keys) == pytest.approx(3, abs=0.1)
    right = logits.argmax(1) == keys
    # Fifteen bins of some 1,300 draws each: chance alone gives about 0.01.
    assert metrics.expected_calibration_error(probabilities.max(1), right) < 0.015


def test_calibration_error_by_hand():
    confidence, right = np.array([0.9, 0.9, 0.5, 0.5]), np.array([1, 0, 1, 0], bool)
    assert metrics.expected_calibration_error(confidence, right) == pytest.approx(0.2)


def test_the_threshold_is_the_lowest_that_keeps_its_promise():
    confidence = np.array([0.99, 0.9, 0.8, 0.7, 0.6])
    right = np.array([1, 1, 0, 1, 0], bool)
    assert metrics.threshold_for(confidence, right, 1.0) == 0.9
    assert metrics.threshold_for(confidence, right, 0.75) == 0.7
    assert metrics.threshold_for(confidence, ~right[::-1] & False, 0.5) == 1.0


def test_brier_score_by_hand():
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    assert metrics.brier_score(probabilities, np.array([0, 0, 0])) == pytest.approx((0 + 0.5 + 2) / 3)


def test_reliability_says_what_each_bin_promised_and_kept():
    bins = metrics.reliability(np.array([0.95, 1.0, 0.55]), np.array([1, 0, 1], bool))
    assert [(b["from"], b["n"], b["accuracy"]) for b in bins] == [(0.5, 1, 1.0), (0.9, 2, 0.5)]
    assert bins[1]["confidence"] == pytest.approx(0.975)


@pytest.mark.parametrize(
    ("inside", "outside", "area"),
    [([3, 4], [1, 2], 1), ([1, 2], [3, 4], 0), ([1, 1], [1], 0.5), ([1, 3], [2], 0.5), ([2, 3], [1, 2], 0.875)],
)
def test_auroc_counts_pairs(inside, outside, area):
    assert metrics.auroc(np.array(inside), np.array(outside)) == area
    assert metrics.auroc(np.array(inside), np.array([])) is None


def test_the_bootstrap_draws_rows_together_and_the_same_each_time():
    values = np.random.default_rng(0).normal(5, 1, 400)
    low, high = metrics.bootstrap_interval(lambda v: float(v.mean()), values)
    assert low < values.mean() < high and high - low == pytest.approx(4 * values.std() / 20, rel=0.15)
    assert metrics.bootstrap_interval(lambda a, b: float((a - b).sum()), values, values) == (0, 0)
    assert (low, high) == metrics.bootstrap_interval(lambda v: float(v.mean()), values)


def test_coverage_and_size_of_answer_sets_by_class():
    found = metrics.coverage_by_class([("a",), ("a", "b"), ("a",)], ["a", "b", "b"])
    assert {k: (v["coverage"]["value"], v["size"]) for k, v in found.items()} == {
        "a": (1, 1), "b": (0.5, 1.5), "all": (2 / 3, 4 / 3),
    }  # fmt: skip
