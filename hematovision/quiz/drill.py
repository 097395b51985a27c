"""The drill: which features of a cell are named before its class, and how many were named as annotated.

Pure. The features are graded against the annotation and never against the model; the class counts as anywhere.
"""

import random
from collections.abc import Mapping, Sequence
from itertools import combinations

from hematovision.cells import ATTRIBUTES, are_look_alikes
from hematovision.content import Measured
from hematovision.content.concepts import GRANULES

MODE = "features_first"

ASKED = 5
"""Features of one question. All eleven would tire, and half of them say little of any one cell."""
_TELLING = 3
"""Of them at least so many that tell two of the choices apart, as far as there are so many."""
_CLEAR = 0.4
"""From this distance on a feature counts as telling two classes apart."""
_HAS_GRANULES = "granularity"

AGREEMENT = 0.961
"""Share of the attributes on which two annotators agree, on average (WBCAtt, Tsutsui et al. 2023)."""


def draw_features(choices: Sequence[str], measured: Measured, rng: random.Random) -> tuple[str, ...]:
    """`ASKED` attributes to name in a cell that is one of `choices`, in the order of `ATTRIBUTES`.

    First those that tell look-alikes among the choices apart, then others, so that all come up; by chance and never by
    the cell: which ones are asked tells nothing of it. Whether there are granules is not asked beside their form or
    color, which say it too.
    """
    pairs = list(combinations(sorted(choices), 2))
    pairs = [pair for pair in pairs if are_look_alikes(*pair)] or pairs
    rng.shuffle(pairs)
    chosen: list[str] = []
    for turn in range(_TELLING if pairs else 0):
        one, other = pairs[turn % len(pairs)]
        apart = {name: distance(measured, name, one, other) for name in _left(chosen)}
        telling = {name: how_far for name, how_far in apart.items() if how_far >= _CLEAR}
        if telling:
            chosen += rng.choices(list(telling), list(telling.values()))
    while len(chosen) < ASKED:
        chosen.append(rng.choice(_left(chosen)))
    return tuple(name for name in ATTRIBUTES if name in chosen)


def distance(measured: Measured, attribute: str, one: str, other: str) -> float:
    """How well an attribute tells two classes apart, in [0, 1]: the total variation distance of what was annotated.

    0 where one of the classes has no annotations.
    """
    shares = [
        (measured.share(one, attribute, value), measured.share(other, attribute, value))
        for value in ATTRIBUTES[attribute]
    ]
    return sum(abs(here - there) for here, there in shares if here is not None and there is not None) / 2


def as_annotated(named: Mapping[str, str], annotation: Mapping[str, str]) -> dict[str, bool]:
    """Of each attribute that was named and is annotated: whether as annotated. One that could not be told is not."""
    return {name: annotation[name] == value for name, value in named.items() if name in annotation}


def _left(chosen: Sequence[str]) -> list[str]:
    """What can still be asked beside the chosen ones."""
    shut = set(chosen)
    if shut & GRANULES.keys():
        shut |= {_HAS_GRANULES} if _HAS_GRANULES not in shut else GRANULES.keys()
    return [name for name in ATTRIBUTES if name not in shut]
