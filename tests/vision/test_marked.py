"""What lies in a marked region: exact numbers on masks made by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.quiz.questions import Region
from hematovision.smear.cell_mask import CellRegions
from hematovision.vision.marked import Parts, ellipse, parts_of, share_of_evidence

SIDES = st.floats(0.001, 1)


@st.composite
def regions(draw):
    w, h = draw(SIDES), draw(SIDES)
    return Region(draw(st.floats(0, 1)) * (1 - w), draw(st.floats(0, 1)) * (1 - h), w, h)


def cell_of(kinds) -> CellRegions:
    """0 is background, 1 cytoplasm, 2 nucleus."""
    kinds = np.asarray(kinds)
    return CellRegions(kinds == 2, kinds == 1, kinds == 0)


def test_an_ellipse_fills_its_region():
    assert ellipse(Region(0, 0, 1, 1), (4, 4, 3)).astype(int).tolist() == [
        [0, 1, 1, 0],
        [1, 1, 1, 1],
        [1, 1, 1, 1],
        [0, 1, 1, 0],
    ]
    assert np.argwhere(ellipse(Region(0.5, 0, 0.5, 0.25), (4, 8))).tolist() == [[0, 4], [0, 5], [0, 6], [0, 7]]
    large = ellipse(Region(0.2, 0.3, 0.5, 0.4), (1000, 500))
    assert large.mean() == pytest.approx(np.pi / 4 * 0.5 * 0.4, abs=1e-4)
    rows, columns = np.nonzero(large)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (300, 699, 100, 349)


def test_a_region_finer_than_the_pixels_is_the_pixel_in_its_middle():
    assert np.argwhere(ellipse(Region(0.49, 0.99, 0.01, 0.01), (4, 4))).tolist() == [[3, 1]]


def test_parts_are_shares_of_the_mark():
    marked = np.zeros((2, 5), bool)
    marked[:, :4] = True
    cell = cell_of([[2, 2, 1, 0, 0], [2, 0, 0, 0, 2]])
    assert parts_of(marked, cell) == Parts(3 / 8, 1 / 8, 4 / 8)


@settings(max_examples=50, deadline=None)
@given(regions(), st.integers(0, 2**32 - 1))
def test_the_parts_of_a_region_sum_to_one(region, seed):
    cell = cell_of(np.random.default_rng(seed).integers(0, 3, (17, 23)))
    found = parts_of(ellipse(region, (17, 23, 3)), cell)
    assert found.nucleus + found.cytoplasm + found.outside == pytest.approx(1)
    assert min(found.nucleus, found.cytoplasm, found.outside) >= 0


def test_evidence_is_shared_by_its_amount_and_not_by_its_area():
    evidence = np.array([[1.0, 0.5], [0.25, 0.25]], np.float32)
    assert share_of_evidence(np.array([[True, False], [False, False]]), evidence) == 0.5
    assert share_of_evidence(np.array([[False, True], [True, False]]), evidence) == 0.375
    assert share_of_evidence(np.ones((2, 2), bool), evidence) == 1
    assert share_of_evidence(np.ones((2, 2), bool), np.zeros((2, 2), np.float32)) is None


@settings(max_examples=50, deadline=None)
@given(regions(), st.integers(0, 2**32 - 1))
def test_a_mark_and_all_around_it_hold_the_whole_evidence(region, seed):
    marked, evidence = ellipse(region, (17, 23)), np.random.default_rng(seed).random((17, 23), np.float32)
    assert share_of_evidence(marked, evidence) + share_of_evidence(~marked, evidence) == pytest.approx(1)
