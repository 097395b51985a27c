"""The model's reasons on the Classify page, and the numbers behind them."""

import pytest

from hematovision.cells import CELL_CLASSES
from hematovision.content import content
from hematovision.content.concepts import concepts
from hematovision.content.phrases import phrases, unbroken
from hematovision.ui.explain import notes, numbers
from hematovision.vision.explain import (
    CHANGE,
    CLASS,
    CONCEPT,
    REFUSED,
    SEEN,
    SHARED,
    SHOWS,
    SPEAKS,
    UNMEASURED,
    UNWEIGHED,
    Clause,
    Explanation,
    Knowledge,
    Sentence,
)
from tests.ui.screen import press, texts, visit

KNOWN = Knowledge(content(), phrases(), concepts())


@pytest.mark.parametrize(
    ("clause", "row"),
    [
        (Clause("fine", SEEN, "granule_type", "small", 0.972), ("The granules are fine", "97 %")),
        (
            Clause("", SPEAKS, "cell_class", "neutrophil", 6.7, "eosinophil"),
            ("Each, in neutrophils against eosinophils", "at least 6.7 times as often"),
        ),
        (
            Clause("", UNWEIGHED, "cell_class", "basophil", 0.94, "eosinophil"),
            ("The best, in basophils against eosinophils", "0.9 times as often"),
        ),
        (
            Clause("", SHOWS, "granule_type", "round", 0.999, "eosinophil"),
            ("The granules are large and round, in eosinophils", "> 99 %"),
        ),
        (Clause("", SHARED, "cell_class", "monocyte", 0.885), ("Each, in monocytes", "at least 88 %")),
        (Clause("", UNMEASURED, "cell_class", "immature_granulocyte", 0), ("Annotated immature granulocytes", "0")),
        (Clause("", CLASS, "cell_class", "monocyte", 0.421), ("Monocyte", "42 %")),
        (Clause("", CONCEPT, "cell_class", "monocyte", 0.9), ("Monocyte, by the features alone", "90 %")),
        (
            Clause("", CHANGE, "cell_size", "big", 1.24, "monocyte"),
            ("Monocyte, if the cell were large", "ahead by 1.2"),
        ),
        (Clause("", CHANGE, "", "", 0), ("Single features that would change it", "0")),
        (Clause("", REFUSED, "", "unfamiliar", -0.123), ("Below the threshold by", "0.12")),
    ],
)
def test_each_number_says_what_it_is(clause, row):
    found = Explanation("neutrophil", "eosinophil", (Sentence((clause, " and ", clause)),))
    assert numbers(found, phrases()) == [row]


@pytest.mark.parametrize(
    ("answer", "other", "head", "said"),
    [
        ("lymphocyte", "neutrophil", "cytoplasm_texture", True),
        ("neutrophil", "lymphocyte", "cytoplasm_texture", True),
        ("monocyte", "neutrophil", "cytoplasm_texture", False),
        ("lymphocyte", "neutrophil", "granularity", False),
    ],
)
def test_a_feature_on_which_annotators_and_atlases_differ_is_told_where_it_matters(answer, other, head, said):
    found = Explanation(answer, other, (Sentence((Clause("", SEEN, head, "frosted", 0.9),)),))
    doubt = content().attributes["cytoplasm_texture"].doubt
    assert doubt and (f"Cytoplasm texture: {doubt.words}" in notes(found, KNOWN)) == said


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("confident: > 99 % neutrophil, < 1 % monocyte.", "confident: >~99~% neutrophil, <~1~% monocyte."),
        ("(75 % of annotated monocytes)", "(75~% of annotated monocytes)"),
        ("no share here, 5 of 9", "no share here, 5 of 9"),
    ],
)
def test_a_share_is_never_torn_at_the_end_of_a_line(words, kept):
    assert unbroken(words) == kept.replace("~", "\xa0")


def test_classify_says_why_and_why_not_another_with_the_numbers_at_hand(app):
    visit(app, "explore/classify")
    assert "The model is" not in texts(app)
    press(app, "classify")
    why_not = next(box for box in app.selectbox if box.label == "Why not")
    assert len(why_not.options) == len(CELL_CLASSES) - 1
    shown = texts(app)
    assert "The model is not sure (" in shown or "The model is confident: " in shown
    assert [e.label for e in app.expander] == ["Numbers behind these words", "Features the model sees"]
    why_not.select(why_not.options[-1]).run()
    assert not app.exception
    assert f"{why_not.options[-1].lower()}" in texts(app)
