import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision import images
from hematovision.smear.light import BACKGROUND, RED_CELL_DENSITY, background, evened, measure_light
from hematovision.smear.ruler import red_cells


def red_density(picture):
    red = red_cells(picture) > 0
    return np.log(np.array(background(picture)) / np.median(picture[red], axis=0))


def elsewhere(picture, gains, gammas):
    """The same smear under another lamp, with more or less eosin."""
    values = 255 * (picture / 255.0) ** np.array(gammas) * np.array(gains)
    return np.clip(values, 0, 255).astype(np.uint8)


def test_background_and_red_cells_become_those_of_pbc(cell):
    even = evened(cell, measure_light(cell))
    assert np.allclose(background(even), BACKGROUND, atol=3)
    assert np.allclose(red_density(even), RED_CELL_DENSITY, atol=0.04)


@settings(deadline=None, max_examples=25)
@given(gains=st.tuples(*[st.floats(0.7, 1.0)] * 3), gammas=st.tuples(*[st.floats(0.75, 1.4)] * 3))
def test_lamp_and_eosin_make_little_difference(cell, gains, gammas):
    other = elsewhere(cell, gains, gammas)
    distance = np.abs(evened(other, measure_light(other)).astype(int) - evened(cell, measure_light(cell))).mean()
    assert distance < max(4, 0.5 * np.abs(other.astype(int) - cell).mean())


def test_without_red_cells_only_the_light_changes():
    picture = np.full((100, 100, 3), (200, 190, 180), np.uint8)
    picture[40:60, 40:60] = (90, 60, 140)
    table = measure_light(picture)[0]
    assert table[200, 0] == 254 and table[190, 1] == 228 and table[180, 2] == 203
    assert table[100, 0] == pytest.approx(100 * 254 / 200, abs=1)


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (30, 20, 40)])
def test_a_flat_picture_stays_flat_and_within_bounds(color):
    picture = np.full((64, 64, 3), color, np.uint8)
    even = evened(picture, measure_light(picture))
    assert (even == even[0, 0]).all()
    assert (even <= np.ceil(np.array(color) * 2.5)).all()


def test_red_cells_of_photographs_have_the_density_that_is_written_here(real_data):
    paths = sorted((real_data / "pbc" / "PBC_dataset_normal_DIB").glob("*/*.jpg"))[5::100]
    pictures = [images.read(path) for path in paths]
    measured = np.median([red_density(p) for p in pictures if red_cells(p).mean() > 0.02], axis=0)
    assert np.allclose(measured, RED_CELL_DENSITY, atol=0.03)
    assert np.allclose(np.median([background(p) for p in pictures], axis=0), BACKGROUND, atol=2)
