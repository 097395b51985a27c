"""The red-cell ruler: exact on drawn slides, whose scale is known; plausible on photographs."""

import xml.etree.ElementTree as ET
from statistics import median

import cv2
import numpy as np
import pytest

from hematovision import images
from hematovision.smear.drawing import PIXELS_PER_UM, draw_field
from hematovision.smear.morphology import typical
from hematovision.smear.ruler import RED_CELL, pixels_per_um
from hematovision.smear.stain import STAINS, vary


def field_of(stain, seed):
    rng = np.random.default_rng(seed)
    cells = [(typical("neutrophil"), (160.0, 200.0)), (typical("monocyte"), (470.0, 300.0))]
    return draw_field(cells, vary(STAINS[stain], rng), rng).picture


@pytest.mark.parametrize("stain", STAINS)
def test_drawn_fields_have_the_scale_they_were_drawn_at(stain):
    scales = [pixels_per_um(field_of(stain, seed)) for seed in range(6)]
    assert all(scale == pytest.approx(PIXELS_PER_UM, rel=0.12) for scale in scales)


@pytest.mark.parametrize("factor", [0.5, 1.5, 2.5])
def test_the_scale_follows_the_size_of_the_picture(factor):
    field = field_of("mgg", 1)
    resized = cv2.resize(field, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    assert pixels_per_um(resized) == pytest.approx(factor * pixels_per_um(field), rel=0.06)


def test_without_red_cells_there_is_no_ruler():
    assert pixels_per_um(np.full((256, 256, 3), (250, 230, 205), np.uint8)) is None


def test_red_cells_of_real_fields_are_measured(real_data):
    """Against the median box of BCCD's red cells, which holds a cell with a little margin."""
    ratios = []
    for annotation in sorted((real_data / "bccd" / "BCCD" / "Annotations").glob("*.xml"))[::8]:
        boxes = [o.find("bndbox") for o in ET.parse(annotation).iter("object") if o.findtext("name") == "RBC"]
        sides = [[int(b.findtext(k)) for k in ("xmin", "ymin", "xmax", "ymax")] for b in boxes]
        if len(sides) < 5:
            continue
        size = median(((right - left) * (bottom - top)) ** 0.5 for left, top, right, bottom in sides)
        picture = images.read(annotation.parents[1] / "JPEGImages" / f"{annotation.stem}.jpg")
        ratios.append(pixels_per_um(picture) * RED_CELL / size)
    assert 0.75 < median(ratios) < 1.0
    assert np.percentile(ratios, 90) / np.percentile(ratios, 10) < 1.5
