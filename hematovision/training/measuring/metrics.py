"""Figures of merit, in NumPy. Rows of a confusion matrix are the keys, columns the answers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hematovision.quiz.intervals import wilson
from hematovision.vision.classifier import softmax


def confusion_matrix(keys: NDArray[np.int_], answers: NDArray[np.int_], count: int) -> NDArray[np.int_]:
    """(count, count): how often each key (row) got each answer (column)."""
    return np.bincount(keys * count + answers, minlength=count * count).reshape(count, count)


def share(right: int, total: int) -> dict[str, object]:
    """A share with its count and 95 % interval, as the card keeps it."""
    return {"value": right / total if total else None, "n": total, "interval": list(wilson(right, total))}


def scores_by_class(
    matrix: NDArray[np.int_], names: Sequence[str], unanswered: NDArray[np.int_] | None = None
) -> dict[str, dict[str, float | int | None]]:
    """Recall, precision, F1 and n of each class; None where a figure has no denominator.

    `unanswered` are cells of each class that have no answer in `matrix`: none of them is right.
    """
    result: dict[str, dict[str, float | int | None]] = {}
    for i, name in enumerate(names):
        right, keyed, answered = int(matrix[i, i]), int(matrix[i].sum()), int(matrix[:, i].sum())
        keyed += 0 if unanswered is None else int(unanswered[i])
        result[name] = {
            "recall": right / keyed if keyed else None,
            "precision": right / answered if answered else None,
            "f1": 2 * right / (keyed + answered) if keyed + answered else None,
            "n": keyed,
        }
    return result


def macro_f1(matrix: NDArray[np.int_], unanswered: NDArray[np.int_] | None = None) -> float:
    """Mean F1 of the classes that occur as key or answer; `unanswered` as in `scores_by_class`."""
    total = matrix.sum(0) + matrix.sum(1) + (0 if unanswered is None else unanswered)
    present = total > 0
    return float((2 * np.diag(matrix)[present] / total[present]).mean())


def negative_log_likelihood(logits: NDArray, keys: NDArray[np.int_], temperature: float = 1.0) -> float:
    probabilities = softmax(logits / temperature)[np.arange(len(keys)), keys]
    return float(-np.log(np.maximum(probabilities, 1e-12)).mean())


def fit_temperature(logits: NDArray, keys: NDArray[np.int_]) -> float:
    """The temperature that makes the likelihood greatest (Guo et al. 2017), between 0.25 and 4, to 1 %."""
    candidates = np.exp(np.arange(np.log(0.25), np.log(4), 0.01))
    return float(min(candidates, key=lambda t: negative_log_likelihood(logits, keys, t)))


def expected_calibration_error(confidence: NDArray, right: NDArray[np.bool_], bins: int = 15) -> float:
    """Mean distance of confidence and accuracy over bins of equal width, weighted by their counts."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(which, minlength=bins)
    distance = np.bincount(which, confidence, bins) - np.bincount(which, right, bins)
    return float(np.abs(distance).sum() / counts.sum())


def threshold_for(confidence: NDArray, right: NDArray[np.bool_], accuracy: float) -> float:
    """The lowest confidence from which on at least `accuracy` of the answers are right; 1 where there is none."""
    order = np.argsort(-confidence)
    reached = np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= accuracy
    return float(confidence[order][np.flatnonzero(reached)[-1]]) if reached.any() else 1.0


def brier_score(probabilities: NDArray, keys: NDArray[np.int_]) -> float:
    """Mean squared distance (N, K) of probabilities and keys, summed over the classes (Brier 1950): 0 to 2."""
    return float(((probabilities - np.eye(probabilities.shape[1])[keys]) ** 2).sum(1).mean())


def reliability(confidence: NDArray, right: NDArray[np.bool_], bins: int = 10) -> list[dict[str, float | int]]:
    """Mean confidence, accuracy and n in each bin of equal width that holds any answer, lowest first."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "from": i / bins,
            "n": int((which == i).sum()),
            "confidence": float(confidence[which == i].mean()),
            "accuracy": float(right[which == i].mean()),
        }
        for i in np.unique(which).tolist()
    ]


def auroc(inside: NDArray, outside: NDArray) -> float | None:
    """Chance that a score from `inside` is above one from `outside`, a tie counting half; None where one is empty."""
    if not len(inside) or not len(outside):
        return None
    ordered = np.sort(outside)
    below = np.searchsorted(ordered, inside, "left") + np.searchsorted(ordered, inside, "right")
    return float(below.mean() / (2 * len(outside)))


def bootstrap_interval(
    statistic: Callable[..., float], *columns: NDArray, rounds: int = 500, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of a statistic of columns (N, ...) whose rows are drawn anew together (Efron 1979)."""
    rng = np.random.default_rng(seed)
    count = len(columns[0])
    values = []
    for _ in range(rounds):
        rows = rng.integers(count, size=count)
        values.append(statistic(*(column[rows] for column in columns)))
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def calibration(logits: NDArray, keys: NDArray[np.int_], temperature: float) -> dict[str, Any]:
    """How well the probabilities of (N, K) logits keep their word: NLL and Brier with intervals, ECE, bins."""
    probabilities = softmax(logits / temperature)
    confidence, right = probabilities.max(1), probabilities.argmax(1) == keys

    def nll(some: NDArray, their: NDArray[np.int_]) -> float:
        return negative_log_likelihood(some, their, temperature)

    def figure(statistic: Callable[..., float], *columns: NDArray) -> dict[str, Any]:
        return {"value": statistic(*columns), "interval": list(bootstrap_interval(statistic, *columns))}

    return {
        "n": len(keys),
        "nll": figure(nll, logits, keys),
        "brier": figure(brier_score, probabilities, keys),
        # Drawing anew adds noise to each bin, which only ever adds to this sum: such an interval would lie too high.
        "ece": expected_calibration_error(confidence, right),
        "bins": reliability(confidence, right),
    }


def coverage_by_class(sets: Sequence[Sequence[str]], keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of the answer sets of each key that occurs, and of `all`: share that holds the key, and mean size."""
    found = {}
    for label in (*sorted(set(keys)), "all"):
        chosen = [(answers, key) for answers, key in zip(sets, keys, strict=True) if label in (key, "all")]
        covered = sum(key in answers for answers, key in chosen)
        sizes = [len(answers) for answers, _ in chosen]
        found[label] = {"coverage": share(covered, len(chosen)), "size": float(np.mean(sizes)) if sizes else None}
    return found


def best_on_val(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The row of most `val_accuracy`, of the same the one of least `val_loss`, of the same the first."""
    return min(rows, key=lambda row: (-row["val_accuracy"], row["val_loss"]))
