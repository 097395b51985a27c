"""Practice: start, ask, commit, reveal, revise, next. Every step is in the store before it is shown: a reload, a crash
or another device goes on where the learner was.

Each call takes the learner's id. What is returned before the answer, and in an exam before its end, holds no key.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from hematovision.cells import display_name
from hematovision.errors import ImageError, InputError, ModelError
from hematovision.quiz import differential, drill, scheduling, session, table
from hematovision.quiz.differential import Differential
from hematovision.quiz.progress import Progress, progress
from hematovision.quiz.questions import Asked, ModelAnswer, Question, Reply
from hematovision.quiz.scheduling import Schedule
from hematovision.quiz.session import LONGEST_NAME, Learner, Plan, Session, Summary
from hematovision.services.asking import Asking
from hematovision.services.pictures import Pictures
from hematovision.services.schedules import Schedules
from hematovision.storage.store import Store
from hematovision.vision.trust import NOT_BLOOD

LEARNER = "local"
"""Who practices on a machine of one's own before a name was chosen."""

FORECAST_DAYS = 14


@dataclass(frozen=True)
class Tally:
    """A running differential: choice -> count, cells tallied of all, and the last tally, which can be undone."""

    counts: dict[str, int]
    tallied: int
    asked: int
    last: Asked | None


@dataclass(frozen=True)
class Due:
    """Topics that are due now, and when the next one will be; None where nothing was practiced."""

    count: int
    next_at: datetime | None


class Practice:
    """Safe to share between threads, and between processes that open the same store."""

    def __init__(self, store: Store, pictures: Pictures, clock: Callable[[], datetime], rng: random.Random):
        self._store, self._pictures, self._clock, self._rng = store, pictures, clock, rng
        self._asking = Asking(pictures, rng)
        self._schedules = Schedules(store)

    # Who learns

    def learners(self) -> list[Learner]:
        """Everyone who practices on this machine."""
        return self._store.learners()

    def enroll(self, name: str, account: str = "") -> Learner:
        """The learner of this name, known from now on; with sign-in, the one of this account. Raises InputError."""
        learner = account or f"{self._rng.getrandbits(64):016x}"
        return self._store.enroll(learner, _checked(name), self._clock(), is_account=bool(account))

    def rename(self, learner: str, name: str) -> Learner:
        """Give the learner a name; so one who began without a name keeps their answers. Raises InputError."""
        self._known(learner)
        return self._store.rename(learner, _checked(name))

    def set_exam(self, learner: str, exam_at: datetime | None) -> None:
        """When the learner's own exam is: every topic is due once more on the day before. None: there is none."""
        self._known(learner)
        self._store.set_exam(learner, exam_at)

    def exam(self, learner: str) -> datetime | None:
        """When the learner's own exam is; None where there is none, or it is over."""
        found = self._store.learner(learner)
        return found.exam_at if found and found.exam_at and found.exam_at > self._clock() else None

    def forget(self, learner: str) -> None:
        """Delete the learner and all their answers."""
        self._store.delete(learner)

    # The running quiz

    def scopes(self) -> dict[str, str]:
        """What can be practiced: scope -> what it is called. `own:` and names with commas are a scope, too."""
        return self._asking.scopes()

    def start(self, learner: str, plan: Plan) -> Session:
        """Begin a session, or go on in the one with the same plan that still runs: two clicks begin one.

        Endless modes have one session a plan for ever. A set brings its own rule of grading. Raises InputError.
        """
        if plan.mode == session.SET:
            raise InputError("A published set begins with its join code.", "Join it first.", kind="plan")
        quiz_set = self._asking.quiz_set(plan.scope)
        if quiz_set is not None:
            plan = replace(plan, grading=quiz_set.grading)
        now = self._clock()
        if self._store.learner(learner) is None:
            self._store.enroll(learner, "", now)
        token = "/".join(str(part) for part in plan.as_dict().values() if part)
        if plan.mode not in session.KEYS_AT_THE_END:
            return self._store.start(learner, token, plan, now)
        attempt = 1
        while found := self._store.session_of_token(learner, f"{token}/{attempt}"):
            if not self._settled(found).is_over(now):
                break
            attempt += 1
        cells = [] if found else self._asking.all(plan, self._schedule(learner), self._store.seen(learner))
        return self._settled(self._store.start(learner, f"{token}/{attempt}", plan, now, cells))

    def current(self, learner: str) -> Session | None:
        """The session that the learner did something in last; None at the very start."""
        latest = self._store.latest_session(learner)
        return self._settled(latest) if latest else None

    def sessions(self, learner: str) -> list[Session]:
        """All sessions, the one touched last first."""
        return [self._settled(found) for found in self._store.sessions(learner)]

    def session(self, learner: str, session_id: int) -> Session:
        """Raises InputError where the learner has no such session."""
        found = self._store.session(learner, session_id)
        if found is None:
            raise InputError("This quiz is no longer there.", "Start another one.", kind="gone")
        return self._settled(found)

    def asked(self, learner: str, session_id: int) -> Asked | None:
        """Where the learner stopped: an open question, or one just answered; None before the first.

        None also where its picture has left the library or was damaged: `next` passes it over.
        """
        latest = self._store.stopped_at(self.session(learner, session_id).id)
        return latest.asked if latest and self._asking.can_show(latest.picture_id) else None

    def next(self, learner: str, session_id: int) -> Asked | None:
        """The open question, or a new one; None where the session is over or nothing is due.

        Raises InputError where the library has no picture for it, ModelError where pitfalls have no model.
        """
        running = self.session(learner, session_id)
        now = self._clock()
        latest = self._store.stopped_at(running.id)
        while latest and latest.is_open:
            if running.is_over(now):
                return None
            if self._asking.can_show(latest.picture_id):
                return latest.asked
            if running.plan.mode == session.SET:
                raise _unseen()  # every student has the same cells
            self._store.withdraw(latest)
            latest = self._store.stopped_at(running.id)
        if running.has_fixed_cells or running.is_over(now):
            return None
        known, seen = self._schedule(learner), self._store.seen(learner)
        cell = self._asking.one(running.plan, known, seen, now, self.exam(learner))
        return self._store.ask(running, latest.number + 1 if latest else 1, cell, now).asked if cell else None

    def features(self, running: Session, asked: Asked) -> tuple[str, ...]:
        """The attributes to name before the class, the same ones each time; none but in the drill."""
        return self._asking.features(asked) if running.plan.mode == drill.MODE else ()

    def commit(self, learner: str, question_id: int, reply: Reply) -> Asked:
        """Store the answer, then what the model says of the cell. A second answer changes nothing.

        A model or a picture that cannot be read or has gone costs the learner nothing. Raises InputError where the time
        is over, or another question of the session comes first.
        """
        question = self._question(learner, question_id)
        if not question.is_open:
            return question.asked
        running = self.session(learner, question.session_id)
        first = self._store.stopped_at(running.id)
        if first is None or first.number < question.number:
            raise _stale()
        stored = self._store.answer(session.commit(running, question, reply, self._clock()))
        may_show = running.plan.policy.show_model
        if may_show and stored.model is None and (model := self._model_answer(stored.picture_id)):
            self._store.add_model_answer(stored, model)
        return stored.asked

    def reveal(self, learner: str, question_id: int) -> Question:
        """The question with its key. Raises InputError before the answer, and in an exam before its end."""
        question = self._question(learner, question_id)
        if not self.session(learner, question.session_id).shows_key(question, self._clock()):
            raise InputError("The key has not been shown yet.", "Answer first.", kind="not_yet")
        return question

    def revise(self, learner: str, question_id: int, choice: str) -> Question:
        """Store what the learner would say after the reveal, the same choice where they stay; never graded."""
        question = self._question(learner, question_id)
        running = self.session(learner, question.session_id)
        self._store.revise(session.revise(running, question, choice, self._clock()))
        return self._question(learner, question_id)

    def dispute(self, learner: str, question_id: int, reason: str) -> Question:
        """Store why the learner doubts the key; a later reason replaces it."""
        question = self._question(learner, question_id)
        running = self.session(learner, question.session_id)
        self._store.dispute(session.dispute(running, question, reason, self._clock()))
        return self._question(learner, question_id)

    def undo(self, learner: str, question_id: int) -> Asked:
        """Take back the last tally of a differential; a second click on the same undo changes nothing."""
        question = self._question(learner, question_id)
        running = self.session(learner, question.session_id)
        now = self._clock()
        self._store.take_back(session.undo(running, question, now), now)
        return self._question(learner, question_id).asked

    def tally(self, learner: str, session_id: int) -> Tally:
        """How far a differential is, by the learner's own answers."""
        questions = self._store.questions(self.session(learner, session_id).id)
        done = [question.asked for question in questions if not question.is_open]
        counts = Counter(asked.reply.choice for asked in done if asked.reply)
        names = questions[0].choices if questions else ()
        return Tally({name: counts[name] for name in names}, len(done), len(questions), done[-1] if done else None)

    def finish(self, learner: str, session_id: int) -> Session:
        """End an exam or a differential before its time."""
        running = self.session(learner, session_id)
        if running.has_fixed_cells:
            self._store.end(running.id, self._clock())
        return self.session(learner, session_id)

    def summary(self, learner: str, session_id: int) -> Summary:
        """How a session went. Raises InputError before an exam's end."""
        running = self.session(learner, session_id)
        return session.summary(running, self._store.questions(running.id), self._clock())

    def differential(self, learner: str, session_id: int) -> Differential:
        """The result of a differential. Raises InputError before its end."""
        return differential.result(self.summary(learner, session_id).questions)

    # What the learner knows

    def counts(self, learner: str) -> tuple[int, int]:
        """(cells answered, answered right), without those of a running exam."""
        return self._store.counts(learner, without=self._hidden(learner))

    def due(self, learner: str, scope: str = "all_eight") -> Due:
        """What is due in a scope."""
        exam_at = self.exam(learner)
        names = [name for name, pictures in self._asking.pool(scope).items() if pictures]
        known, now = self._schedule(learner), self._clock()
        moments = [
            scheduling.due_at(topic, exam_at)
            for name, topic in known.topics.items()
            if set(scheduling.members(name)) <= set(names)
        ]
        return Due(sum(moment <= now for moment in moments), min(moments, default=None))

    def progress(self, learner: str, zone: tzinfo = UTC) -> Progress:
        """All that the answers say; days are those of the learner's time zone."""
        answers, now = self._answers(learner), self._clock()
        forecast = scheduling.forecast(self._schedule(learner), now, FORECAST_DAYS, self.exam(learner))
        unseen = [s.id for s in self._store.sessions(learner) if s.has_fixed_cells]
        records = self._pictures.library.records
        annotations = {q.picture_id: records[q.picture_id].attributes for q in answers if q.picture_id in records}
        return progress(answers, forecast, now, zone, unseen, annotations)

    def export(self, learner: str) -> dict[str, Any]:
        """All that is stored of a learner, ready for JSON; keys of a running exam stay out."""
        found = self._known(learner)
        return {
            "learner": {"name": found.name, "exam_at": found.exam_at.isoformat() if found.exam_at else None},
            "sessions": [
                {"session": s.id, **s.plan.as_dict(), "started_at": s.started_at.isoformat()}
                for s in self._store.sessions(learner)
            ],
            "joined": [{"code": one.code, "title": one.title} for one in self._store.publications.joined(learner)],
            "answers": self._rows(learner),
        }

    def export_csv(self, learner: str) -> str:
        """The answers as CSV."""
        return table.as_csv(self._rows(learner))

    def _rows(self, learner: str) -> list[dict[str, Any]]:
        sessions = {found.id: found for found in self._store.sessions(learner)}
        return [table.row(sessions[answer.session_id], answer) for answer in self._answers(learner)]

    def _known(self, learner: str) -> Learner:
        found = self._store.learner(learner)
        if found is None:
            raise InputError("This learner is not known here.", "Choose a name.", kind="gone")
        return found

    def _settled(self, found: Session) -> Session:
        """The session, ended in the store as soon as it is over: a clock that is set back opens no exam again."""
        now = self._clock()
        if found.ended_at is None and found.is_over(now):
            self._store.end(found.id, min(now, found.deadline or now))
            return replace(found, ended_at=min(now, found.deadline or now))
        return found

    def _question(self, learner: str, question_id: int) -> Question:
        found = self._store.question(learner, question_id)
        if found is None:
            raise _stale()
        return found

    def _schedule(self, learner: str) -> Schedule:
        return self._schedules.of(learner, self._hidden(learner))

    def _answers(self, learner: str) -> list[Question]:
        """The answers whose keys the learner may see; those of a running exam count once it is over."""
        return self._store.answers(learner, without=self._hidden(learner))

    def _hidden(self, learner: str) -> list[int]:
        """Ids of the sessions that show no key yet, or never do."""
        now = self._clock()
        found = [self._settled(one) for one in self._store.sessions(learner, may_hide=True)]
        return [one.id for one in found if one.hides_answers(now)]

    def _model_answer(self, picture_id: str) -> ModelAnswer | None:
        try:
            version, prediction = self._pictures.model_version, self._pictures.prediction(picture_id)
        except (ModelError, ImageError, InputError):
            # The reveal asks again and shows the error with its hint.
            return None
        if prediction.status == NOT_BLOOD:
            return None  # it gives no class
        return ModelAnswer(version, prediction.label, prediction.probability)


def scope_title(scopes: dict[str, str], scope: str) -> str:
    """What a scope is called, one's own choice of classes by their names."""
    own = scope.removeprefix("own:").split(",")
    return scopes.get(scope) or ", ".join(display_name(name) for name in own)


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise InputError(f"A name has 1 to {LONGEST_NAME} letters.", "Choose another one.", kind="name")
    return name


def _unseen() -> InputError:
    return InputError(
        "A picture of this set cannot be shown.", "Tell your instructor. Your answers are stored.", kind="gone"
    )


def _stale() -> InputError:
    return InputError("This question is no longer the current one.", "Go on with the one that is shown.", kind="stale")
