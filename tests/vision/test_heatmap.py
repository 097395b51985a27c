from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hematovision.smear.framing import Frame
from hematovision.vision.heatmap import (
    SHIFT,
    common,
    contrast,
    fused,
    lay,
    lay_signed,
    overlay,
    positive,
    shift_of,
    tiled,
)


def test_relu_comes_before_scaling():
    """Evidence against must not show as evidence for, as it does when a map is scaled to its own range first."""
    found = positive(np.array([[-4.0, -2.0], [1.0, 2.0]], np.float32))
    assert np.array_equal(found, [[0, 0], [0.5, 1]])


def test_a_map_without_evidence_stays_all_zero():
    assert not positive(np.array([[-1.0, -3.0], [0.0, -2.0]], np.float32)).any()


@settings(deadline=None)
@given(arrays(np.float32, (7, 7), elements=st.floats(-100, 100, width=32)))
def test_evidence_lies_between_zero_and_one_and_keeps_its_order(raw):
    found = positive(raw)
    assert found.min() >= 0 and found.max() <= 1
    assert (found > 0).sum() <= (raw > 0).sum()
    if raw.max() > 0:
        assert found.max() == 1 and found.argmax() == raw.argmax()


def test_a_laid_map_has_the_size_of_the_picture():
    raw = np.ones((7, 7), np.float32)
    assert lay(raw, Frame.whole((50, 80)), (50, 80, 3)).shape == (50, 80)
    assert lay(raw, Frame.whole((50, 80)), (50, 80, 3)).min() == 1


def test_single_pixels_do_not_outshine_a_map_of_pixels():
    raw = np.full((50, 50), 1.0, np.float32)
    raw[7, 7] = 100
    assert lay(raw, Frame(0, 0, 50), (50, 50), "saliency").min() == 1
    assert np.median(lay(raw, Frame(0, 0, 50), (50, 50), "occlusion")) == pytest.approx(0.01)
    # What is nearly everywhere 0 does not become nothing.
    raw[raw == 1] = 0
    assert lay(raw, Frame(0, 0, 50), (50, 50), "smoothgrad").max() == 1


def middle(values) -> np.ndarray:
    """The center (x, y) of what a map shows, in its own cells."""
    places = np.arange(len(values)) + 0.5
    return np.array([places @ values.sum(axis=0), places @ values.sum(axis=1)]) / values.sum()


@pytest.mark.parametrize(("method", "shift"), [("gradcam", SHIFT), ("layercam", SHIFT), ("occlusion", 0)])
def test_cells_of_a_layer_are_drawn_where_they_see_and_those_of_the_picture_where_they_are(method, shift):
    raw = np.zeros((6, 6), np.float32)
    raw[2, 3] = 1  # in pixels from (60, 40) to (80, 60)
    laid = lay(raw, Frame(0, 0, 120), (120, 120), method)
    assert np.allclose(middle(laid), [70 + 20 * shift, 50 + 20 * shift], atol=0.1)
    assert np.array_equal(laid, lay_signed(raw, Frame(0, 0, 120), (120, 120), method))


def test_no_shift_draws_evidence_where_the_network_did_not_look():
    laid = lay(np.ones((6, 6), np.float32), Frame(30, 20, 60), (120, 120))
    assert laid[20:80, 30:90].min() == 1 and laid.sum() == 60 * 60
    assert tiled(Frame(30, 20, 60), 6) == Frame(32, 22, 60) and tiled(Frame(1, 2, 3), 12, "occlusion") == Frame(1, 2, 3)


@pytest.mark.parametrize("fuse", [common, fused])
def test_a_coarse_map_lies_in_a_fused_one_where_it_lies_alone(fuse):
    coarse = np.zeros((6, 6), np.float32)
    coarse[2, 3] = 1
    fine = np.full((48, 48), float(fuse is common), np.float32)
    alone, together = (lay(raw, Frame(0, 0, 192), (192, 192)) for raw in (coarse, fuse([fine, coarse])))
    assert np.allclose(middle(together), middle(alone), atol=0.5)


def test_the_picture_shows_through_where_there_is_no_evidence(cell):
    evidence = np.zeros(cell.shape[:2], np.float32)
    assert np.array_equal(overlay(cell, evidence), cell)
    evidence[:100] = 1
    laid = overlay(cell, evidence, 1.0)
    assert np.array_equal(laid[100:], cell[100:])
    assert len(np.unique(laid[:100].reshape(-1, 3), axis=0)) == 1  # one color at full evidence and opacity
    assert np.array_equal(overlay(cell, evidence, 0.0), cell)


def test_depths_are_fused_on_the_finest_grid_by_the_largest():
    """Early depths are lifted by tanh(2 x): 0.5 of the peak shows as 0.76 of the last layer's peak."""
    fine = np.array([[4.0, 2.0], [0.0, -3.0]], np.float32)
    last = np.array([[7.0]], np.float32)
    assert np.array_equal(fused([fine, last]), np.ones((2, 2)))
    found = fused([fine, np.zeros((1, 1), np.float32)])
    assert np.allclose(found, [[np.tanh(2), np.tanh(1)], [0, 0]])
    assert not fused([-np.ones((2, 2), np.float32), -last]).any()


def test_common_to_all_depths_is_their_product():
    fine = np.array([[4.0, 2.0], [0.0, -3.0]], np.float32)
    assert np.array_equal(common([fine, np.array([[7.0]], np.float32)]), [[1, 0.5], [0, 0]])
    assert np.array_equal(common([fine, fine / 9]), [[1, 0.25], [0, 0]])
    assert not common([fine, np.zeros((1, 1), np.float32)]).any()


@settings(deadline=None)
@given(*2 * [arrays(np.float32, (3, 3), elements=st.floats(-100, 100, width=32))])
def test_what_is_common_is_nowhere_more_than_any_depth_shows(one, other):
    found = common([one, other])
    assert (found <= np.minimum(positive(one), positive(other))).all()
    assert (found <= fused([one, other]) + 1e-6).all()


def test_a_contrast_keeps_its_sign_and_one_scale_for_both_sides():
    one, other = np.array([[3.0, 1.0], [0.0, 2.0]], np.float32), np.array([[1.0, 1.0], [4.0, 0.0]], np.float32)
    assert np.array_equal(contrast(one, other), [[0.5, 0], [-1, 0.5]])
    assert not contrast(one, one).any()


@settings(deadline=None)
@given(*2 * [arrays(np.float32, (3, 3), elements=st.floats(-100, 100, width=32))])
def test_a_contrast_the_other_way_round_is_its_opposite(one, other):
    assert np.array_equal(contrast(one, other), -contrast(other, one))
    assert np.abs(contrast(one, other)).max() <= 1


def test_a_signed_map_is_laid_with_its_sign():
    laid = lay_signed(np.array([[-1.0, 1.0], [-1.0, 1.0]], np.float32), Frame(0, 0, 40), (40, 60))
    assert laid.shape == (40, 60) and np.allclose(laid[:, :5], -1) and np.allclose(laid[:, 35:40], 1)
    assert not laid[:, 40:].any()


@pytest.mark.parametrize(
    ("card", "shift"), [({"backbone": "MobileNetV2, alpha 1.0"}, SHIFT), ({"backbone": "VGG16"}, 0), ({}, 0)]
)
def test_maps_are_shifted_for_the_network_that_it_was_measured_on(card, shift):
    assert shift_of(SimpleNamespace(raw=card)) == shift
    raw, frame = np.eye(6, dtype=np.float32), Frame(0, 0, 120)
    assert tiled(frame, 6, shift=shift) == Frame(20 * shift, 20 * shift, 120)
    assert np.array_equal(lay(raw, frame, (120, 120), shift=0), lay(raw, frame, (120, 120), "occlusion"))


def test_a_network_that_is_not_shifted_has_its_depths_laid_even():
    fine, coarse = np.zeros((4, 4), np.float32), np.array([[0, 1], [0, 0]], np.float32)
    for fuse in (fused, common):
        found = fuse([fine + 1, coarse], 0.0)
        assert np.array_equal(found, found.T[::-1, ::-1])
