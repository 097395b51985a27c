"""Marking the region that decided, as Streamlit runs it without a browser."""

import json

import numpy as np
import pytest
import streamlit as st

from hematovision.quiz.questions import Region, Reply
from hematovision.services import open_services
from hematovision.storage.store import open_store
from hematovision.ui import marking
from hematovision.ui.learn import quiz
from hematovision.ui.marking import mark_in_words, region_of, with_mark
from hematovision.vision.marked import Parts
from tests.ui.screen import press, texts, visit

MARK = {"x": 0.25, "y": 0.25, "w": 0.5, "h": 0.5}


def stored(settings):
    store = open_store(settings.database)
    return store.stopped_at(store.latest_session("local").id)


def shown(app) -> dict:
    """What the picture of the question was sent."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def mark(app, question, region):
    app.session_state[f"region-local-{question.id}"] = {"region": region}
    app.run()
    assert not app.exception


def test_what_a_browser_sends_is_a_region_or_nothing():
    assert region_of({"region": MARK}) == Region(0.25, 0.25, 0.5, 0.5)
    wrong = [{}, 7, [0.25] * 4, MARK | {"w": 0.9}, MARK | {"h": 0}, MARK | {"x": "left"}, MARK | {"y": float("nan")}]
    assert [region_of({"region": sent}) for sent in wrong] == [None] * len(wrong)
    assert region_of(None) is None and region_of({}) is None and region_of({"region": None}) is None


def test_a_draft_commits_to_its_own_mark_only():
    one, other = quiz.known_as("ann", 1), quiz.known_as("ann", 2)
    state = {f"region-{one}": {"region": MARK}}
    quiz.say(state, one, "choice", "monocyte")
    assert quiz.reply(state, one) == Reply("monocyte", region=Region(0.25, 0.25, 0.5, 0.5))
    quiz.say(state, other, "choice", "monocyte")
    assert quiz.reply(state, other) == Reply("monocyte")


def test_the_outline_lies_on_the_edge_of_the_mark_and_nowhere_else():
    gray = np.full((100, 200, 3), 128, np.uint8)
    drawn = with_mark(gray, Region(0.25, 0.2, 0.5, 0.6))
    changed = np.argwhere((drawn != gray).any(axis=2))
    assert changed.min(axis=0) == pytest.approx([20, 50], abs=3)
    assert changed.max(axis=0) == pytest.approx([80, 150], abs=3)
    assert np.array_equal(drawn[40:60, 70:130], gray[40:60, 70:130]) and (gray == 128).all()
    assert drawn.max() > 240 and drawn.min() < 60


def test_the_words_about_a_mark_say_only_what_is_known():
    assert mark_in_words(Parts(0.624, 0.3, 0.076), 0.12, 0.41, "monocyte") == (
        "Your mark is about 62 % nucleus, 30 % cytoplasm and 8 % outside the cell. "
        "It holds 12 % of the picture, and 41 % of the model's evidence for monocyte."
    )
    assert mark_in_words(None, 0.12, None, "platelet") == "Your mark holds 12 % of the picture."


def test_a_mark_is_stored_with_the_answer_and_spoken_of_after_it(app, app_environment):
    visit(app, "learn/quiz")
    question = stored(app_environment)
    sent = shown(app)
    assert sent["alt"] == "The cell to name" and sent["region"] is None
    assert sent["source"].startswith("/media/") or "/media/" in sent["source"]
    assert set(sent) == {"source", "alt", "width", "height", "region"}
    mark(app, question, MARK)
    press(app, "certainty-2")
    press(app, f"choice-{question.key}")
    assert shown(app)["region"] == MARK
    visit(app, "learn/home")
    visit(app, "learn/quiz")
    assert shown(app)["region"] == MARK
    press(app, "commit")
    assert stored(app_environment).reply.region == Region(0.25, 0.25, 0.5, 0.5)
    words = texts(app)
    assert "Your mark " in words and "% of the model's evidence for " in words and " of the picture" in words
    assert "20 % of the picture" in words  # a quarter of it, but for the corners of the ellipse
    press(app, "next")
    assert shown(app)["region"] is None
    press(app, "choice-monocyte")
    press(app, "commit")
    assert stored(app_environment).reply.region is None and "Your mark" not in texts(app)


def test_a_mark_on_a_platelet_is_compared_with_no_nucleus(app_environment):
    services = open_services(app_environment)
    said = []
    for key in ("platelet", "neutrophil"):
        (picture_id,) = services.pictures.references(key, 1, beside="")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(marking.st, "markdown", said.append)
            marking.compare_mark(services, picture_id, key, Region(**MARK))
    assert "nucleus" not in said[0] and said[0].startswith("Your mark holds 20 % of the picture")
    assert "nucleus" in said[1]


def test_an_exam_takes_marks_too_and_says_nothing_of_them(app, app_environment):
    visit(app, "learn/exam")
    app.number_input(key="exam-length").set_value(2).run()
    press(app, "start")
    store = open_store(app_environment.database)
    first, _ = store.questions(store.latest_session("local").id)
    mark(app, first, MARK)
    press(app, "choice-monocyte")
    press(app, "commit")
    first, _ = store.questions(first.session_id)
    assert first.reply.region == Region(0.25, 0.25, 0.5, 0.5)
    assert "mark" not in texts(app).lower() and shown(app)["region"] is None


def test_the_picture_is_found_where_the_app_lies_below_a_path(app):
    st.config.set_option("server.baseUrlPath", "hemato")
    try:
        visit(app, "learn/quiz")
        assert shown(app)["source"].startswith("/hemato/")
    finally:
        st.config.set_option("server.baseUrlPath", "")
