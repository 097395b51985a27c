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
            _migrate(connection, path)
    except (OSError, sa.exc.DatabaseError) as error:
        raise DataError(
            f"The file with your answers, {path}, cannot be opened.", "Check that it is yours to write and not damaged."
        ) from error
    sa.event.listen(engine, "handle_error", _in_words)
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


def _in_words(context: sa.ExceptionContext) -> None:
    """Raises DataError in place of what the database cannot do: the disk is full, say, or the file was taken away.

    An error of ours in a statement, or a row that is there already, stays what it is.
    """
    found = context.sqlalchemy_exception
    if not isinstance(found, sa.exc.OperationalError) and type(found) is not sa.exc.DatabaseError:
        return
    assert context.engine is not None
    is_writing = "begin" in context.engine.get_execution_options()
    what = "What you did last was not stored" if is_writing else "What you answered cannot be read"
    hint = f"See that the disk has room and that {context.engine.url.database} is yours to write, then try again."
    raise DataError(f"{what}: {context.original_exception}.", hint, kind="store")


def _migrate(connection: sa.Connection, path: Path) -> None:
    if sa.inspect(connection).has_table("alembic_version"):
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        if version == HEAD:
            return
        if version and not list((MIGRATIONS / "versions").glob(f"{version}_*.py")):
            raise DataError(
                f"The file with your answers, {path}, was written by a newer HematoVision.",
                "Update HematoVision, or let HEMATOVISION_HOME name another folder.",
                kind="newer",
            )
    # Alembic takes longer to import than all the rest; most starts need no migration.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
