import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hematovision.smear.framing import Frame
from hematovision.vision.heatmap import lay, overlay, positive


def test_relu_comes_before_scaling():
    """Evidence against must not show as evidence for, as it does when a map is scaled to its own range first."""
    found = positive(np.array([[-4.0, -2.0], [1.0, 2.0]], np.float32))
    assert np.array_equal(found, [[0, 0], [0.5, 1]])


def test_a_map_without_evidence_stays_all_zero():
    assert not positive(np.array([[-1.0, -3.0], [0.0, -2.0]], np.float32)).any()


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


def test_the_picture_shows_through_where_there_is_no_evidence(cell):
    evidence = np.zeros(cell.shape[:2], np.float32)
    assert np.array_equal(overlay(cell, evidence), cell)
    evidence[:100] = 1
    laid = overlay(cell, evidence, 1.0)
    assert np.array_equal(laid[100:], cell[100:])
    assert len(np.unique(laid[:100].reshape(-1, 3), axis=0)) == 1  # one color at full evidence and opacity
    assert np.array_equal(overlay(cell, evidence, 0.0), cell)
