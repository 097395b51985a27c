"""The concept model: what class the attributes alone speak for, and which one attribute would change that. Pure."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from hematovision.cells import ATTRIBUTES, CELL_CLASSES
from hematovision.errors import DataError

CONCEPTS_FILE = Path(__file__).parent / "concepts.json"

Seen = Mapping[str, Mapping[str, float]]
"""Attribute -> value -> probability; those of an attribute sum to 1."""


@dataclass(frozen=True)
class Change:
    """One attribute that, with another value, makes the concept model name another class.

    `margin` is how far the logit of the class `becomes` then lies above that of the class named before.
    """

    head: str
    value: str
    becomes: str
    margin: float


@dataclass(frozen=True)
class Concepts:
    """A linear model: `weights` by class, attribute and value, `biases` by class. It knows no other classes.

    `right` of `tested` annotated pictures it named right, of which it had learned from none; `interval` is the 95 %
    interval of that share.
    """

    weights: Mapping[str, Mapping[str, Mapping[str, float]]]
    biases: Mapping[str, float]
    fitted: int
    tested: int
    right: int
    interval: tuple[float, float]

    def scores(self, seen: Seen) -> dict[str, float]:
        """Logit of each class that it knows: the weights of the values, each as much as it is likely."""
        return {
            label: bias
            + sum(
                self.weights[label][head][value] * probability
                for head, values in seen.items()
                for value, probability in values.items()
            )
            for label, bias in self.biases.items()
        }

    def probabilities(self, seen: Seen) -> dict[str, float]:
        """Softmax of `scores`: calibrated for nothing but the annotations that it was fitted on."""
        found = self.scores(seen)
        top = max(found.values())
        raised = {label: math.exp(score - top) for label, score in found.items()}
        return {label: value / sum(raised.values()) for label, value in raised.items()}

    def label(self, seen: Seen) -> str:
        return _likeliest(self.scores(seen))

    def what_would_change(self, seen: Seen) -> tuple[Change, ...]:
        """Every single attribute value that would change the class named, the greatest margin first.

        A value that would contradict the others is left out: there are no granules without a form and a color.
        """
        before = self.label(seen)
        found = []
        for head, values in ATTRIBUTES.items():
            now = _likeliest(seen[head])
            for value in values:
                if value == now or not agree({name: _likeliest(of) for name, of in seen.items()} | {head: value}):
                    continue
                scores = self.scores({**seen, head: {value: 1.0}})
                label = _likeliest(scores)
                if label != before:
                    found.append(Change(head, value, label, scores[label] - scores[before]))
        return tuple(sorted(found, key=lambda change: -change.margin))


GRANULES: Mapping[str, str] = MappingProxyType({"granule_type": "nil", "granule_colour": "nil", "granularity": "no"})
"""The attributes that speak of granules, each with the value that says that there are none."""


def agree(values: Mapping[str, str]) -> bool:
    """Whether the attributes that speak of granules agree on whether there are any. `values`: attribute -> value."""
    return len({values[head] == none for head, none in GRANULES.items()}) == 1


def _likeliest(numbers: Mapping[str, float]) -> str:
    return max(numbers, key=numbers.__getitem__)


def read_concepts(path: Path) -> Concepts:
    """The model that `benchmarks/concepts.py` wrote. Raises DataError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        low, high = found["test"]["interval"]
        concepts = Concepts(
            {
                label: {
                    head: {value: float(found["weights"][label][head][value]) for value in values}
                    for head, values in ATTRIBUTES.items()
                }
                for label in CELL_CLASSES
                if label in found["biases"]
            },
            {label: float(found["biases"][label]) for label in CELL_CLASSES if label in found["biases"]},
            fitted=int(found["train"]["n"]),
            tested=int(found["test"]["n"]),
            right=int(found["test"]["right"]),
            interval=(float(low), float(high)),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read.", "Write it again: python -m benchmarks.concepts.") from error
    if len(concepts.biases) < 2 or len(concepts.biases) != len(found["biases"]):
        raise DataError(f"{path} has wrong classes.", f"Should be of: {', '.join(CELL_CLASSES)}.")
    return concepts


@lru_cache(maxsize=1)
def concepts() -> Concepts:
    """The model that comes with HematoVision, read once. Raises DataError."""
    return read_concepts(CONCEPTS_FILE)
