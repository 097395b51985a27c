"""The Progress page as Streamlit runs it, on answers that were put into the store."""

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from hematovision.cells import CORE_FOUR
from hematovision.quiz.progress import Figure, Times, progress
from hematovision.quiz.questions import ModelAnswer, Reply
from hematovision.quiz.session import Cell, Plan
from hematovision.services.model_card import Share
from hematovision.storage.store import open_store
from hematovision.ui.learn.progress import (
    MOST_POINTS,
    as_json,
    calibration_figure,
    class_figure,
    confusion_figure,
    curve_figure,
    times_words,
)
from tests.quiz.make import NOW, answered
from tests.ui.screen import texts, visit

PAGE = "learn/progress"

# (key, choice, certainty, seconds, model, what they would say then)
ANSWERS = [
    *[("monocyte", "monocyte", 3, 2, "monocyte", None)] * 20,
    *[("lymphocyte", "monocyte", 3, 10, "lymphocyte", "lymphocyte")] * 4,
    *[("lymphocyte", "monocyte", 3, 10, "lymphocyte", "monocyte")] * 2,
    *[("neutrophil", "neutrophil", 1, 4, "eosinophil", "neutrophil")] * 3,
    *[("neutrophil", "neutrophil", 1, 4, "eosinophil", "eosinophil")],
    *[("lymphocyte", "lymphocyte", None, 4, "", None)] * 10,
]


def give(settings, answers):
    """Store the answers, the first twenty of yesterday."""
    store, now = open_store(settings.database), datetime.now(UTC)
    store.enroll("local", "", now)
    start = now - timedelta(days=1)
    cells = [Cell(f"p{n}", key, CORE_FOUR) for n, (key, *_) in enumerate(answers)]
    session = store.start("local", "given", Plan(), start, cells)
    for n, (question, given) in enumerate(zip(store.questions(session.id), answers, strict=True)):
        _, choice, certainty, seconds, model, revised = given
        at = (start if n < 20 else now) + timedelta(milliseconds=n)
        store.withdraw(question)  # asked anew, so that it has a time of its own
        question = store.ask(session, question.number, cells[n], at - timedelta(seconds=seconds))
        store.answer(replace(question, reply=Reply(choice, certainty), answered_at=at))
        if model:
            store.add_model_answer(question, ModelAnswer("v1", model, 0.9))
        if revised:
            store.revise(replace(question, revised=revised))
    return store


def charts(app):
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def known(answers=ANSWERS):
    made = [answered(key, choice, NOW, seconds, sure, model) for key, choice, sure, seconds, model, _ in answers]
    return progress(made, [0, 2], NOW, UTC)


def test_without_an_answer_it_says_so_and_draws_nothing(app):
    visit(app, PAGE)
    assert "No cell has been named yet." in texts(app)
    assert app.button(key="start").label == "Start practice"
    assert not charts(app) and not app.download_button and not app.header


def test_every_figure_comes_with_its_n(app, app_environment):
    give(app_environment, ANSWERS)
    visit(app, PAGE)
    shown = texts(app)
    assert "**34 of 40 cells (85 %; 95 % interval 71 % to 93 %) right.** 2 days in a row." in shown
    assert "**Lymphocyte and monocyte**: 6 of 36 cells" in shown
    assert "<dt>Right answers</dt><dd>2.0 s at the median, n = 34</dd>" in shown
    assert "<dt>Wrong answers</dt><dd>10.0 s at the median, n = 6</dd>" in shown
    assert shown.count("n = 40") == 2  # the confusion matrix and the curve


def test_each_chart_says_what_it_shows(app, app_environment):
    give(app_environment, ANSWERS)
    said = charts(visit(app, PAGE))
    assert said[:4] == [
        "Key (rows) and your answer (columns): 34 of 40 answers are the key's class.",
        "Right, of each key. right: Lymphocyte 62.5%, Monocyte 100.0%, Neutrophil 100.0%.",
        "Right, of the last 20 answers: answer 20, 100%; answer 40, 70%.",
        "Right, by how sure you were. right: Guess 100.0%, Sure 76.9%.",
    ]
    assert said[4].startswith("Classes and pairs that fall due: ") and len(said) == 5


def test_reliance_is_split_by_whether_the_model_was_right(app, app_environment):
    give(app_environment, ANSWERS)
    shown = texts(visit(app, PAGE))
    for words, right, wrong in [
        ("Kept your answer, rightly", "–", 3),
        ("Kept your answer, wrongly", 2, 0),
        ("Switched to the right one", 4, 0),
        ("Switched to a wrong one", 0, 1),
        ("Did not say", 0, 0),
        ("n", 6, 4),
    ]:
        assert f"<tr><th>{words}</th><td>{right}</td><td>{wrong}</td></tr>" in shown
    assert "too few to read much into them" not in shown


def test_with_few_answers_it_says_so_instead_of_drawing(app, app_environment):
    give(app_environment, [*ANSWERS[:3], *ANSWERS[20:22]])
    visit(app, PAGE)
    shown = texts(app)
    assert "3 of 5 cells (60 %; 95 % interval 23 % to 88 %) right." in shown
    assert "n = 5 answers so far: the chart is drawn from 10 on." in shown
    assert "n = 5 answers so far: the chart is drawn from 30 on." in shown
    assert "n = 5 answers with a certainty so far: the chart is drawn from 10 on." in shown
    assert "n = 2: too few to read much into them." in shown
    assert [alt.split(":")[0] for alt in charts(app)] == ["Classes and pairs that fall due"]  # that is no estimate


def test_where_nobody_said_whether_they_would_change_there_is_no_table_of_zeros(app, app_environment):
    give(app_environment, [("lymphocyte", "monocyte", 3, 10, "lymphocyte", None)] * 2)
    shown = texts(visit(app, PAGE))
    assert "The model gave another answer to 2 of your cells." in shown
    assert "Did not say" not in shown and "too few to read" not in shown


def test_a_model_that_never_contradicted_is_said_to_have_not(app, app_environment):
    give(app_environment, ANSWERS[:3])
    shown = texts(visit(app, PAGE))
    assert "The model has not yet contradicted an answer of yours." in shown and "Nothing so far (n = 3)." in shown


def test_a_weak_pair_starts_its_contrast(app, app_environment):
    store = give(app_environment, ANSWERS)
    visit(app, PAGE)
    button = app.button(key="practice-lymphocyte|monocyte")
    assert button.label == "Practice this pair"  # as in the Atlas
    button.click().run()
    assert not app.exception
    session = store.latest_session("local")
    assert (session.plan.mode, session.plan.scope) == ("contrast", "own:lymphocyte,monocyte")
    assert sorted(store.stopped_at(session.id).choices) == ["lymphocyte", "monocyte"]
    assert not [title for title in app.title if title.value == "Progress"]


def test_deleting_asks_once_more_and_deletes_everything(app, app_environment):
    store = give(app_environment, ANSWERS[:3])
    visit(app, PAGE)
    assert [b.label for b in app.download_button] == ["Export as JSON", "Export as CSV"]
    assert "all your answers are deleted for good" in texts(app) and store.learner("local")
    app.button(key="delete").click().run()
    assert not app.exception and store.learner("local") is None and store.counts("local") == (0, 0)
    assert "Your data were deleted." in texts(app) and not app.download_button
    app.run()
    assert "Your data were deleted." not in texts(app)


def test_one_who_only_took_a_name_can_delete_it(app, app_environment):
    store = open_store(app_environment.database)
    store.enroll("ann", "Ann", NOW)
    visit(app, PAGE)
    app.button(key="delete").click().run()
    assert not app.exception and not store.learners() and not app.download_button


def test_the_json_is_all_that_is_stored():
    class Stored:
        def export(self, learner):
            return {"learner": {"name": f"Zoë {learner}"}, "answers": []}

    text = as_json(Stored(), "ann")
    assert json.loads(text) == Stored().export("ann") and "Zoë" in text


def test_the_figures_of_the_charts():
    found = known()
    matrix = confusion_figure(found)
    assert matrix.keys == matrix.answers == ["Lymphocyte", "Monocyte", "Neutrophil"]
    assert matrix.rows == [[10, 6, 0], [0, 20, 0], [0, 0, 4]]
    (right,) = class_figure(found).series.values()
    assert right[0] == Share("Lymphocyte", 0.625, *Figure(10, 16).interval, 16)
    (sure,) = calibration_figure(found).series.values()
    assert [(one.name, one.value, one.n) for one in sure] == [("Guess", 1.0, 4), ("Sure", 20 / 26, 26)]
    course = curve_figure(found)
    assert list(course.points) == list(range(20, 41)) and course.points[40].value == 0.7
    assert {one.n for one in course.points.values()} == {20}


def test_a_column_stands_for_an_answer_that_was_never_a_key():
    matrix = confusion_figure(known([("monocyte", "basophil", None, 1, "", None)]))
    assert (matrix.keys, matrix.answers, matrix.rows) == (["Monocyte"], ["Basophil", "Monocyte"], [[1, 0]])


@pytest.mark.parametrize("count", [30, 219, 220, 1000])
def test_a_long_curve_is_thinned_and_ends_with_the_last_answer(count):
    points = curve_figure(known(ANSWERS[:1] * count)).points
    assert max(points) == count and min(points) >= 20 and len(points) <= MOST_POINTS
    assert len({later - one for one, later in zip(list(points)[:-1], list(points)[1:], strict=True)}) == 1


def test_times_are_said_with_their_n():
    assert times_words(Times(3.24, 12)) == "3.2 s at the median, n = 12"
    assert times_words(Times(None, 0)) == "none so far, n = 0"


@pytest.mark.parametrize(
    ("named", "known_as"), [("Europe/Berlin", "Europe/Berlin"), ("No/Where", "UTC"), (None, "UTC")]
)
def test_days_are_those_of_the_learners_browser(named, known_as):
    script = "import streamlit as st\nfrom hematovision.ui.times import learner_zone\nst.text(learner_zone())"
    run = AppTest.from_string(script, default_timeout=30)
    if named:
        run.context["timezone"] = named
    assert run.run().text[0].value == known_as


def test_the_day_of_the_exam_is_kept_and_moves_what_is_due(app, app_environment):
    give(app_environment, ANSWERS)
    visit(app, PAGE)
    assert app.date_input(key="exam-day-local").value is None
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    app.date_input(key="exam-day-local").set_value(day).run()
    assert not app.exception
    assert open_store(app_environment.database).learner("local").exam_at == datetime.combine(day, time(), UTC)
    assert visit(AppTest.from_file(app._script_path), PAGE).date_input(key="exam-day-local").value == day
    app.date_input(key="exam-day-local").set_value(None).run()
    assert open_store(app_environment.database).learner("local").exam_at is None
