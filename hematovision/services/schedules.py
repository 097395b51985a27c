"""Schedules of many learners, kept between questions: ten thousand answers would take a third of a second to fold."""

import threading
from dataclasses import dataclass

from hematovision.quiz import scheduling
from hematovision.quiz.questions import Question
from hematovision.quiz.scheduling import Schedule
from hematovision.storage.store import Store

_MOST_LEARNERS = 256
"""Whose schedules are kept in memory."""


@dataclass(frozen=True)
class _Folded:
    """A schedule, the last answer in it, and how many there are."""

    known: Schedule
    last: Question
    count: int


class Schedules:
    """Safe to share between threads."""

    def __init__(self, store: Store):
        self._store = store
        self._lock = threading.Lock()
        self._folded: dict[str, _Folded] = {}

    def of(self, learner: str, hidden: list[int]) -> Schedule:
        """The learner's schedule, without the answers of the sessions `hidden`, folded on from where it was last.

        Where an answer before that was taken back, or an exam ended since, it is folded anew.
        """
        with self._lock:
            folded = self._folded.pop(learner, None)
        if folded and self._store.count_up_to(folded.last, learner, hidden) == folded.count:
            known, last, count = folded.known, folded.last, folded.count
            new = self._store.answers(learner, hidden, after=last)
        else:
            known, last, count = Schedule(), None, 0
            new = self._store.answers(learner, hidden)
        for answer in new:
            known, last, count = scheduling.learn(known, answer), answer, count + 1
        if last is not None:
            with self._lock:
                self._folded[learner] = _Folded(known, last, count)
                while len(self._folded) > _MOST_LEARNERS:
                    del self._folded[next(iter(self._folded))]
        return known
