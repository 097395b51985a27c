"""The shipped model, which has seen photographs only, takes drawn cells for what they are."""

import json

import pytest

from benchmarks.drawing import ALL, ATTRIBUTES, EACH, measure
from hematovision.cells import CELL_CLASSES
from hematovision.settings import ROOT, Settings
from hematovision.vision.card import load_card


@pytest.fixture(scope="module")
def result() -> dict:
    return measure(count=20, seed=77)


def test_every_class_is_recognized(result):
    recognized = result["recognized"]
    assert recognized["all_eight"] >= ALL and recognized["core_four"] >= ALL
    assert set(recognized["by_class"]) == set(CELL_CLASSES)
    assert min(recognized["by_class"].values()) >= EACH, recognized
    assert result["not_blood"] == 0


def test_attributes_are_seen_as_drawn(result):
    assert result["attributes_agree"] >= ATTRIBUTES, result["by_attribute"]


def test_the_published_figures_are_those_of_this_model():
    published = json.loads((ROOT / "docs" / "drawn_cells.json").read_text())
    assert published["model"] == load_card(Settings.model_fields["model"].default).version
    assert published["cells_of_each_class"] == 100
