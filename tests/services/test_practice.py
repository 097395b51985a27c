import json
import random
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from hematovision.cells import CORE_FOUR, SCOPES, pair_of
from hematovision.errors import InputError, ModelError
from hematovision.quiz.questions import Asked, Region, Reply
from hematovision.quiz.session import Plan
from hematovision.services.explain import Explain
from hematovision.services.pictures import Pictures
from hematovision.services.practice import Due, Practice, scope_title
from hematovision.settings import Settings
from hematovision.storage.store import open_store

MONOCYTE = Reply("monocyte")


class Clock:
    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def settings(app_environment):
    return app_environment


def open_practice(settings: Settings, seed: int = 0, clock: Clock | None = None) -> Practice:
    pictures = Pictures(settings, Explain(settings.model))
    return Practice(open_store(settings.database), pictures, clock or Clock(), random.Random(seed))


def ask(practice: Practice, scope: str = "core_four", mode: str = "practice") -> Asked:
    return practice.next("ann", practice.start("ann", Plan(mode, scope)).id)


def current(practice: Practice) -> Asked | None:
    session = practice.current("ann")
    return practice.asked("ann", session.id) if session else None


def key(practice: Practice, asked: Asked) -> str:
    return practice._store.question("ann", asked.id).key


def commit_right(practice: Practice, asked: Asked, **more) -> None:
    practice.commit("ann", asked.id, Reply(key(practice, asked), **more))


def commit_wrong(practice: Practice, asked: Asked, **more) -> None:
    wrong = next(choice for choice in asked.choices if choice != key(practice, asked))
    practice.commit("ann", asked.id, Reply(wrong, **more))


def test_a_question_waits_until_it_is_answered(settings):
    practice = open_practice(settings)
    assert current(practice) is None
    asked = ask(practice)
    assert ask(practice) == asked == current(practice)
    assert set(asked.choices) == set(CORE_FOUR) and asked.number == 1


def test_after_a_crash_the_learner_goes_on_at_the_same_place(settings):
    first = open_practice(settings)
    asked = ask(first)
    assert current(open_practice(settings)) == asked
    first.commit("ann", asked.id, MONOCYTE)
    after = current(open_practice(settings))
    assert after.number == 1 and after.reply == MONOCYTE
    assert ask(open_practice(settings)).number == 2


def test_an_answer_is_stored_with_all_that_was_said_and_what_the_model_said(settings):
    practice = open_practice(settings)
    asked = ask(practice, "all_eight")
    reply = Reply("monocyte", 2, {"granularity": "no"}, Region(0.1, 0.2, 0.3, 0.4))
    practice.commit("ann", asked.id, reply)
    assert practice.commit("ann", asked.id, Reply("platelet")).reply == reply
    found = open_practice(settings).reveal("ann", asked.id)
    assert found.reply == reply
    prediction = practice._pictures.prediction(asked.picture_id)
    assert (found.model.label, found.model.version) == (prediction.label, practice._pictures.model_version)
    assert practice.counts("ann") == (1, int(found.key == "monocyte"))


def test_the_key_comes_after_the_answer(settings):
    practice = open_practice(settings)
    asked = ask(practice)
    for early in (
        lambda: practice.reveal("ann", asked.id),
        lambda: practice.revise("ann", asked.id, "monocyte"),
        lambda: practice.dispute("ann", asked.id, "no"),
    ):
        with pytest.raises(InputError, match="The key has not been shown yet"):
            early()


def test_would_you_change_your_answer_is_kept_and_never_graded(settings):
    practice = open_practice(settings)
    asked = ask(practice)
    commit_wrong(practice, asked)
    right = key(practice, asked)
    assert practice.revise("ann", asked.id, right).revised == right
    assert practice.revise("ann", asked.id, "monocyte").revised == right
    assert practice.counts("ann") == (1, 0)
    assert practice.dispute("ann", asked.id, " Gray cytoplasm. ").dispute == "Gray cytoplasm."


def test_a_second_answer_to_a_question_of_the_past_changes_nothing(settings):
    practice = open_practice(settings)
    first = ask(practice)
    practice.commit("ann", first.id, MONOCYTE)
    ask(practice)
    assert practice.commit("ann", first.id, Reply("lymphocyte")).reply == MONOCYTE
    assert current(practice).is_open and practice.counts("ann")[0] == 1


def test_nobody_answers_for_another(settings):
    practice = open_practice(settings)
    asked = ask(practice)
    with pytest.raises(InputError, match="no longer the current one"):
        practice.commit("ben", asked.id, MONOCYTE)
    with pytest.raises(InputError, match="no longer there"):
        practice.next("ben", asked.session_id)


def test_another_scope_is_another_row_and_the_first_waits(settings):
    practice = open_practice(settings)
    first = ask(practice)
    other = ask(practice, "all_eight")
    assert (other.number, practice.current("ann").plan.scope) == (1, "all_eight")
    assert set(other.choices) == set(SCOPES["all_eight"])
    assert ask(practice) == first


def test_no_cell_is_asked_twice_while_others_remain(settings):
    practice = open_practice(settings)
    pictures = []
    for _ in range(24):
        asked = ask(practice)
        practice.commit("ann", asked.id, MONOCYTE)
        pictures.append(asked.picture_id)
    assert len(set(pictures)) == 24  # six cells of each of the four classes


def test_without_a_model_the_answer_is_kept_and_nothing_is_made_up(settings, tmp_path):
    broken = settings.model_copy(update={"model": tmp_path / "none"})
    practice = open_practice(broken)
    asked = ask(practice)
    practice.commit("ann", asked.id, MONOCYTE)
    assert practice.reveal("ann", asked.id).model is None and current(practice).reply == MONOCYTE
    with pytest.raises(ModelError):
        Pictures(broken, Explain(broken.model)).prediction(asked.picture_id)
    with pytest.raises(ModelError):
        ask(practice, mode="pitfalls")


@pytest.fixture
def copied(settings, tmp_path):
    """Settings with a library of their own, to be damaged."""
    shutil.copytree(settings.data, tmp_path / "copy")
    return settings.model_copy(update={"data": tmp_path / "copy"})


def test_a_picture_that_left_the_library_is_passed_over(copied):
    first = open_practice(copied)
    asked = ask(first)
    first._pictures.record(asked.picture_id).path.unlink()
    practice = open_practice(copied)
    assert current(practice) is None
    again = ask(practice)
    assert again.number == 1 and again.picture_id != asked.picture_id


def test_a_damaged_picture_is_passed_over_and_nobody_is_stuck(copied):
    practice = open_practice(copied)
    asked = ask(practice)
    path = practice._pictures.record(asked.picture_id).path
    path.write_bytes(path.read_bytes()[:-300])
    assert current(practice) is None
    again = ask(practice)
    assert again.number == 1 and again.picture_id != asked.picture_id


def test_damaged_pictures_are_never_asked(copied):
    for path in copied.data.rglob("*.png"):
        if not path.stem.endswith("_0"):
            path.write_bytes(b"no picture")
    practice = open_practice(copied)
    for _ in range(8):
        asked = ask(practice)
        practice.commit("ann", asked.id, MONOCYTE)
        assert practice._pictures.record(asked.picture_id).path.stem.endswith("_0")
    exam = practice.start("ann", Plan("exam", length=9, minutes=5))
    assert exam.asked == 4  # as many as there are
    slide = practice.start("ann", Plan("differential", "all_eight", length=100))
    for question in practice._store.questions(slide.id):
        assert practice._pictures.record(question.picture_id).path.stem.endswith("_0")


@pytest.mark.parametrize("plan", [Plan(), Plan("contrast"), Plan("exam", length=5, minutes=1)], ids=lambda p: p.mode)
def test_a_library_of_damaged_pictures_says_so(copied, plan):
    for path in copied.data.rglob("*.png"):
        path.write_bytes(b"no picture")
    practice = open_practice(copied)
    with pytest.raises(InputError, match="no pictures of these classes"):
        practice.next("ann", practice.start("ann", plan).id)


def test_an_answer_is_kept_when_the_picture_leaves_in_the_middle_of_the_commit(settings, monkeypatch):
    practice = open_practice(settings)
    asked = ask(practice)

    def gone(picture_id):
        raise InputError("This picture is no longer in the library.", "Go on to the next one.")

    monkeypatch.setattr(practice._pictures, "prediction", gone)
    practice.commit("ann", asked.id, MONOCYTE)
    assert current(open_practice(settings)).reply == MONOCYTE


def test_the_answer_is_stored_before_the_model_is_asked(settings, monkeypatch):
    practice = open_practice(settings)
    asked = ask(practice)

    def killed(picture_id):
        raise KeyboardInterrupt

    monkeypatch.setattr(practice._pictures, "prediction", killed)
    with pytest.raises(KeyboardInterrupt):
        practice.commit("ann", asked.id, MONOCYTE)
    assert current(open_practice(settings)).reply == MONOCYTE


def test_an_empty_library_says_where_pictures_come_from(settings, tmp_path):
    practice = open_practice(settings.model_copy(update={"data": None, "bank": tmp_path / "none"}))
    with pytest.raises(InputError) as caught:
        ask(practice)
    assert "Library" in caught.value.hint


def drawn_asked(practice: Practice, scope: str, count: int) -> list[bool]:
    found = []
    for _ in range(count):
        asked = ask(practice, scope)
        commit_right(practice, asked)
        found.append(practice._pictures.record(asked.picture_id).is_drawn)
    return found


def test_without_a_library_drawn_cells_are_practiced(settings):
    practice = open_practice(settings.model_copy(update={"data": None}))
    assert drawn_asked(practice, "all_eight", 24) == [True] * 24
    assert len(practice._store.seen("ann")) == 24


def test_real_cells_come_first_where_there_are_any(settings):
    assert not any(drawn_asked(open_practice(settings), "all_eight", 12))


def test_the_scopes_are_the_classes_the_stages_and_then_the_sets(settings):
    scopes = open_practice(settings).scopes()
    assert list(scopes)[:3] == list(SCOPES) == ["core_four", "all_eight", "stages"]
    assert scopes["core_four"] == "Core four" and scopes["set:band-segmented"] == "Band or segmented neutrophil"
    assert scope_title(scopes, "stages") == "Stages"
    assert scope_title(scopes, "own:monocyte,band") == "Monocyte, Band neutrophil"


def test_a_set_is_played_with_its_choices_and_its_cells(settings):
    practice = open_practice(settings)
    stages = set()
    for _ in range(3):  # the three neutrophils of the bank
        asked = ask(practice, "set:band-segmented")
        assert set(asked.choices) == {"band", "segmented"}
        record = practice._pictures.record(asked.picture_id)
        practice.commit("ann", asked.id, Reply("band"))
        assert record.is_drawn and practice.reveal("ann", asked.id).is_right == (record.stage == "band")
        stages.add(record.stage)
    assert stages == {"band", "segmented"} and len(practice._store.seen("ann")) == 3


def test_ones_own_classes_are_a_scope(settings):
    practice = open_practice(settings)
    assert set(ask(practice, "own:platelet,basophil").choices) == {"platelet", "basophil"}
    for scope in ("own:platelet", "own:platelet,cat", "own:band,neutrophil"):
        with pytest.raises(InputError):
            ask(practice, scope)


@pytest.mark.parametrize("scope", ["set:gone", "everything"])
def test_a_scope_that_is_not_there_is_named(settings, scope):
    with pytest.raises(InputError, match=f"Unknown scope '{scope}'"):
        ask(open_practice(settings), scope)


def test_fewer_choices_hold_the_key_and_their_order_is_drawn(settings):
    # Of all seeds, 4 in 100 leave a place out in 16 draws: 0 is one of them.
    practice = open_practice(settings, seed=1)
    session = practice.start("ann", Plan(scope="all_eight", choices=4))
    places = set()
    for _ in range(16):
        asked = practice.next("ann", session.id)
        assert len(set(asked.choices)) == 4
        places.add(asked.choices.index(key(practice, asked)))
        commit_right(practice, asked)
    assert places == {0, 1, 2, 3}


def test_a_pair_is_contrasted_in_a_row_with_its_two_choices(settings):
    practice = open_practice(settings)
    pairs = []
    for _ in range(12):
        asked = ask(practice, "core_four", "contrast")
        pairs.append(pair_of(*asked.choices))
        commit_wrong(practice, asked)
    assert len(asked.choices) == 2
    assert pairs[:6] == [pairs[0]] * 6 and pairs[6:] == [pairs[6]] * 6


def test_due_asks_only_what_is_due_and_says_when_there_is_nothing(settings):
    clock = Clock()
    practice = open_practice(settings, clock=clock)
    assert practice.due("ann") == Due(0, None)
    assert ask(practice, mode="due") is None
    asked = ask(practice)
    commit_wrong(practice, asked)
    assert ask(practice, mode="due") is None
    clock.now += timedelta(minutes=2)
    due = practice.due("ann", "core_four")
    assert due.count == 2 and due.next_at < clock.now  # the class, and the pair that was confused
    again = ask(practice, mode="due")
    assert again.picture_id != asked.picture_id
    assert key(practice, again) in practice._store.question("ann", again.id).topic.split("|")


def test_before_an_exam_all_is_due_once_more(settings):
    clock = Clock()
    practice = open_practice(settings, clock=clock)
    for _ in range(30):
        commit_right(practice, ask(practice), certainty=3)
        clock.now += timedelta(hours=1)
    far = practice.due("ann", "core_four")
    exam = clock.now + timedelta(hours=20)
    practice.set_exam("ann", exam)
    near = practice.due("ann", "core_four")
    # Whatever was last reviewed more than a day before the exam is due now.
    assert near.count >= far.count and practice.exam("ann") == exam
    clock.now = exam
    over = practice.due("ann", "core_four")
    practice.set_exam("ann", None)
    assert practice.due("ann", "core_four") == over and practice.exam("ann") is None


class Model:
    """Says platelet of every sixth cell, and the truth of all others."""

    status, probability = "confident", 0.9

    def __init__(self, pictures, wrong_on):
        self.pictures, self.wrong_on = pictures, wrong_on

    def __call__(self, picture_id):
        self.label = "platelet" if picture_id in self.wrong_on else self.pictures.record(picture_id).label
        return self


def test_pitfalls_ask_real_cells_on_about_half_of_which_the_model_is_wrong(settings, monkeypatch):
    practice = open_practice(settings, seed=1)
    pictures = practice._pictures
    pitfalls = {ids[0] for name, ids in pictures.library.to_ask.items() if name in CORE_FOUR}
    monkeypatch.setattr(pictures, "prediction", Model(pictures, pitfalls))
    asked = []
    for _ in range(12):
        question = ask(practice, mode="pitfalls")
        practice.commit("ann", question.id, Reply(question.choices[0]))
        found = practice.reveal("ann", question.id)
        assert found.model_is_right is (question.picture_id not in pitfalls)
        assert not pictures.record(question.picture_id).is_drawn
        asked.append(question.picture_id)
    assert len(set(asked)) == 12 and pitfalls < set(asked)
    assert 2 <= len(pitfalls & set(asked[:6])) <= 4  # not all of them at once
    monkeypatch.setattr(pictures, "prediction", Model(pictures, set()))
    with pytest.raises(InputError, match="wrong on no cell"):
        open_practice_on(practice, settings).next("ann", question.session_id)
    nothing_real = open_practice(settings.model_copy(update={"data": None}))
    with pytest.raises(InputError, match="no real cells"):
        ask(nothing_real, mode="pitfalls")


def test_a_pitfall_is_looked_for_among_cells_whose_answer_is_at_hand(settings, monkeypatch):
    practice = open_practice(settings, seed=1)
    pictures, model = practice._pictures, Counter()
    at_hand = {ids[0] for name, ids in pictures.library.to_ask.items() if name in CORE_FOUR}
    wrong = Model(pictures, at_hand)

    def counted(picture_id):
        model[picture_id] += 1
        return wrong(picture_id)

    monkeypatch.setattr(pictures, "prediction", counted)
    monkeypatch.setattr(pictures, "is_indexed", lambda picture_id: picture_id in at_hand)
    ask(practice, mode="pitfalls")
    assert len(model) == 1 and set(model) < at_hand


def open_practice_on(practice: Practice, settings: Settings) -> Practice:
    """Another process with the same pictures."""
    return Practice(open_store(settings.database), practice._pictures, Clock(), random.Random(0))


def test_the_schedule_is_folded_on_and_anew_where_an_answer_was_taken_back(settings):
    practice = open_practice(settings)

    def folded():
        known = practice._schedule("ann")
        assert known == open_practice_on(practice, settings)._schedule("ann")
        return sum(topic.answers for name, topic in known.topics.items() if "|" not in name)

    for count in range(3):
        assert folded() == count
        commit_right(practice, ask(practice))
    slide = practice.start("ann", Plan("differential", "all_eight", length=100))
    for _ in range(2):
        last = practice.next("ann", slide.id)
        commit_right(practice, last)
        assert folded() == 3  # those of the slide do not count yet
    commit_right(practice, ask(practice))
    practice.undo("ann", last.id)
    practice.finish("ann", slide.id)
    assert folded() == 5
    practice.forget("ann")
    assert folded() == 0


def start_exam(practice: Practice, **more):
    return practice.start("ann", Plan("exam", length=4, minutes=10, **more))


def test_an_exam_shows_nothing_before_its_end_and_everything_after(settings):
    practice = open_practice(settings)
    exam = start_exam(practice)
    assert exam.asked == 4 and start_exam(practice).id == exam.id
    for number in range(1, 5):
        asked = practice.next("ann", exam.id)
        assert asked.number == number and set(asked.choices) == set(CORE_FOUR)
        if number < 4:
            commit_right(practice, asked)
            with pytest.raises(InputError, match="has not been shown"):
                practice.reveal("ann", asked.id)
            with pytest.raises(InputError, match="at the end"):
                practice.summary("ann", exam.id)
            assert practice.counts("ann") == (0, 0) and practice.progress("ann").total.n == 0
            assert practice.export("ann")["answers"] == []
    commit_wrong(practice, asked)
    assert practice.next("ann", exam.id) is None
    summary = practice.summary("ann", exam.id)
    assert (summary.asked, summary.answered, summary.right, summary.points) == (4, 4, 3, 3.0)
    assert practice.counts("ann") == (4, 3) and practice.reveal("ann", asked.id).key
    assert start_exam(practice).id != exam.id


def test_the_clock_of_an_exam_runs_on_while_the_server_is_down(settings):
    clock = Clock()
    practice = open_practice(settings, clock=clock)
    exam = start_exam(practice)
    commit_right(practice, practice.next("ann", exam.id))
    second = practice.next("ann", exam.id)
    clock.now = exam.started_at + timedelta(minutes=9)
    again = open_practice(settings, clock=clock)
    assert again.next("ann", exam.id) == second
    assert 50 < again.session("ann", exam.id).seconds_left(clock.now) < 60
    clock.now = exam.deadline
    with pytest.raises(InputError, match="The time is over"):
        again.commit("ann", second.id, MONOCYTE)
    summary = again.summary("ann", exam.id)
    assert (summary.asked, summary.answered, summary.right) == (4, 1, 1)
    clock.now = exam.started_at  # set back
    assert open_practice(settings, clock=clock).next("ann", exam.id) is None


def test_questions_of_an_exam_come_in_their_order(settings):
    practice = open_practice(settings)
    exam = start_exam(practice)
    later = practice._store.questions(exam.id)[2]
    with pytest.raises(InputError, match="no longer the current one"):
        practice.commit("ann", later.id, MONOCYTE)


def test_a_certainty_quiz_wants_a_certainty_and_grades_it(settings):
    practice = open_practice(settings)
    exam = start_exam(practice, grading="certainty")
    first = practice.next("ann", exam.id)
    with pytest.raises(InputError, match="how sure you are"):
        practice.commit("ann", first.id, MONOCYTE)
    commit_right(practice, first, certainty=3)
    commit_wrong(practice, practice.next("ann", exam.id), certainty=2)
    practice.finish("ann", exam.id)
    summary = practice.summary("ann", exam.id)
    assert (summary.points, summary.most_points, summary.answered) == (1.0, 12.0, 2)


def test_a_set_brings_its_own_rule(settings, tmp_path):
    shutil.copytree(settings.bank, tmp_path / "bank")
    file = tmp_path / "bank" / "sets" / "band-segmented.yaml"
    file.write_text(file.read_text() + "grading: neighbors\n")
    practice = open_practice(settings.model_copy(update={"bank": tmp_path / "bank"}))
    assert practice.start("ann", Plan(scope="set:band-segmented")).plan.grading == "neighbors"


def test_a_differential_is_tallied_undone_and_compared(settings):
    practice = open_practice(settings)
    slide = practice.start("ann", Plan("differential", "all_eight", length=100))
    assert practice.start("ann", Plan("differential", "all_eight", length=100)).id == slide.id
    first = practice.next("ann", slide.id)
    assert practice.tally("ann", slide.id).last is None
    practice.commit("ann", first.id, Reply("basophil"))
    tally = practice.tally("ann", slide.id)
    assert (tally.counts["basophil"], tally.tallied, tally.asked, tally.last.id) == (1, 1, slide.asked, first.id)
    second = practice.next("ann", slide.id)
    for _ in range(2):  # a double click on undo
        assert practice.undo("ann", first.id).is_open
    assert practice.next("ann", slide.id).id == first.id
    assert practice._store.question("ann", first.id).model is None
    while asked := practice.next("ann", slide.id):
        commit_right(practice, asked)
        if asked.number == 50:  # the server is killed in the middle
            practice = open_practice(settings)
    with pytest.raises(InputError, match="at the end"):
        practice.differential("ann", slide.id)
    practice.undo("ann", second.id)  # not the last one: it stands
    assert practice.tally("ann", slide.id).tallied == slide.asked
    practice.finish("ann", slide.id)
    result = practice.differential("ann", slide.id)
    assert result.white == result.key_white == 100 and result.right == slide.asked
    assert all(share.agrees and share.percent == share.key for share in result.shares)
    with pytest.raises(InputError, match="This answer stands"):
        practice.undo("ann", second.id)


def test_practice_has_no_end_to_bring_about(settings):
    practice = open_practice(settings)
    asked = ask(practice)
    assert practice.finish("ann", asked.session_id).ended_at is None
    commit_right(practice, asked)
    ask(practice)
    assert practice.summary("ann", asked.session_id).asked == 1  # the open question shows no key


def test_a_name_is_chosen_once_and_several_share_a_machine(settings):
    practice = open_practice(settings)
    ann, ben = practice.enroll("  Ann "), practice.enroll("Ben")
    assert practice.enroll("ann").id == ann.id != ben.id
    assert [learner.name for learner in practice.learners()] == ["Ann", "Ben"]
    with pytest.raises(InputError, match="called ben already"):
        practice.rename(ann.id, "ben")
    with pytest.raises(InputError, match="1 to 64 letters"):
        practice.enroll(" ")
    assert practice.rename(ann.id, "Anna").name == "Anna" and practice.enroll("Ann").id != ann.id
    with pytest.raises(InputError, match="not known here"):
        practice.rename("nobody", "Cleo")


def test_an_account_is_known_by_its_id(settings):
    practice = open_practice(settings)
    one, two = practice.enroll("Ann", account="sub-1"), practice.enroll("Ann", account="sub-2")
    assert (one.id, two.id, one.name, two.name) == ("sub-1", "sub-2", "Ann", "Ann")
    assert practice.enroll("Ann", account="sub-1") == one


def test_who_began_without_a_name_keeps_their_answers(settings):
    practice = open_practice(settings)
    commit_right(practice, ask(practice))
    assert practice.learners()[0].name == ""
    assert practice.rename("ann", "Ann").id == "ann" and practice.enroll("ANN").id == "ann"
    assert practice.counts("ann") == (1, 1)


def test_what_is_stored_can_be_taken_along_and_deleted(settings):
    practice = open_practice(settings)
    asked = ask(practice)
    commit_right(practice, asked, certainty=3)
    taken = json.loads(json.dumps(practice.export("ann")))
    assert [row["picture"] for row in taken["answers"]] == [asked.picture_id]
    assert taken["sessions"][0]["mode"] == "practice" and taken["answers"][0]["certainty"] == 3
    assert practice.export_csv("ann").splitlines()[1].startswith(f"{asked.session_id},practice,core_four,1,")
    assert practice.progress("ann").calibration[3].n == 1 and practice.progress("ann").streak == 1
    other = practice.enroll("Ben")
    practice.forget("ann")
    assert practice.counts("ann") == (0, 0) and practice.current("ann") is None
    assert practice.learners() == [other]
