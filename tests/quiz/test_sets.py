import pytest

from hematovision.errors import InputError
from hematovision.quiz.sets import QuizSet, parse

STAGES = QuizSet("stages", "Stages", ("metamyelocyte", "band"))


@pytest.mark.parametrize("cells", [(), ("pictures/0.webp", "pictures/1.webp")])
def test_a_set_comes_back_from_what_is_written(cells):
    made = QuizSet("one", "The first", ("monocyte", "band"), cells)
    assert parse("one", made.as_dict()) == made
    assert ("cells" in made.as_dict()) == bool(cells)


def test_a_set_brings_its_rule_of_grading():
    made = QuizSet("one", "The first", ("monocyte", "band"), grading="severity")
    assert parse("one", made.as_dict()) == made and "grading" not in STAGES.as_dict()


def test_the_key_is_the_stage_where_the_set_asks_for_stages():
    assert STAGES.key("neutrophil", "band") == "band"
    assert STAGES.key("neutrophil", "segmented") is None
    assert QuizSet("s", "S", ("neutrophil", "monocyte")).key("neutrophil", "band") == "neutrophil"
    assert QuizSet("s", "S", ("neutrophil", "monocyte")).key("platelet", "") is None


def test_a_set_holds_what_it_lists_or_everything():
    assert STAGES.holds("pictures/7.webp")
    listed = QuizSet("s", "S", ("monocyte", "band"), ("pictures/0.webp",))
    assert listed.holds("pictures/0.webp") and not listed.holds("pictures/7.webp")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": " "}, "title is missing"),
        ({"title": 7}, "title is missing"),
        ({"choices": None}, "choices should be a list"),
        ({"choices": ["monocyte"]}, "choices should be a list"),
        ({"choices": ["monocyte", "mono"]}, "Unknown name in choices 'mono'"),
        ({"choices": ["monocyte", None]}, "Unknown name in choices 'None'"),
        ({"choices": ["monocyte", "monocyte"]}, "choices names monocyte twice"),
        ({"choices": ["band", "neutrophil"]}, "choices names band and its class neutrophil"),
        ({"cells": []}, "cells should be a list"),
        ({"cells": [1]}, "cells should be a list"),
        ({"choice": ["monocyte"]}, "Unknown field 'choice'"),
        ({"grading": "kind"}, "Unknown grading 'kind'"),
    ],
)
def test_an_error_names_the_field_and_says_what_is_right(change, words):
    with pytest.raises(InputError) as caught:
        parse("s", STAGES.as_dict() | change)
    assert words in caught.value.message and caught.value.hint


@pytest.mark.parametrize(("set_id", "values"), [("../s", {}), ("a" * 29, {}), ("", {}), ("s", None), ("s", ["title"])])
def test_a_set_has_a_name_and_fields(set_id, values):
    with pytest.raises(InputError):
        parse(set_id, values)
