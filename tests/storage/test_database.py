import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import alembic.autogenerate
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from hematovision.errors import DataError
from hematovision.quiz.session import Learner, Plan
from hematovision.storage import database
from hematovision.storage.database import HEAD, MIGRATIONS, open_database
from hematovision.storage.schema import metadata
from hematovision.storage.store import open_store

FIRST = datetime(2026, 1, 1, 8, 0, 0, 123456, tzinfo=UTC)
ROWS = [
    # learner, number, scope, picture, key, choice, answered, model
    ("local", 1, "core_four", "p1", "monocyte", "monocyte", True, ("v1", "lymphocyte", 0.7)),
    ("local", 2, "set:band-segmented", "p2", "band", "segmented", True, (None, None, None)),
    ("local", 3, "core_four", "p3", "neutrophil", None, False, (None, None, None)),
    ("ben", 1, "core_four", "p1", "monocyte", "lymphocyte", True, ("v1", "monocyte", 0.9)),
]


def migrate(path, revision):
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


@pytest.fixture
def old(tmp_path):
    """A database of the first schema with four questions, three of them answered."""
    path = tmp_path / "answers.sqlite"
    migrate(path, "0001")
    with closing(sqlite3.connect(path)) as connection:
        for learner, number, scope, picture, key, choice, is_answered, model in ROWS:
            asked, answered = f"2026-01-01 08:0{number}:00.123456", f"2026-01-01 08:0{number}:05.123456"
            values = (learner, number, scope, picture, key, '["monocyte", "lymphocyte"]', asked, choice)
            connection.execute(
                "INSERT INTO questions (learner, number, scope, picture_id, key, choices, asked_at, choice,"
                " answered_at, model_version, model_label, model_probability) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                (*values, answered if is_answered else None, *model),
            )
        connection.commit()
    return path


def test_every_answer_of_the_first_schema_is_kept(old):
    store = open_store(old)
    assert store.learners() == [Learner("ben"), Learner("local")]
    one, two = store.answers("local")
    assert (one.picture_id, one.key, one.choice, one.choices) == ("p1", "monocyte", "monocyte", CHOICES)
    assert (one.seconds, one.asked_at) == (5.0, FIRST.replace(minute=1)) and one.topic == ""
    assert (one.model.label, one.model.probability, one.reply.certainty, one.revised) == ("lymphocyte", 0.7, None, None)
    assert (two.picture_id, two.choice, two.is_right, two.model) == ("p2", "segmented", False, None)
    assert store.counts("local") == (2, 1) and store.counts("ben") == (1, 0)


CHOICES = ("monocyte", "lymphocyte")


def test_the_learner_goes_on_at_the_same_question_in_the_same_scope(old):
    store = open_store(old)
    session = store.latest_session("local")
    assert session.plan == Plan("practice", "core_four") and session.started_at == FIRST.replace(minute=1)
    question = store.stopped_at(session.id)
    assert (question.number, question.picture_id, question.is_open) == (3, "p3", True)
    assert store.start("local", "practice/core_four/9/plain", Plan(), FIRST.replace(hour=9)).id == session.id
    assert [found.plan.scope for found in store.sessions("local")] == ["core_four", "set:band-segmented"]


@pytest.fixture
def second(old):
    """The same at the second schema, with an exam that ended and a name."""
    migrate(old, "0002")
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE learners SET name = 'Ben', handle = 'ben' WHERE id = 'ben'")
        plan = '{"mode": "exam", "scope": "all_eight", "choices": 4, "length": 1, "minutes": 5, "grading": "certainty"}'
        times = ("2026-01-02 08:00:00.000000", "2026-01-02 08:01:00.000000", "2026-01-02 08:01:00.000000")
        connection.execute(
            "INSERT INTO sessions (id, learner, token, plan, started_at, touched_at, ended_at)"
            " VALUES (9, 'ben', 'exam/1', ?, ?, ?, ?)",
            (plan, *times),
        )
        connection.execute(
            "INSERT INTO questions (learner, session_id, number, picture_id, key, choices, asked_at, choice, certainty,"
            " answered_at, revised, dispute) VALUES ('ben', 9, 1, 'p9', 'platelet', '[\"platelet\", \"monocyte\"]',"
            " ?, 'platelet', 3, ?, 'monocyte', 'no')",
            times[:2],
        )
        connection.commit()
    return old


def all_rows(path, table, columns="*"):
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT {columns} FROM {table} ORDER BY id")]


def test_every_row_of_the_second_schema_is_kept_as_it_is(second):
    before = {table: all_rows(second, table) for table in ("learners", "sessions", "questions")}
    assert [len(rows) for rows in before.values()] == [2, 4, 5]
    store = open_store(second)
    for table, rows in before.items():
        extra = {"code": None} if table == "sessions" else {}
        assert all_rows(second, table) == [row | extra for row in rows]
    exam = store.session("ben", 9)
    assert exam.plan == Plan("exam", "all_eight", 4, 1, 5, "certainty") and exam.plan.code == ""
    (answer,) = store.questions(9)
    assert (answer.choice, answer.reply.certainty, answer.revised, answer.dispute) == ("platelet", 3, "monocyte", "no")
    assert store.counts("ben") == (2, 1) and store.publications.all() == []


def test_a_migration_that_is_killed_leaves_the_old_database_whole(old, monkeypatch):
    def killed(*arguments, **options):
        raise sa.exc.OperationalError("killed", None, Exception())

    with monkeypatch.context() as patch:
        patch.setattr("alembic.operations.batch.BatchOperationsImpl.drop_column", killed)
        with pytest.raises(DataError):
            open_database(old)
    with closing(sqlite3.connect(old)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables == {"questions", "alembic_version"}
        assert connection.execute("SELECT COUNT(*), COUNT(scope) FROM questions").fetchone() == (4, 4)
    assert open_store(old).counts("local") == (2, 1)


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path):
    engine = open_database(tmp_path / "new.sqlite")
    with engine.connect() as connection:
        differences = alembic.autogenerate.compare_metadata(MigrationContext.configure(connection), metadata)
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1
    assert differences == []
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD == database.HEAD


def test_a_database_of_a_newer_version_is_left_as_it_is_and_says_what_to_do(old):
    open_database(old)
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = old.read_bytes()
    with pytest.raises(DataError, match="written by a newer HematoVision") as caught:
        open_store(old)
    assert str(old) in caught.value.message and "Update HematoVision" in caught.value.hint
    assert old.read_bytes() == before


def test_a_database_that_is_up_to_date_is_opened_as_it_is(old, monkeypatch):
    open_database(old)
    monkeypatch.setattr("alembic.command.upgrade", None)
    assert open_store(old).counts("local") == (2, 1)
