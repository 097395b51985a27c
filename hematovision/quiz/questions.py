"""A question, its choices, and how the cell of the next one is drawn.

Pure: pictures, what was seen and chance come as arguments. `Asked` is what a browser may be sent before the answer;
`Question` has the key and stays behind until then.
"""

import random
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from hematovision.cells import ATTRIBUTES, are_look_alikes, class_of, pair_of
from hematovision.errors import InputError, unknown

MOST_CHOICES = 9
"""As many as there are keys."""
CERTAINTIES = (1, 2, 3)
"""How sure a learner is: a guess, fairly sure, sure."""
CANNOT_TELL = "cannot tell"
"""What is said of a feature that one cannot see."""
LONGEST_REASON = 1000
"""Letters of the reason of a dispute."""


@dataclass(frozen=True)
class Region:
    """The part of the picture that decided: left, top, width and height in fractions of the picture's.

    It counts as the ellipse in this box.
    """

    x: float
    y: float
    w: float
    h: float

    def __post_init__(self) -> None:
        inside = min(self.x, self.y) >= 0 and self.x + self.w <= 1 + 1e-9 and self.y + self.h <= 1 + 1e-9
        if not (inside and self.w > 0 and self.h > 0):
            raise InputError("The marked region is not in the picture.", "Mark it again.", kind="region")


@dataclass(frozen=True)
class Reply:
    """What a learner commits to: a choice, and whatever of the rest they said before they saw the key.

    `features`: attribute -> value, or `CANNOT_TELL`.
    """

    choice: str
    certainty: int | None = None
    features: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    region: Region | None = None

    def __post_init__(self) -> None:
        if self.certainty is not None and self.certainty not in CERTAINTIES:
            raise unknown("certainty", str(self.certainty), CERTAINTIES)
        for name, value in self.features.items():
            if name not in ATTRIBUTES:
                raise unknown("attribute", name, ATTRIBUTES)
            if value != CANNOT_TELL and value not in ATTRIBUTES[name]:
                raise unknown(f"value of {name}", value, ATTRIBUTES[name])


@dataclass(frozen=True)
class ModelAnswer:
    """What the model said of the cell when the learner committed: a class, and its calibrated probability."""

    version: str
    label: str
    probability: float


@dataclass(frozen=True)
class Asked:
    """A question without its key: all that may be shown before the answer, and after it as long as the key is kept."""

    id: int
    session_id: int
    number: int
    picture_id: str
    choices: tuple[str, ...]
    asked_at: datetime
    reply: Reply | None = None

    @property
    def is_open(self) -> bool:
        return self.reply is None


@dataclass(frozen=True)
class Question:
    """One picture to name. `key` is the expert's class or stage; `topic` is the class or pair it was asked for.

    `number` counts the questions of a session from 1. `reply` is None until the learner commits, and `revised` until
    they say whether they would change their answer; that is never graded.
    """

    id: int
    session_id: int
    number: int
    picture_id: str
    key: str
    choices: tuple[str, ...]
    topic: str
    asked_at: datetime
    reply: Reply | None = None
    answered_at: datetime | None = None
    model: ModelAnswer | None = None
    revised: str | None = None
    dispute: str | None = None

    @property
    def asked(self) -> Asked:
        """The question without its key."""
        return Asked(
            self.id, self.session_id, self.number, self.picture_id, self.choices, self.asked_at, reply=self.reply
        )

    @property
    def is_open(self) -> bool:
        return self.reply is None

    @property
    def choice(self) -> str | None:
        return self.reply.choice if self.reply else None

    @property
    def is_right(self) -> bool:
        return self.choice == self.key

    @property
    def seconds(self) -> float | None:
        """From the question to the answer; None while it is open."""
        return (self.answered_at - self.asked_at).total_seconds() if self.answered_at else None

    @property
    def model_is_right(self) -> bool | None:
        """Whether the model named the key's class, as it knows no stages; None where it said nothing."""
        return None if self.model is None else self.model.label == class_of(self.key)


def commit(question: Question, reply: Reply, now: datetime) -> Question:
    """The question with its answer. A question is answered once: a second answer changes nothing."""
    if reply.choice not in question.choices:
        raise unknown("choice", reply.choice, question.choices)
    if not question.is_open:
        return question
    return replace(question, reply=reply, answered_at=now)


def revise(question: Question, choice: str) -> Question:
    """The question with what the learner would say now; the same choice where they would stay. The first one stays."""
    if choice not in question.choices:
        raise unknown("choice", choice, question.choices)
    return question if question.revised is not None else replace(question, revised=choice)


def dispute(question: Question, reason: str) -> Question:
    """The question with the reason why its key is doubted; a later reason replaces it."""
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise InputError(
            "A dispute has a reason.", f"Say in up to {LONGEST_REASON} letters what the key should be.", kind="reason"
        )
    return replace(question, dispute=reason)


def draw_choices(
    names: Sequence[str], wanted: Sequence[str], count: int, confused: Mapping[str, int], rng: random.Random
) -> tuple[str, ...]:
    """`count` of the names in an order of chance: those `wanted`, which the question is about, and distractors.

    A name comes the more likely as a distractor the more it looks like one of `wanted`, and the more often the learner
    took one for the other (`confused`: pair -> times). Only likely: choices that always were the key's look-alikes
    would tell the key.
    """
    chosen = list(dict.fromkeys(wanted))
    left = [name for name in names if name not in chosen]
    while left and len(chosen) < count:
        weights = [1 + sum(_weight(name, other, confused) for other in wanted) for name in left]
        (name,) = rng.choices(left, weights)
        left.remove(name)
        chosen.append(name)
    rng.shuffle(chosen)
    return tuple(chosen)


def _weight(name: str, other: str, confused: Mapping[str, int]) -> int:
    return 3 * are_look_alikes(name, other) + confused.get(pair_of(name, other), 0)


def draw_picture(
    pool: Mapping[str, Sequence[str]], names: Sequence[str], seen: Set[str], rng: random.Random
) -> tuple[str, str]:
    """(picture id, key) of the next question: one of `names` by even chance, then a picture of it by chance.

    A picture that was seen does not come again while an unseen one of `names` remains; once all were seen, all may
    come again. The more of a name's pictures were seen the more seldom it comes, so that all run out together: else the
    last name would be the key of every question at the end. Raises InputError where no name has a picture.
    """
    unseen = {label: [p for p in pool.get(label, ()) if p not in seen] for label in names}
    left = {label: ids for label, ids in unseen.items() if ids}
    if not left:
        left = {label: list(pool[label]) for label in names if pool.get(label)}
    if not left:
        raise no_pictures()
    labels = sorted(left)
    (label,) = rng.choices(labels, [len(left[label]) / len(pool[label]) for label in labels])
    return rng.choice(left[label]), label


def no_pictures() -> InputError:
    """The error of a scope that the library has nothing for."""
    return InputError(
        "The library has no pictures of these classes.", "Add a folder on the Library page.", kind="no_pictures"
    )
