"""Published sets, who joined them, and all that a class answered. Each method is one transaction. Times are UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from hematovision.quiz.publication import Publication
from hematovision.quiz.questions import Question
from hematovision.quiz.session import Learner, Session
from hematovision.storage.rows import (
    ANSWERED,
    learner_of,
    naive,
    publication_of,
    publication_row,
    question_of,
    select_sessions,
    session_of,
)
from hematovision.storage.schema import learners, members, publications, questions, sessions


@dataclass(frozen=True)
class Member:
    """A student who joined a set."""

    learner: Learner
    joined_at: datetime


class Publications:
    """Safe to share between threads."""

    def __init__(self, engine: sa.Engine):
        self._engine = engine
        self._writing = engine.execution_options(begin="BEGIN IMMEDIATE")

    def add(self, publication: Publication, content_hash: str) -> Publication | None:
        """The publication of this version: this one, or the one that was there. None where its code is taken.

        `content_hash` is that of the set, by which it is known again.
        """
        values = {**publication_row(publication), "content_hash": content_hash}
        try:
            with self._writing.begin() as connection:
                connection.execute(publications.insert().values(values))
        except sa.exc.IntegrityError:
            pass  # the version is there already, or the code
        return self._first(publications.c.set_id == publication.set_id, publications.c.version == publication.version)

    def get(self, code: str) -> Publication | None:
        return self._first(publications.c.code == code)

    def content_hash(self, code: str) -> str | None:
        """The hash of the set that was published."""
        with self._engine.begin() as connection:
            query = sa.select(publications.c.content_hash).where(publications.c.code == code)
            return connection.execute(query).scalar()

    def all(self, set_id: str | None = None) -> list[Publication]:
        """All publications, or those of a set; the newest first."""
        query = sa.select(publications).order_by(publications.c.published_at.desc(), publications.c.version.desc())
        if set_id is not None:
            query = query.where(publications.c.set_id == set_id)
        with self._engine.begin() as connection:
            return [publication_of(row) for row in connection.execute(query).mappings()]

    def close(self, code: str, now: datetime) -> None:
        """Close a publication and end all attempts at it; a second time changes nothing."""
        with self._writing.begin() as connection:
            mine = publications.c.code == code, publications.c.closed_at.is_(None)
            connection.execute(publications.update().where(*mine).values(closed_at=naive(now)))
            running = sessions.c.code == code, sessions.c.ended_at.is_(None)
            connection.execute(sessions.update().where(*running).values(ended_at=naive(now)))

    def join(self, code: str, learner: str, now: datetime) -> None:
        """Note that a learner joined; a second time changes nothing."""
        values = {"code": code, "learner": learner, "joined_at": naive(now)}
        mine = members.c.code == code, members.c.learner == learner
        with self._writing.begin() as connection:
            if connection.execute(sa.select(members).where(*mine)).first() is None:
                connection.execute(members.insert().values(values))

    def joined(self, learner: str) -> list[Publication]:
        """What a learner joined, the latest first."""
        query = sa.select(publications).join(members, members.c.code == publications.c.code)
        query = query.where(members.c.learner == learner).order_by(members.c.joined_at.desc(), publications.c.code)
        with self._engine.begin() as connection:
            return [publication_of(row) for row in connection.execute(query).mappings()]

    def members(self, code: str) -> list[Member]:
        """Who joined, in the order in which they came."""
        query = sa.select(learners, members.c.joined_at).join(members, members.c.learner == learners.c.id)
        query = query.where(members.c.code == code).order_by(members.c.joined_at, learners.c.name, learners.c.id)
        with self._engine.begin() as connection:
            rows = connection.execute(query).mappings()
            return [Member(learner_of(row), row["joined_at"].replace(tzinfo=UTC)) for row in rows]

    def attempts(self, code: str, learner: str | None = None) -> list[Session]:
        """Attempts of all, or of a learner; the first one first."""
        query = select_sessions().order_by(None).order_by(sessions.c.id).where(sessions.c.code == code)
        if learner is not None:
            query = query.where(sessions.c.learner == learner)
        with self._engine.begin() as connection:
            return [session_of(row) for row in connection.execute(query).mappings()]

    def questions(self, attempts: Sequence[Session]) -> dict[int, list[Question]]:
        """Session -> its questions by number."""
        found: dict[int, list[Question]] = {attempt.id: [] for attempt in attempts}
        query = sa.select(questions).where(questions.c.session_id.in_(list(found)))
        with self._engine.begin() as connection:
            for row in connection.execute(query.order_by(questions.c.session_id, questions.c.number)).mappings():
                found[row["session_id"]].append(question_of(row))
        return found

    def answered(self) -> dict[str, int]:
        """Picture -> how many learners named it in an attempt at any published set."""
        query = sa.select(questions.c.picture_id, sa.func.count(questions.c.learner.distinct()))
        query = query.join(sessions, sessions.c.id == questions.c.session_id)
        query = query.where(sessions.c.code.is_not(None), ANSWERED).group_by(questions.c.picture_id)
        with self._engine.begin() as connection:
            return {picture_id: count for picture_id, count in connection.execute(query)}  # noqa: C416

    def _first(self, condition: sa.ColumnElement[bool], *more: sa.ColumnElement[bool]) -> Publication | None:
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(publications).where(condition, *more)).mappings().first()
        return publication_of(row) if row else None
