from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from hematovision.quiz import progress as module
from hematovision.quiz.progress import Figure, Reliance, Times, WeakPair, progress
from hematovision.quiz.questions import Question
from tests.quiz.make import NOW, answered

OPEN = Question(9, 1, 9, "p", "monocyte", ("monocyte", "lymphocyte"), "", NOW)
ANSWERS = [
    answered(seconds=2, certainty=3),
    answered(choice="lymphocyte", seconds=10, certainty=3),
    answered("lymphocyte", "monocyte", seconds=20, certainty=1),
    answered("neutrophil", "eosinophil", seconds=30, certainty=2),
    answered("neutrophil", "neutrophil", seconds=4),
    OPEN,
]


def test_every_figure_has_its_n():
    assert module.total(ANSWERS) == Figure(2, 5) and Figure(2, 5).share == 0.4
    assert Figure(2, 5).interval == pytest.approx((0.1176, 0.7693), abs=1e-4)
    assert Figure(0, 0).share is None and Figure(0, 0).interval == (0.0, 1.0)
    assert module.by_class(ANSWERS) == {
        "lymphocyte": Figure(0, 1),
        "monocyte": Figure(1, 2),
        "neutrophil": Figure(1, 2),
    }


def test_confusions_and_weak_pairs():
    assert module.confusion(ANSWERS) == {
        ("lymphocyte", "monocyte"): 1,
        ("monocyte", "lymphocyte"): 1,
        ("monocyte", "monocyte"): 1,
        ("neutrophil", "eosinophil"): 1,
        ("neutrophil", "neutrophil"): 1,
    }
    # Three cells were a monocyte or a lymphocyte with the other one among the choices.
    assert module.weak_pairs(ANSWERS) == [
        WeakPair("lymphocyte|monocyte", 2, 3),
        WeakPair("eosinophil|neutrophil", 1, 2),
    ]


def test_the_curve_looks_back_on_the_last_answers():
    assert module.curve(ANSWERS, window=2) == [Figure(1, 1), Figure(1, 2), Figure(0, 2), Figure(0, 2), Figure(1, 2)]


def test_times_are_medians():
    assert module.times(ANSWERS) == {"right": Times(3.0, 2), "wrong": Times(20.0, 3)}
    assert module.times([]) == {"right": Times(None, 0), "wrong": Times(None, 0)}


def test_calibration_leaves_out_what_was_answered_without_certainty():
    assert module.calibration(ANSWERS) == {1: Figure(0, 1), 2: Figure(0, 1), 3: Figure(1, 2)}


def test_reliance_is_split_by_whether_the_model_was_right():
    def reacted(key, choice, model, revised):
        return replace(answered(key, choice, model=model), revised=revised)

    answers = [
        reacted("monocyte", "monocyte", "lymphocyte", "monocyte"),
        reacted("monocyte", "monocyte", "lymphocyte", "lymphocyte"),  # led astray
        reacted("monocyte", "neutrophil", "lymphocyte", "monocyte"),
        reacted("monocyte", "neutrophil", "lymphocyte", "neutrophil"),
        reacted("monocyte", "lymphocyte", "monocyte", "monocyte"),
        reacted("monocyte", "lymphocyte", "monocyte", "lymphocyte"),
        reacted("monocyte", "lymphocyte", "monocyte", "neutrophil"),
        reacted("monocyte", "lymphocyte", "monocyte", None),
        reacted("monocyte", "monocyte", "monocyte", "lymphocyte"),  # both agreed: says nothing of reliance
        reacted("band", "segmented", "neutrophil", "band"),  # of one class: so did these
        reacted("monocyte", "lymphocyte", "", "monocyte"),  # no model
        OPEN,
    ]
    found = module.reliance(answers)
    assert found[False] == Reliance(kept_rightly=1, kept_wrongly=1, switched_to_right=1, switched_to_wrong=1)
    assert found[True] == Reliance(kept_wrongly=1, switched_to_right=1, switched_to_wrong=1, undecided=1)
    assert (found[False].n, found[True].n) == (4, 3)
    assert module.reliance(answers, unseen=[1])[True] == Reliance(
        kept_wrongly=1, switched_to_right=1, switched_to_wrong=1
    )
    assert module.reliance(answers, unseen=[2]) == found


@pytest.mark.parametrize(
    ("hours_ago", "days"),
    [([1], 1), ([1, 25, 49], 3), ([25, 49], 2), ([1, 49], 1), ([49], 0), ([], 0)],
)
def test_a_streak_ends_with_a_whole_day_without_an_answer(hours_ago, days):
    answers = [answered(at=NOW - timedelta(hours=hours)) for hours in hours_ago]
    assert module.streak(answers, NOW, NOW.tzinfo) == days


def test_a_day_is_one_of_the_learners_own():
    answers = [answered(at=NOW), answered(at=NOW - timedelta(hours=4))]  # 03:04 and 23:04 UTC
    assert module.streak(answers, NOW, NOW.tzinfo) == 2
    assert module.streak(answers, NOW, timezone(timedelta(hours=-5))) == 1


def test_all_together():
    found = progress(ANSWERS, [1, 2], NOW, NOW.tzinfo)
    assert (found.total, found.due, found.streak, len(found.curve)) == (Figure(2, 5), (1, 2), 1, 5)
    assert found.weak_pairs[0].pair == "lymphocyte|monocyte" and found.times["right"].n == 2
    empty = progress([], [], NOW, NOW.tzinfo)
    assert (empty.total, empty.confusion, empty.weak_pairs, empty.streak) == (Figure(0, 0), {}, (), 0)
