"""Which attributes the model reads clearly, and what each speaks for, by how often people annotated it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hematovision.cells import ATTRIBUTES, output_slice
from hematovision.content import Measured
from hematovision.content.concepts import GRANULES, Seen, agree
from hematovision.vision.classifier import Prediction, softmax

CLAIMED = 0.8
"""Least probability at which an attribute's value is ever claimed, and from which on it is where the card tells none of
its own. It promises nothing: of 500 cells of `val` one model then read 91.6 % of the sizes and 93.4 % of the
nucleus shapes as annotated."""
CLEAR = 3.0
"""Least likelihood ratio of two classes at which a value speaks for one of them: from there on Kass and Raftery (1995)
call evidence positive."""
MOST = 0.5
"""Least share of a class's annotated cells that is called most of them, or what the class shows."""


@dataclass(frozen=True)
class Feature:
    """A value that the model reads clearly; `probability` is not calibrated."""

    head: str
    value: str
    probability: float


@dataclass(frozen=True)
class Weighed:
    """A feature and how many times as often it was annotated in one class as in another; below 1 where less often."""

    feature: Feature
    ratio: float


def seen(prediction: Prediction) -> Seen:
    """The softmax of each attribute's logits. Not calibrated: the card's temperature was fitted to the class alone."""
    return {
        head: dict(zip(values, map(float, softmax(prediction.logits[output_slice(head)])), strict=True))
        for head, values in ATTRIBUTES.items()
    }


def is_clear(read: Seen, head: str, claimed_from: Mapping[str, float]) -> bool:
    """Whether the likeliest value of an attribute reaches the probability of `claimed_from`; `CLAIMED` without one."""
    return max(read[head].values()) >= claimed_from.get(head, CLAIMED)


def claimed(read: Seen, claimed_from: Mapping[str, float]) -> tuple[Feature, ...]:
    """The likeliest values of the attributes that are clear, in the order of `ATTRIBUTES`; none is said twice.

    Of the granules nothing is claimed where their attributes contradict each other.
    """
    likeliest = {head: max(values, key=values.__getitem__) for head, values in read.items()}
    found = [
        Feature(head, value, read[head][value])
        for head, value in likeliest.items()
        if is_clear(read, head, claimed_from)
    ]
    granules = [feature for feature in found if feature.head in GRANULES]
    if not agree(likeliest):
        said = []
    elif likeliest["granularity"] == GRANULES["granularity"]:
        said = granules[:1]  # each says that there are none
    else:
        said = [feature for feature in granules if feature.head != "granularity"] or granules
    return tuple(feature for feature in found if feature.head not in GRANULES or feature in said)


def ratio(measured: Measured, head: str, value: str, one: str, others: Sequence[str]) -> float:
    """How many times as often the value was annotated in class `one` as in `others`, on the mean of these.

    Half a picture is added to each value's count (Jeffreys' prior), so that no class counts as never showing one.
    """

    def share(label: str) -> float:
        values = ATTRIBUTES[head]
        return (measured.counts[label][head].get(value, 0) + 0.5) / (measured.n[label] + 0.5 * len(values))

    return share(one) / (sum(map(share, others)) / len(others))


def weigh(features: Iterable[Feature], measured: Measured, one: str, others: Sequence[str]) -> tuple[Weighed, ...]:
    """Each feature with its ratio between class `one` and `others`, the greatest first. All must be annotated."""
    found = [Weighed(f, ratio(measured, f.head, f.value, one, others)) for f in features]
    return tuple(sorted(found, key=lambda weighed: -weighed.ratio))


def usual(measured: Measured, label: str, head: str) -> tuple[str, float]:
    """The value that was annotated most often in a class, and its share."""
    counts = measured.counts[label][head]
    value = max(counts, key=counts.__getitem__)
    return value, counts[value] / measured.n[label]
