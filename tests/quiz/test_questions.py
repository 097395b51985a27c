import dataclasses
import random
from itertools import takewhile
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.cells import CELL_CLASSES, CORE_FOUR
from hematovision.errors import InputError
from hematovision.quiz.questions import (
    LONGEST_REASON,
    Question,
    Region,
    Reply,
    commit,
    dispute,
    draw_choices,
    draw_picture,
    revise,
)
from tests.quiz.make import NOW, answered

QUESTION = Question(1, 1, 1, "p1", "monocyte", CORE_FOUR, "lymphocyte|monocyte", NOW)

pools = st.dictionaries(
    st.sampled_from(CORE_FOUR), st.lists(st.uuids().map(str), max_size=5, unique=True), min_size=1
).filter(lambda pool: any(pool.values()))


def test_a_commit_answers_the_question_once():
    after = commit(QUESTION, Reply("lymphocyte", 2), NOW)
    assert (after.choice, after.is_right, after.is_open) == ("lymphocyte", False, False)
    assert commit(after, Reply("monocyte"), NOW) is after
    assert commit(QUESTION, Reply("monocyte"), NOW).is_right


def test_what_is_asked_holds_no_key_and_no_topic():
    fields = {field.name for field in dataclasses.fields(QUESTION.asked)}
    assert fields == {"id", "session_id", "number", "picture_id", "choices", "asked_at", "reply"}
    assert QUESTION.asked.is_open and not commit(QUESTION, Reply("monocyte"), NOW).asked.is_open


def test_a_choice_that_was_not_offered_is_refused():
    with pytest.raises(InputError, match="'basophil'"):
        commit(QUESTION, Reply("basophil"), NOW)
    with pytest.raises(InputError, match="'basophil'"):
        revise(answered(), "basophil")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"certainty": 4}, "Unknown certainty '4'"),
        ({"features": {"color": "red"}}, "Unknown attribute 'color'"),
        ({"features": {"granularity": "maybe"}}, "Unknown value of granularity 'maybe'"),
    ],
)
def test_a_reply_says_only_what_can_be_meant(values, words):
    with pytest.raises(InputError, match=words):
        Reply("monocyte", **values)


@pytest.mark.parametrize("box", [(-0.1, 0, 0.5, 0.5), (0, 0, 0, 0.5), (0.6, 0, 0.5, 0.5), (0, 0.6, 0.5, 0.5)])
def test_a_region_lies_in_the_picture(box):
    assert Region(0.5, 0.5, 0.5, 0.5).w == 0.5
    with pytest.raises(InputError, match="not in the picture"):
        Region(*box)


def test_a_revision_is_kept_once_and_never_graded():
    after = revise(answered(choice="lymphocyte"), "monocyte")
    assert (after.revised, after.is_right) == ("monocyte", False)
    assert revise(after, "eosinophil") is after


def test_a_dispute_has_a_reason():
    assert dispute(answered(), " It has granules. ").dispute == "It has granules."
    for reason in (" ", "a" * (LONGEST_REASON + 1)):
        with pytest.raises(InputError, match="has a reason"):
            dispute(answered(), reason)


def test_the_model_is_right_where_it_names_the_class_of_a_stage():
    assert answered("band", "segmented", model="neutrophil").model_is_right
    assert answered(model="lymphocyte").model_is_right is False
    assert answered().model_is_right is None


def test_a_question_takes_its_time():
    assert answered(seconds=7).seconds == 7.0 and QUESTION.seconds is None


@settings(deadline=None)
@given(
    count=st.integers(2, 8),
    wanted=st.lists(st.sampled_from(CELL_CLASSES), min_size=1, max_size=2, unique=True),
    seed=st.integers(),
)
def test_choices_hold_what_is_wanted_and_no_name_twice(count, wanted, seed):
    drawn = draw_choices(CELL_CLASSES, wanted, count, {}, random.Random(seed))
    assert len(drawn) == len(set(drawn)) == count and set(wanted) <= set(drawn) <= set(CELL_CLASSES)


def draw_many(confused, count=2, times=2000):
    rng = random.Random(0)
    return [draw_choices(CELL_CLASSES, ("monocyte",), count, confused, rng) for _ in range(times)]


def test_distractors_are_look_alikes_and_the_learners_own_confusions_more_often_but_not_always():
    drawn = draw_many({})
    share = {name: sum(name in choices for choices in drawn) / 2000 for name in CELL_CLASSES}
    # Three look-alikes weigh 4 each, four others 1 each.
    assert all(abs(share[name] - 0.25) < 0.03 for name in ("lymphocyte", "neutrophil", "immature_granulocyte"))
    assert all(abs(share[name] - 0.0625) < 0.02 for name in ("platelet", "basophil", "eosinophil", "erythroblast"))
    own = draw_many({"monocyte|platelet": 15})
    assert abs(sum("platelet" in choices for choices in own) / 2000 - 16 / 31) < 0.04


def test_the_place_of_the_key_is_drawn():
    places = [choices.index("monocyte") for choices in draw_many({}, count=4)]
    assert all(abs(places.count(place) / 2000 - 0.25) < 0.04 for place in range(4))


def test_the_draw_of_choices_is_frozen():
    drawn = draw_choices(CELL_CLASSES, ("monocyte",), 4, {}, random.Random(1))
    assert drawn == ("lymphocyte", "erythroblast", "monocyte", "neutrophil")


@settings(deadline=None)
@given(pool=pools, seed=st.integers())
def test_no_picture_comes_again_while_an_unseen_one_remains(pool, seed):
    rng = random.Random(seed)
    total = sum(map(len, pool.values()))
    seen: set[str] = set()
    for _ in range(total):
        picture, label = draw_picture(pool, CORE_FOUR, seen, rng)
        assert picture not in seen and picture in pool[label]
        seen.add(picture)
    again, _ = draw_picture(pool, CORE_FOUR, seen, rng)
    assert again in seen


def test_classes_come_by_even_chance_however_many_pictures_they_have():
    pool = {"monocyte": [f"m{i}" for i in range(5)], "neutrophil": [f"n{i}" for i in range(500)]}
    rng = random.Random(0)
    drawn = [draw_picture(pool, CORE_FOUR, set(), rng)[1] for _ in range(1000)]
    assert 450 < drawn.count("monocyte") < 550


def test_the_last_questions_of_a_small_library_are_not_all_of_one_class():
    pool = {label: [f"{label}{i}" for i in range(24)] for label in CORE_FOUR}
    ends = []
    for seed in range(200):
        rng, seen, keys = random.Random(seed), set(), []
        while len(keys) < 96:
            picture, label = draw_picture(pool, CORE_FOUR, seen, rng)
            seen.add(picture)
            keys.append(label)
        ends.append(len(list(takewhile(lambda key, last=keys[-1]: key == last, reversed(keys)))))
    # In a shuffled deck of 96 cards a run at its end has 1.3 on average.
    assert mean(ends) < 1.6 and max(ends) < 8


def test_an_empty_scope_says_where_pictures_come_from():
    with pytest.raises(InputError) as caught:
        draw_picture({"platelet": ["p"]}, CORE_FOUR, set(), random.Random(0))
    assert "Library" in caught.value.hint
