"""What a person reads where the model does not know the cell."""

import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hematovision.settings import ROOT, load_settings
from hematovision.ui.widgets import STATUS_WORDS
from hematovision.vision.trust import STATUSES
from tests.trusted import give_trust, indifferent


@pytest.fixture
def open_app(app_environment, monkeypatch, tmp_path):
    """The app with a model whose thresholds are given."""

    def opened(page, **thresholds):
        folder = shutil.copytree(app_environment.model, tmp_path / "model")
        give_trust(folder, indifferent(folder), **thresholds)
        monkeypatch.setenv("HEMATOVISION_MODEL", str(folder))
        load_settings.cache_clear()
        monkeypatch.chdir(ROOT)
        st.cache_resource.clear()
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        app.run()
        app.switch_page(f"pages/{page}.py")
        return app.run()

    yield opened
    st.cache_resource.clear()


def texts(app) -> str:
    assert not app.exception
    html = [str(e.proto.body) for e in app.get("html")]
    return "\n".join([e.value for kind in (app.subheader, app.markdown, app.caption, app.error) for e in kind] + html)


def test_each_status_has_a_sign_and_words_of_its_own():
    assert set(STATUSES) < set(STATUS_WORDS)
    signs = [words.split()[0] for words in STATUS_WORDS.values()]
    assert len(set(signs)) == len(STATUS_WORDS) and not any(sign.isalnum() for sign in signs)


def classified(open_app, **thresholds):
    app = open_app("explore/classify", **thresholds)
    app.button(key="classify").click().run()
    return texts(app)


def test_classify_gives_an_answer_set_where_the_cell_is_familiar(open_app):
    shown = classified(open_app)
    assert "Answer set:" in shown and "take the answer with care" not in shown


def test_classify_asks_for_care_where_it_is_not_and_gives_none(open_app):
    shown = classified(open_app, familiar=1.0)
    assert "Unlike the cells it learned from: take the answer with care" in shown and "Answer set" not in shown


def test_classify_gives_no_class_to_what_is_no_cell(open_app):
    shown = classified(open_app, cell=1.0)
    assert "No answer" in shown and "the model gives it no class" in shown and 'class="hv-bars"' not in shown


@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        ({"familiar": 1.0}, ["The model says", "take the answer with care", 'class="hv-bars"', "What speaks for"]),
        ({"cell": 1.0}, ["The model gives no class", "Not a blood cell"]),
    ],
)
def test_the_reveal_says_so_too(open_app, thresholds, said):
    app = open_app("learn/quiz", **thresholds)
    app.button(key="choice-monocyte").click().run()
    app.button(key="commit").click().run()
    shown = texts(app)
    assert all(words in shown for words in said)
    assert ('class="hv-bars"' in shown) == ("What speaks for" in shown) == ("familiar" in thresholds)
