"""A linear model from the annotated attributes alone to the class: how far features name the cell without a network.

Multinomial logistic regression on the attribute values, one column a value, fitted by Newton's method.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hematovision.cells import ATTRIBUTES, CELL_CLASSES
from hematovision.errors import DataError
from hematovision.library.records import Record
from hematovision.quiz.intervals import wilson

Floats = NDArray[np.float64]

L2 = 1.0
"""Weight of half the squared weights beside the summed loss of all cells; not tuned. The biases are not held back."""
CONVERGED = 1e-6
"""Greatest entry of the gradient of the summed loss at which the fit ends."""
_STEPS = 50
_DIGITS = 6


def fit_concepts(records: Iterable[Record]) -> dict[str, Any]:
    """The model, fitted on the annotated real pictures of `train` and counted on those of `test`.

    `weights`: class -> attribute -> value -> weight, `biases`: class -> bias. `test`: how many of those pictures the
    rounded model names right from their annotated values, with n and a 95 % Wilson interval. Raises DataError where
    `train` or `test` has no such pictures.
    """
    annotated = [record for record in records if not record.is_drawn and record.attributes.keys() == ATTRIBUTES.keys()]
    train, test = ([record for record in annotated if record.split == split] for split in ("train", "test"))
    if not train or not test:
        raise DataError(
            "There are no annotated pictures to fit and to test on.",
            "Point to a folder with PBC and its splits.csv, which holds WBCAtt's attributes and split.",
        )
    classes = [name for name in CELL_CLASSES if any(record.label == name for record in train)]
    matrix, steepest = newton(one_hot(train), _keys(train, classes), len(classes))
    matrix = np.round(matrix, _DIGITS)
    right = (scores(one_hot(test), matrix).argmax(1) == _keys(test, classes)).tolist()
    return {
        "l2": L2,
        "gradient": float(f"{steepest:.1e}"),
        "train": {"n": len(train)},
        "test": {"n": len(right), "right": sum(right), "interval": list(wilson(sum(right), len(right)))},
        "biases": {name: float(row[-1]) for name, row in zip(classes, matrix, strict=True)},
        "weights": {name: _by_value(row[:-1]) for name, row in zip(classes, matrix, strict=True)},
    }


def one_hot(records: Sequence[Record]) -> Floats:
    """(N, V) of 0 and 1: the columns are the values of `ATTRIBUTES`, one attribute after the other."""
    return np.array(
        [
            [record.attributes[name] == value for name, values in ATTRIBUTES.items() for value in values]
            for record in records
        ],
        np.float64,
    )


def scores(inputs: Floats, matrix: Floats) -> Floats:
    """(N, V) by (K, V + 1), the biases last, -> logits (N, K)."""
    return inputs @ matrix[:, :-1].T + matrix[:, -1]


def newton(inputs: Floats, keys: NDArray[np.int_], count: int) -> tuple[Floats, float]:
    """Weights and biases (count, V + 1) that make the penalized likelihood greatest, and the gradient's greatest entry.

    The loss is convex, so that where the gradient is nothing is the one answer; a step that would not
    lower it is halved. Raises DataError where that takes more than 50 steps.
    """
    wide = np.hstack([inputs, np.ones((len(inputs), 1))])
    held = np.full((count, wide.shape[1]), L2)
    held[:, -1] = 1e-6  # a common shift of all biases changes nothing: it has to be held somewhere
    truth = np.eye(count)[keys]
    matrix = np.zeros_like(held)
    for _ in range(_STEPS):
        shares = _shares(wide @ matrix.T)
        gradient = (shares - truth).T @ wide + held * matrix
        steepest = float(np.abs(gradient).max())
        if steepest < CONVERGED:
            return matrix, steepest
        step = np.linalg.solve(_hessian(wide, shares, held), gradient.ravel()).reshape(matrix.shape)
        before, length = _loss(wide, truth, matrix, held), 1.0
        while _loss(wide, truth, matrix - length * step, held) > before and length > 1e-6:
            length /= 2
        matrix = matrix - length * step
    raise DataError("The concept model did not converge.", "Look for classes with few annotated pictures.")


def _hessian(wide: Floats, shares: Floats, held: Floats) -> Floats:
    count, width = held.shape
    hessian = np.zeros((count, width, count, width))
    for one in range(count):
        for other in range(one, count):
            weight = shares[:, one] * ((one == other) - shares[:, other])
            hessian[one, :, other] = hessian[other, :, one] = (wide * weight[:, None]).T @ wide
    return hessian.reshape(held.size, held.size) + np.diag(held.ravel())


def _loss(wide: Floats, truth: Floats, matrix: Floats, held: Floats) -> float:
    logits = wide @ matrix.T
    top = logits.max(1)
    likelihood = (logits * truth).sum(1) - top - np.log(np.exp(logits - top[:, None]).sum(1))
    return float((held * matrix**2).sum() / 2 - likelihood.sum())


def _shares(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


def _keys(records: Sequence[Record], classes: Sequence[str]) -> NDArray[np.int_]:
    return np.array([classes.index(record.label) for record in records])


def _by_value(weights: Floats) -> dict[str, dict[str, float]]:
    found = iter(weights.tolist())
    return {name: {value: next(found) for value in values} for name, values in ATTRIBUTES.items()}
