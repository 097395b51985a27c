"""The Join page as Streamlit runs it: a code, a name, and the set under each policy."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hematovision.cells import display_name
from hematovision.quiz.policy import Policy
from hematovision.services import open_services
from hematovision.storage.store import open_store
from tests.ui.screen import new_tab, press, texts, visit

JOIN = "learn/join"
NOTE = "Folded nucleus, <b>gray</b> cytoplasm."


@pytest.fixture
def publish(app_environment):
    """Publishes a set of a lymphocyte and a monocyte with a policy; returns its code."""
    teach = open_services(app_environment).teach

    def make(**policy):
        draft = teach.new("local", "Two *cells*", ["lymphocyte", "monocyte"])
        library = teach._pictures.library
        draft = teach.add("local", draft.quiz_set.id, [library.to_ask[name][0] for name in ("lymphocyte", "monocyte")])
        cells = tuple(
            replace(cell, note=NOTE, second_key=next(n for n in ("lymphocyte", "monocyte") if n != cell.key))
            for cell in draft.quiz_set.cells
        )
        grading = policy.pop("grading", "plain")
        teach.save("local", replace(draft.quiz_set, cells=cells, policy=Policy(**policy), grading=grading))
        return teach.publish("local", draft.quiz_set.id).code

    return make


def join(app, code, name="Ada"):
    visit(app, JOIN)
    app.text_input(key="join-code").set_value(code)
    app.text_input(key="join-name").set_value(name)
    press(app, "join")


def keys(settings, name="Ada"):
    store = open_store(settings.database)
    (learner,) = [known for known in store.learners() if known.name == name]
    return [question.key for question in store.questions(store.latest_session(learner.id).id)]


def answer(app, choice):
    press(app, f"choice-{choice}")
    press(app, "commit")


def other(key):
    return "monocyte" if key == "lymphocyte" else "lymphocyte"


def test_the_key_comes_after_each_answer_with_the_note_and_survives_a_reload(app, publish, app_environment):
    code = publish()
    join(app, f" {code[:3].lower()}-{code[3:].lower()} ")
    said = texts(app)
    assert app.title[0].value == "Two \\*cells\\*" and "**2 cells · no time limit**" in said
    assert "The key comes after each answer." in said
    press(app, "begin")
    key, last = keys(app_environment)
    assert "Cell 1 of 2" in texts(app) and NOTE[:6] not in str(app.main)
    answer(app, other(key))
    said = texts(app)
    assert f"The key is {display_name(key)}. You said {display_name(other(key))}." in said
    assert f"Another expert calls it {other(key)}." in said and "&lt;b&gt;gray&lt;/b&gt;" in said
    assert "The model" in said
    app.run()  # the address keeps which cell is shown
    assert "Another expert" in texts(app)
    press(app, "next")
    answer(app, last)
    press(app, "next")
    said = texts(app)
    assert "1 of 2 right" in said and "Passed" not in said
    press(app, "back")
    assert app.button(key="begin").label == "Begin another attempt"


def test_at_the_end_come_keys_points_and_the_mark_without_the_model(app, publish, app_environment):
    join(app, publish(feedback="end", minutes=10, attempts=1, pass_mark=0.5, show_model=False))
    said = texts(app)
    assert "**2 cells · 10 minutes · 1 attempt left**" in said and "It is passed with 50 % of the points." in said
    press(app, "begin")
    first, last = keys(app_environment)
    assert "left</p>" in texts(app)
    answer(app, first)
    middle = texts(app)
    assert "Cell 2 of 2" in middle and "hv-verdict" not in middle and "Show me" not in str(app.main)
    answer(app, other(last))
    said = texts(app)
    assert "✓ Passed" in said and "50 % of the points are needed." in said and "1 of 2 right" in said
    press(app, next(b.key for b in app.button if b.key and b.key.startswith("open-") and b.label.startswith("✗")))
    said = texts(app)
    assert f"The key is {display_name(last)}." in said and NOTE[:6] in said
    assert "The model" not in said and "Heat map" not in str(app.main)
    press(app, "next")
    press(app, "back")
    assert "You have used your attempt." in app.info[0].value and not [b for b in app.button if b.key == "begin"]
    assert [b.label for b in app.button if b.key and b.key.startswith("result-")] == ["Result of attempt 1"]


def test_a_set_that_never_tells_shows_no_key_to_its_end(app, publish, app_environment):
    join(app, publish(feedback="never", pass_mark=0.5))
    press(app, "begin")
    first, last = keys(app_environment)
    answer(app, first)
    assert "hv-verdict" not in texts(app)
    answer(app, last)
    said = texts(app)
    assert "Done" in said and "2 of 2 cells named. Your instructor sees your answers." in said
    for word in ("right", "points", "Passed", "key"):
        assert word not in said
    app.query_params["cell"] = "1"
    app.run()
    assert "2 of 2 cells named." in texts(app)  # the address opens no key


def test_a_wrong_code_a_set_that_is_not_open_and_one_that_was_closed(app, publish, app_environment, monkeypatch):
    monkeypatch.setattr("hematovision.ui.learn.joining.learner_zone", lambda: ZoneInfo("Asia/Kolkata"))
    join(app, "AAAAAA")
    assert "There is no set with this code." in app.error[0].value
    opens = datetime.now(UTC) + timedelta(days=1)
    early = publish(opens_at=opens)
    join(app, early)
    assert "This set is not open yet." in app.info[0].value and not [b for b in app.button if b.key == "begin"]
    assert f"It opens on {opens.astimezone(ZoneInfo('Asia/Kolkata')):%d %B %Y at %H:%M}." in app.info[0].value
    closed = publish(feedback="end")
    open_services(app_environment).teach.close("local", closed)
    press(app, "leave")
    assert [b.label for b in app.button if b.key == f"open-{early}"]
    join(app, closed)
    assert "This set was closed by your instructor." in app.error[0].value


def test_a_mistyped_code_makes_nobody_known(app, publish, app_environment):
    code = publish()
    join(app, "AAAAAA")
    assert "There is no set with this code." in app.error[0].value
    assert open_store(app_environment.database).learners() == []
    join(app, code)
    assert [learner.name for learner in open_store(app_environment.database).learners()] == ["Ada"]


def test_a_set_that_closed_by_its_date_says_when_and_begins_nothing(app, publish):
    closed = datetime.now(UTC) - timedelta(minutes=1)
    join(app, publish(closes_at=closed))
    assert f"This set closed on {closed:%d %B %Y at %H:%M}." in app.info[0].value
    assert "It closes on" not in texts(app) and not [b for b in app.button if b.key == "begin"]


def test_who_comes_back_after_the_time_is_told_so(app, publish, app_environment):
    code = publish(feedback="end", minutes=5)
    join(app, code)
    press(app, "begin")
    answer(app, "monocyte")
    with sqlite3.connect(app_environment.database) as database:
        database.execute("UPDATE sessions SET started_at = datetime(started_at, '-5 minutes')")
    app.run()
    said = texts(app)
    assert "Time was up." in said and "1 cell has no answer." in said
    assert not [b for b in app.button if b.key == "commit"]


def test_an_attempt_is_gone_on_with_from_home_and_a_press_makes_one(app, publish, app_environment):
    code = publish(feedback="end")
    join(app, code)
    press(app, "begin")
    answer(app, "monocyte")
    visit(app, "learn/home")
    assert app.button(key="start").label == "Go on with the set"
    press(app, "start")
    assert "Cell 2 of 2" in texts(app)
    store = open_store(app_environment.database)
    assert len(store.publications.attempts(code)) == 1


def test_another_browser_gives_a_name_of_its_own(app, publish, app_environment):
    code = publish()
    join(app, code, "Ada")
    ben = new_tab()
    join(ben, code, "Ben")
    press(ben, "begin")
    press(ben, "end")
    assert "2 cells have no answer." in texts(ben)
    names = [member.learner.name for member in open_store(app_environment.database).publications.members(code)]
    assert names == ["Ada", "Ben"]
