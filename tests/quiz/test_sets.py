from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.errors import InputError
from hematovision.quiz.policy import Policy
from hematovision.quiz.set_cells import MOST_CELLS, SetCell
from hematovision.quiz.sets import QuizSet, parse, publish, read

STAGES = QuizSet("stages", "Stages", ("metamyelocyte", "band"))
FULL = QuizSet(
    "full",
    "All there is",
    ("monocyte", "lymphocyte", "band"),
    (
        SetCell("pictures/0.webp"),
        SetCell("a.png", "monocyte", "Folded nucleus.\nGray cytoplasm.", "lymphocyte"),
        SetCell("pictures/0123456789abcdef.png", "band", is_drawn=True),
    ),
    "severity",
    Policy("end", 20, attempts=1, pass_mark=0.6, shuffle=False),
)


@pytest.mark.parametrize("cells", [(), (SetCell("pictures/0.webp"), SetCell("pictures/1.webp"))])
def test_a_set_comes_back_from_what_is_written(cells):
    made = QuizSet("one", "The first", ("monocyte", "band"), cells)
    assert parse("one", made.as_dict()) == made
    assert ("cells" in made.as_dict()) == bool(cells)


def test_a_set_with_all_there_is_comes_back():
    assert parse("full", FULL.as_dict()) == FULL
    assert parse("full", replace(FULL, version=3).as_dict()).version == 3


def test_a_cell_of_which_there_is_no_more_to_say_is_a_plain_name():
    assert FULL.as_dict()["cells"] == [
        "pictures/0.webp",
        {
            "picture": "a.png",
            "key": "monocyte",
            "note": "Folded nucleus.\nGray cytoplasm.",
            "second_key": "lymphocyte",
        },
        {"picture": "pictures/0123456789abcdef.png", "key": "band", "drawn": True},
    ]


def test_a_set_brings_its_rule_of_grading():
    made = QuizSet("one", "The first", ("monocyte", "band"), grading="severity")
    assert parse("one", made.as_dict()) == made and "grading" not in STAGES.as_dict()


def test_the_key_is_the_stage_where_the_set_asks_for_stages():
    assert STAGES.key("neutrophil", "band") == "band"
    assert STAGES.key("neutrophil", "segmented") is None
    assert QuizSet("s", "S", ("neutrophil", "monocyte")).key("neutrophil", "band") == "neutrophil"
    assert QuizSet("s", "S", ("neutrophil", "monocyte")).key("platelet", "") is None


def test_a_set_holds_what_it_lists_or_everything():
    assert STAGES.holds("pictures/7.webp") and STAGES.cell("pictures/7.webp") == SetCell("pictures/7.webp")
    assert FULL.holds("a.png") and not FULL.holds("pictures/7.webp")
    assert FULL.cell("a.png").second_key == "lymphocyte"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": " "}, "title is missing"),
        ({"title": None}, "title is missing"),
        ({"title": 7}, "title was read as 7, which is no text"),
        ({"title": "a\nb"}, "title has the character U+000A"),
        ({"title": "a\x00b"}, "title has the character U+0000"),
        ({"title": "\ud800"}, "title has the character U+D800"),
        ({"title": "a" * 201}, "title has 201 letters"),
        ({"choices": None}, "choices should be a list"),
        ({"choices": ["monocyte"]}, "choices should be a list"),
        ({"choices": ["monocyte", "mono"]}, "Unknown name in choices 'mono'"),
        ({"choices": ["monocyte", None]}, "Unknown name in choices 'None'"),
        ({"choices": ["monocyte", "monocyte"]}, "choices names monocyte twice"),
        ({"choices": ["band", "neutrophil"]}, "choices names band and its class neutrophil"),
        ({"cells": []}, "cells should be a list"),
        ({"cells": [None]}, "cells should be a list"),
        ({"cells": [1]}, "picture was read as 1, which is no text"),
        ({"cells": [f"{i}.png" for i in range(MOST_CELLS + 1)]}, "The set has 501 cells"),
        ({"cells": ["a.png", "a.png"]}, "cells has a.png twice"),
        ({"cells": ["../a.png"]}, "'../a.png' is no file of the set's folder"),
        ({"cells": ["/a.png"]}, "'/a.png' is no file of the set's folder"),
        ({"cells": ["a\\b.png"]}, "is no file of the set's folder"),
        ({"cells": ["C:a.png"]}, "is no file of the set's folder"),
        ({"cells": ["."]}, "is no file of the set's folder"),
        ({"cells": ["./a.png"]}, "'./a.png' is no file of the set's folder"),
        ({"cells": ["a//b.png"]}, "'a//b.png' is no file of the set's folder"),
        ({"cells": ["a/./b.png"]}, "'a/./b.png' is no file of the set's folder"),
        ({"cells": ["a.png/"]}, "'a.png/' is no file of the set's folder"),
        ({"cells": [{"key": "band"}]}, "cells should be a list"),
        ({"cells": [{"picture": "a.png", "kex": "band"}]}, "Unknown field of a cell 'kex'"),
        ({"cells": [{"picture": "a.png", "key": "monocyte"}]}, "Unknown key 'monocyte'"),
        ({"cells": [{"picture": "a.png", "second_key": "mono"}]}, "Unknown second_key 'mono'"),
        ({"cells": [{"picture": "a.png", "key": ["band"]}]}, "Unknown key"),
        (
            {"cells": [{"picture": "a.png", "key": "band", "second_key": "band"}]},
            "second key is the same as the key",
        ),
        ({"cells": [{"picture": "a.png", "note": 3}]}, "note was read as 3, which is no text"),
        ({"cells": [{"picture": "a.png", "note": "a\x07"}]}, "note has the character U+0007"),
        ({"cells": [{"picture": "a.png", "key": "band", "drawn": 1}]}, "drawn should be true or false"),
        ({"cells": [{"picture": "BNE_1.png", "key": "band", "drawn": True}]}, "is no name of a drawn picture"),
        ({"choice": ["monocyte"]}, "Unknown field 'choice'"),
        ({"grading": "kind"}, "Unknown grading 'kind'"),
        ({"policy": {"feedback": "soon"}}, "Unknown feedback 'soon'"),
        ({"version": "1"}, "version should be a whole number"),
        ({"version": True}, "version should be a whole number"),
        ({"version": -1}, "version should be a whole number"),
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


def test_every_fault_is_found_with_its_place():
    _, faults = read(
        "s",
        {
            "choices": ["band", "segmented"],
            "cells": ["a.png", {"picture": "b.png", "key": "monocyte", "note": 1}],
            "policy": {"minutes": -1, "sound": True},
            "color": 1,
        },
    )
    assert [fault.place for fault in faults] == [
        ("color",),
        ("title",),
        ("cells", 1, "key"),
        ("cells", 1, "note"),
        ("policy", "minutes"),
        ("policy", "sound"),
    ]


def test_keys_are_no_faults_where_it_is_the_choices_that_cannot_be_read():
    _, faults = read("s", {"title": "S", "choices": ["bnd", "segmented"], "cells": [{"picture": "a", "key": "band"}]})
    assert [fault.place for fault in faults] == [("choices",)]


def test_a_published_set_that_was_changed_is_noticed():
    listed = replace(FULL, cells=FULL.cells[1:])
    published = publish(publish(listed))
    assert published.version == 2 and published.content_hash == listed.content_hash
    values = published.as_dict()
    assert parse("full", values) == published
    values["cells"][0]["key"] = "band"
    with pytest.raises(InputError, match="changed after it was published as version 2"):
        parse("full", values)
    del values["content_hash"]
    with pytest.raises(InputError, match="changed after it was published"):
        parse("full", values)


def test_the_hash_is_that_of_the_content_alone():
    assert replace(FULL, id="other", version=7).content_hash == FULL.content_hash
    for change in ({"title": "x"}, {"grading": "plain"}, {"policy": Policy()}, {"cells": FULL.cells[:2]}):
        assert replace(FULL, **change).content_hash != FULL.content_hash


def test_only_a_set_with_its_own_keys_is_published():
    for quiz_set in (STAGES, FULL):
        with pytest.raises(InputError) as caught:
            publish(quiz_set)
        assert caught.value.kind == "no_key"


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda c: (
            st.lists(c)
            | st.dictionaries(
                st.sampled_from(["title", "choices", "cells", "picture", "key", "policy", "minutes", "version"]), c
            )
        ),
    )
)
def test_nothing_that_a_file_may_hold_breaks_the_reader(values):
    quiz_set, faults = read("s", values)
    assert faults or parse("s", quiz_set.as_dict()) == quiz_set
