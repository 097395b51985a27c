"""What a class answered to a published set: each student cell by cell, and each cell's share right. Pure.

It holds every key: for instructors only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hematovision.quiz import policy
from hematovision.quiz.progress import Figure
from hematovision.quiz.publication import Publication, picture_id_of
from hematovision.quiz.questions import Question
from hematovision.quiz.session import Learner, Session, score
from hematovision.quiz.sets import QuizSet


@dataclass(frozen=True)
class Attempt:
    """One attempt of a student; `answers` are by the place of the cell in the set, from 1, as every student has them.

    `number` counts the student's attempts from 1. `is_passed` is None without a pass mark, and while it runs, as
    `ended_at` is.
    """

    number: int
    session: Session
    ended_at: datetime | None
    answers: Mapping[int, Question]
    answered: int
    right: int
    points: float
    most_points: float
    seconds: float
    is_passed: bool | None

    @property
    def has_ended(self) -> bool:
        return self.ended_at is not None


@dataclass(frozen=True)
class Student:
    """A student who joined, with all attempts, the first one first."""

    learner: Learner
    joined_at: datetime
    attempts: tuple[Attempt, ...] = ()

    @property
    def state(self) -> str:
        """`joined`: not begun; `running`; `ended`: no attempt runs."""
        if not self.attempts:
            return "joined"
        return "ended" if all(attempt.has_ended for attempt in self.attempts) else "running"


@dataclass(frozen=True)
class ItemResult:
    """A cell of the set: `right` of n students who answered it in their first attempt, and what they said.

    Later attempts are left out: by then a student may have seen the key. `disputes` are the reasons of those who
    dispute the key, in any attempt.
    """

    number: int
    picture_id: str
    key: str
    second_key: str | None
    right: Figure
    choices: Mapping[str, int]
    disputes: tuple[str, ...]


@dataclass(frozen=True)
class Results:
    """All of a publication. `students` are in the order in which they joined, `items` in that of the set."""

    publication: Publication
    quiz_set: QuizSet
    students: tuple[Student, ...]
    items: tuple[ItemResult, ...]

    def count(self, state: str) -> int:
        """Students in a state: `joined`, `running` or `ended`."""
        return sum(student.state == state for student in self.students)


def results(
    publication: Publication,
    quiz_set: QuizSet,
    members: Sequence[tuple[Learner, datetime]],
    sessions: Sequence[Session],
    questions: Mapping[int, Sequence[Question]],
    now: datetime,
) -> Results:
    """`members` with when they joined, their `sessions` in order, and session id -> its questions."""
    places = {picture_id_of(cell.picture): number for number, cell in enumerate(quiz_set.cells, start=1)}
    by_learner: dict[str, list[Attempt]] = {}
    for session in sessions:
        mine = by_learner.setdefault(session.learner, [])
        mine.append(_attempt(len(mine) + 1, session, questions[session.id], places, now))
    students = tuple(Student(who, at, tuple(by_learner.get(who.id, ()))) for who, at in members)
    all_answers = [attempt.answers for student in students for attempt in student.attempts]
    first = [student.attempts[0].answers for student in students if student.attempts]
    items = []
    for number, cell in enumerate(quiz_set.cells, start=1):
        answered = [found for answers in first if (found := answers.get(number)) and found.reply]
        figure = Figure(sum(question.is_right for question in answered), len(answered))
        said = Counter(question.reply.choice for question in answered if question.reply)
        counts = {choice: said[choice] for choice in quiz_set.choices}
        disputes = [found.dispute for answers in all_answers if (found := answers.get(number)) and found.dispute]
        picture_id = picture_id_of(cell.picture)
        item = ItemResult(number, picture_id, cell.key or "", cell.second_key, figure, counts, tuple(disputes))
        items.append(item)
    return Results(publication, quiz_set, students, tuple(items))


def _attempt(
    number: int, session: Session, questions: Sequence[Question], places: Mapping[str, int], now: datetime
) -> Attempt:
    found = score(session.plan, questions)
    ended_at = _ended_at(session, questions, now)
    passed = policy.is_passed(session.plan.policy, found.points, found.most_points) if ended_at else None
    answers = {places[question.picture_id]: question for question in questions}
    return Attempt(
        number,
        session,
        ended_at,
        dict(sorted(answers.items())),
        found.answered,
        found.right,
        found.points,
        found.most_points,
        found.seconds,
        passed,
    )


def _ended_at(session: Session, questions: Sequence[Question], now: datetime) -> datetime | None:
    """When it ended, also where the student has not come back since; None while it runs."""
    if session.ended_at or not session.is_over(now):
        return session.ended_at
    times = [question.answered_at for question in questions if question.answered_at]
    return max(times) if len(times) == len(questions) else session.deadline
