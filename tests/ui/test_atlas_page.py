"""The Atlas as Streamlit runs it."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hematovision.cells import ATTRIBUTES
from hematovision.content import NAMES
from hematovision.services import open_services
from hematovision.settings import ROOT
from hematovision.storage.store import open_store
from tests.ui.screen import new_tab, visit


@pytest.fixture
def app(app_environment, monkeypatch):
    monkeypatch.chdir(ROOT)
    st.cache_resource.clear()
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    app.run()
    app.switch_page("pages/learn/atlas.py").run()
    assert not app.exception
    yield app
    st.cache_resource.clear()


def texts(app) -> str:
    kinds = (app.title, app.header, app.subheader, app.markdown, app.caption, app.error)
    html = [str(e.proto) for e in app.get("html") if "<style>" not in str(e.proto)]
    found = "\n".join([e.value for kind in kinds for e in kind] + html)
    return found.encode().decode("unicode_escape").encode("latin-1", "ignore").decode("utf-8", "ignore")


def view(app, name):
    app.segmented_control(key="atlas-view").set_value(name).run()
    assert not app.exception and not app.error


def test_a_cell_has_its_facts_look_alikes_and_shares(app):
    shown = texts(app)
    assert "The largest cell of normal blood" in shown
    assert "**How is the chromatin?**" in shown and "n = 1,360" in shown
    assert "Drawn cells" in shown and "CellAtlas" in shown
    assert len(app.get("image")) == 4 + 3


def test_every_class_and_stage_can_be_looked_at(app):
    for name in NAMES:
        app.selectbox(key="atlas-cell").set_value(name).run()
        assert not app.exception and not app.error
        known = name in ("basophil", "eosinophil", "lymphocyte", "monocyte", "neutrophil")
        assert ("nothing was measured" in texts(app)) != known, name


def test_other_cells_are_shown_on_demand(app):
    before = [e.proto.SerializeToString() for e in app.get("image")]
    app.button(key="atlas-next").click().run()
    assert [e.proto.SerializeToString() for e in app.get("image")] != before


def test_a_look_alike_leads_to_the_two_side_by_side(app):
    app.button(key="compare-neutrophil").click().run()
    assert not app.exception
    assert app.selectbox(key="atlas-one").value == "monocyte"
    assert app.selectbox(key="atlas-other").value == "neutrophil"
    shown = texts(app)
    assert "What color is the cytoplasm?" in shown
    assert "monocyte n = 1,360, neutrophil n = 3,171" in shown.lower()
    app.selectbox(key="atlas-other").set_value("platelet").run()
    assert "Platelet: nothing was measured" in texts(app) and "What decides" not in texts(app)


def test_a_look_alike_pair_is_practiced_in_one_click(app, app_environment):
    app.button(key="practice-lymphocyte|monocyte").click().run()
    assert not app.exception and app.button(key="commit")
    running = open_store(app_environment.database).latest_session("local")
    assert (running.plan.mode, running.plan.scope) == ("contrast", "own:lymphocyte,monocyte")
    assert {b.key for b in app.button if b.key and b.key.startswith("choice-")} == {
        "choice-lymphocyte",
        "choice-monocyte",
    }


def test_with_several_learners_a_pair_is_practiced_by_who_was_chosen(app_environment, app):
    practice = open_services(app_environment).practice
    anna, _ = (practice.enroll(name).id for name in ("Anna", "Ben"))
    app = visit(new_tab(), "learn/atlas")
    assert [header.value for header in app.header] == ["Who practices?"]
    app.button(key=f"learner-{anna}").click().run()
    app.button(key="practice-lymphocyte|monocyte").click().run()
    assert not app.exception and app.button(key="commit")
    assert open_store(app_environment.database).latest_session(anna).plan.scope == "own:lymphocyte,monocyte"


def test_every_feature_can_be_looked_at(app):
    view(app, "Features")
    for name, values in ATTRIBUTES.items():
        app.selectbox(key="atlas-attribute").set_value(name).run()
        assert not app.exception and not app.error
        assert len(app.get("image")) == 3 * len(values)


def test_the_key_narrows_and_starts_again(app):
    view(app, "Identify")
    assert "11 of 11 kinds fit" in texts(app)
    app.pills(key="key-nucleus").set_value("lobed").run()
    assert "3 of 11 kinds fit" in texts(app)
    app.pills(key="key-granules").set_value("fine").run()
    shown = texts(app)
    assert "Only one fits: segmented neutrophil" in shown
    assert "Granules: large, round, orange-red" in shown
    app.pills(key="key-cytoplasm").set_value("sky").run()
    assert "0 of 11 kinds fit" in texts(app) and "Take a feature back" in texts(app)
    app.button(key="key-clear").click().run()
    assert "11 of 11 kinds fit" in texts(app)
    app.button(key="see-eosinophil").click().run()
    assert app.selectbox(key="atlas-cell").value == "eosinophil"
