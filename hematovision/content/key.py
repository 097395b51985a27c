"""The identification key: features that were seen narrow down what the cell can be. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from hematovision.errors import unknown


@dataclass(frozen=True)
class Key:
    """What the key asks, and what each kind of cell may show.

    `asks`: question -> its words. `features`: question -> feature -> its words. `kinds`: kind -> question -> the
    features that it may show; none where the question has no meaning for it, which rules it out as well.
    """

    asks: Mapping[str, str]
    features: Mapping[str, Mapping[str, str]]
    kinds: Mapping[str, Mapping[str, frozenset[str]]]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Reason:
    """Why a kind is ruled out: the question, the feature that was seen, and what the kind shows instead."""

    question: str
    seen: str
    instead: tuple[str, ...]


@dataclass(frozen=True)
class Narrowed:
    """Kinds that are still possible, and of each other one every reason against it."""

    possible: tuple[str, ...]
    excluded: Mapping[str, tuple[Reason, ...]]


def narrow(key: Key, ticked: Mapping[str, str]) -> Narrowed:
    """`ticked`: question -> the feature that was seen. Nothing ticked: every kind is possible. Raises InputError."""
    for question, feature in ticked.items():
        if question not in key.asks:
            raise unknown("question", question, key.asks)
        if feature not in key.features[question]:
            raise unknown(f"feature of {question}", feature, key.features[question])
    against = {
        kind: tuple(
            Reason(question, feature, tuple(one for one in key.features[question] if one in shown[question]))
            for question, feature in ticked.items()
            if feature not in shown[question]
        )
        for kind, shown in key.kinds.items()
    }
    return Narrowed(
        tuple(kind for kind, reasons in against.items() if not reasons),
        {kind: reasons for kind, reasons in against.items() if reasons},
    )
