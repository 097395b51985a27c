import json

import pytest

from hematovision.errors import ModelError
from hematovision.services import open_services
from hematovision.services.model_card import Confusion, Curves, ModelCards, Reliability, Share, Shares
from hematovision.settings import ROOT
from hematovision.vision.card import load_card
from hematovision.vision.wrong_cells import write_wrong_cells
from tests.training.full_card import full_card, older_heat_maps, wrong_cells


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A model's folder without the model: only its card, which has every figure."""
    raw = json.loads((tiny_model / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps(full_card() | raw))
    return tmp_path


@pytest.fixture
def pictures(app_environment):
    return open_services(app_environment).pictures


def test_a_full_card_has_a_figure_for_every_part_that_shows_one(folder, pictures):
    report = ModelCards(folder, pictures).report()
    assert report.headline.startswith("MobileNetV2")
    assert {key: [type(one) for one in made] for key, made in report.figures.items()} == {
        "results": [Shares],
        "report": [Shares],
        "confusion": [Confusion],
        "curves": [Curves, Curves],
        "calibration": [Reliability, Reliability],
        "elsewhere": [Shares, Confusion],
        "refusal": [Shares],
        "unfamiliar": [Shares],
        "answer_sets": [Shares],
        "heat_maps": [Shares, Shares],
    }
    assert set(report.figures) < {section.key for section in report.sections}


def test_figures_hold_the_numbers_of_the_card_with_n_and_interval(folder, pictures):
    figures = ModelCards(folder, pictures).report().figures
    first = figures["results"][0].series["right"][0]
    assert first == Share("All eight classes", 0.75, pytest.approx(0.409, abs=1e-3), pytest.approx(0.929, abs=1e-3), 8)
    recall = {one.name: (one.value, one.n) for one in figures["report"][0].series["recall"]}
    assert recall["Neutrophil"] == (0.5, 2) and recall["Platelet"] == (0, 1)
    assert "Basophil" not in recall  # none was keyed
    assert figures["calibration"][0].probabilities == [0.55, 0.95]
    assert [(one.value, one.n) for one in figures["calibration"][0].right] == [(0.5, 2), (5 / 6, 6)]
    assert "n = 8, ECE 0.013" in figures["calibration"][0].note
    bccd = figures["elsewhere"][1]
    assert (bccd.keys, bccd.rows) == (["Neutrophil"], [[0, 0, 0, 1, 0, 0, 1, 0]])
    assert bccd.note.startswith("BCCD fields, n = 2.")
    assert figures["curves"][0].lines == {"train, all heads": [1.5, 0.5], "val, class alone": [0.4, 0.1]}
    inside, areas = figures["heat_maps"]
    gradcam, common, scorecam, gaussian, _ = inside.series["in the cell"]
    assert (gradcam.name, gradcam.value, gradcam.low, gradcam.n) == ("Grad-CAM", 0.7, pytest.approx(0.69), None)
    assert (common.name, scorecam.name, gaussian.name) == (
        "LayerCAM, what all depths show",
        "Score-CAM",
        "Gaussian in the middle",
    )
    assert inside.note.startswith("n is in the table.")
    assert [(one.name, one.value) for one in areas.series["deletion"]][-2:] == [("Score-CAM", 0.4), ("Random map", 0.5)]
    assert areas.note == "n = 4 cells. Deletion: less is better."
    assert figures["unfamiliar"][0].note == "PBC test: n = 8, BCCD fields: n = 2"


def test_a_card_from_before_there_were_methods_has_its_chart(folder, pictures):
    raw = json.loads((folder / "card.json").read_text())
    raw["metrics"]["heatmaps"] = older_heat_maps()
    (folder / "card.json").write_text(json.dumps(raw))
    (inside,) = ModelCards(folder, pictures).report().figures["heat_maps"]
    assert inside.series["in the cell"][0] == Share("Heat map", 0.9, 0.89, 0.91)
    assert inside.note == "n = 6 cells. Bars are 95 % intervals (bootstrap)."


def test_the_shipped_card_has_figures_where_it_has_numbers(pictures):
    report = ModelCards(ROOT / "model", pictures).report()
    assert {"results", "report", "confusion", "curves", "elsewhere"} <= set(report.figures)
    for section in report.sections:
        assert not (section.words.startswith("Not measured yet") and section.key in report.figures)


def test_a_wrong_cell_finds_its_picture_where_the_library_holds_it(folder, pictures, cells_folder):
    cards = ModelCards(folder, pictures)
    wrong = wrong_cells(load_card(folder).version, cells_folder.name, "neutrophil/neutrophil_0.png")
    write_wrong_cells(folder, wrong)
    (cell,) = cards.report().wrong
    found = cards.picture_id(cell)
    assert pictures.record(found).path == cells_folder / "neutrophil" / "neutrophil_0.png"
    (elsewhere,) = wrong_cells(dataset="PBC").cells
    assert cards.picture_id(elsewhere) is None
    pictures.reload()
    assert cards.picture_id(cell) == found


def test_without_a_model_it_says_so(tmp_path, pictures):
    with pytest.raises(ModelError, match="There is no model"):
        ModelCards(tmp_path, pictures).report()
