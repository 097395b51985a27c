"""The one store: SQLite in the user's folder. Each method is one transaction. Times are UTC."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hematovision.errors import DataError
from hematovision.quiz.questions import Asked, Question
from hematovision.storage.schema import questions

HEAD = "0001"
"""The newest migration."""

_MIGRATIONS = Path(__file__).parent / "migrations"


class Store:
    """Questions and answers. Safe to share between threads."""

    def __init__(self, engine: sa.Engine):
        self._engine = engine

    def latest(self, learner: str) -> Asked | None:
        """The learner's newest question, answered or not."""
        query = sa.select(questions).where(questions.c.learner == learner).order_by(questions.c.number.desc()).limit(1)
        with self._engine.begin() as connection:
            row = connection.execute(query).mappings().first()
        return _asked(row) if row else None

    def ask(
        self, learner: str, number: int, scope: str, picture_id: str, key: str, choices: Sequence[str], now: datetime
    ) -> Asked:
        """Store a question. Where that number was asked already (another tab), the stored one stays and is returned."""
        values = {
            "learner": learner,
            "number": number,
            "scope": scope,
            "picture_id": picture_id,
            "key": key,
            "choices": list(choices),
            "asked_at": _naive(now),
        }
        query = sa.select(questions).where(questions.c.learner == learner, questions.c.number == number)
        try:
            with self._engine.begin() as connection:
                connection.execute(questions.insert().values(values))
        except sa.exc.IntegrityError:
            pass  # asked already
        with self._engine.begin() as connection:
            return _asked(connection.execute(query).mappings().one())

    def answer(
        self, question: Question, model_version: str | None, model_label: str | None, model_probability: float | None
    ) -> None:
        """Store an answer, and what the model said where it said anything. A second answer changes nothing."""
        values = {
            "choice": question.choice,
            "answered_at": _naive(question.answered_at) if question.answered_at else None,
            "model_version": model_version,
            "model_label": model_label,
            "model_probability": model_probability,
        }
        statement = questions.update().where(questions.c.id == question.id, questions.c.choice.is_(None)).values(values)
        with self._engine.begin() as connection:
            connection.execute(statement)

    def withdraw(self, learner: str, number: int) -> None:
        """Take back an unanswered question, so that the next one is drawn from another scope."""
        statement = questions.delete().where(
            questions.c.learner == learner, questions.c.number == number, questions.c.choice.is_(None)
        )
        with self._engine.begin() as connection:
            connection.execute(statement)

    def seen(self, learner: str) -> set[str]:
        """Ids of the pictures that the learner was asked."""
        query = sa.select(questions.c.picture_id).where(questions.c.learner == learner)
        with self._engine.begin() as connection:
            return set(connection.execute(query).scalars())

    def counts(self, learner: str) -> tuple[int, int]:
        """(cells answered, answered right)."""
        answered = questions.c.choice.is_not(None)
        right = sa.func.coalesce(sa.func.sum(sa.cast(questions.c.choice == questions.c.key, sa.Integer)), 0)
        query = sa.select(sa.func.count(), right).where(questions.c.learner == learner, answered)
        with self._engine.begin() as connection:
            total, good = connection.execute(query).one()
        return int(total), int(good)


def open_store(path: Path) -> Store:
    """Open the database at `path`, made or brought up to date as needed. Raises DataError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A connection for each transaction, closed after it: SQLite opens one in a fraction of a millisecond.
        engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 15}, poolclass=sa.NullPool)
        sa.event.listen(engine, "connect", _configure)
        with engine.begin() as connection:
            _migrate(connection)
    except (OSError, sa.exc.DatabaseError) as error:
        raise DataError(
            f"The file with your answers, {path}, cannot be opened.", "Check that it is yours to write and not damaged."
        ) from error
    return Store(engine)


def _configure(connection: Any, _record: Any) -> None:
    # WAL: a reader never waits for a writer, and a killed process loses nothing that was committed.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _migrate(connection: sa.Connection) -> None:
    if sa.inspect(connection).has_table("alembic_version"):
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        if version == HEAD:
            return
    # Alembic takes longer to import than all the rest; most starts need no migration.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _asked(row: Mapping[Any, Any]) -> Asked:
    question = Question(
        id=row["id"],
        picture_id=row["picture_id"],
        key=row["key"],
        choices=tuple(row["choices"]),
        asked_at=row["asked_at"].replace(tzinfo=UTC),
        choice=row["choice"],
        answered_at=row["answered_at"].replace(tzinfo=UTC) if row["answered_at"] else None,
    )
    return Asked(question, row["number"], row["scope"])


def _naive(moment: datetime) -> datetime:
    """SQLite keeps no time zone: UTC goes in and comes out."""
    return moment.astimezone(UTC).replace(tzinfo=None)
