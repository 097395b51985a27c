import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hematovision.smear.contrast import contrasted
from hematovision.smear.drawing import PIXELS_PER_UM
from hematovision.smear.finder import find_cells
from hematovision.smear.framing import LEAST_ROOM, MIDDLE, MOST_ROOM, ROOM, SIDE_UM, Frame, cut, framed, paste
from hematovision.smear.light import evened, measure_light


def ramp(height, width):
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.linspace(20, 220, width)
    picture[..., 1] = np.linspace(20, 220, height)[:, None]
    return picture


def test_a_whole_square_picture_at_its_own_size_is_itself():
    picture = ramp(64, 64)
    assert np.array_equal(framed(picture, Frame.whole(picture.shape), 64), picture)


def test_a_wide_picture_has_plasma_above_and_below():
    picture = np.full((40, 80, 3), (250, 230, 210), np.uint8)
    picture[10:30, 30:50] = (90, 50, 140)
    shown = framed(picture, Frame.whole(picture.shape), 80)
    assert np.array_equal(shown[20:60], picture)
    assert (shown[:20] == (250, 230, 210)).all() and (shown[60:] == (250, 230, 210)).all()


def test_a_cell_cut_by_the_edge_is_shown_once():
    picture = np.full((100, 100, 3), 240, np.uint8)
    picture[40:60, :15] = (90, 50, 140)
    shown = framed(picture, Frame(-40, 10, 80), 80)
    dark = np.nonzero((shown[..., 1] < 100).any(axis=0))[0]
    assert dark.min() == 40 and dark.max() == 54
    assert (shown[:, :39] == 240).all()


@given(x=st.integers(-20, 60), y=st.integers(-20, 60))
def test_at_its_own_size_a_cut_on_whole_pixels_is_that_part_of_the_picture(x, y):
    picture = np.random.default_rng(0).integers(0, 256, (80, 80, 3)).astype(np.uint8)
    shown = framed(picture, Frame(x, y, 40), 40)
    left, top = max(0, -x), max(0, -y)
    part = picture[max(0, y) : y + 40, max(0, x) : x + 40]
    assert np.array_equal(shown[top : top + part.shape[0], left : left + part.shape[1]], part)


@pytest.mark.parametrize("size", [64, 32, 128])
def test_scaling_keeps_colors_in_place(size):
    shown = framed(ramp(64, 64), Frame.whole((64, 64)), size).astype(float)
    assert abs(shown[..., 0].mean() - 120) < 1
    assert abs(shown[size // 2, size // 4, 0] - 70) < 4


def test_a_cut_is_in_even_light_with_its_detail(cell):
    frame = Frame.of_cell(cell)
    even = contrasted(framed(evened(cell, measure_light(cell)), frame, 96))
    assert np.abs(cut(cell, frame, 96).astype(int) - even).mean() < 1


def test_a_found_cell_is_framed_by_its_box_where_nothing_else_gives_a_scale():
    frame = Frame.around((100, 50, 40, 30))
    assert frame.side == pytest.approx(40 * ROOM)
    assert (frame.x + frame.side / 2, frame.y + frame.side / 2) == (120, 65)


def test_a_found_cell_is_framed_half_by_its_box_and_half_by_the_ruler():
    scale = 1.21 * 40 * ROOM / SIDE_UM
    assert Frame.around((100, 50, 40, 30), scale).side == pytest.approx(1.1 * 40 * ROOM)


@given(scale=st.floats(0.5, 50), longer=st.integers(20, 300))
def test_no_ruler_frames_a_found_cell_too_narrowly_or_too_widely(scale, longer):
    side = Frame.around((0, 0, longer, 10), scale).side
    assert LEAST_ROOM * longer <= side <= MOST_ROOM * longer


def test_a_picture_of_one_cell_is_seen_in_its_middle(cell):
    frame = Frame.of_cell(cell)
    assert (frame.x, frame.y, frame.side) == (32, 32, 192) and frame.side == MIDDLE * 256


def test_a_cell_that_fills_its_picture_is_seen_whole(cell):
    (box,) = [found.box for found in find_cells(cell)]
    close = cell[box[1] + 8 : box[1] + box[3] - 8, box[0] + 8 : box[0] + box[2] - 8]
    frame = Frame.of_cell(close)
    assert frame.side > max(close.shape) and frame.x < 0 and frame.y < 0


def test_a_cell_far_away_is_framed_by_red_cells(field):
    far = cv2.resize(field.picture[:, 160:], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    assert far.shape == (240, 240, 3)
    assert Frame.of_cell(far).side == pytest.approx(SIDE_UM * PIXELS_PER_UM / 2, rel=0.2)


def test_a_map_is_zero_outside_its_frame_and_constant_inside():
    laid = paste(np.ones((7, 7), np.float32), Frame(20, 10, 30), (60, 80))
    assert laid.shape == (60, 80) and laid.dtype == np.float32
    assert (laid[10:40, 20:50] == 1).all()
    assert laid.sum() == 900


@given(x=st.floats(-50, 50), y=st.floats(-50, 50), side=st.floats(8, 200), peak=st.integers(0, 48))
def test_a_laid_map_never_leaves_its_range(x, y, side, peak):
    values = np.zeros((7, 7), np.float32)
    values.flat[peak] = 1
    laid = paste(values, Frame(x, y, side), (60, 80))
    assert laid.min() >= 0 and laid.max() <= 1


@given(x=st.floats(-50, 90), y=st.floats(-50, 90), side=st.floats(3, 200))
def test_what_is_laid_does_not_depend_on_how_much_of_the_picture_there_is(x, y, side):
    values = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)
    whole = paste(values, Frame(x, y, side), (120, 110))
    assert np.array_equal(paste(values, Frame(x, y, side), (60, 80)), whole[:60, :80])


def test_cut_and_paste_agree_on_where_a_spot_is():
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[120:130, 180:190] = 255
    frame = Frame(140, 80, 100)
    spot = framed(picture, frame, 50)[..., 0].astype(np.float32) / 255
    rows, columns = np.nonzero(paste(spot, frame, picture.shape) > 0.5)
    assert abs(rows.mean() - 124.5) < 1 and abs(columns.mean() - 184.5) < 1
