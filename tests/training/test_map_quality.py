import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hematovision.training.map_quality import centered_gaussian, map_quality, share_inside
from hematovision.vision.classifier import Classifier


def test_the_share_inside_is_that_of_the_evidence_and_not_of_the_area():
    evidence = np.array([[3, 1], [0, 0]], np.float32)
    assert share_inside(evidence, np.array([[True, False], [True, True]])) == 0.75


@given(arrays(np.float32, (4, 5), elements=st.floats(0.125, 1, width=32)), arrays(bool, (4, 5)))
def test_inside_and_outside_make_one(evidence, mask):
    assert share_inside(evidence, mask) + share_inside(evidence, ~mask) == pytest.approx(1)


def test_the_gaussian_lies_in_the_middle_and_goes_by_the_width():
    found = centered_gaussian((101, 201))
    assert found[50, 100] == 1 == found.max()
    assert found[50, 100 + 30] == pytest.approx(np.exp(-0.5), abs=0.01)  # 0.15 × 201 is about 30
    assert np.allclose(found, found[::-1, ::-1])


def test_maps_are_measured_on_cells_that_have_a_nucleus(tiny_model, records):
    test = [record for record in records if record.split == "test"]
    found = map_quality(Classifier(tiny_model), test)
    assert found["found"]["n"] == 7  # of eight classes, platelets have none
    assert found["n"] + found["without_evidence"] == found["found"]["value"] * 7
    assert found["n"] >= 5
    for name in ("model", "gaussian", "uniform"):
        cell, nucleus = found[name]["cell"], found[name]["nucleus"]
        assert 0 < nucleus["value"] < cell["value"] <= 1
        assert cell["interval"][0] <= cell["value"] <= cell["interval"][1]
    # An even map holds as much of itself as the cell takes of the picture.
    assert found["uniform"]["cell"]["value"] < 0.3 < found["gaussian"]["cell"]["value"]


def test_without_a_cell_nothing_is_made_up(tiny_model, records):
    platelets = [record for record in records if record.label == "platelet"]
    found = map_quality(Classifier(tiny_model), platelets)
    assert found["n"] == 0 and "model" not in found
