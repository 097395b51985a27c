from datetime import UTC, datetime, timedelta

import pytest

from hematovision.quiz.policy import Policy
from hematovision.quiz.publication import Publication
from hematovision.quiz.questions import Reply
from hematovision.quiz.session import SET, Cell, Plan
from hematovision.storage.store import open_passing_store, open_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ONE = Publication("ABCDEF", "a-set", "A set", 1, "teacher", NOW)
TWO = Publication("GHJKLM", "a-set", "A set", 2, "teacher", LATER)
CELLS = [Cell("p1", "monocyte", ("monocyte", "platelet")), Cell("p2", "platelet", ("monocyte", "platelet"))]


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "answers.sqlite")


def begin(store, learner="ann", token="1", code="ABCDEF"):
    if store.learner(learner) is None:
        store.enroll(learner, learner, NOW)
    return store.start(learner, f"set/{code}/{token}", Plan(SET, "published:a-set", code=code), NOW, CELLS)


def test_a_version_and_a_code_are_published_once(store):
    assert store.publications.add(ONE, "hash") == ONE
    again = Publication("NPQRST", "a-set", "A set", 1, "other", LATER)
    assert store.publications.add(again, "other") == ONE  # two clicks
    assert store.publications.add(Publication("ABCDEF", "b-set", "B", 1, "x", NOW), "hash") is None  # the code is taken
    assert store.publications.content_hash("ABCDEF") == "hash" and store.publications.content_hash("X") is None
    store.publications.add(TWO, "hash2")
    assert store.publications.all() == [TWO, ONE] and store.publications.all("b-set") == []


def test_closing_ends_what_runs_and_only_there(store):
    store.publications.add(ONE, "h"), store.publications.add(TWO, "h")
    mine, other = begin(store), begin(store, code="GHJKLM")
    store.publications.close("ABCDEF", LATER)
    store.publications.close("ABCDEF", LATER + timedelta(days=1))
    assert store.publications.get("ABCDEF").closed_at == LATER == store.session("ann", mine.id).ended_at
    assert store.session("ann", other.id).ended_at is None and store.publications.get("GHJKLM").closed_at is None


def test_who_joins_twice_is_there_once_and_leaves_with_their_data(store):
    store.publications.add(ONE, "h")
    for learner in ("ben", "ann"):
        store.enroll(learner, learner.capitalize(), NOW)
    store.publications.join("ABCDEF", "ben", NOW)
    store.publications.join("ABCDEF", "ann", LATER)
    store.publications.join("ABCDEF", "ben", LATER)
    found = store.publications.members("ABCDEF")
    assert [(m.learner.name, m.joined_at) for m in found] == [("Ben", NOW), ("Ann", LATER)]
    assert store.publications.joined("ann") == [ONE] and store.publications.joined("cleo") == []
    begin(store, "ben")
    store.delete("ben")
    assert [m.learner.name for m in store.publications.members("ABCDEF")] == ["Ann"]
    assert store.publications.attempts("ABCDEF") == [] and store.publications.get("ABCDEF") == ONE


def test_attempts_come_with_their_questions_and_policy(store):
    store.publications.add(ONE, "h")
    first, second, other = begin(store), begin(store, token="2"), begin(store, "ben")
    assert [s.id for s in store.publications.attempts("ABCDEF")] == [first.id, second.id, other.id]
    assert [s.id for s in store.publications.attempts("ABCDEF", "ann")] == [first.id, second.id]
    found = store.publications.questions([first, other])
    assert {i: [q.picture_id for q in qs] for i, qs in found.items()} == {
        first.id: ["p1", "p2"],
        other.id: ["p1", "p2"],
    }
    assert store.publications.questions([]) == {}
    plan = Plan(SET, "published:a-set", code="ABCDEF", version=3, policy=Policy("never", 5, NOW, LATER, 2, 0.5))
    assert store.start("ann", "set/x", plan, NOW).plan == plan


def test_a_picture_counts_for_each_student_once_and_only_in_sets(store):
    store.publications.add(ONE, "h")
    for token in "12":
        run = begin(store, token=token)
        question = store.questions(run.id)[0]
        store.answer(type(question)(**{**question.__dict__, "reply": Reply("monocyte"), "answered_at": LATER}))
    practice = store.start("ann", "practice", Plan(), NOW, [Cell("p7", "monocyte", ("monocyte", "platelet"))])
    question = store.questions(practice.id)[0]
    store.answer(type(question)(**{**question.__dict__, "reply": Reply("monocyte"), "answered_at": LATER}))
    begin(store, "ben")
    assert store.publications.answered() == {"p1": 1}


def test_sessions_that_may_hide_keys_are_those_that_run_and_attempts_at_sets(store):
    store.publications.add(ONE, "h")
    attempt, exam = begin(store), store.start("ann", "exam", Plan("exam", length=1, minutes=1), NOW)
    running = store.start("ann", "practice", Plan(), NOW)
    store.end(attempt.id, LATER), store.end(exam.id, LATER)
    assert {s.id for s in store.sessions("ann", may_hide=True)} == {attempt.id, running.id}


def test_a_passing_store_is_empty_and_of_its_own():
    one, two = open_passing_store(), open_passing_store()
    one.enroll("ann", "Ann", NOW)
    assert len(one.learners()) == 1 and two.learners() == []
