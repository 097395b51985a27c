"""The pages as Streamlit runs them, without a browser."""

import shutil

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hematovision import images
from hematovision.cells import CORE_FOUR, class_of, display_name
from hematovision.settings import ROOT, load_settings
from hematovision.storage.store import open_store
from tests.ui.screen import texts, visit


def answer(app, choice):
    app.button(key=f"choice-{choice}").click().run()
    app.button(key="commit").click().run()
    assert not app.exception


def stored(settings):
    """The question where the learner stopped."""
    store = open_store(settings.database)
    return store.stopped_at(store.latest_session("local").id)


def scope(settings):
    return open_store(settings.database).latest_session("local").plan.scope


def test_home_starts_practice_in_one_click(app, app_environment):
    app.run()
    assert app.button(key="start").label == "Start practice"
    answer(visit(app, "learn/quiz"), "monocyte")
    assert visit(app, "learn/home").button(key="start").label == "Go on with practice"
    assert "1 cell named, " in texts(app)


def test_the_key_comes_after_the_commit_and_the_answer_is_stored(app, app_environment):
    visit(app, "learn/quiz")
    question = stored(app_environment)
    assert app.button(key="commit").disabled
    assert [app.button(key=f"choice-{c}").label for c in CORE_FOUR] == [display_name(c) for c in CORE_FOUR]
    before = texts(app)
    assert "The model says" not in before and "key" not in before
    wrong = next(c for c in CORE_FOUR if c != question.key)
    answer(app, wrong)
    assert stored(app_environment).choice == wrong
    after = texts(app)
    assert f"The key is {display_name(question.key)}. You said {display_name(wrong)}." in after
    assert "The model says" in after and f"Key: {display_name(question.key)}" in after
    assert "For teaching, not for diagnosis." in after


def test_a_right_answer_is_called_right(app, app_environment):
    visit(app, "learn/quiz")
    key = stored(app_environment).key
    answer(app, key)
    assert f"Right: {display_name(key)}" in texts(app)


def test_next_asks_another_cell_and_a_reload_stays(app, app_environment):
    visit(app, "learn/quiz")
    first = stored(app_environment)
    answer(app, "monocyte")
    app.button(key="next").click().run()
    second = stored(app_environment)
    assert second.number == 2 and second.picture_id != first.picture_id
    st.cache_resource.clear()  # the server was killed and started again
    again = visit(AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30), "learn/quiz")
    assert stored(app_environment) == second
    assert again.button(key="commit").disabled


def test_all_eight_classes_can_be_practiced(app, app_environment):
    visit(app, "learn/quiz")
    app.selectbox(key="scope-core_four").set_value("all_eight").run()
    assert scope(app_environment) == "all_eight"
    assert app.button(key="choice-platelet").label == "Platelet"
    assert "Drawn cell" not in texts(app)  # there are real ones
    app.selectbox(key="scope-all_eight").set_value("core_four").run()
    assert scope(app_environment) == "core_four"
    assert app.selectbox(key="scope-core_four").value == "core_four"


def test_a_set_of_stages_is_played_and_the_model_speaks_of_classes(app, app_environment):
    visit(app, "learn/quiz")
    app.selectbox(key="scope-core_four").set_value("set:metamyelocyte-band").run()
    assert texts(app).count("Drawn cell") == 1
    key = stored(app_environment).key
    wrong = next(name for name in ("metamyelocyte", "band") if name != key)
    assert app.button(key=f"choice-{wrong}").label == display_name(wrong)
    answer(app, wrong)
    shown = texts(app)
    assert f"The key is {display_name(key)}. You said {display_name(wrong)}." in shown
    assert f"speaks for {display_name(class_of(wrong)).lower()}" in shown
    assert f"speaks for {display_name(wrong).lower()}" not in shown
    assert shown.count("Drawn cell") >= 2  # the cell itself and a reference
    app.button(key="next").click().run()
    assert scope(app_environment) == "set:metamyelocyte-band"


def test_when_a_set_has_gone_the_learner_goes_on(app, app_environment, monkeypatch, tmp_path):
    shutil.copytree(app_environment.bank, tmp_path / "bank")
    monkeypatch.setenv("HEMATOVISION_BANK", str(tmp_path / "bank"))
    load_settings.cache_clear()
    visit(app, "learn/quiz")
    app.selectbox(key="scope-core_four").set_value("set:band-segmented").run()
    answer(app, "band")
    (tmp_path / "bank" / "sets" / "band-segmented.yaml").unlink()
    st.cache_resource.clear()
    app.run()
    assert "The key is" in texts(app) or "Right:" in texts(app)
    app.button(key="next").click().run()
    assert not app.exception and scope(app_environment) == "core_four"


def test_without_a_model_the_quiz_goes_on_and_says_so(app, app_environment, monkeypatch, tmp_path):
    monkeypatch.setenv("HEMATOVISION_MODEL", str(tmp_path / "none"))
    load_settings.cache_clear()
    visit(app, "learn/quiz")
    answer(app, "monocyte")
    assert "There is no model" in texts(app) and "Key:" in texts(app)
    assert stored(app_environment).choice == "monocyte"


@pytest.fixture
def alone(app, monkeypatch):
    """The app as it comes: with its bank and no other folder."""
    monkeypatch.setenv("HEMATOVISION_DATA", "")
    load_settings.cache_clear()
    return app


def test_without_any_folder_everything_works_on_drawn_cells(alone, app_environment):
    alone.run()
    assert alone.button(key="start").label == "Start practice" and texts(alone).count("Drawn cell") == 1
    visit(alone, "learn/quiz")
    assert texts(alone).count("Drawn cell") == 1
    answer(alone, "monocyte")
    shown = texts(alone)
    assert "The model says" in shown and shown.count("Drawn cell") == 3  # with two references
    visit(alone, "explore/classify")
    assert texts(alone).count("Drawn cell") == 1
    alone.button(key="classify").click().run()
    assert not alone.exception
    shown = texts(alone)
    assert "Key:" in shown and "Similar reference cells" in shown
    # Each similar cell is drawn, too, and says how close it is; how many there are yet is up to the index.
    assert shown.count("Drawn cell") == 1 + shown.count("close, ")
    visit(alone, "about/library")
    assert "24 drawn cells, made by HematoVision" in texts(alone)


def test_where_even_the_bank_is_gone_the_quiz_and_classify_say_so(alone, monkeypatch, tmp_path):
    monkeypatch.setenv("HEMATOVISION_BANK", str(tmp_path))
    load_settings.cache_clear()
    assert not alone.run().exception
    for page in ("learn/quiz", "explore/classify"):
        visit(alone, page)
        assert "The library has no pictures of these classes." in texts(alone)
    visit(alone, "about/library")
    assert "No pictures were found" in texts(alone)


def test_classify_names_a_picture_of_the_library(app):
    visit(app, "explore/classify")
    app.button(key="classify").click().run()
    assert not app.exception
    assert "Key:" in texts(app) and "For teaching" in texts(app)
    assert [box.label for box in app.selectbox] == ["Why not", "What speaks for"]


def test_classify_takes_an_upload_and_refuses_a_bad_one(app, cell):
    visit(app, "explore/classify")
    app.segmented_control(key="source").set_value("Upload").run()
    app.file_uploader[0].set_value(("bad.png", b"no picture", "image/png")).run()
    assert "not a picture that we can read" in texts(app)
    app.file_uploader[0].set_value(("cell.png", images.encode_png(cell), "image/png")).run()
    app.button(key="classify").click().run()
    assert not app.exception and "Key:" not in texts(app)


def test_each_cell_of_a_field_can_be_looked_at(app, field):
    visit(app, "explore/classify")
    app.segmented_control(key="source").set_value("Upload").run()
    app.file_uploader[0].set_value(("field.png", images.encode_png(field.picture), "image/png")).run()
    app.button(key="classify").click().run()
    numbers = app.segmented_control[1]
    assert numbers.options == ["1", "2"]
    numbers.set_value(2).run()
    assert not app.exception and "For teaching" in texts(app)


def test_a_picture_without_stain_gets_no_answer(app):
    visit(app, "explore/classify")
    app.segmented_control(key="source").set_value("Upload").run()
    flat = images.encode_png(np.full((80, 80, 3), 120, np.uint8))
    app.file_uploader[0].set_value(("flat.png", flat, "image/png")).run()
    app.button(key="classify").click().run()
    assert "Not a blood cell" in texts(app) and not app.selectbox


def test_a_folder_is_added_on_the_library_page(alone, cells_folder, tmp_path):
    app = alone
    visit(app, "about/library")
    app.text_input(key="folder").set_value(str(tmp_path / "none")).run()
    assert "There is no folder" in texts(app)
    app.text_input(key="folder").set_value(str(cells_folder)).run()
    assert "Added 48 pictures." in texts(app)
    visit(app, "learn/quiz")
    assert app.button(key="commit")
