import threading
from datetime import UTC, datetime

import alembic.autogenerate
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from hematovision.errors import DataError
from hematovision.quiz.questions import commit
from hematovision.storage import store as module
from hematovision.storage.schema import metadata
from hematovision.storage.store import open_store

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CHOICES = ("lymphocyte", "monocyte")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "answers.sqlite"


@pytest.fixture
def store(path):
    return open_store(path)


def ask(store, number=1, picture="p1", learner="ann"):
    return store.ask(learner, number, "core_four", picture, "monocyte", CHOICES, NOW)


def test_a_question_comes_back_as_it_was_asked(store, path):
    asked = ask(store)
    assert open_store(path).latest("ann") == asked
    assert (asked.number, asked.scope, asked.question.choices) == (1, "core_four", CHOICES)
    assert asked.question.asked_at == NOW and asked.question.is_open


def test_an_answer_is_there_after_the_store_is_opened_anew(store, path):
    store.answer(commit(ask(store).question, "monocyte", NOW), "v1", "lymphocyte", 0.7)
    found = open_store(path).latest("ann").question
    assert (found.choice, found.answered_at, found.is_right) == ("monocyte", NOW, True)
    assert store.counts("ann") == (1, 1)


def test_an_answer_counts_once_and_the_first_one_stays(store):
    question = ask(store).question
    store.answer(commit(question, "lymphocyte", NOW), "v1", "monocyte", 0.9)
    store.answer(commit(question, "monocyte", NOW), "v1", "monocyte", 0.9)
    assert store.latest("ann").question.choice == "lymphocyte"
    assert store.counts("ann") == (1, 0)


def test_two_tabs_get_the_same_question(store):
    assert ask(store, picture="p1") == ask(store, picture="p2")
    assert store.seen("ann") == {"p1"}


def test_many_threads_at_once_lose_nothing(store):
    def work(i):
        question = ask(store, number=i, picture=f"p{i}").question
        store.answer(commit(question, "monocyte", NOW), None, None, None)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.counts("ann") == (20, 20)


def test_learners_are_apart(store):
    ask(store)
    assert store.latest("ben") is None and store.counts("ben") == (0, 0) and store.seen("ben") == set()


def test_only_an_open_question_can_be_withdrawn(store):
    question = ask(store).question
    store.answer(commit(question, "monocyte", NOW), None, None, None)
    store.withdraw("ann", 1)
    assert store.latest("ann").question.choice == "monocyte"
    ask(store, number=2, picture="p2")
    store.withdraw("ann", 2)
    assert store.latest("ann").number == 1


def test_a_damaged_file_is_refused_and_kept(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(DataError) as caught:
        open_store(path)
    assert str(path) in caught.value.message and path.read_bytes().startswith(b"this is no database")


def test_the_migrations_make_the_tables_that_the_code_uses(store, path):
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool)
    with engine.connect() as connection:
        differences = alembic.autogenerate.compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []
    assert ScriptDirectory(str(module._MIGRATIONS)).get_current_head() == module.HEAD
