import cv2
import numpy as np
import pytest

from hematovision.smear.cell_mask import CellRegions
from hematovision.vision.heatmap import overlay
from hematovision.vision.painting import COLORS, TWO_SIDED, Look, outlined_parts, paint, paint_contrast

GRAY = np.full((60, 60, 3), 200, np.uint8)
LEFT = np.zeros((60, 60), np.float32)
LEFT[:, :20] = 1.0
LEFT[:, 20:40] = 0.4


def lightness(colors) -> np.ndarray:
    return cv2.cvtColor(colors[None], cv2.COLOR_RGB2LAB)[0, :, 0].astype(int)


@pytest.mark.parametrize("name", COLORS)
def test_the_colors_of_maps_go_from_dark_to_light_and_never_back(name):
    steps = np.diff(lightness(COLORS[name])[::8])
    assert COLORS[name].shape == (256, 3) and (steps > 0).all()


def test_the_two_sides_are_told_apart_without_red_and_green():
    """A dichromat sees blue against yellow: the ends differ there, and both are far from the light middle."""
    lab = cv2.cvtColor(TWO_SIDED[None], cv2.COLOR_RGB2LAB)[0].astype(int)
    assert lab[0, 2] - lab[-1, 2] > 40
    assert lab[128, 0] - lab[[0, -1], 0].max() > 60
    assert np.abs(lab[127] - lab[128]).max() < 4


def test_what_is_weaker_than_the_threshold_is_hidden_and_all_else_stays():
    shown, hidden = paint(GRAY, LEFT, Look()), paint(GRAY, LEFT, Look(threshold=0.5))
    assert np.array_equal(shown, overlay(GRAY, LEFT, 0.6, COLORS["Viridis"]))
    assert np.array_equal(hidden[:, :20], shown[:, :20])
    assert (hidden[:, 20:] == 200).all() and (shown[:, 20:40] != 200).any()


def test_the_outline_runs_where_half_the_peak_is_reached_or_the_threshold():
    for threshold in (0.0, 0.8):
        drawn = paint(GRAY, LEFT, Look(opacity=0, threshold=threshold, outline=True))
        changed = np.flatnonzero((drawn != 200).any(axis=(0, 2)))
        assert drawn.shape == (120, 120, 3) and changed.max() == pytest.approx(40, abs=3)
    assert (paint(GRAY, np.zeros_like(LEFT), Look(outline=True)) == 200).all()


def test_a_contrast_has_a_color_and_a_line_for_each_side():
    signed = np.zeros((60, 60), np.float32)
    signed[20:40, 5:25], signed[20:40, 35:55] = 1, -1
    drawn = paint_contrast(GRAY, signed, Look(opacity=1))
    assert tuple(drawn[30, 15]) == tuple(TWO_SIDED[-1]) and tuple(drawn[30, 45]) == tuple(TWO_SIDED[0])
    assert (drawn[:20] == 200).all()
    # A map that is for one side everywhere has that side's color.
    assert tuple(paint_contrast(GRAY, np.abs(signed), Look(opacity=1))[30, 45]) == tuple(TWO_SIDED[-1])
    lined = paint_contrast(GRAY, signed, Look(opacity=0, outline=True))
    solid, dashed = ((lined[:, side] != 200).any(axis=2).sum() for side in (slice(0, 60), slice(60, 120)))
    assert 0.3 * solid < dashed < 0.85 * solid


def test_the_outlines_of_nucleus_and_cell_run_around_them():
    nucleus, cell = np.zeros((2, 60, 60), bool)
    cell[10:50, 10:50] = nucleus[20:40, 20:40] = True
    regions = CellRegions(nucleus, cell & ~nucleus, ~cell)
    both, one = outlined_parts(GRAY, regions), outlined_parts(GRAY, regions, has_nucleus=False)
    assert both.shape == one.shape == (120, 120, 3)

    def drawn(picture, depth):
        """The share of a square ring, so deep in the picture, on which there is a line."""
        ring = np.concatenate([picture[depth, depth:-depth], picture[depth:-depth, depth]])
        return (ring != 200).any(axis=1).mean()

    assert drawn(both, 40) > 0.9 and 0.2 < drawn(both, 20) < 0.8 and drawn(both, 30) == 0
    assert drawn(one, 20) > 0.9 and drawn(one, 40) == 0
