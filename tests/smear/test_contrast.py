import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hematovision.library.drawn import draw_cell, random_cell
from hematovision.smear.contrast import LEAST_DETAIL, REACH, contrasted
from hematovision.smear.framing import Frame, framed


@pytest.fixture(scope="module")
def sharp():
    """A cell full of detail, as the network frames it."""
    picture = draw_cell(random_cell("eosinophil", seed=3)).picture
    return framed(picture, Frame.of_cell(picture), 192)


def detail(picture):
    """Standard deviation of the gray of what the Gaussian smooths away, in levels."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
    return (gray - cv2.GaussianBlur(gray, (0, 0), REACH * picture.shape[0])).std()


def test_a_picture_with_detail_comes_back_as_it_is(sharp):
    assert detail(sharp) > LEAST_DETAIL
    assert contrasted(sharp) is sharp


@pytest.mark.parametrize("blur", [1.5, 2.5, 3.5])
def test_a_blurred_cell_gets_its_detail_back(sharp, blur):
    blurred = cv2.GaussianBlur(sharp, (0, 0), blur)
    raised = contrasted(blurred)
    # All of it only where little is lacking: the mask knows no detail that the blur took away.
    assert detail(blurred) < detail(raised) < 1.02 * LEAST_DETAIL
    # It looks more like the sharp cell than before.
    assert np.abs(raised.astype(int) - sharp).mean() < np.abs(blurred.astype(int) - sharp).mean()


@given(st.integers(0, 255), st.sampled_from([64, 192]))
def test_where_there_is_nothing_nothing_is_added(level, size):
    flat = np.full((size, size, 3), level, np.uint8)
    assert np.array_equal(contrasted(flat), flat)


@given(st.integers(0, 3), st.booleans(), st.floats(0.5, 5))
def test_it_does_not_matter_how_a_picture_is_turned(sharp, quarters, is_mirrored, blur):
    def turned(picture):
        picture = np.rot90(picture, quarters)
        return np.ascontiguousarray(picture[:, ::-1] if is_mirrored else picture)

    blurred = cv2.GaussianBlur(sharp, (0, 0), blur)
    assert np.abs(contrasted(turned(blurred)).astype(int) - turned(contrasted(blurred))).max() <= 1


@given(st.floats(0.5, 6))
def test_detail_is_never_taken_away(sharp, blur):
    blurred = cv2.GaussianBlur(sharp, (0, 0), blur)
    assert detail(contrasted(blurred)) >= detail(blurred) - 0.01
