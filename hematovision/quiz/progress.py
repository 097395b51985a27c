"""What a learner knows, from their answers; every figure comes with its n. Pure.

All functions take answered questions, oldest first, and pass over open ones.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from statistics import median
from types import MappingProxyType

from hematovision.cells import ATTRIBUTES, class_of, pair_of
from hematovision.quiz.drill import as_annotated
from hematovision.quiz.intervals import wilson
from hematovision.quiz.questions import CERTAINTIES, Question


@dataclass(frozen=True)
class Figure:
    """A share that was counted: `right` of `n`, and Wilson's 95 % interval. The share is None where n is 0."""

    right: int
    n: int

    @property
    def share(self) -> float | None:
        return self.right / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.right, self.n)


@dataclass(frozen=True)
class WeakPair:
    """Two classes or stages that the learner takes for each other: `confused` of `n` cells of the two."""

    pair: str
    confused: int
    n: int


@dataclass(frozen=True)
class Times:
    """Median seconds to an answer; None where n is 0."""

    seconds: float | None
    n: int


@dataclass(frozen=True)
class Reliance:
    """What the learner did after the reveal, of the answers that differed from the model's, where they said it.

    `undecided` counts those after which they did not say. The model knows classes: an answer differs where its class
    does. Never graded.
    """

    kept_rightly: int = 0
    kept_wrongly: int = 0
    switched_to_right: int = 0
    switched_to_wrong: int = 0
    undecided: int = 0

    @property
    def n(self) -> int:
        return self.kept_rightly + self.kept_wrongly + self.switched_to_right + self.switched_to_wrong


@dataclass(frozen=True)
class Progress:
    """All of it. `confusion`: (key, choice) -> n. `curve`: share right of the last answers, after each of them.

    `calibration`: certainty -> right of n. `features`: attribute -> as annotated, of n named. `reliance`: whether the
    model was right -> what the learner did. `due`: topics that fall due today, tomorrow and so on. `streak`: days in a
    row with an answer, up to today or yesterday.
    """

    total: Figure
    by_class: dict[str, Figure]
    confusion: dict[tuple[str, str], int]
    weak_pairs: tuple[WeakPair, ...]
    curve: tuple[Figure, ...]
    times: dict[str, Times]
    calibration: dict[int, Figure]
    features: dict[str, Figure]
    reliance: dict[bool, Reliance]
    due: tuple[int, ...]
    streak: int


CURVE_OF = 20
"""Answers that a point of the learning curve looks back on."""


def total(answers: Iterable[Question]) -> Figure:
    """Answers that are right, of all."""
    return _figure([q.is_right for q in answers if q.reply is not None])


def by_class(answers: Sequence[Question]) -> dict[str, Figure]:
    """Key -> answers to its cells that are right."""
    keys = sorted({q.key for q in answers if q.reply is not None})
    return {key: total(q for q in answers if q.key == key) for key in keys}


def confusion(answers: Iterable[Question]) -> dict[tuple[str, str], int]:
    """(key, choice) -> how often, in the order of the names."""
    return dict(sorted(Counter((q.key, q.reply.choice) for q in answers if q.reply is not None).items()))


def weak_pairs(answers: Sequence[Question]) -> list[WeakPair]:
    """Pairs that were confused at least once, the most often first; n counts the cells where both were offered."""
    confused = Counter(pair_of(q.key, q.reply.choice) for q in answers if q.reply is not None and not q.is_right)
    offered = Counter(
        pair_of(q.key, other) for q in answers if q.reply is not None for other in q.choices if other != q.key
    )
    found = [WeakPair(pair, count, offered[pair]) for pair, count in confused.items()]
    return sorted(found, key=lambda weak: (-weak.confused, weak.n, weak.pair))


def curve(answers: Iterable[Question], window: int = CURVE_OF) -> list[Figure]:
    """After each answer: how many of the last `window` were right."""
    marks = [q.is_right for q in answers if q.reply is not None]
    return [_figure(marks[max(0, end - window) : end]) for end in range(1, len(marks) + 1)]


def times(answers: Sequence[Question]) -> dict[str, Times]:
    """`right` and `wrong` -> median seconds of such answers."""
    return {
        name: _times([q.seconds for q in answers if q.seconds is not None and q.is_right == is_right])
        for name, is_right in (("right", True), ("wrong", False))
    }


def calibration(answers: Sequence[Question]) -> dict[int, Figure]:
    """Certainty -> how many answers given with it are right. Answers without a certainty are left out."""
    return {c: total(q for q in answers if q.reply is not None and q.reply.certainty == c) for c in CERTAINTIES}


def features(answers: Iterable[Question], annotations: Mapping[str, Mapping[str, str]]) -> dict[str, Figure]:
    """Attribute -> how often it was named as annotated; only those that were named, in the order of `ATTRIBUTES`.

    `annotations`: picture id -> attribute -> value.
    """
    marks: dict[str, list[bool]] = {}
    for q in answers:
        if q.reply is not None:
            for name, is_so in as_annotated(q.reply.features, annotations.get(q.picture_id, {})).items():
                marks.setdefault(name, []).append(is_so)
    return {name: _figure(marks[name]) for name in ATTRIBUTES if name in marks}


def reliance(answers: Iterable[Question], unseen: Collection[int] = ()) -> dict[bool, Reliance]:
    """Whether the model was right -> what the learner did where their answer differed from the model's.

    `unseen` are ids of sessions that do not show the model's answer to each cell, as exams: of them only those count to
    which the learner came back.
    """
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for q in answers:
        if q.reply is None or q.model is None or class_of(q.reply.choice) == q.model.label:
            continue
        if q.revised is None and q.session_id in unseen:
            continue
        counts[bool(q.model_is_right)][_reaction(q, q.reply.choice)] += 1
    return {model_is_right: Reliance(**count) for model_is_right, count in counts.items()}


def _reaction(question: Question, choice: str) -> str:
    if question.revised is None:
        return "undecided"
    is_right = question.revised == question.key
    if question.revised == choice:
        return "kept_rightly" if is_right else "kept_wrongly"
    return "switched_to_right" if is_right else "switched_to_wrong"


def streak(answers: Iterable[Question], now: datetime, zone: tzinfo) -> int:
    """Days in a row with an answer, in the learner's time zone. A day that is not over yet breaks nothing."""
    days: set[date] = {q.answered_at.astimezone(zone).date() for q in answers if q.answered_at is not None}
    day = now.astimezone(zone).date()
    if day not in days:
        day -= timedelta(days=1)
    count = 0
    while day in days:
        day, count = day - timedelta(days=1), count + 1
    return count


def progress(
    answers: Sequence[Question],
    due: Sequence[int],
    now: datetime,
    zone: tzinfo,
    unseen: Collection[int] = (),
    annotations: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Progress:
    """Everything that the page shows; `due` is `scheduling.forecast`, the rest as for `reliance` and `features`."""
    return Progress(
        total=total(answers),
        by_class=by_class(answers),
        confusion=confusion(answers),
        weak_pairs=tuple(weak_pairs(answers)),
        curve=tuple(curve(answers)),
        times=times(answers),
        calibration=calibration(answers),
        features=features(answers, annotations),
        reliance=reliance(answers, unseen),
        due=tuple(due),
        streak=streak(answers, now, zone),
    )


def _figure(marks: Sequence[bool]) -> Figure:
    return Figure(sum(marks), len(marks))


def _times(seconds: Sequence[float]) -> Times:
    return Times(median(seconds) if seconds else None, len(seconds))
