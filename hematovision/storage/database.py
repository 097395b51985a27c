"""Open the database: SQLite, brought up to date by the migrations."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hematovision.errors import DataError
from hematovision.storage.schema import metadata

HEAD = "0003"
"""The newest migration."""

MIGRATIONS = Path(__file__).parent / "migrations"


def open_database(path: Path) -> sa.Engine:
    """The database at `path`, made or brought up to date as needed. Raises DataError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A connection for each transaction, closed after it: SQLite opens one in a fraction of a millisecond.
        engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 15}, poolclass=sa.NullPool)
        sa.event.listen(engine, "connect", _configure)
        sa.event.listen(engine, "begin", _begin)
        # Two processes that start at once migrate one after the other.
        with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
            _migrate(connection)
    except (OSError, sa.exc.DatabaseError) as error:
        raise DataError(
            f"The file with your answers, {path}, cannot be opened.", "Check that it is yours to write and not damaged."
        ) from error
    return engine


def open_in_memory() -> sa.Engine:
    """A database that is gone with the engine."""
    engine = sa.create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=sa.StaticPool)
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "begin", _begin)
    metadata.create_all(engine)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    # WAL: a reader never waits for a writer, and a killed process loses nothing that was committed.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # Python's own way with transactions would commit each step of a migration by itself.
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _migrate(connection: sa.Connection) -> None:
    if sa.inspect(connection).has_table("alembic_version"):
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        if version == HEAD:
            return
    # Alembic takes longer to import than all the rest; most starts need no migration.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
