"""The Morphology lab: its sliders as a plain dict, and the page as Streamlit runs it."""

from dataclasses import replace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hematovision.library.drawn import DrawnCell
from hematovision.services.lab import Tip, Trial
from hematovision.settings import ROOT
from hematovision.smear.morphology import KINDS, LIMITS, NUMBERS, morph, typical
from hematovision.smear.stain import STAINS
from hematovision.ui.explore import lab, sliders

MONOCYTE, LYMPHOCYTE = typical("monocyte"), typical("lymphocyte")


@pytest.fixture
def state():
    made = {}
    sliders.begin(made)
    return made


def close_to(spec):
    return {name: pytest.approx(getattr(spec, name), abs=0.051 if name == "diameter" else 0.0051) for name in NUMBERS}


def numbers(spec):
    return {name: getattr(spec, name) for name in NUMBERS}


def test_there_is_a_slider_for_every_number_and_words_for_every_stain_and_class():
    assert set(sliders.KNOBS) == set(NUMBERS) == set(LIMITS)
    assert set(lab.STAIN_NAMES) == set(STAINS)
    assert {lab.kind_name(kind) for kind in KINDS} >= {"Monocyte", "Band neutrophil", "Promyelocyte"}


@pytest.mark.parametrize("kind", KINDS)
def test_sliders_hold_the_cell_of_every_preset(state, kind):
    state["lab-from"] = kind
    sliders.follow_preset(state)
    cell, preset = sliders.current(state), typical(*kind)
    assert (cell.spec.cell_class, cell.spec.stage) == kind
    assert numbers(cell.spec) == close_to(preset)
    assert (cell.spec.granule_type, cell.spec.granule_colour) == (preset.granule_type, preset.granule_colour)
    for knob in sliders.KNOBS.values():
        low, high = knob.limits
        assert low <= state[knob.key] <= high
        assert type(state[knob.key]) is type(low) is type(high)


def test_the_morph_slider_goes_from_one_preset_to_the_other(state):
    assert sliders.current(state).spec.cell_class == "monocyte"
    for share, label in ((30, "monocyte"), (50, "lymphocyte"), (100, "lymphocyte")):
        state["lab-share"] = share
        sliders.follow_morph(state)
        cell = sliders.current(state)
        assert numbers(cell.spec) == close_to(morph(MONOCYTE, LYMPHOCYTE, share / 100))
        assert cell.spec.cell_class == label
    sliders.follow_preset(state)
    assert state["lab-share"] == 0 and numbers(sliders.current(state).spec) == close_to(MONOCYTE)


def test_a_slider_changes_its_own_number_alone(state):
    before = sliders.current(state)
    state["lab-nuclear_ratio"] = 71
    assert sliders.current(state) == replace(before, spec=replace(before.spec, nuclear_ratio=0.71))
    state["lab-lobes"] = 3
    assert sliders.current(state).spec.lobes == 3 and isinstance(sliders.current(state).spec.lobes, int)


def test_granules_come_with_what_is_usual_and_go(state):
    state["lab-granule_type"] = "coarse"
    sliders.follow_granule_type(state)
    spec, usual = sliders.current(state).spec, typical("basophil")
    assert (spec.granule_type, spec.granule_colour) == ("coarse", "purple")
    assert spec.granules == pytest.approx(usual.granules, abs=0.01) and state["lab-granule_colour"] == "purple"
    state["lab-granule_type"] = "nil"
    sliders.follow_granule_type(state)
    assert not sliders.current(state).spec.has_granules and state["lab-granule_colour"] is None


def test_a_later_visit_finds_the_cell_as_it_was(state):
    state["lab-vacuoles"] = 7
    sliders.begin(state)
    assert sliders.current(state).spec.vacuoles == 7


def test_moves_are_told_in_words_and_units():
    cell = DrawnCell(replace(MONOCYTE, diameter=14, granule_size=0.3), "mgg", 1)

    def words(feature, stain="mgg", **changed):
        moved = DrawnCell(replace(cell.spec, **changed), stain, 1)
        return lab.tip_words(cell, Tip(Trial(feature, moved), -0.5, None))

    assert words("diameter", diameter=12) == ("Diameter down", "14.0 µm → 12.0 µm")
    assert words("nuclear_ratio", nuclear_ratio=0.7) == ("N:C ratio up", "50 % → 70 %")
    assert words("lobes", lobes=2) == ("Lobes up", "1 → 2")
    assert words("granule_kind", granule_type="round", granule_colour="red", granules=0.5) == (
        "Granules",
        "none → round, red",
    )
    assert words("stain", "wright") == ("Stain", "May-Grünwald-Giemsa → Wright")


@pytest.fixture
def app(app_environment, monkeypatch):
    monkeypatch.chdir(ROOT)
    st.cache_resource.clear()
    opened = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    opened.run()
    yield opened.switch_page("pages/explore/lab.py").run()
    st.cache_resource.clear()


def html(app) -> str:
    return "\n".join(str(e.proto) for e in app.get("html") if "<style>" not in str(e.proto))


def picture(app) -> str:
    """The name of the shown picture, which is made of its content."""
    (found,) = app.get("image")
    return found.proto.imgs[0].url


def test_the_page_shows_the_cell_what_it_is_and_what_the_model_says(app):
    assert not app.exception
    shown = html(app)
    assert "Drawn as" in shown and "Monocyte" in shown and "The model says" in shown
    assert "Nuclear cytoplasmic ratio" in shown and "≠ differs" in shown
    captions = [caption.value for caption in app.caption]
    assert "The model has never seen a drawn cell in training. For teaching, not for diagnosis." in captions


def test_a_preset_sets_every_slider(app):
    before = picture(app)
    app.selectbox(key="lab-from").set_value(("neutrophil", "band")).run()
    assert not app.exception and "Band neutrophil" in html(app)
    assert app.slider(key="lab-indentation").value == sliders.KNOBS["indentation"].shown(
        typical("neutrophil", "band").indentation
    )
    assert app.segmented_control(key="lab-granule_type").value == "small"
    assert picture(app) != before


def test_a_slider_draws_another_picture_and_an_unused_one_is_off(app):
    before = picture(app)
    assert not app.slider(key="lab-indentation").disabled and app.slider(key="lab-granules").disabled
    app.slider(key="lab-nuclear_ratio").set_value(80).run()
    assert not app.exception and picture(app) != before and "high" in html(app)
    app.run()
    assert app.slider(key="lab-nuclear_ratio").value == 80
    app.slider(key="lab-lobes").set_value(3).run()  # now the whole page follows
    assert app.slider(key="lab-indentation").disabled and "segmented-multilobed" in html(app)


def test_the_morph_slider_turns_one_class_into_the_other(app):
    app.slider(key="lab-share").set_value(100).run()
    assert not app.exception and "Lymphocyte" in html(app)
    assert app.slider(key="lab-diameter").value == pytest.approx(LYMPHOCYTE.diameter, abs=0.051)
    app.selectbox(key="lab-to").set_value(("monocyte", "")).run()
    assert app.slider(key="lab-share").disabled


def test_another_cell_has_the_same_features(app):
    before, diameter = picture(app), app.slider(key="lab-diameter").value
    app.button(key="lab-another").click().run()
    assert not app.exception and picture(app) != before and app.slider(key="lab-diameter").value == diameter


def test_the_cell_stays_while_one_looks_at_other_pages(app):
    app.selectbox(key="lab-from").set_value(("platelet", "")).run()
    before = picture(app)
    app.switch_page("pages/about/library.py").run()
    app.switch_page("pages/explore/lab.py").run()
    assert not app.exception and picture(app) == before
    assert app.selectbox(key="lab-from").value == ("platelet", "")


def test_what_tips_the_answer_is_told_until_the_cell_changes(app):
    app.button(key="lab-try").click().run()
    assert not app.exception
    app.run()
    assert not [button for button in app.button if button.key == "lab-try"]
    shown = html(app)
    assert " points" in shown or any("No step of a single feature" in text.value for text in app.markdown)
    app.selectbox(key="lab-from").set_value(("platelet", "")).run()
    assert app.button(key="lab-try").label == "Try every feature"


def test_a_cell_is_saved_into_a_set_of_ones_own(app, app_environment):
    app.text_input(key="lab-set").set_value("Hard ones").run()
    app.button(key="lab-save").click().run()
    assert [message.value for message in app.success] == ["Saved. “Hard ones” has 1 cell."]
    app.selectbox(key="lab-from").set_value(("platelet", "")).run()
    app.button(key="lab-save").click().run()
    assert [message.value for message in app.success] == ["Saved. “Hard ones” has 2 cells."]
    (file,) = (app_environment.own_cells / "sets").glob("*.yaml")
    assert "title: Hard ones" in file.read_text()


def test_a_set_without_a_name_is_refused_in_words(app):
    app.text_input(key="lab-set").set_value(" ").run()
    app.button(key="lab-save").click().run()
    assert not app.exception and not app.success
    assert any("title" in error.value for error in app.error)


def test_without_a_model_the_page_says_so(app_environment, monkeypatch, tmp_path):
    from hematovision.settings import load_settings

    monkeypatch.setenv("HEMATOVISION_MODEL", str(tmp_path / "none"))
    load_settings.cache_clear()
    monkeypatch.chdir(ROOT)
    st.cache_resource.clear()
    opened = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    opened.run()
    opened.switch_page("pages/explore/lab.py").run()
    assert not opened.exception and "There is no model" in opened.error[0].value
    st.cache_resource.clear()
