"""The pages as Streamlit runs them, without a browser."""

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hematovision import images
from hematovision.cells import CORE_FOUR, display_name
from hematovision.settings import ROOT
from hematovision.storage.store import open_store
from tests.drawn import draw_field


@pytest.fixture
def app(app_environment, monkeypatch):
    monkeypatch.chdir(ROOT)
    st.cache_resource.clear()
    yield AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)
    st.cache_resource.clear()


def visit(app, page):
    app.run()
    app.switch_page(f"pages/{page}.py")
    app.run()
    assert not app.exception
    return app


def texts(app) -> str:
    kinds = (app.title, app.header, app.subheader, app.markdown, app.caption, app.error, app.success)
    html = [str(node.proto.html.body) for node in app.main.children.values() if hasattr(node.proto, "html")]
    return "\n".join([e.value for kind in kinds for e in kind] + html + [str(e.proto) for e in app.get("html")])


def answer(app, choice):
    app.button(key=f"choice-{choice}").click().run()
    app.button(key="commit").click().run()
    assert not app.exception


def stored(settings):
    return open_store(settings.database).latest("local")


def test_home_starts_practice_in_one_click(app, app_environment):
    app.run()
    assert app.button(key="start").label == "Start practice"
    answer(visit(app, "learn/quiz"), "monocyte")
    assert visit(app, "learn/home").button(key="start").label == "Go on with practice"
    assert "1 cell named, " in texts(app)


def test_the_key_comes_after_the_commit_and_the_answer_is_stored(app, app_environment):
    visit(app, "learn/quiz")
    question = stored(app_environment).question
    assert app.button(key="commit").disabled
    assert [app.button(key=f"choice-{c}").label for c in CORE_FOUR] == [display_name(c) for c in CORE_FOUR]
    before = texts(app)
    assert "The model says" not in before and "key" not in before
    wrong = next(c for c in CORE_FOUR if c != question.key)
    answer(app, wrong)
    assert stored(app_environment).question.choice == wrong
    after = texts(app)
    assert f"The key is {display_name(question.key)}. You said {display_name(wrong)}." in after
    assert "The model says" in after and f"Expert key: {display_name(question.key)}" in after
    assert "For teaching, not for diagnosis." in after


def test_a_right_answer_is_called_right(app, app_environment):
    visit(app, "learn/quiz")
    key = stored(app_environment).question.key
    answer(app, key)
    assert f"Right: {display_name(key)}" in texts(app)


def test_next_asks_another_cell_and_a_reload_stays(app, app_environment):
    visit(app, "learn/quiz")
    first = stored(app_environment).question
    answer(app, "monocyte")
    app.button(key="next").click().run()
    second = stored(app_environment)
    assert second.number == 2 and second.question.picture_id != first.picture_id
    st.cache_resource.clear()  # the server was killed and started again
    again = visit(AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30), "learn/quiz")
    assert stored(app_environment) == second
    assert again.button(key="commit").disabled


def test_all_eight_classes_can_be_practiced(app, app_environment):
    visit(app, "learn/quiz")
    app.segmented_control(key="scope-core_four").set_value("all_eight").run()
    assert stored(app_environment).scope == "all_eight"
    assert app.button(key="choice-platelet").label == "Platelet"
    app.segmented_control(key="scope-all_eight").set_value("core_four").run()
    assert stored(app_environment).scope == "core_four"
    assert app.segmented_control(key="scope-core_four").value == "core_four"


def test_without_a_model_the_quiz_goes_on_and_says_so(app, app_environment, monkeypatch, tmp_path):
    monkeypatch.setenv("HEMATOVISION_MODEL", str(tmp_path / "none"))
    from hematovision.settings import load_settings

    load_settings.cache_clear()
    visit(app, "learn/quiz")
    answer(app, "monocyte")
    assert "There is no model" in texts(app) and "Expert key" in texts(app)
    assert stored(app_environment).question.choice == "monocyte"


def test_an_empty_library_leads_to_the_library_page(app, monkeypatch):
    monkeypatch.setenv("HEMATOVISION_DATA", "")
    from hematovision.settings import load_settings

    load_settings.cache_clear()
    app.run()
    assert [b.label for b in app.button] == ["Open the library"]
    visit(app, "learn/quiz")
    assert "The library has no pictures of these classes." in texts(app)


def test_classify_names_a_picture_of_the_library(app):
    visit(app, "explore/classify")
    app.button(key="classify").click().run()
    assert not app.exception
    assert "Expert key:" in texts(app) and "For teaching" in texts(app)
    assert len(app.selectbox) == 2


def test_classify_takes_an_upload_and_refuses_a_bad_one(app, cell):
    visit(app, "explore/classify")
    app.segmented_control(key="source").set_value("Upload").run()
    app.file_uploader[0].set_value(("bad.png", b"no picture", "image/png")).run()
    assert "not a picture that we can read" in texts(app)
    app.file_uploader[0].set_value(("cell.png", images.encode_png(cell), "image/png")).run()
    app.button(key="classify").click().run()
    assert not app.exception and "Expert key" not in texts(app)


def test_each_cell_of_a_field_can_be_looked_at(app):
    visit(app, "explore/classify")
    app.segmented_control(key="source").set_value("Upload").run()
    field = images.encode_png(draw_field(np.random.default_rng(1), [(160, 200), (460, 300)]))
    app.file_uploader[0].set_value(("field.png", field, "image/png")).run()
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


def test_a_dead_gradient_worker_is_told_and_started_again(app, monkeypatch):
    from hematovision.errors import WorkerError
    from hematovision.vision.gradients import GradientWorker

    visit(app, "explore/classify")
    app.button(key="classify").click().run()

    def dead(self, *arguments):
        raise WorkerError("The gradient worker stopped in the middle of its work.", "Try again.")

    with monkeypatch.context() as patch:
        patch.setattr(GradientWorker, "gradcam", dead)
        app.selectbox[1].set_value("gradcam-gradients").run()
        assert "stopped in the middle of its work" in texts(app) and "Expert key:" in texts(app)
    again = next(b for b in app.button if b.label == "Try again")
    again.click().run()
    assert not app.exception and "stopped in the middle" not in texts(app)


def test_a_folder_is_added_on_the_library_page(app, monkeypatch, cells_folder, tmp_path):
    monkeypatch.setenv("HEMATOVISION_DATA", "")
    from hematovision.settings import load_settings

    load_settings.cache_clear()
    visit(app, "about/library")
    app.text_input(key="folder").set_value(str(tmp_path / "none")).run()
    assert "There is no folder" in texts(app)
    app.text_input(key="folder").set_value(str(cells_folder)).run()
    assert "48 pictures were added." in texts(app)
    visit(app, "learn/quiz")
    assert app.button(key="commit")
