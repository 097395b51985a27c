import dataclasses
from datetime import timedelta

import pytest

from hematovision.errors import InputError
from hematovision.quiz import session as module
from hematovision.quiz.questions import Question, Reply
from hematovision.quiz.session import Plan, Session
from tests.quiz.make import NOW, answered

OPEN = Question(1, 1, 1, "p1", "monocyte", ("monocyte", "lymphocyte"), "", NOW)
PRACTICE = Session(1, "ann", Plan(), NOW)
EXAM = Session(1, "ann", Plan("exam", length=2, minutes=10), NOW, asked=2)
SLIDE = Session(1, "ann", Plan("differential", "all_eight", length=100), NOW, asked=100, answered=100)
LATE = NOW + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"mode": "race"}, "Unknown mode 'race'"),
        ({"grading": "kind"}, "Unknown grading 'kind'"),
        ({"choices": 1}, "1 choices cannot be shown"),
        ({"choices": 10}, "10 choices cannot be shown"),
        ({"mode": "exam", "length": 5}, "a number of cells and a time"),
        ({"mode": "exam", "minutes": 5}, "a number of cells and a time"),
        ({"mode": "differential", "length": 50}, "100 or 200 cells"),
        ({"length": 5}, "practice has no end"),
        ({"mode": "due", "minutes": 5}, "due has no end"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(values, words):
    with pytest.raises(InputError, match=words):
        Plan(**values)


@pytest.mark.parametrize("session", [PRACTICE, EXAM, SLIDE], ids=lambda session: session.plan.mode)
def test_a_plan_comes_back_from_what_is_written(session):
    assert Plan(**session.plan.as_dict()) == session.plan


def test_a_session_can_be_shown_at_any_time():
    held = {field.type for field in dataclasses.fields(Session)} | {field.type for field in dataclasses.fields(Plan)}
    assert "Question" not in str(held) and not {"key", "topic"} & {f.name for f in dataclasses.fields(Session)}


def test_the_clock_of_an_exam_is_the_servers():
    assert (PRACTICE.deadline, PRACTICE.seconds_left(NOW)) == (None, None)
    assert (EXAM.deadline, EXAM.seconds_left(NOW), EXAM.seconds_left(LATE)) == (LATE, 600.0, 0.0)
    before = LATE - timedelta(microseconds=1)
    assert not EXAM.is_over(before) and EXAM.is_over(LATE)
    assert module.commit(EXAM, OPEN, Reply("monocyte"), before).is_right
    with pytest.raises(InputError, match="The time is over"):
        module.commit(EXAM, OPEN, Reply("monocyte"), LATE)
    assert module.commit(EXAM, answered(), Reply("lymphocyte"), LATE) == answered()  # a late double click


def test_an_exam_is_over_with_its_last_answer_and_a_differential_when_it_is_ended():
    assert dataclasses.replace(EXAM, answered=2).is_over(NOW)
    assert not SLIDE.is_over(NOW) and dataclasses.replace(SLIDE, ended_at=NOW).is_over(NOW)
    assert not PRACTICE.is_over(NOW + timedelta(days=900))


def test_the_key_is_shown_after_the_answer_and_in_an_exam_after_the_end():
    assert not PRACTICE.shows_key(OPEN, NOW) and PRACTICE.shows_key(answered(), NOW)
    assert not EXAM.shows_key(answered(), NOW) and EXAM.shows_key(answered(), LATE) and EXAM.shows_key(OPEN, LATE)


def test_nothing_is_revised_or_disputed_before_the_key_was_shown():
    for session, question in ((PRACTICE, OPEN), (EXAM, answered())):
        with pytest.raises(InputError, match="not been shown"):
            module.revise(session, question, "monocyte", NOW)
        with pytest.raises(InputError, match="not been shown"):
            module.dispute(session, question, "No.", NOW)
    with pytest.raises(InputError, match="not been shown"):
        module.revise(EXAM, OPEN, "monocyte", LATE)  # it has no answer to change
    assert module.revise(PRACTICE, answered(), "monocyte", NOW).revised == "monocyte"
    assert module.dispute(PRACTICE, answered(), "No.", NOW).dispute == "No."


def test_a_certainty_quiz_takes_no_answer_without_one():
    session = dataclasses.replace(PRACTICE, plan=Plan(grading="certainty"))
    with pytest.raises(InputError, match="how sure you are"):
        module.commit(session, OPEN, Reply("monocyte"), NOW)
    assert module.commit(session, OPEN, Reply("monocyte", 1), NOW).is_right


def test_only_a_running_differential_is_undone():
    assert module.undo(SLIDE, answered(model="monocyte"), NOW).is_open
    for session in (PRACTICE, EXAM, dataclasses.replace(SLIDE, ended_at=NOW)):
        with pytest.raises(InputError, match="This answer stands"):
            module.undo(session, answered(), NOW)


def test_a_summary_counts_what_was_asked_and_grades_by_the_rule():
    plan = Plan("exam", length=3, minutes=10, grading="certainty")
    session = dataclasses.replace(EXAM, plan=plan)
    questions = [answered(certainty=3, seconds=5), answered(choice="lymphocyte", certainty=2, seconds=7), OPEN]
    with pytest.raises(InputError, match="at the end"):
        module.summary(session, questions, NOW)
    found = module.summary(session, questions, LATE)
    assert (found.asked, found.answered, found.right) == (3, 2, 1)
    assert (found.points, found.most_points, found.seconds, len(found.questions)) == (1.0, 9.0, 12.0, 3)
    practice = module.summary(PRACTICE, questions, NOW)
    assert (practice.asked, practice.points) == (2, 1.0)  # the open question keeps its key
