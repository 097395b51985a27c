import random
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hematovision.cells import ATTRIBUTES, CORE_FOUR, are_look_alikes
from hematovision.content import content
from hematovision.content.concepts import GRANULES
from hematovision.errors import InputError
from hematovision.quiz import progress
from hematovision.quiz.drill import as_annotated, distance, draw_features
from hematovision.quiz.progress import Figure
from hematovision.quiz.questions import CANNOT_TELL, Reply
from tests.quiz.make import answered

MEASURED = content().measured
CHOICES = st.lists(st.sampled_from(sorted(MEASURED.n)), min_size=2, unique=True)


@given(CHOICES, st.integers())
def test_five_features_are_asked_that_tell_look_alikes_apart(choices, seed):
    found = draw_features(choices, MEASURED, random.Random(seed))
    assert len(set(found)) == 5 and list(found) == [name for name in ATTRIBUTES if name in found]
    # Form and color of granules say whether there are any.
    assert "granularity" not in found or not set(found) & (GRANULES.keys() - {"granularity"})
    pairs = list(combinations(choices, 2))
    alike = [pair for pair in pairs if are_look_alikes(*pair)] or pairs
    assert max(distance(MEASURED, name, *pair) for name in found for pair in alike) >= 0.4


@given(CHOICES, st.integers())
def test_the_same_cell_is_asked_the_same_features_in_whatever_order_its_choices_are(choices, seed):
    again = draw_features(choices[::-1], MEASURED, random.Random(seed))
    assert draw_features(choices, MEASURED, random.Random(seed)) == again


def test_in_time_every_feature_is_asked_and_the_telling_ones_most():
    drawn = [draw_features(CORE_FOUR, MEASURED, random.Random(seed)) for seed in range(200)]
    times = {name: sum(name in found for found in drawn) for name in ATTRIBUTES}
    assert min(times.values()) >= 10 and len(set(drawn)) > 50
    assert times["nucleus_shape"] > 2 * times["cell_shape"]


@pytest.mark.parametrize(
    ("attribute", "one", "other", "how_far"),
    [
        ("granule_colour", "eosinophil", "lymphocyte", 1.0),
        ("granularity", "lymphocyte", "lymphocyte", 0.0),
        ("cell_size", "lymphocyte", "monocyte", 0.86),
        ("cell_size", "lymphocyte", "erythroblast", 0.0),
    ],
)
def test_how_far_apart_an_attribute_tells_two_classes(attribute, one, other, how_far):
    assert distance(MEASURED, attribute, one, other) == pytest.approx(how_far, abs=0.005)
    assert distance(MEASURED, attribute, one, other) == distance(MEASURED, attribute, other, one)


def test_features_are_graded_against_the_annotation_where_there_is_one():
    named = {"cell_size": "big", "granularity": "yes", "cell_shape": CANNOT_TELL, "granule_type": "coarse"}
    annotated = {"cell_size": "big", "granularity": "no", "cell_shape": "round"}
    assert as_annotated(named, annotated) == {"cell_size": True, "granularity": False, "cell_shape": False}
    assert as_annotated(named, {}) == {} and as_annotated({}, annotated) == {}


def test_one_may_say_that_one_cannot_tell_and_no_other_word():
    assert Reply("monocyte", features={"cell_size": CANNOT_TELL}).features == {"cell_size": "cannot tell"}
    with pytest.raises(InputError, match="Unknown value of cell_size 'middling'"):
        Reply("monocyte", features={"cell_size": "middling"})


def test_progress_counts_each_attribute_that_was_named():
    def named(picture_id, **features):
        return replace(answered(picture_id=picture_id), reply=Reply("monocyte", features=features))

    answers = [
        named("p1", granularity="yes", cell_size="big"),
        named("p1", cell_size="small"),
        named("p2", cell_size=CANNOT_TELL),
        named("left the library", cell_size="big"),
        answered(),
    ]
    annotations = {"p1": {"cell_size": "big", "granularity": "no"}, "p2": {"cell_size": "small"}}
    found = progress.features(answers, annotations)
    assert found == {"cell_size": Figure(1, 3), "granularity": Figure(0, 1)}
    assert list(found) == ["cell_size", "granularity"] and progress.features([answered()], annotations) == {}
