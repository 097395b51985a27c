"""The one store: SQLite in the user's folder. Each method is one transaction. Times are UTC."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hematovision.errors import InputError
from hematovision.quiz.questions import ModelAnswer, Question
from hematovision.quiz.session import Cell, Learner, Plan, Session
from hematovision.storage.database import open_database, open_in_memory
from hematovision.storage.publications import Publications
from hematovision.storage.rows import (
    ANSWERED,
    IS_OPEN,
    MODEL_COLUMNS,
    learner_of,
    model_row,
    naive,
    question_of,
    question_row,
    reply_row,
    select_sessions,
    session_of,
)
from hematovision.storage.schema import learners, members, questions, sessions


def open_store(path: Path) -> "Store":
    """The store in the file at `path`, made or brought up to date as needed. Raises DataError."""
    return Store(open_database(path))


def open_passing_store() -> "Store":
    """An empty store in memory, which is gone with the object."""
    return Store(open_in_memory())


class Store:
    """Learners, their sessions, questions and answers. Safe to share between threads.

    What belongs to another learner is not found.
    """

    def __init__(self, engine: sa.Engine):
        self._engine = engine
        # Taken at once: a transaction that reads first and writes later could be turned away in between.
        self._writing = engine.execution_options(begin="BEGIN IMMEDIATE")
        self.publications = Publications(engine)

    def learners(self) -> list[Learner]:
        """Everyone of this machine, in the order in which they came."""
        query = sa.select(learners).order_by(learners.c.created_at, learners.c.id)
        with self._engine.begin() as connection:
            return [learner_of(row) for row in connection.execute(query).mappings()]

    def learner(self, learner: str) -> Learner | None:
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(learners).where(learners.c.id == learner)).mappings().first()
        return learner_of(row) if row else None

    def enroll(self, learner: str, name: str, now: datetime, is_account: bool = False) -> Learner:
        """The learner of this name, made with this id where there is none.

        An account is known by its id, as two may have one name, and takes the name that it has now; so is whoever has
        no name yet.
        """
        handle = None if is_account or not name else name.casefold()
        known = learners.c.handle == handle if handle else learners.c.id == learner
        values = {"id": learner, "name": name or None, "handle": handle, "created_at": naive(now)}
        self._insert_once(learners, [values])
        with self._writing.begin() as connection:
            if is_account:
                connection.execute(learners.update().where(known).values(name=name or None))
            return learner_of(connection.execute(sa.select(learners).where(known)).mappings().one())

    def rename(self, learner: str, name: str) -> Learner:
        """Give a learner a name. Raises InputError where another has it."""
        mine = learners.c.id == learner
        try:
            with self._writing.begin() as connection:
                connection.execute(learners.update().where(mine).values(name=name, handle=name.casefold()))
                return learner_of(connection.execute(sa.select(learners).where(mine)).mappings().one())
        except sa.exc.IntegrityError:
            raise InputError(f"Someone here is called {name} already.", "Take another name.", kind="name") from None

    def set_exam(self, learner: str, exam_at: datetime | None) -> None:
        """When the learner's own exam is; None where there is none."""
        statement = learners.update().where(learners.c.id == learner)
        with self._writing.begin() as connection:
            connection.execute(statement.values(exam_at=naive(exam_at) if exam_at else None))

    def delete(self, learner: str) -> None:
        """Delete a learner with all sessions and answers."""
        with self._writing.begin() as connection:
            connection.execute(members.delete().where(members.c.learner == learner))
            connection.execute(questions.delete().where(questions.c.learner == learner))
            connection.execute(sessions.delete().where(sessions.c.learner == learner))
            connection.execute(learners.delete().where(learners.c.id == learner))

    def start(self, learner: str, token: str, plan: Plan, now: datetime, cells: Sequence[Cell] = ()) -> Session:
        """The session of this token; begun with these cells as its questions where there is none yet."""
        values = {
            "learner": learner,
            "token": token,
            "plan": plan.as_dict(),
            "code": plan.code or None,
            "started_at": naive(now),
            "touched_at": naive(now),
        }
        query = select_sessions().where(sessions.c.learner == learner, sessions.c.token == token)
        try:
            with self._writing.begin() as connection:
                session_id = connection.execute(sessions.insert().values(values).returning(sessions.c.id)).scalar_one()
                rows = [question_row(learner, session_id, n, cell, now) for n, cell in enumerate(cells, start=1)]
                if rows:
                    connection.execute(questions.insert(), rows)
        except sa.exc.IntegrityError:
            # Begun already, by a double click or in another tab: the learner goes on in it.
            with self._writing.begin() as connection:
                again = sessions.update().where(sessions.c.learner == learner, sessions.c.token == token)
                connection.execute(again.values(touched_at=naive(now)))
        with self._engine.begin() as connection:
            return session_of(connection.execute(query).mappings().one())

    def session(self, learner: str, session_id: int) -> Session | None:
        return self._first_session(sessions.c.learner == learner, sessions.c.id == session_id)

    def session_of_token(self, learner: str, token: str) -> Session | None:
        return self._first_session(sessions.c.learner == learner, sessions.c.token == token)

    def latest_session(self, learner: str) -> Session | None:
        """The session that the learner did something in last."""
        return self._first_session(sessions.c.learner == learner)

    def sessions(self, learner: str, may_hide: bool = False) -> list[Session]:
        """All sessions of a learner, or those that may hide keys: all that run, and attempts at published sets.

        The one touched last first.
        """
        query = select_sessions().where(sessions.c.learner == learner)
        if may_hide:
            query = query.where(sa.or_(sessions.c.ended_at.is_(None), sessions.c.code.is_not(None)))
        with self._engine.begin() as connection:
            return [session_of(row) for row in connection.execute(query).mappings()]

    def end(self, session_id: int, now: datetime) -> None:
        """End a session; a second end changes nothing."""
        statement = sessions.update().where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
        with self._writing.begin() as connection:
            connection.execute(statement.values(ended_at=naive(now)))

    def question(self, learner: str, question_id: int) -> Question | None:
        query = sa.select(questions).where(questions.c.learner == learner, questions.c.id == question_id)
        with self._engine.begin() as connection:
            row = connection.execute(query).mappings().first()
        return question_of(row) if row else None

    def stopped_at(self, session_id: int) -> Question | None:
        """Where the learner stopped: the first question without an answer, else the last one."""
        query = sa.select(questions).where(questions.c.session_id == session_id)
        order = sa.case((IS_OPEN, questions.c.number)), questions.c.number.desc()
        with self._engine.begin() as connection:
            row = connection.execute(query.order_by(order[0].nulls_last(), order[1]).limit(1)).mappings().first()
        return question_of(row) if row else None

    def questions(self, session_id: int) -> list[Question]:
        """All questions of a session by number."""
        query = sa.select(questions).where(questions.c.session_id == session_id).order_by(questions.c.number)
        with self._engine.begin() as connection:
            return [question_of(row) for row in connection.execute(query).mappings()]

    def answers(self, learner: str, without: Sequence[int] = (), after: Question | None = None) -> list[Question]:
        """All answered questions of a learner but those of some sessions, in the order of the answers.

        With `after`, those that come after this answer.
        """
        mine = questions.c.learner == learner, ANSWERED, questions.c.session_id.not_in(without)
        query = sa.select(questions).where(*mine)
        if after is not None:
            query = query.where(sa.not_(_up_to(after)))
        with self._engine.begin() as connection:
            rows = connection.execute(query.order_by(questions.c.answered_at, questions.c.id)).mappings()
            return [question_of(row) for row in rows]

    def count_up_to(self, last: Question, learner: str, without: Sequence[int] = ()) -> int:
        """How many answers `answers` has up to this one and with it."""
        mine = questions.c.learner == learner, ANSWERED, questions.c.session_id.not_in(without), _up_to(last)
        with self._engine.begin() as connection:
            return connection.execute(sa.select(sa.func.count()).where(*mine)).scalar_one()

    def ask(self, session: Session, number: int, cell: Cell, now: datetime) -> Question:
        """Store a question. Where that number was asked already (another tab), the stored one stays and is returned."""
        self._insert_once(questions, [question_row(session.learner, session.id, number, cell, now)])
        query = sa.select(questions).where(questions.c.session_id == session.id, questions.c.number == number)
        with self._writing.begin() as connection:
            _touch(connection, session.id, now)
            return question_of(connection.execute(query).mappings().one())

    def answer(self, question: Question) -> Question:
        """Store an answer. Returns what is stored: the first answer.

        The clock of the session's next question, where it is drawn already, starts now.
        """
        assert question.reply is not None and question.answered_at is not None
        now = naive(question.answered_at)
        values = reply_row(question.reply) | {"answered_at": now}
        left = sa.select(sa.func.min(questions.c.number)).where(questions.c.session_id == question.session_id, IS_OPEN)
        following = questions.c.session_id == question.session_id, questions.c.number == left.scalar_subquery()
        with self._writing.begin() as connection:
            mine = questions.c.id == question.id
            if connection.execute(questions.update().where(mine, IS_OPEN).values(values)).rowcount:
                connection.execute(questions.update().where(*following).values(asked_at=now))
                _touch(connection, question.session_id, question.answered_at)
            return question_of(connection.execute(sa.select(questions).where(mine)).mappings().one())

    def add_model_answer(self, question: Question, model: ModelAnswer) -> None:
        """Store what the model said of the cell of an answered question; the first one stays."""
        mine = questions.c.id == question.id, questions.c.model_label.is_(None), ANSWERED
        with self._writing.begin() as connection:
            connection.execute(questions.update().where(*mine).values(model_row(model)))

    def take_back(self, question: Question, now: datetime) -> None:
        """Take back the answer to a question if it is the last one of its session; otherwise nothing changes."""
        later = sa.select(questions.c.id).where(
            questions.c.session_id == question.session_id, questions.c.number > question.number, ANSWERED
        )
        nothing = dict.fromkeys(("choice", "certainty", "features", "region", "answered_at", *MODEL_COLUMNS))
        with self._writing.begin() as connection:
            if connection.execute(later.limit(1)).first() is None:
                mine = questions.update().where(questions.c.id == question.id, ANSWERED)
                connection.execute(mine.values(nothing | {"asked_at": naive(now)}))
                _touch(connection, question.session_id, now)

    def revise(self, question: Question) -> None:
        """Store what the learner would say after the reveal; the first one stays."""
        statement = questions.update().where(questions.c.id == question.id, questions.c.revised.is_(None), ANSWERED)
        with self._writing.begin() as connection:
            connection.execute(statement.values(revised=question.revised))

    def dispute(self, question: Question) -> None:
        """Store the reason of a dispute; a later one replaces it."""
        statement = questions.update().where(questions.c.id == question.id)
        with self._writing.begin() as connection:
            connection.execute(statement.values(dispute=question.dispute))

    def withdraw(self, question: Question) -> None:
        """Take back an unanswered question, whose picture cannot be shown."""
        with self._writing.begin() as connection:
            connection.execute(questions.delete().where(questions.c.id == question.id, IS_OPEN))

    def seen(self, learner: str) -> set[str]:
        """Ids of the pictures that the learner was asked."""
        query = sa.select(questions.c.picture_id).where(questions.c.learner == learner)
        with self._engine.begin() as connection:
            return set(connection.execute(query).scalars())

    def counts(self, learner: str, without: Sequence[int] = ()) -> tuple[int, int]:
        """(cells answered, answered right), without some sessions."""
        mine = questions.c.learner == learner, ANSWERED, questions.c.session_id.not_in(without)
        right = sa.func.coalesce(sa.func.sum(sa.cast(questions.c.choice == questions.c.key, sa.Integer)), 0)
        query = sa.select(sa.func.count(), right).where(*mine)
        with self._engine.begin() as connection:
            total, good = connection.execute(query).one()
        return int(total), int(good)

    def _first_session(self, *conditions: sa.ColumnElement[bool]) -> Session | None:
        with self._engine.begin() as connection:
            row = connection.execute(select_sessions().where(*conditions).limit(1)).mappings().first()
        return session_of(row) if row else None

    def _insert_once(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        try:
            with self._writing.begin() as connection:
                connection.execute(table.insert(), rows)
        except sa.exc.IntegrityError:
            pass  # it is there already


def _up_to(last: Question) -> sa.ColumnElement[bool]:
    assert last.answered_at is not None
    moment = naive(last.answered_at)
    same = sa.and_(questions.c.answered_at == moment, questions.c.id <= last.id)
    return sa.or_(questions.c.answered_at < moment, same)


def _touch(connection: sa.Connection, session_id: int, now: datetime) -> None:
    connection.execute(sessions.update().where(sessions.c.id == session_id).values(touched_at=naive(now)))
