import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hematovision.cells import CORE_FOUR
from hematovision.errors import InputError
from hematovision.quiz.questions import Question, commit, draw_picture

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
QUESTION = Question(1, "p1", "monocyte", CORE_FOUR, NOW)

pools = st.dictionaries(
    st.sampled_from(CORE_FOUR), st.lists(st.uuids().map(str), max_size=5, unique=True), min_size=1
).filter(lambda pool: any(pool.values()))


def test_a_commit_answers_the_question_once():
    answered = commit(QUESTION, "lymphocyte", NOW)
    assert (answered.choice, answered.is_right, answered.is_open) == ("lymphocyte", False, False)
    assert commit(answered, "monocyte", NOW) is answered
    assert commit(QUESTION, "monocyte", NOW).is_right


def test_a_choice_that_was_not_offered_is_refused():
    with pytest.raises(InputError, match="'basophil'"):
        commit(QUESTION, "basophil", NOW)


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


def test_an_empty_scope_says_where_pictures_come_from():
    with pytest.raises(InputError) as caught:
        draw_picture({"platelet": ["p"]}, CORE_FOUR, set(), random.Random(0))
    assert "Library" in caught.value.hint
