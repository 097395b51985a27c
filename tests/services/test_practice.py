import random
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from hematovision.cells import CORE_FOUR, SCOPES
from hematovision.errors import InputError, ModelError
from hematovision.services.explain import Explain
from hematovision.services.pictures import Pictures
from hematovision.services.practice import Practice
from hematovision.settings import Settings
from hematovision.storage.store import open_store


class Clock:
    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        self.now += timedelta(seconds=5)
        return self.now


@pytest.fixture
def settings(app_environment):
    return app_environment


def open_practice(settings: Settings, seed: int = 0) -> Practice:
    pictures = Pictures(settings, Explain(settings.model))
    return Practice(open_store(settings.database), pictures, Clock(), random.Random(seed))


def test_a_question_waits_until_it_is_answered(settings):
    practice = open_practice(settings)
    assert practice.current() is None
    asked = practice.next("core_four")
    assert practice.next("core_four") == asked == practice.current()
    assert asked.question.choices == CORE_FOUR and asked.number == 1


def test_after_a_crash_the_learner_goes_on_at_the_same_place(settings):
    first = open_practice(settings)
    asked = first.next("core_four")
    assert open_practice(settings).current() == asked
    first.commit(1, "monocyte")
    after = open_practice(settings).current()
    assert after.number == 1 and after.question.choice == "monocyte"
    assert open_practice(settings).next("core_four").number == 2


def test_the_answer_is_stored_with_what_the_model_said(settings):
    practice = open_practice(settings)
    asked = practice.next("all_eight")
    assert practice.commit(1, asked.question.key).is_right
    assert practice.commit(1, "platelet").choice == asked.question.key
    assert practice.counts() == (1, 1)


def test_a_commit_to_a_question_of_the_past_is_refused(settings):
    practice = open_practice(settings)
    practice.next("core_four")
    practice.commit(1, "monocyte")
    practice.next("core_four")
    with pytest.raises(InputError, match="no longer the current one"):
        practice.commit(1, "lymphocyte")
    assert practice.current().question.is_open


def test_another_scope_replaces_an_open_question_only(settings):
    practice = open_practice(settings)
    practice.next("core_four")
    asked = practice.next("all_eight")
    assert (asked.number, asked.scope, asked.question.choices) == (1, "all_eight", SCOPES["all_eight"])


def test_no_cell_is_asked_twice_while_others_remain(settings):
    practice = open_practice(settings)
    pictures = []
    for number in range(1, 25):
        asked = practice.next("core_four")
        practice.commit(number, "monocyte")
        pictures.append(asked.question.picture_id)
    assert len(set(pictures)) == 24  # six cells of each of the four classes


def test_without_a_model_the_answer_is_kept_and_nothing_is_made_up(settings, tmp_path):
    broken = settings.model_copy(update={"model": tmp_path / "none"})
    practice = open_practice(broken)
    asked = practice.next("core_four")
    practice.commit(1, "monocyte")
    assert practice.current().question.choice == "monocyte"
    with pytest.raises(ModelError):
        Pictures(broken, Explain(broken.model)).prediction(asked.question.picture_id)


def test_a_picture_that_left_the_library_is_passed_over(settings, tmp_path):
    data = tmp_path / "copy"
    shutil.copytree(settings.data, data)
    copied = settings.model_copy(update={"data": data})
    asked = open_practice(copied).next("core_four")
    record = Pictures(copied, Explain(copied.model)).record(asked.question.picture_id)
    record.path.unlink()
    practice = open_practice(copied)
    assert practice.current() is None
    again = practice.next("core_four")
    assert again.number == 1 and again.question.picture_id != asked.question.picture_id


@pytest.fixture
def copied(settings, tmp_path):
    """Settings with a library of their own, to be damaged."""
    shutil.copytree(settings.data, tmp_path / "copy")
    return settings.model_copy(update={"data": tmp_path / "copy"})


def test_a_damaged_picture_is_passed_over_and_nobody_is_stuck(copied):
    practice = open_practice(copied)
    asked = practice.next("core_four")
    path = practice._pictures.record(asked.question.picture_id).path
    path.write_bytes(path.read_bytes()[:-300])
    assert practice.current() is None
    again = practice.next("core_four")
    assert again.number == 1 and again.question.picture_id != asked.question.picture_id


def test_damaged_pictures_are_never_asked(copied):
    for path in copied.data.rglob("*.png"):
        if not path.stem.endswith("_0"):
            path.write_bytes(b"no picture")
    practice = open_practice(copied)
    for number in range(1, 9):
        asked = practice.next("core_four")
        practice.commit(number, "monocyte")
        assert practice._pictures.record(asked.question.picture_id).path.stem.endswith("_0")


def test_a_library_of_damaged_pictures_says_so(copied):
    for path in copied.data.rglob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(InputError, match="no pictures of these classes"):
        open_practice(copied).next("core_four")


def test_an_answer_is_kept_when_the_picture_leaves_in_the_middle_of_the_commit(settings, monkeypatch):
    practice = open_practice(settings)
    practice.next("core_four")

    def gone(picture_id):
        raise InputError("This picture is no longer in the library.", "Go on to the next one.")

    monkeypatch.setattr(practice._pictures, "prediction", gone)
    practice.commit(1, "monocyte")
    assert open_practice(settings).current().question.choice == "monocyte"


def test_an_empty_library_says_where_pictures_come_from(settings, tmp_path):
    practice = open_practice(settings.model_copy(update={"data": None, "bank": tmp_path / "none"}))
    with pytest.raises(InputError) as caught:
        practice.next("core_four")
    assert "Library" in caught.value.hint


def drawn_asked(practice: Practice, scope: str, count: int) -> list[bool]:
    found = []
    for number in range(1, count + 1):
        asked = practice.next(scope)
        practice.commit(number, asked.question.key)
        found.append(practice._pictures.record(asked.question.picture_id).is_drawn)
    return found


def test_without_a_library_drawn_cells_are_practiced(settings):
    practice = open_practice(settings.model_copy(update={"data": None}))
    assert drawn_asked(practice, "all_eight", 24) == [True] * 24
    assert len(practice._store.seen("local")) == 24


def test_real_cells_come_first_where_there_are_any(settings):
    assert not any(drawn_asked(open_practice(settings), "all_eight", 12))


def test_the_scopes_are_the_classes_and_then_the_sets(settings):
    scopes = open_practice(settings).scopes()
    assert list(scopes)[:2] == list(SCOPES)
    assert scopes["core_four"] == "Core four" and scopes["set:band-segmented"] == "Band or segmented neutrophil"


def test_a_set_is_played_with_its_choices_and_its_cells(settings):
    practice = open_practice(settings)
    stages = set()
    for number in range(1, 4):  # the three neutrophils of the bank
        asked = practice.next("set:band-segmented")
        assert asked.question.choices == ("band", "segmented") and asked.scope == "set:band-segmented"
        record = practice._pictures.record(asked.question.picture_id)
        assert record.is_drawn and record.stage == asked.question.key
        assert practice.commit(number, "band").is_right == (record.stage == "band")
        stages.add(record.stage)
    assert stages == {"band", "segmented"} and len(practice._store.seen("local")) == 3


def test_a_set_that_has_gone_is_named(settings):
    with pytest.raises(InputError, match="Unknown scope 'set:gone'"):
        open_practice(settings).next("set:gone")
