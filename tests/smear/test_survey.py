"""A survey says of a picture just what each function says by itself, and measures nothing twice."""

import cv2
import numpy as np
import pytest

from hematovision.smear import finder, ruler
from hematovision.smear.finder import find_cells, measure_tone
from hematovision.smear.framing import Frame, cut
from hematovision.smear.light import measure_light
from hematovision.smear.ruler import pixels_per_um, red_cells
from hematovision.smear.survey import Survey


@pytest.fixture(params=["cell", "field", "large field", "nothing stained"])
def picture(request, cell, field):
    large = cv2.resize(field.picture, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    flat = np.full((70, 90, 3), (240, 225, 205), np.uint8)
    return {"cell": cell, "field": field.picture, "large field": large, "nothing stained": flat}[request.param]


def test_it_says_what_each_function_says_by_itself(picture):
    seen = Survey(picture)
    assert np.array_equal(seen.tone.values, measure_tone(picture).values)
    assert (seen.tone.low, seen.tone.high) == finder.multi_otsu(finder.violet(picture))
    alone = find_cells(picture)
    assert [cell.box for cell in seen.cells] == [cell.box for cell in alone]
    assert all(np.array_equal(a.nucleus, b.nucleus) for a, b in zip(seen.cells, alone, strict=True))
    assert np.array_equal(seen.red_cells, red_cells(picture))
    assert seen.pixels_per_um == pixels_per_um(picture)
    assert np.array_equal(seen.light, measure_light(picture))
    frame = Frame.of_cell(picture)
    assert Frame.of_cell(seen) == frame
    assert np.array_equal(cut(picture, frame, 64, seen.light), cut(picture, frame, 64))


@pytest.mark.parametrize(("scale", "tones"), [(1, 1), (2, 3)])
def test_tone_and_red_cells_are_measured_once(field, monkeypatch, scale, tones):
    """A field beyond the working size is shrunk to find cells, and once more for the ruler, but not for its light."""
    counts = {"violet": 0, "red cells": 0}

    def counted(name, measure):
        def wrapper(*given):
            counts[name] += 1
            return measure(*given)

        return wrapper

    monkeypatch.setattr(finder, "violet", counted("violet", finder.violet))
    monkeypatch.setattr(ruler, "multi_otsu", counted("red cells", ruler.multi_otsu))
    seen = Survey(cv2.resize(field.picture, None, fx=scale, fy=scale))
    assert counts == {"violet": 0, "red cells": 0}
    for _ in range(2):
        assert len(seen.cells) == 2 and seen.pixels_per_um is not None and seen.light.shape == (1, 256, 3)
        Frame.of_cell(seen)
    assert counts == {"violet": tones, "red cells": scale}


def test_a_survey_of_a_survey_is_itself(cell):
    seen = Survey(cell)
    assert Survey.of(seen) is seen and Survey.of(cell).picture is cell
