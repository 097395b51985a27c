import csv
import io
import json
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from hematovision.cells import CORE_FOUR
from hematovision.errors import DataError, InputError
from hematovision.quiz.policy import Policy
from hematovision.quiz.publication import LETTERS, draw_code, parse_code
from hematovision.quiz.questions import Reply
from hematovision.quiz.session import Plan
from hematovision.storage.store import open_store
from tests.services.classroom import CODE, START, Classroom, quiz_set

KEYS = ("monocyte", "lymphocyte", "monocyte", "eosinophil")
HOUR = timedelta(hours=1)


@pytest.fixture
def room(tmp_path):
    def opened(grading: str = "plain", **policy) -> Classroom:
        store = open_store(tmp_path / "answers.sqlite")
        return Classroom(tmp_path / "sets", store, quiz_set(KEYS, Policy(**policy), grading))

    return opened


def kind(act) -> str:
    with pytest.raises(InputError) as caught:
        act()
    return caught.value.kind


def key(room, question_id, learner):
    return room.store.question(learner, question_id).key


def answer_all(room, learner, right: int, session=None):
    """Answer all that is open, the first `right` of them rightly, five seconds each."""
    session = session or room.attempts.begin(learner, CODE)
    count = 0
    while asked := room.practice.next(learner, session.id):
        truth = key(room, asked.id, learner)
        wrong = next(name for name in CORE_FOUR if name != truth)
        room.now += timedelta(seconds=5)
        room.practice.commit(learner, asked.id, Reply(truth if count < right else wrong, 2))
        count += 1
    return room.practice.session(learner, session.id)


# Joining


def test_a_join_code_is_forgiving_and_has_no_letters_that_look_alike():
    assert parse_code(" k7m-4qx ") == "K7M4QX" == parse_code("k7m 4qx")
    assert not set("01IO") & set(LETTERS) and len(LETTERS) == 32
    assert len({draw_code(random.Random(seed)) for seed in range(300)}) == 300
    for wrong in ("", "K7M4Q", "K7M4QXX", "K7M4Q0", "K7M4Qß"):
        assert kind(lambda wrong=wrong: parse_code(wrong)) == "code"


def test_students_join_by_code_and_name_and_stay_in(room):
    room = room()
    ann, _ = room.enter("Ann", "Ben")
    assert room.attempts.join(ann, "abc def").title == "A set"
    assert [p.code for p in room.attempts.joined(ann)] == [CODE]
    assert [s.learner.name for s in room.teach.results("local", CODE).students] == ["Ann", "Ben"]
    assert kind(lambda: room.attempts.join(ann, "ABCDEG")) == "code"
    cleo = room.practice.enroll("Cleo").id
    assert kind(lambda: room.attempts.begin(cleo, CODE)) == "not_joined"
    assert kind(lambda: room.attempts.invitation(cleo, CODE)) == "not_joined"


def test_who_has_no_name_yet_can_join(room):
    room = room()
    room.attempts.join("local", CODE)
    assert room.attempts.begin("local", CODE).asked == 4
    assert room.practice.export("local")["joined"] == [{"code": CODE, "title": "A set"}]


def test_an_invitation_says_what_will_be(room):
    room = room(feedback="end", minutes=20, attempts=2, pass_mark=0.6)
    (ann,) = room.enter("Ann")
    found = room.attempts.invitation(ann, CODE)
    assert (found.cells, found.choices, found.policy.minutes, found.attempts) == (4, CORE_FOUR, 20, ())
    assert found.running is None and found.refusal is None
    begun = room.attempts.begin(ann, CODE)
    assert room.attempts.invitation(ann, CODE).running.id == begun.id


# Attempts


def test_two_clicks_begin_one_attempt_and_a_killed_server_loses_nothing(room, tmp_path):
    room = room(attempts=1)
    (ann,) = room.enter("Ann")
    begun = room.attempts.begin(ann, CODE)
    assert room.attempts.begin(ann, CODE).id == begun.id and begun.plan.version == 1
    asked = room.practice.next(ann, begun.id)
    room.practice.commit(ann, asked.id, Reply("monocyte"))
    room.restart(open_store(tmp_path / "answers.sqlite"))
    again = room.attempts.begin(ann, CODE)
    assert (again.id, again.plan, again.asked, again.answered) == (begun.id, begun.plan, 4, 1)
    assert room.practice.next(ann, again.id).number == 2


def test_two_tabs_that_begin_at_once_begin_one_attempt(room, monkeypatch):
    room = room(attempts=1)
    (ann,) = room.enter("Ann")
    first = room.attempts.begin(ann, CODE)
    # The second tab looked before the first one began.
    monkeypatch.setattr(room.store.publications, "attempts", lambda code, learner: [])
    assert room.attempts.begin(ann, CODE).id == first.id
    assert len(room.store.questions(first.id)) == 4


def test_a_set_has_so_many_attempts_and_no_more(room):
    room = room(attempts=2)
    (ann,) = room.enter("Ann")
    one, two = answer_all(room, ann, 4), answer_all(room, ann, 2)
    assert one.id != two.id and one.ended_at is not None
    assert kind(lambda: room.attempts.begin(ann, CODE)) == "no_attempts"
    assert room.attempts.invitation(ann, CODE).refusal.kind == "no_attempts"
    assert len(room.attempts.invitation(ann, CODE).attempts) == 2


def test_a_set_opens_and_closes_by_the_clock_of_the_server(room):
    room = room(opens_at=START + HOUR, closes_at=START + 3 * HOUR)
    (ann,) = room.enter("Ann")
    assert kind(lambda: room.attempts.begin(ann, CODE)) == "not_open"
    room.now = START + HOUR
    begun = room.attempts.begin(ann, CODE)
    assert begun.deadline == START + 3 * HOUR
    asked = room.practice.next(ann, begun.id)
    room.now = START + 3 * HOUR
    assert kind(lambda: room.practice.commit(ann, asked.id, Reply("monocyte"))) == "over"
    assert kind(lambda: room.attempts.begin(ann, CODE)) == "closed"
    room.now = START + 2 * HOUR  # a clock that is set back opens nothing
    assert room.practice.next(ann, begun.id) is None
    assert room.practice.session(ann, begun.id).ended_at == START + 3 * HOUR


def test_an_attempt_ends_with_its_time(room):
    room = room(minutes=10, attempts=1, feedback="end")
    (ann,) = room.enter("Ann")
    begun = room.attempts.begin(ann, CODE)
    asked = room.practice.next(ann, begun.id)
    room.now += timedelta(minutes=9, seconds=59)
    room.practice.commit(ann, asked.id, Reply("monocyte"))
    room.now += timedelta(seconds=1)
    assert room.practice.next(ann, begun.id) is None
    assert kind(lambda: room.attempts.begin(ann, CODE)) == "no_attempts"
    assert room.practice.summary(ann, begun.id).answered == 1


def test_an_instructor_closes_a_set_and_what_runs_ends(room):
    room = room(feedback="end")
    ann, _ = room.enter("Ann", "Ben")
    begun = room.attempts.begin(ann, CODE)
    room.now += HOUR
    closed = room.teach.close("local", CODE)
    room.now += HOUR
    assert closed.closed_at == START + HOUR == room.teach.close("local", CODE).closed_at
    assert room.practice.session(ann, begun.id).ended_at == START + HOUR
    assert room.practice.summary(ann, begun.id).asked == 4
    assert kind(lambda: room.attempts.begin(ann, CODE)) == "closed"
    cleo = room.practice.enroll("Cleo").id
    assert kind(lambda: room.attempts.join(cleo, CODE)) == "closed"
    assert room.attempts.join(ann, CODE).closed_at


def test_a_set_that_closes_in_the_moment_of_the_click_begins_nothing(room, monkeypatch):
    room = room()
    (ann,) = room.enter("Ann")
    start = room.store.start

    def closing_first(*arguments):
        room.store.publications.close(CODE, room.now)
        return start(*arguments)

    monkeypatch.setattr(room.store, "start", closing_first)
    assert kind(lambda: room.attempts.begin(ann, CODE)) == "closed"
    assert all(s.ended_at for s in room.store.sessions(ann))


def test_a_running_attempt_keeps_its_version(room):
    room = room(feedback="end")
    (ann,) = room.enter("Ann")
    begun = room.attempts.begin(ann, CODE)
    room.publish(quiz_set(("eosinophil",) * 4, Policy(feedback="now")), "GHJKLM", 2)
    assert answer_all(room, ann, 4, begun).plan == begun.plan
    assert room.practice.summary(ann, begun.id).right == 4
    room.attempts.join(ann, "GHJKLM")
    other = room.attempts.begin(ann, "GHJKLM")
    assert (other.plan.version, other.plan.policy.feedback) == (2, "now")


def test_a_set_whose_file_was_changed_does_not_begin(room, tmp_path):
    room = room()
    (ann,) = room.enter("Ann")
    path = tmp_path / "sets" / "published" / "a-set-1" / "sets" / "a-set.yaml"
    path.write_text(path.read_text().replace("key: eosinophil", "key: neutrophil"))
    with pytest.raises(DataError, match="changed after it was published"):
        room.attempts.begin(ann, CODE)


def test_each_student_has_an_order_of_their_own_and_always_the_same(tmp_path):
    room = Classroom(tmp_path / "sets", open_store(tmp_path / "a.sqlite"), quiz_set(("monocyte",) * 12, Policy()))
    orders = []
    for name in ("Ann", "Ben"):
        (student,) = room.enter(name)
        runs = [answer_all(room, student, 12) for _ in range(2)]
        first, second = ([q.picture_id for q in room.store.questions(run.id)] for run in runs)
        assert first == second
        orders.append(first)
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1])


def test_without_shuffling_the_order_is_that_of_the_set(room):
    room = room(shuffle=False)
    (ann,) = room.enter("Ann")
    found = room.store.questions(room.attempts.begin(ann, CODE).id)
    assert tuple(q.key for q in found) == KEYS and {q.choices for q in found} == {CORE_FOUR}


def test_a_picture_that_is_gone_takes_no_cell_out_of_an_attempt(room, monkeypatch):
    room = room()
    (ann,) = room.enter("Ann")
    begun = room.attempts.begin(ann, CODE)
    with monkeypatch.context() as patch:
        patch.setattr(room.pictures, "picture", lambda picture_id: room.teach._pictures.sets.draft("none"))
        assert kind(lambda: room.practice.next(ann, begun.id)) == "gone"
    assert answer_all(room, ann, 4, begun).answered == 4


# What shows when


def test_feedback_now_shows_the_key_with_note_and_second_key_after_each_answer(room):
    room = room(feedback="now", shuffle=False)
    (ann,) = room.enter("Ann")
    begun = room.attempts.begin(ann, CODE)
    asked = room.practice.next(ann, begun.id)
    assert kind(lambda: room.practice.reveal(ann, asked.id)) == "not_yet"
    assert kind(lambda: room.attempts.remark(ann, asked.id)) == "not_yet"
    room.practice.commit(ann, asked.id, Reply("lymphocyte"))
    assert room.practice.reveal(ann, asked.id).key == "monocyte"
    assert room.practice.reveal(ann, asked.id).model.label == "monocyte"
    remark = room.attempts.remark(ann, asked.id)
    assert (remark.note, remark.second_key) == ("This is a monocyte.", "neutrophil")
    assert room.practice.counts(ann) == (1, 0)
    assert kind(lambda: room.practice.summary(ann, begun.id)) == "not_yet"


def test_feedback_at_the_end_shows_all_then(room):
    room = room(feedback="end", pass_mark=0.75)
    (ann,) = room.enter("Ann")
    begun = room.attempts.begin(ann, CODE)
    asked = room.practice.next(ann, begun.id)
    room.practice.commit(ann, asked.id, Reply(key(room, asked.id, ann)))
    for early in (
        lambda: room.practice.reveal(ann, asked.id),
        lambda: room.practice.revise(ann, asked.id, "monocyte"),
        lambda: room.practice.dispute(ann, asked.id, "no"),
        lambda: room.practice.summary(ann, begun.id),
        lambda: room.attempts.remark(ann, asked.id),
    ):
        assert kind(early) == "not_yet"
    assert room.practice.counts(ann) == (0, 0) and room.practice.export(ann)["answers"] == []
    answer_all(room, ann, 2, begun)
    assert room.practice.summary(ann, begun.id).right == 3
    assert room.practice.counts(ann) == (4, 3) and len(room.practice.export(ann)["answers"]) == 4


def test_feedback_never_is_never(room):
    room = room(feedback="never", pass_mark=0.5)
    (ann,) = room.enter("Ann")
    ended = answer_all(room, ann, 4)
    room.now += 1000 * HOUR
    room.teach.close("local", CODE)
    (question, *_) = room.store.questions(ended.id)
    for act in (
        lambda: room.practice.reveal(ann, question.id),
        lambda: room.practice.revise(ann, question.id, "monocyte"),
        lambda: room.attempts.remark(ann, question.id),
    ):
        assert kind(act) == "not_yet"
    assert kind(lambda: room.practice.summary(ann, ended.id)) == "never"
    assert room.practice.counts(ann) == (0, 0) and room.practice.progress(ann).total.n == 0
    taken = room.practice.export(ann)
    assert taken["answers"] == [] and len(room.practice.export_csv(ann).splitlines()) == 1
    assert room.teach.results("local", CODE).students[0].attempts[0].right == 4


def test_without_the_model_there_is_no_answer_of_it_anywhere(room):
    room = room(show_model=False)
    (ann,) = room.enter("Ann")
    ended = answer_all(room, ann, 0)
    questions = room.practice.summary(ann, ended.id).questions
    shown = [room.practice.revise(ann, q.id, "monocyte") for q in questions]
    shown += [room.practice.dispute(ann, q.id, "no") for q in questions]
    shown += [room.practice.reveal(ann, q.id) for q in questions]
    assert all(q.model is None for q in [*questions, *shown])
    assert not any(ended.shows_model(q, room.now) for q in questions)
    assert all(row["model_label"] is None for row in room.practice.export(ann)["answers"])
    assert sum(found.n for found in room.practice.progress(ann).reliance.values()) == 0
    assert all(q.model is None for q in room.store.questions(ended.id))


def test_the_plan_of_a_set_is_no_way_around_its_code(room):
    room = room()
    (ann,) = room.enter("Ann")
    assert kind(lambda: room.practice.start(ann, room.attempts.begin(ann, CODE).plan)) == "plan"
    with pytest.raises(InputError):
        Plan("set")
    with pytest.raises(InputError):
        Plan("practice", code=CODE)


def test_a_plan_is_kept_with_its_policy(room):
    room = room(feedback="never", minutes=5, opens_at=START, pass_mark=0.5, shuffle=False)
    (ann,) = room.enter("Ann")
    plan = room.attempts.begin(ann, CODE).plan
    assert Plan.of(json.loads(json.dumps(plan.as_dict()))) == plan
    assert plan.policy == replace(Policy(), **room.teach.quiz_set("local", CODE).policy.__dict__)


def test_who_deletes_their_data_leaves_the_class(room):
    room = room()
    ann, _ = room.enter("Ann", "Ben")
    answer_all(room, ann, 4)
    room.practice.forget(ann)
    assert [s.learner.name for s in room.teach.results("local", CODE).students] == ["Ben"]


# Results


def test_the_results_of_a_class_in_numbers(room):
    room = room("severity", shuffle=False, pass_mark=0.5)
    ann, ben, _ = room.enter("Ann", "Ben", "Cleo")
    answer_all(room, ann, 4)
    answer_all(room, ann, 0)  # a second attempt counts for no item
    begun = room.attempts.begin(ben, CODE)
    asked = room.practice.next(ben, begun.id)
    room.practice.commit(ben, asked.id, Reply("lymphocyte"))
    found = room.teach.results("local", CODE)
    assert [(s.learner.name, s.state) for s in found.students] == [
        ("Ann", "ended"),
        ("Ben", "running"),
        ("Cleo", "joined"),
    ]
    assert [found.count(state) for state in ("joined", "running", "ended")] == [1, 1, 1]
    one, two = found.students[0].attempts
    assert (one.number, one.right, one.points, one.most_points, one.seconds, one.is_passed) == (
        1,
        4,
        4.0,
        4.0,
        20.0,
        True,
    )
    assert (two.number, two.right, two.is_passed) == (2, 0, False) and two.points < 0
    (running,) = found.students[1].attempts
    assert (running.answered, running.right, running.points, running.is_passed) == (1, 0, -0.5, None)
    assert [running.answers[n].choice for n in (1, 2, 3, 4)] == ["lymphocyte", None, None, None]
    assert [(i.number, i.key, i.right.right, i.right.n) for i in found.items] == [
        (1, "monocyte", 1, 2),
        (2, "lymphocyte", 1, 1),
        (3, "monocyte", 1, 1),
        (4, "eosinophil", 1, 1),
    ]
    assert found.items[0].choices == {"eosinophil": 0, "lymphocyte": 1, "monocyte": 1, "neutrophil": 0}


def test_an_attempt_to_which_nobody_came_back_ended_with_its_time_or_its_last_answer(room):
    room = room(minutes=10, attempts=1)
    ann, ben = room.enter("Ann", "Ben")
    run = room.attempts.begin(ann, CODE)
    for question in room.store.questions(run.id):
        room.now += timedelta(seconds=1)
        room.practice.commit(ann, question.id, Reply("monocyte"))
    room.attempts.begin(ben, CODE)
    room.now += HOUR
    one, two = (student.attempts[0] for student in room.teach.results("local", CODE).students)
    assert (one.ended_at - START, two.ended_at - START) == (timedelta(seconds=4), timedelta(seconds=4, minutes=10))


def test_the_results_go_into_a_spreadsheet_and_run_nothing_there(room):
    room = room(shuffle=False)
    ann, _ = room.enter("=HYPERLINK(1)", "Ben")
    answer_all(room, ann, 1)
    rows = list(csv.DictReader(io.StringIO(room.teach.results_csv("local", CODE))))
    assert len(rows) == 5 and rows[0]["student"] == "'=HYPERLINK(1)"
    assert [row["right"] for row in rows] == ["True", "False", "False", "False", ""]
    assert [row["cell"] for row in rows] == ["1", "2", "3", "4", ""]
    assert (rows[0]["key"], rows[0]["seconds"], rows[0]["attempt_points"]) == ("monocyte", "5.0", "1.0")
    assert (rows[4]["student"], rows[4]["state"]) == ("Ben", "joined")


def test_how_often_a_class_saw_a_cell_is_counted_by_students(room):
    room = room()
    ann, ben = room.enter("Ann", "Ben")
    answer_all(room, ann, 4), answer_all(room, ann, 4)
    room.attempts.begin(ben, CODE)
    assert room.store.publications.answered() == {f"{number:016x}": 1 for number in range(4)}
