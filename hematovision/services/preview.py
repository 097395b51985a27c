"""A set as a student meets it, before it is published."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from hematovision.quiz.session import SET, Session
from hematovision.quiz.sets import QuizSet
from hematovision.services.attempts import Remark, cells_of, plan_of, remark_of
from hematovision.services.pictures import Pictures
from hematovision.services.practice import Practice
from hematovision.storage.store import open_passing_store

CODE = "preview"


@dataclass(frozen=True)
class Preview:
    """An attempt in a store of its own, which is gone with this object: keep it in the session of the browser.

    Its questions count from 1, as those of every store do: `learner` is of this preview alone, and tells them apart.
    `practice` with `learner` and `session_id` does what it does for a student, by the policy of the set; so
    `replace(services, practice=preview.practice)` shows it on a student's page.
    """

    practice: Practice
    learner: str
    session_id: int
    quiz_set: QuizSet

    @property
    def session(self) -> Session:
        """The attempt as it is now."""
        return self.practice.session(self.learner, self.session_id)

    def remark(self, question_id: int) -> Remark:
        """As `Attempts.remark`."""
        return remark_of(self.quiz_set, self.practice.reveal(self.learner, question_id).picture_id)


def open_preview(quiz_set: QuizSet, pictures: Pictures, clock: Callable[[], datetime], rng: random.Random) -> Preview:
    """A preview of a set whose cells all have keys, whatever its open and close dates."""
    store = open_passing_store()
    quiz_set = replace(quiz_set, policy=replace(quiz_set.policy, opens_at=None, closes_at=None))
    learner = f"{CODE}-{rng.getrandbits(64):016x}"
    store.enroll(learner, "", clock())
    begun = store.start(learner, SET, plan_of(quiz_set, CODE), clock(), cells_of(quiz_set, CODE))
    return Preview(Practice(store, pictures, clock, rng), learner, begun.id, quiz_set)
