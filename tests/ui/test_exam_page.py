"""The Exam page as Streamlit runs it, without a browser."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from hematovision.cells import CORE_FOUR, display_name
from hematovision.quiz.grading import RULES
from hematovision.storage.store import open_store
from hematovision.ui.learn.exam import clock
from tests.ui.screen import new_tab, press, texts, visit

EXAM = "learn/exam"


@pytest.fixture
def app(app):
    return visit(app, EXAM)


def begin(app, length):
    app.number_input(key="exam-length").set_value(length).run()
    press(app, "start")


def questions(settings):
    store = open_store(settings.database)
    return store.questions(store.latest_session("local").id)


def answer(app, choice):
    press(app, f"choice-{choice}")
    press(app, "commit")


def wrong(key):
    return next(name for name in CORE_FOUR if name != key)


@pytest.mark.parametrize(("seconds", "words"), [(600, "10:00"), (599.2, "10:00"), (65, "1:05"), (0.1, "0:01")])
def test_the_clock_counts_begun_seconds(seconds, words):
    assert clock(seconds) == words


def test_an_exam_keeps_its_keys_to_the_end_and_goes_on_after_a_reload(app, app_environment):
    shown = [radio.options for radio in app.radio]
    assert shown == [[display_name(rule) for rule in RULES]]
    begin(app, 3)
    assert "Cell 1 of 3" in texts(app) and "left</p>" in texts(app)
    keys = [question.key for question in questions(app_environment)]
    answer(app, keys[0])
    middle = texts(app)
    assert "Cell 2 of 3" in middle and "Right" not in middle and "model" not in middle.lower()
    assert "key" not in middle.lower() and "Show me" not in str(app.main)
    again = visit(new_tab(), EXAM)  # another tab, or after a killed server: no address tells it which exam
    assert "Cell 2 of 3" in texts(again)
    assert new_tab().run().button(key="start").label == "Go on with the exam"
    answer(again, wrong(keys[1]))
    press(again, "end")
    result = texts(again)
    assert "1 of 3 right" in result and "33 % right; 95 % interval 6 % to 79 %." in result
    # By the plain rule points are right answers: they are not told twice.
    assert "A right answer brings 1 point." in result and "points" not in result and "1 cell has no answer." in result
    lines = [b.label for b in again.button if b.key and b.key.startswith("open-")]
    names = [display_name(key) for key in keys]
    assert lines == [f"✓ Cell 1 · {names[0]}", f"✗ Cell 2 · {names[1]}", f"– Cell 3 · {names[2]}"]
    said = [caption.value for caption in again.caption]
    assert [f"you said {display_name(wrong(keys[1])).lower()}", "no answer"] == said[-2:]
    assert [image.alt for shown in again.image for image in shown.proto.imgs] == [
        f"Cell {n}: {k}" for n, k in enumerate(names, 1)
    ]
    press(again, next(b.key for b in again.button if b.label == lines[1]))
    assert f"The key is {display_name(keys[1])}. You said {display_name(wrong(keys[1]))}." in texts(again)
    press(again, "next")
    press(again, next(b.key for b in again.button if b.label == lines[2]))
    assert f"The key is {display_name(keys[2])}. You gave no answer." in texts(again)
    press(again, "next")
    press(again, "another")
    assert again.button(key="start").label == "Start the exam"
    assert [b.label for b in again.button if b.key and b.key.startswith("result-")]


def test_certainty_is_required_where_it_is_graded(app):
    app.radio(key="exam-grading").set_value("certainty").run()
    begin(app, 1)
    assert RULES["certainty"] in texts(app)
    press(app, "choice-monocyte")
    assert app.button(key="commit").disabled
    press(app, "certainty-1")
    assert not app.button(key="commit").disabled


def test_when_the_time_is_over_no_answer_is_taken(app, app_environment):
    begin(app, 2)
    press(app, "choice-monocyte")
    long_ago = (datetime.now(UTC) - timedelta(minutes=11)).replace(tzinfo=None)
    engine = sa.create_engine(f"sqlite:///{app_environment.database}")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE sessions SET started_at = :then"), {"then": long_ago})
    engine.dispose()
    press(app, "commit")
    assert "The time is over." in texts(app) and "0 of 2 right" in texts(app)
    assert [question.choice for question in questions(app_environment)] == [None, None]


def test_a_set_brings_its_own_rule_and_says_it(app):
    app.selectbox(key="exam-scope").set_value("set:band-segmented").run()
    assert not app.radio and f"Grading of this set: {RULES['plain']}" in texts(app)
