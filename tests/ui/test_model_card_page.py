import json
import shutil
from dataclasses import replace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hematovision.settings import ROOT, load_settings
from hematovision.vision.card import load_card
from hematovision.vision.wrong_cells import WrongCells, write_wrong_cells
from tests.training.full_card import full_card, wrong_cells
from tests.ui.screen import texts


@pytest.fixture
def model(app_environment, tiny_model, tmp_path, monkeypatch):
    """A copy of the tiny model whose card has every figure, with one wrong cell that the library holds."""
    folder = tmp_path / "full"
    shutil.copytree(tiny_model, folder)
    raw = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(full_card() | raw))
    monkeypatch.setenv("HEMATOVISION_MODEL", str(folder))
    load_settings.cache_clear()
    return folder


@pytest.fixture
def visit(model, monkeypatch):
    monkeypatch.chdir(ROOT)
    st.cache_resource.clear()

    def open_page():
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30).run()
        app.switch_page("pages/about/model_card.py").run()
        assert not app.exception
        return app

    yield open_page
    st.cache_resource.clear()


def write_wrong(model, cells_folder, count=1):
    wrong = wrong_cells(load_card(model).version, cells_folder.name, "neutrophil/neutrophil_0.png")
    write_wrong_cells(model, WrongCells(wrong.model, wrong.split, wrong.n, wrong.cells * count))


def charts(app):
    return [chart.proto for chart in app.get("plotly_chart")]


def test_it_says_first_what_the_model_is_and_how_well_it_does(visit):
    app = visit()
    assert app.title[0].value == "Model card"
    assert app.markdown[0].value.startswith("MobileNetV2 at 64 pixels")
    assert "75.0\u00a0% (40.9\u00a0% to 92.9\u00a0%, n = 8)" in app.markdown[0].value
    assert app.header[-1].value == "Every wrong cell"


def test_every_chart_has_its_numbers_in_words(visit):
    app = visit()
    assert len(charts(app)) == 14
    assert len(app.expander) == 10 and all(one.label == "In numbers" for one in app.expander)
    assert "Not measured yet" in texts(app)  # no list of wrong cells was written


def test_what_was_not_measured_says_so_and_shows_no_chart(visit, model, tiny_model):
    shutil.copy(tiny_model / "card.json", model / "card.json")
    app = visit()
    assert charts(app) == []
    assert texts(app).count("Not measured yet") == len(app.header) - 2  # limits and how to reproduce


def test_a_wrong_cell_is_shown_with_key_answer_and_both_sides(visit, model, cells_folder):
    write_wrong(model, cells_folder)
    said = texts(visit())
    assert "Key: Neutrophil. The model said immature granulocyte" in said
    assert "neutrophil/neutrophil_0.png" in said and "Neutrophil had 40 %" in said
    assert "For neutrophil" in said and "Nucleus shape: unsegmented-band (62 % : 5 %)" in said
    assert "For immature granulocyte" in said and "Cell size: big (30 % : 90 %)" in said
    assert "does not hold its picture" not in said and ", the key" in said


def test_a_wrong_cell_without_picture_is_named(visit, model):
    write_wrong_cells(model, wrong_cells(load_card(model).version))
    said = texts(visit())
    assert "PBC neutrophil/BNE_1.jpg" in said and "Your library does not hold its picture." in said


def test_a_refused_cell_has_no_answer_and_no_map(visit, model, cells_folder):
    wrong = wrong_cells(load_card(model).version, cells_folder.name, "neutrophil/neutrophil_0.png")
    cell = replace(wrong.cells[0], answer="", status="not_blood", hints=())
    write_wrong_cells(model, replace(wrong, cells=(cell,)))
    app = visit()
    said = texts(app)
    assert "Key: Neutrophil. The model refused it" in said and "Not a blood cell" in said
    assert "For neutrophil" not in said and ", the key" not in said
    assert list(app.selectbox(key="error-pair").options) == ["All (1)", "Neutrophil refused (1)"]


def test_the_gallery_is_paged_and_can_be_narrowed(visit, model):
    wrong = wrong_cells(load_card(model).version)
    write_wrong_cells(model, WrongCells(wrong.model, "test", 8, wrong.cells * 7))
    app = visit()
    assert texts(app).count("The model said immature granulocyte") == 5
    box = app.selectbox(key="error-pair")
    assert list(box.options) == ["All (7)", "Neutrophil taken for immature granulocyte (7)"]


def test_without_a_model_it_says_what_to_do(visit, model):
    (model / "card.json").unlink()
    assert "There is no model" in visit().error[0].value
