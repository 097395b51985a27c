import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.cells import CELL_CLASSES, STAGES
from hematovision.errors import InputError
from hematovision.quiz.grading import RULES, check_rule, most_points, points

NAMES = (*CELL_CLASSES, *STAGES)


@pytest.mark.parametrize(("certainty", "right", "wrong"), [(1, 1, 0), (2, 2, -2), (3, 3, -6)])
def test_certainty_is_graded_after_gardner_medwin(certainty, right, wrong):
    assert points("certainty", "monocyte", "monocyte", certainty) == right
    assert points("certainty", "monocyte", "lymphocyte", certainty) == wrong


def test_a_certainty_quiz_needs_one():
    with pytest.raises(InputError, match="how sure you are"):
        points("certainty", "monocyte", "monocyte")


@pytest.mark.parametrize(
    ("rule", "key", "choice", "expected"),
    [
        ("plain", "band", "segmented", 0.0),
        ("neighbors", "band", "segmented", 0.5),
        ("neighbors", "band", "myelocyte", 0.0),
        ("neighbors", "metamyelocyte", "neutrophil", 0.5),
        ("severity", "band", "segmented", -0.25),
        ("severity", "immature_granulocyte", "neutrophil", -1.0),
        ("severity", "lymphocyte", "erythroblast", -0.75),
        ("severity", "monocyte", "lymphocyte", -0.5),
    ],
)
def test_a_wrong_answer_by_each_rule(rule, key, choice, expected):
    assert points(rule, key, choice) == expected


@settings(deadline=None)
@given(rule=st.sampled_from(list(RULES)), key=st.sampled_from(NAMES), choice=st.sampled_from(NAMES))
def test_right_is_the_best_and_no_answer_brings_nothing(rule, key, choice):
    certainty = 3 if rule == "certainty" else None
    assert points(rule, key, key, certainty) == most_points(rule)
    assert points(rule, key, choice, certainty) <= most_points(rule)
    assert points(rule, key, None) == 0.0


def test_an_unknown_rule_is_named():
    for asked in (check_rule, most_points, lambda rule: points(rule, "monocyte", "monocyte")):
        with pytest.raises(InputError, match="Unknown grading 'kind'"):
            asked("kind")
