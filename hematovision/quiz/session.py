"""A running quiz as a value: what was planned, how far it is, and what may be done next.

Pure: the clock comes as an argument. A `Session` holds no key, so it can be shown at any time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from hematovision.errors import InputError, unknown
from hematovision.quiz import drill, policy
from hematovision.quiz import questions as steps
from hematovision.quiz.grading import check_rule, most_points, points
from hematovision.quiz.policy import FREE, Policy, Sight
from hematovision.quiz.questions import MOST_CHOICES, Question, Reply

MODES: Mapping[str, str] = MappingProxyType(
    {
        "practice": "Cells as you need them: what is due, what you mix up, and the rest mixed.",
        "due": "Only what is due for review.",
        "contrast": "Two look-alikes at a time.",
        drill.MODE: "Name what you see first, then the cell. Your features are compared with the experts' annotation.",
        "pitfalls": "Real cells; on about half of them the model is wrong.",
        "exam": "A fixed number of cells against the clock; the keys come at the end.",
        "differential": "A slide of white cells to tally; the keys come at the end.",
    }
)
"""Mode -> what it says to the learner."""

KEYS_AT_THE_END = ("exam", "differential")
"""Modes that draw all their cells at the start and show no key before the end."""

SET = "set"
"""The mode of an attempt at a published set, which runs by the set's policy. None of `MODES`: a join code begins it."""

SLIDES = (100, 200)
"""White cells of a differential."""


@dataclass(frozen=True)
class Plan:
    """What is asked, and how. `length` and `minutes` are for exams and differentials; 0 minutes are no limit.

    `choices` is the number of choices of a question, as far as the scope has them. `code`, `version` and `policy` are
    those of a published set. Raises InputError.
    """

    mode: str = "practice"
    scope: str = "core_four"
    choices: int = MOST_CHOICES
    length: int = 0
    minutes: int = 0
    grading: str = "plain"
    code: str = ""
    version: int = 0
    policy: Policy = FREE

    def __post_init__(self) -> None:
        if self.mode not in (*MODES, SET):
            raise unknown("mode", self.mode, MODES)
        if (self.mode == SET) != bool(self.code):
            raise InputError("A join code and a published set go together.", "Begin the set anew.", kind="plan")
        check_rule(self.grading)
        if not 2 <= self.choices <= MOST_CHOICES:
            raise InputError(f"{self.choices} choices cannot be shown.", f"Take 2 to {MOST_CHOICES}.", kind="plan")
        if self.mode == "exam" and (self.length < 1 or self.minutes < 1):
            raise InputError("An exam has a number of cells and a time.", "Take at least 1 of each.", kind="plan")
        if self.mode == "differential" and self.length not in SLIDES:
            raise InputError("A differential has 100 or 200 cells.", "Take one of them.", kind="plan")
        if self.mode not in KEYS_AT_THE_END and (self.length or self.minutes):
            raise InputError(f"The mode {self.mode} has no end.", "Leave length and minutes out.", kind="plan")

    def as_dict(self) -> dict[str, Any]:
        """What `of` takes, ready for JSON."""
        values = dict(self.__dict__) | {"policy": self.policy.as_dict()}
        if self.mode != SET:
            for name in ("code", "version", "policy"):
                del values[name]
        return values

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Plan":
        return cls(**{**values, "policy": policy.parse(values.get("policy"))})


LONGEST_NAME = 64
"""Letters of a learner's name."""


@dataclass(frozen=True)
class Learner:
    """Who practices: on one's own machine a name chosen once, empty before; with sign-in, the account's id and name.

    `exam_at` is when their own exam is, which the schedule works towards.
    """

    id: str
    name: str = ""
    exam_at: datetime | None = None


@dataclass(frozen=True)
class Cell:
    """A cell that was drawn to be asked, with its key, its choices and the topic that it was drawn for."""

    picture_id: str
    key: str
    choices: tuple[str, ...]
    topic: str = ""


@dataclass(frozen=True)
class Session:
    """One run of a plan by one learner. `asked` and `answered` count its questions; `ended_at` is None as it runs."""

    id: int
    learner: str
    plan: Plan
    started_at: datetime
    ended_at: datetime | None = None
    asked: int = 0
    answered: int = 0

    @property
    def deadline(self) -> datetime | None:
        """When the time is over, by the server's clock; None where there is no limit."""
        if self.plan.mode == SET:
            return policy.ends_at(self.plan.policy, self.started_at)
        return self.started_at + timedelta(minutes=self.plan.minutes) if self.plan.minutes else None

    def seconds_left(self, now: datetime) -> float | None:
        """Seconds until the deadline, 0 after it; None where there is no limit."""
        return max(0.0, (self.deadline - now).total_seconds()) if self.deadline else None

    def is_over(self, now: datetime) -> bool:
        """Whether it was ended, its time is over or, where all cells were drawn at the start, the last is answered.

        The last tally of a differential can still be undone: it is over when the learner says so.
        """
        if self.ended_at is not None or (self.deadline is not None and now >= self.deadline):
            return True
        return self.plan.mode in ("exam", SET) and 0 < self.asked <= self.answered

    @property
    def has_fixed_cells(self) -> bool:
        return self.plan.mode in (*KEYS_AT_THE_END, SET)

    def sight(self, is_answered: bool, now: datetime) -> Sight:
        """What the learner may see now of a question, and of how the session went."""
        if self.plan.mode == SET:
            return policy.sight(self.plan.policy, is_answered, self.is_over(now))
        key = self.is_over(now) if self.has_fixed_cells else is_answered
        return Sight(key, key, points=key or not self.has_fixed_cells)

    def shows_key(self, question: Question, now: datetime) -> bool:
        """Whether the learner may see the key of a question now."""
        return self.sight(not question.is_open, now).key

    def shows_model(self, question: Question, now: datetime) -> bool:
        """Whether the learner may see now what the model says of the cell of a question."""
        return self.sight(not question.is_open, now).model

    def hides_answers(self, now: datetime) -> bool:
        """Whether it keeps back the keys of what was answered, now or for ever."""
        return not self.sight(True, now).key


def commit(session: Session, question: Question, reply: Reply, now: datetime) -> Question:
    """The answered question. A second answer changes nothing. Raises InputError after the end."""
    if question.is_open and session.is_over(now):
        raise InputError("The time is over.", "See how it went.", kind="over")
    if question.is_open and session.plan.grading == "certainty":
        points("certainty", question.key, reply.choice, reply.certainty)  # raises where no certainty was given
    return steps.commit(question, reply, now)


def revise(session: Session, question: Question, choice: str, now: datetime) -> Question:
    """The question with what the learner would say after the reveal; never graded. Raises InputError before it."""
    return steps.revise(_revealed(session, question, now), choice)


def dispute(session: Session, question: Question, reason: str, now: datetime) -> Question:
    """The question with the reason why its key is doubted. Raises InputError before the reveal."""
    return steps.dispute(_revealed(session, question, now), reason)


def undo(session: Session, question: Question, now: datetime) -> Question:
    """The last tally of a differential taken back. Raises InputError elsewhere, and after the end."""
    if session.plan.mode != "differential" or session.is_over(now):
        raise InputError("This answer stands.", "Only the tally of a running differential can be undone.", kind="over")
    return replace(question, reply=None, answered_at=None, model=None)


def _revealed(session: Session, question: Question, now: datetime) -> Question:
    if question.is_open or not session.shows_key(question, now):
        raise InputError("The key has not been shown yet.", "Answer first.", kind="not_yet")
    return question


@dataclass(frozen=True)
class Summary:
    """How a session went. `points` follow the rule of its plan; questions without an answer bring 0.

    `most_points` is what right answers to all questions that were asked could have brought.
    """

    asked: int
    answered: int
    right: int
    points: float
    most_points: float
    seconds: float
    questions: tuple[Question, ...]


def summary(session: Session, questions: Sequence[Question], now: datetime) -> Summary:
    """How it went, with the keys of all questions that may be seen.

    Raises InputError before an exam's end, and always of a set that never tells.
    """
    if session.plan.mode == SET and session.plan.policy.feedback == "never":
        raise InputError("This set keeps its keys.", "Your answers are stored for your instructor.", kind="never")
    if not session.sight(True, now).points:
        raise InputError("The keys come at the end.", "Go on, or end it.", kind="not_yet")
    return score(session.plan, [question for question in questions if session.shows_key(question, now)])


def score(plan: Plan, seen: Sequence[Question]) -> Summary:
    """What these questions brought, whatever may be shown: it holds their keys."""
    rule = plan.grading
    answered = [question for question in seen if question.reply is not None]
    return Summary(
        asked=len(seen),
        answered=len(answered),
        right=sum(question.is_right for question in answered),
        points=sum(_points(rule, question) for question in answered),
        most_points=len(seen) * most_points(rule),
        seconds=sum(question.seconds or 0.0 for question in answered),
        questions=tuple(seen),
    )


def _points(rule: str, question: Question) -> float:
    assert question.reply is not None
    return points(rule, question.key, question.reply.choice, question.reply.certainty)
