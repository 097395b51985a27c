import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from hematovision.errors import DataError, InputError
from hematovision.quiz import scheduling
from hematovision.quiz.questions import ModelAnswer, Question, Region, Reply, commit, dispute, revise
from hematovision.quiz.session import Cell, Learner, Plan
from hematovision.storage.store import Store, open_store

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(seconds=9)
CHOICES = ("lymphocyte", "monocyte")
CELL = Cell("p1", "monocyte", CHOICES, "lymphocyte|monocyte")
REPLY = Reply("monocyte", 3, {"granularity": "no"}, Region(0.1, 0.2, 0.3, 0.4))
SLIDE = Plan("differential", "all_eight", length=100)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "answers.sqlite"


@pytest.fixture
def store(path):
    opened = open_store(path)
    for name in ("ann", "ben"):
        opened.enroll(name, "", NOW)
    return opened


def start(store: Store, learner="ann", plan=None, cells=(), token="one"):
    return store.start(learner, token, plan or Plan(), NOW, cells)


def ask(store: Store, number=1, picture="p1", learner="ann") -> Question:
    return store.ask(start(store, learner), number, replace(CELL, picture_id=picture), NOW)


def answer(store: Store, question: Question, reply=REPLY, at=LATER) -> Question:
    return store.answer(commit(question, reply, at))


def test_a_question_comes_back_as_it_was_asked(store, path):
    asked = ask(store)
    assert open_store(path).stopped_at(asked.session_id) == asked
    assert (asked.number, asked.topic, asked.choices) == (1, "lymphocyte|monocyte", CHOICES)
    assert asked.asked_at == NOW and asked.is_open


def test_all_that_was_said_is_there_after_the_store_is_opened_anew(store, path):
    question = answer(store, ask(store))
    store.add_model_answer(question, ModelAnswer("v1", "lymphocyte", 0.7))
    store.revise(revise(question, "lymphocyte"))
    store.dispute(dispute(question, "No."))
    found = open_store(path).question("ann", question.id)
    assert (found.reply, found.answered_at, found.seconds) == (REPLY, LATER, 9.0)
    assert found.model == ModelAnswer("v1", "lymphocyte", 0.7)
    assert (found.revised, found.dispute) == ("lymphocyte", "No.") and store.counts("ann") == (1, 1)


def test_an_answer_counts_once_and_the_first_one_stays(store):
    question = ask(store)
    assert answer(store, question, Reply("lymphocyte")).choice == "lymphocyte"
    assert answer(store, question, Reply("monocyte")).choice == "lymphocyte"
    assert store.counts("ann") == (1, 0)


def test_what_the_model_said_and_the_first_revision_stay(store):
    question = ask(store)
    store.add_model_answer(question, ModelAnswer("v1", "monocyte", 0.9))
    store.revise(revise(replace(question, reply=REPLY), "monocyte"))
    assert store.question("ann", question.id) == question  # not before the answer
    question = answer(store, question)
    for label, revised, reason in (("monocyte", "monocyte", "First."), ("lymphocyte", "lymphocyte", "Second.")):
        store.add_model_answer(question, ModelAnswer("v1", label, 0.9))
        store.revise(revise(question, revised))
        store.dispute(dispute(question, reason))
    found = store.question("ann", question.id)
    assert (found.model.label, found.revised, found.dispute) == ("monocyte", "monocyte", "Second.")


def test_two_tabs_get_the_same_session_and_the_same_question(store):
    assert start(store) == start(store)
    assert ask(store, picture="p1") == ask(store, picture="p2")
    assert store.seen("ann") == {"p1"} and len(store.sessions("ann")) == 1


def test_cells_that_are_drawn_at_the_start_are_drawn_once(store):
    cells = [replace(CELL, picture_id=f"p{n}") for n in range(3)]
    exam = Plan("exam", length=3, minutes=5)
    first = start(store, plan=exam, cells=cells)
    again = start(store, plan=exam, cells=[replace(CELL, picture_id="other")])
    assert first.id == again.id and store.session("ann", first.id).asked == 3
    assert [question.number for question in store.questions(first.id)] == [1, 2, 3]
    assert store.seen("ann") == {"p0", "p1", "p2"}


def test_the_clock_of_the_next_cell_starts_with_the_answer_before(store):
    session = start(store, plan=SLIDE, cells=[CELL, CELL, CELL])
    first = answer(store, store.stopped_at(session.id))
    second = store.stopped_at(session.id)
    assert (first.seconds, second.number, second.asked_at) == (9.0, 2, LATER)
    assert store.questions(session.id)[2].asked_at == NOW


def test_the_last_tally_is_taken_back_and_no_other(store):
    session = start(store, plan=SLIDE, cells=[CELL, CELL, CELL])
    one = answer(store, store.stopped_at(session.id))
    two = answer(store, store.stopped_at(session.id))
    store.add_model_answer(two, ModelAnswer("v1", "monocyte", 0.9))
    store.take_back(one, LATER)
    assert store.session("ann", session.id).answered == 2
    for _ in range(2):
        store.take_back(two, LATER)
    found = store.stopped_at(session.id)
    assert found == replace(two, reply=None, answered_at=None, model=None, asked_at=LATER)
    assert store.counts("ann") == (1, 1)


def test_many_threads_at_once_lose_nothing(store):
    def work(i):
        question = ask(store, number=i, picture=f"p{i}")
        answer(store, question)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.counts("ann") == (20, 20)


def test_learners_are_apart(store):
    question = answer(store, ask(store))
    assert store.latest_session("ben") is None and store.counts("ben") == (0, 0) and store.seen("ben") == set()
    assert store.question("ben", question.id) is None and store.session("ben", question.session_id) is None
    assert store.answers("ben") == store.sessions("ben") == []


def test_the_session_that_was_touched_last_is_the_current_one(store):
    practice, other = start(store), start(store, token="two")
    assert store.latest_session("ann").id == other.id  # as late, and begun later
    store.ask(practice, 1, CELL, LATER)
    assert [session.id for session in store.sessions("ann")] == [practice.id, other.id]
    assert store.session_of_token("ann", "two").id == other.id
    store.start("ann", "two", Plan(), LATER + timedelta(seconds=1))
    assert store.latest_session("ann").id == other.id


def test_an_end_is_the_first_end(store):
    session = start(store)
    store.end(session.id, LATER)
    store.end(session.id, LATER + timedelta(days=1))
    assert store.session("ann", session.id).ended_at == LATER
    assert store.sessions("ann", may_hide=True) == []


def test_answers_come_in_the_order_in_which_they_were_given(store):
    one, two, three = (ask(store, number, f"p{number}") for number in (1, 2, 3))
    for question, seconds in ((two, 1), (one, 2)):
        answer(store, question, at=NOW + timedelta(seconds=seconds))
    other = store.ask(start(store, token="two"), 1, CELL, NOW)
    answer(store, other, at=NOW + timedelta(seconds=3))
    assert [question.id for question in store.answers("ann")] == [two.id, one.id, other.id]
    assert [question.id for question in store.answers("ann", without=[other.session_id])] == [two.id, one.id]
    assert store.counts("ann", without=[other.session_id]) == (2, 2)
    assert store.stopped_at(one.session_id).id == three.id


def test_only_an_open_question_can_be_withdrawn(store):
    question = answer(store, ask(store))
    store.withdraw(question)
    assert store.stopped_at(question.session_id).choice == "monocyte"
    store.withdraw(ask(store, number=2, picture="p2"))
    assert store.stopped_at(question.session_id).number == 1


def test_a_name_belongs_to_one_and_an_account_to_its_id(store):
    assert store.enroll("x", "Cleo", NOW) == store.enroll("y", "cleo", NOW) == Learner("x", "Cleo")
    assert store.enroll("a", "Cle", NOW, is_account=True) == Learner("a", "Cle")
    assert store.enroll("a", "Cleo", NOW, is_account=True) == store.learner("a") == Learner("a", "Cleo")
    with pytest.raises(InputError, match="Someone here is called CLEO already"):
        store.rename("ann", "CLEO")
    assert store.rename("ann", "Ann") == store.learner("ann") == Learner("ann", "Ann")
    store.set_exam("ann", LATER)
    assert store.learner("ann").exam_at == LATER
    store.set_exam("ann", None)
    assert [learner.id for learner in store.learners()] == ["a", "ann", "ben", "x"]
    assert store.learner("ann").exam_at is None and store.learner("nobody") is None


def test_what_is_deleted_is_gone_and_nothing_else(store):
    answer(store, ask(store))
    kept = answer(store, ask(store, learner="ben"))
    store.delete("ann")
    assert store.learner("ann") is None and store.answers("ann") == store.sessions("ann") == []
    assert store.answers("ben") == [kept]


def test_a_damaged_file_is_refused_and_kept(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(DataError) as caught:
        open_store(path)
    assert str(path) in caught.value.message and path.read_bytes().startswith(b"this is no database")


def limit(store: Store, pragma: str) -> None:
    """What the disk would do, done by SQLite to every connection from now on."""
    sa.event.listen(store._engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {pragma}"))


def test_an_answer_that_cannot_be_stored_is_an_error_that_says_so_and_can_be_given_again(store, path):
    asked = ask(store)
    limit(store, "query_only=1")
    with pytest.raises(DataError) as caught:
        answer(store, asked)
    assert caught.value.message == "What you did last was not stored: attempt to write a readonly database."
    assert str(path) in caught.value.hint
    limit(store, "query_only=0")
    assert store.stopped_at(asked.session_id).is_open
    assert answer(store, asked).reply == REPLY


def test_on_a_full_disk_nothing_is_begun_by_half(store):
    limit(store, "max_page_count=1")
    with pytest.raises(DataError, match="was not stored: database or disk is full"):
        start(store, cells=[CELL] * 1000)
    assert store.sessions("ann") == []


def test_a_set_that_cannot_be_joined_is_an_error_that_says_so(store):
    limit(store, "query_only=1")
    with pytest.raises(DataError, match="was not stored"):
        store.publications.join("ABCDEF", "ann", NOW)


def test_a_file_that_is_damaged_while_the_app_runs_is_named(store, path):
    for file in path.parent.iterdir():
        file.write_bytes(b"no database" * 1000)
    with pytest.raises(DataError, match="cannot be read: file is not a database") as caught:
        store.learners()
    assert str(path) in caught.value.hint
    with pytest.raises(DataError, match="was not stored: file is not a database"):
        store.rename("ann", "Ann")


def test_ten_thousand_answers_are_read_and_scheduled_soon_enough(store):
    cells = [replace(CELL, picture_id=f"p{n}") for n in range(10_000)]
    session = start(store, plan=SLIDE, cells=cells)
    _answer_all(store, session.id)
    began = time.process_time()
    answers = store.answers("ann")
    known = scheduling.schedule(answers)
    assert len(answers) == known.topics["monocyte"].answers == 10_000
    assert time.process_time() - began < 1.5


def _answer_all(store: Store, session_id: int) -> None:
    """At once: ten thousand transactions would take a minute."""
    with store._engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE questions SET choice = 'monocyte', answered_at = asked_at WHERE session_id = ?", (session_id,)
        )
