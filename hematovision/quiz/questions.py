"""A question and how the next one is drawn. Pure: pictures, what was seen and chance come as arguments."""

import random
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from hematovision.errors import InputError, unknown


@dataclass(frozen=True)
class Question:
    """One picture to name. `key` is the expert's class or stage; `choice` is None until the learner commits."""

    id: int
    picture_id: str
    key: str
    choices: tuple[str, ...]
    asked_at: datetime
    choice: str | None = None
    answered_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.choice is None

    @property
    def is_right(self) -> bool:
        return self.choice == self.key


@dataclass(frozen=True)
class Asked:
    """A question with its number in the learner's row of questions, from 1, and the scope it was drawn from."""

    question: Question
    number: int
    scope: str


def commit(question: Question, choice: str, now: datetime) -> Question:
    """The question with its answer. A question is answered once: a second answer changes nothing."""
    if choice not in question.choices:
        raise unknown("choice", choice, question.choices)
    if not question.is_open:
        return question
    return replace(question, choice=choice, answered_at=now)


def draw_picture(
    pool: Mapping[str, Sequence[str]], scope: Sequence[str], seen: Set[str], rng: random.Random
) -> tuple[str, str]:
    """(picture id, key) of the next question: a name of the scope by even chance, then a picture of it by chance.

    A picture that was seen does not come again while an unseen one of the scope remains; once all were seen, all may
    come again. Raises InputError where the scope has no picture.
    """
    unseen = {label: [p for p in pool.get(label, ()) if p not in seen] for label in scope}
    left = {label: ids for label, ids in unseen.items() if ids}
    if not left:
        left = {label: list(pool[label]) for label in scope if pool.get(label)}
    if not left:
        raise InputError(
            "The library has no pictures of these classes.", "Add a folder on the Library page.", kind="no_pictures"
        )
    label = rng.choice(sorted(left))
    return rng.choice(left[label]), label
