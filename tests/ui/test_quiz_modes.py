"""The Quiz's modes, certainty, features and what comes after the key, and who practices; without a browser."""

import shutil
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
import streamlit as st

from hematovision.cells import CELL_CLASSES, CORE_FOUR, STAGES, display_name
from hematovision.quiz.questions import Reply
from hematovision.quiz.scheduling import schedule
from hematovision.settings import load_settings
from hematovision.storage.store import open_store
from hematovision.ui.learn import quiz
from hematovision.ui.learn.reveal import features_table
from hematovision.ui.times import in_words
from tests.ui.screen import new_tab, press, texts, visit


def stored(settings, learner="local"):
    store = open_store(settings.database)
    return store.stopped_at(store.latest_session(learner).id)


def mode(app, name):
    app.segmented_control[0].set_value(name).run()
    assert not app.exception


def test_a_draft_is_of_one_question_and_a_second_click_takes_certainty_back():
    state = {}
    first, other, preview = quiz.known_as("ann", 1), quiz.known_as("ann", 2), quiz.known_as("preview-7", 1)
    assert quiz.reply(state, first) is None
    quiz.say(state, first, "certainty", 2)
    assert quiz.reply(state, first) is None
    quiz.say(state, first, "choice", "monocyte")
    state[f"feature-cell_size-{first}"] = "big"
    assert quiz.reply(state, first) == Reply("monocyte", 2, {"cell_size": "big"})
    assert quiz.reply(state, other) is None and quiz.reply(state, preview) is None
    quiz.say(state, first, "certainty", 2)
    quiz.say(state, first, "choice", "neutrophil")
    quiz.say(state, first, "choice", "neutrophil")
    assert quiz.reply(state, first) == Reply("neutrophil", None, {"cell_size": "big"})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 minute"), (119, "1 minute"), (120, "2 minutes"), (3600, "1 hour"), (86399, "23 hours"), (172800, "2 days")],
)
def test_a_time_is_said_in_its_largest_whole_unit(seconds, words):
    assert in_words(timedelta(seconds=seconds)) == words


def test_the_help_names_no_class():
    words = " ".join(quiz.LOOK_AT).lower()
    names = [*CELL_CLASSES, *STAGES, "lobed", "band"]
    assert len(quiz.LOOK_AT) == 5 and not [name for name in names if name in words]


def test_the_table_of_features_says_who_agrees():
    table = features_table(
        {"cell_size": "big", "granularity": "yes", "cell_shape": "round"},
        {"cell_size": "big", "granularity": "no"},
        {"cell_size": "small"},
    )
    assert "<td>✓ big</td><td>big</td><td>small</td>" in table
    assert "<td>✗ yes</td><td>no</td><td>–</td>" in table
    assert "<td>round</td><td>–</td><td>–</td>" in table


def test_certainty_and_features_are_stored_and_come_back_beside_the_key(app, app_environment):
    visit(app, "learn/quiz")
    question = stored(app_environment)
    before = texts(app)
    assert "How sure are you?" in before and "**Nucleus**" in before and "key" not in before.lower()
    press(app, "certainty-2")
    assert app.button(key="commit").disabled and app.button(key="certainty-2").label == "✓ Fairly sure"
    next(p for p in app.get("button_group") if p.label == display_name("cell_size")).set_value("big").run()
    press(app, "choice-monocyte")
    press(app, "commit")
    reply = stored(app_environment).reply
    assert (reply.choice, reply.certainty, dict(reply.features)) == ("monocyte", 2, {"cell_size": "big"})
    shown = texts(app)
    assert "<table" in shown and display_name("cell_size") in shown
    again = next(p for p in app.get("button_group") if p.label.startswith("Would you change"))
    wanted = next(name for name in CORE_FOUR if name != "monocyte")
    again.set_value(wanted).run()
    assert stored(app_environment).revised == wanted and stored(app_environment).choice == "monocyte"
    assert f"You would now say {wanted}. This is stored, and never graded." in texts(app)
    assert app.button(key="dispute").disabled
    app.text_area(key=f"reason-local-{question.id}").set_value("Its nucleus is round.").run()
    press(app, "dispute")
    assert stored(app_environment).dispute == "Its nucleus is round."


def test_the_opacity_of_heat_maps_stays_from_cell_to_cell(app):
    visit(app, "learn/quiz")
    press(app, "choice-monocyte")
    press(app, "commit")
    assert app.slider(key="quiz-opacity").value == 60
    app.slider(key="quiz-opacity").set_value(20).run()
    for step in ("next", "choice-monocyte", "commit"):
        press(app, step)
    assert app.slider(key="quiz-opacity").value == 20


def test_nothing_is_due_says_so_and_practice_goes_on(app, app_environment):
    visit(app, "learn/quiz")
    mode(app, "due")
    assert "Nothing is due" in texts(app) and "Nothing was practiced of these cells yet." in texts(app)
    press(app, "practice")
    press(app, f"choice-{stored(app_environment).key}")
    press(app, "commit")
    press(app, "next")
    mode(app, "due")
    assert "Nothing is due" in texts(app) and "The next review is in " in texts(app)
    assert "due" in visit(app, "learn/home").caption[0].value


def test_home_counts_what_is_due_and_one_click_reviews_it(app, app_environment):
    visit(app, "learn/quiz")
    for choose in (lambda key: key, lambda key: next(name for name in CORE_FOUR if name != key)):
        press(app, f"choice-{choose(stored(app_environment).key)}")
        press(app, "commit")
        press(app, "next")
    long_ago = (datetime.now(UTC) - timedelta(days=30)).replace(tzinfo=None)
    engine = sa.create_engine(f"sqlite:///{app_environment.database}")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE questions SET asked_at = :then, answered_at = :then"), {"then": long_ago})
    engine.dispose()
    st.cache_resource.clear()
    home = new_tab().run()
    button = home.button(key="review")
    known = schedule(open_store(app_environment.database).answers("local"))
    assert button.label == f"Review what is due: {len(known.topics)} topics" and len(known.topics) >= 2
    press(home, "review")
    assert "Which cell is this?" in texts(home) and home.segmented_control[0].value == "due"


def test_contrast_asks_two_look_alikes(app, app_environment):
    visit(app, "learn/quiz")
    mode(app, "contrast")
    assert "Two look-alikes at a time." in texts(app)
    question = stored(app_environment)
    assert len(question.choices) == 2 and question.key in question.choices
    assert sum(b.key.startswith("choice-") for b in app.button) == 2


def test_pitfalls_without_real_cells_say_so_and_another_mode_can_be_taken(app, app_environment, monkeypatch):
    monkeypatch.setenv("HEMATOVISION_DATA", "")
    load_settings.cache_clear()
    visit(app, "learn/quiz")
    mode(app, "pitfalls")
    assert texts(app).count("There are no real cells of these classes.") == 1
    mode(app, "practice")
    assert "Which cell is this?" in texts(app)


def test_a_set_without_pictures_says_so_once_and_another_can_be_taken(app, app_environment, monkeypatch, tmp_path):
    shutil.copytree(app_environment.bank, tmp_path / "bank")
    labels = tmp_path / "bank" / "labels.jsonl"
    left = [line for line in labels.read_text().splitlines(True) if "band" not in line and "segmented" not in line]
    labels.write_text("".join(left))
    monkeypatch.setenv("HEMATOVISION_BANK", str(tmp_path / "bank"))
    load_settings.cache_clear()
    visit(app, "learn/quiz")
    app.selectbox(key="scope-core_four").set_value("set:band-segmented").run()
    for _ in range(2):  # as long as it lasts
        assert not app.exception and len(app.error) == 1
        assert "The library has no pictures of these classes." in app.error[0].value
        app.run()
    app.selectbox(key="scope-set:band-segmented").set_value("all_eight").run()
    assert not app.error and "Which cell is this?" in texts(app)


def test_a_certainty_set_waits_for_the_certainty(app, monkeypatch):
    seen = []
    monkeypatch.setattr(quiz, "cell_to_mark", lambda *a, **k: None)
    monkeypatch.setattr(quiz.st, "button", lambda *a, **k: seen.append((k["key"], k.get("disabled"))))
    question = SimpleNamespace(id=1, picture_id="p", choices=("band", "segmented"))
    state = {}
    for name, value, is_disabled in (("choice", "band", True), ("certainty", 1, False)):
        quiz.say(state, quiz.known_as("ann", 1), name, value)
        quiz.ask(state, None, "ann", question, "certainty", print)
        assert seen[-1] == ("commit", is_disabled)


def test_a_name_is_taken_with_the_answers_and_another_learner_has_their_own(app, app_environment):
    visit(app, "learn/quiz")
    press(app, "choice-monocyte")
    press(app, "commit")
    visit(app, "learn/home")
    app.text_input(key="my-name-local").set_value("Anna").run()
    assert not app.exception
    store = open_store(app_environment.database)
    assert [(found.id, found.name) for found in store.learners()] == [("local", "Anna")]
    assert "1 cell named" in texts(app) and not app.query_params
    app.text_input(key="new-name").set_value("Ben").run()
    ben = next(found.id for found in store.learners() if found.name == "Ben")
    assert app.query_params["learner"] == ben and "cell named" not in texts(app)
    visit(app, "learn/quiz")
    assert stored(app_environment, ben).number == 1
    reloaded = new_tab()
    reloaded.query_params["learner"] = ben
    reloaded.run()
    assert reloaded.button(key="learner-local").label == "Anna" and reloaded.button(key="start")
    unknown = visit(new_tab(), "learn/quiz")
    assert "Who practices?" in texts(unknown) and not [b for b in unknown.button if b.key == "commit"]
    press(unknown, "learner-local")
    assert "The key is" in texts(unknown) or "Right:" in texts(unknown)


def test_classes_of_ones_own_are_practiced(app):
    visit(app, "learn/quiz")
    app.selectbox(key="scope-core_four").set_value("own").run()
    pills = app.get("button_group")[-1]
    assert [option.content for option in pills.proto.options][:2] == ["Basophil", "Eosinophil"]
    pills.set_value(["basophil"]).run()
    assert app.selectbox(key="scope-core_four").value == "own", "one class is no choice yet"
    app.get("button_group")[-1].set_value(["platelet", "basophil"]).run()
    assert not app.exception
    assert {b.key for b in app.button if b.key.startswith("choice-")} == {"choice-basophil", "choice-platelet"}
    assert app.selectbox(key="scope-own:basophil,platelet")
