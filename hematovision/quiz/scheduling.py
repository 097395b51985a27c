"""What to ask next: FSRS over classes and confusion pairs, each time with a fresh picture.

A topic is a class or stage (`monocyte`) or a pair that is taken for each other (`lymphocyte|monocyte`). The schedule is
a fold over the answers and nothing else, so it never disagrees with them. Intervals are FSRS's own without its fuzzing,
which would need chance and spreads hundreds of cards, not a few dozen topics.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import combinations
from types import MappingProxyType
from typing import Any

from fsrs import Card, Rating, Scheduler

from hematovision.cells import are_look_alikes, pair_of
from hematovision.quiz.questions import Question

_FSRS = Scheduler(enable_fuzzing=False)

RECENT = 10
"""Answers to a topic that tell how well it is known now."""
BLOCKS = ((0.6, 6), (0.8, 3), (1.01, 1))
"""(share right below which it holds, questions of a pair in a row): contrast first, then mixed (Monteiro 2017)."""
NEW = 1 / 3
"""Chance that a pair which is new comes before what is due: classes never asked don't wait until all else is known."""
LAST_LOOK = timedelta(days=1)
"""Before an exam every topic is due once more."""

_TIMED_FROM = 10
_LONGEST = 300.0
"""Seconds; whoever took longer was away, and nothing is known of their time."""


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Topic:
    """How well a class or a pair is known: FSRS's card, the answers to it, and the last ones right or wrong."""

    card: Card
    answers: int = 0
    recent: tuple[bool, ...] = ()

    @property
    def share_right(self) -> float:
        """Of the recent answers, in [0, 1]; 0 where there was none."""
        return sum(self.recent) / len(self.recent) if self.recent else 0.0


@dataclass(frozen=True)
class Schedule:
    """All that the answers of one learner say about what to ask next.

    `confused`: pair -> times that one was taken for the other. `run`: the topic that the last questions were asked for,
    and how many in a row. The two last fields hold the usual time of a right answer.
    """

    topics: Mapping[str, Topic] = field(default_factory=_nothing)
    confused: Mapping[str, int] = field(default_factory=_nothing)
    run: tuple[str, int] = ("", 0)
    timed: int = 0
    sum_of_logs: float = 0.0

    @property
    def usual_seconds(self) -> float | None:
        """Geometric mean of the times of right answers; None before there are ten."""
        return math.exp(self.sum_of_logs / self.timed) if self.timed >= _TIMED_FROM else None


def schedule(answers: Iterable[Question]) -> Schedule:
    """The schedule after these answers, oldest first."""
    result = Schedule()
    for question in answers:
        result = learn(result, question)
    return result


def learn(known: Schedule, question: Question) -> Schedule:
    """The schedule after one more answer; an open question changes nothing.

    An answer counts for the key's class or stage, for the pair that it was asked for, and where it is wrong for the
    pair of key and choice, which is scheduled from then on.
    """
    if question.reply is None or question.answered_at is None:
        return known
    rated = rating(question, known.usual_seconds)
    pair = pair_of(question.key, question.reply.choice)
    names = [question.key, question.topic if is_pair(question.topic) else "", "" if question.is_right else pair]
    topics = dict(known.topics)
    for name in dict.fromkeys(filter(None, names)):
        old = topics.get(name) or Topic(Card(card_id=1, due=question.answered_at))
        # An answer that comes late from another session must not set the card's clock back.
        moment = max(question.answered_at, old.card.last_review or question.answered_at)
        card, _ = _FSRS.review_card(old.card, rated, moment)
        topics[name] = Topic(card, old.answers + 1, (*old.recent[1 - RECENT :], question.is_right))
    confused = known.confused if question.is_right else {**known.confused, pair: known.confused.get(pair, 0) + 1}
    run = (question.topic, known.run[1] + 1 if question.topic == known.run[0] else 1)
    seconds = _timed(question)
    if not question.is_right or seconds is None:
        return replace(known, topics=topics, confused=confused, run=run)
    return Schedule(topics, confused, run, known.timed + 1, known.sum_of_logs + math.log(seconds))


def rating(question: Question, usual_seconds: float | None) -> Rating:
    """FSRS's rating of an answer, from correctness, time and certainty.

    Wrong: Again. A guess, or twice the learner's usual time: Hard. Sure and no slower than usual: Easy. Else: Good.
    """
    if not question.is_right:
        return Rating.Again
    certainty = question.reply.certainty if question.reply else None
    seconds = _timed(question)
    pace = seconds / usual_seconds if seconds and usual_seconds else None
    if certainty == 1 or (pace is not None and pace >= 2):
        return Rating.Hard
    return Rating.Easy if certainty == 3 and pace is not None and pace <= 1 else Rating.Good


def _timed(question: Question) -> float | None:
    return question.seconds if question.seconds and 0 < question.seconds <= _LONGEST else None


def is_pair(topic: str) -> bool:
    return "|" in topic


def members(topic: str) -> tuple[str, ...]:
    """The classes or stages that a question of this topic draws its cell from."""
    return tuple(topic.split("|"))


def due_at(topic: Topic, exam_at: datetime | None = None) -> datetime:
    """When a topic is due: as FSRS says, and once more on the day before an exam."""
    last = topic.card.last_review
    if exam_at is None or (last is not None and last >= exam_at - LAST_LOOK):
        return topic.card.due
    return min(topic.card.due, exam_at - LAST_LOOK)


def retrievability(topic: Topic, now: datetime) -> float:
    """FSRS's probability that a cell of the topic would be named rightly now, in [0, 1]."""
    return _FSRS.get_card_retrievability(topic.card, now)


def due(known: Schedule, names: Sequence[str], now: datetime, exam_at: datetime | None = None) -> list[str]:
    """The topics of these classes or stages that are due: the likeliest to be forgotten first, then the worst known."""
    found = {
        name: topic
        for name, topic in known.topics.items()
        if set(members(name)) <= set(names) and due_at(topic, exam_at) <= now
    }
    return sorted(
        found,
        key=lambda name: (
            retrievability(found[name], now),
            found[name].share_right,
            due_at(found[name], exam_at),
            name,
        ),
    )


def forecast(known: Schedule, now: datetime, days: int, exam_at: datetime | None = None) -> list[int]:
    """Topics that fall due in each of the next `days` periods of 24 hours; those overdue stand in the first."""
    counts = [0] * days
    for topic in known.topics.values():
        day = max(0, (due_at(topic, exam_at) - now) // timedelta(days=1))
        if day < days:
            counts[day] += 1
    return counts


def block_length(topic: Topic | None) -> int:
    """Questions of a pair that are asked in a row: many for a novice, one (that is, mixed) once it is known."""
    if topic is None or topic.answers < BLOCKS[0][1]:
        return BLOCKS[0][1]
    return next(length for below, length in BLOCKS if topic.share_right < below)


def next_topic(
    known: Schedule, names: Sequence[str], now: datetime, rng: random.Random, exam_at: datetime | None = None
) -> str:
    """The topic to practice: a block that was begun, what is due, a pair of look-alikes that is new, the rest mixed.

    With the chance `NEW` the new pair comes before what is due. `names` are the classes or stages that can be asked; in
    the mix one comes up to four times as often the worse it is known.
    """
    if (pair := _begun(known, names)) is not None:
        return pair
    waiting = due(known, names, now, exam_at)
    fresh = [pair for pair in look_alike_pairs(names) if pair not in known.topics]
    if fresh and (not waiting or rng.random() < NEW):
        return rng.choice(fresh)
    if waiting:
        return waiting[0]
    weights = [4 - 3 * (known.topics[name].share_right if name in known.topics else 0.0) for name in names]
    return rng.choices(list(names), weights)[0]


def next_pair(
    known: Schedule, names: Sequence[str], now: datetime, rng: random.Random, exam_at: datetime | None = None
) -> str:
    """The pair to contrast: a block that was begun, else one that is due, else a new one, else the worst known.

    Two names are their own pair. Of names that hold no look-alikes any two are contrasted.
    """
    if len(names) == 2:
        return pair_of(*names)
    if (pair := _begun(known, names)) is not None:
        return pair
    if waiting := [topic for topic in due(known, names, now, exam_at) if is_pair(topic)]:
        return waiting[0]
    pairs = look_alike_pairs(names) or [pair_of(*both) for both in combinations(names, 2)]
    if fresh := [pair for pair in pairs if pair not in known.topics]:
        return rng.choice(fresh)
    return min(pairs, key=lambda pair: (known.topics[pair].share_right, retrievability(known.topics[pair], now)))


def look_alike_pairs(names: Sequence[str]) -> list[str]:
    """The pairs of these classes or stages that are taken for each other."""
    return sorted(pair_of(*both) for both in combinations(names, 2) if are_look_alikes(*both))


def _begun(known: Schedule, names: Sequence[str]) -> str | None:
    topic, count = known.run
    if not is_pair(topic) or not set(members(topic)) <= set(names):
        return None
    return topic if count < block_length(known.topics.get(topic)) else None
