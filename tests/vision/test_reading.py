import numpy as np
import pytest

from hematovision.errors import InputError
from hematovision.smear.drawing import draw_field
from hematovision.smear.stain import MGG
from hematovision.vision.classifier import Classifier
from hematovision.vision.reading import read_picture


@pytest.fixture(scope="module")
def classifier(tiny_model):
    return Classifier(tiny_model)


def test_a_square_picture_is_one_cell(classifier, cell):
    reading = read_picture(cell, classifier)
    assert [c.box for c in reading.cells] == [(0, 0, 256, 256)]


def test_a_field_gives_each_cell_with_its_box(classifier, field):
    for mode in ("auto", "field"):
        boxes = [c.box for c in read_picture(field.picture, classifier, mode).cells]
        assert len(boxes) == 2 and all(w < 130 and h < 130 for _, _, w, h in boxes)
    assert len(read_picture(field.picture, classifier, "cell").cells) == 1


def test_a_field_without_white_cells_has_no_cells(classifier):
    field = draw_field([], MGG, np.random.default_rng(1))
    reading = read_picture(field.picture, classifier, "field")
    assert reading.cells == () and reading.status in ("check", "not_blood")


def test_what_is_not_stained_gets_no_class(classifier):
    reading = read_picture(np.full((300, 300, 3), 180, np.uint8), classifier)
    assert (reading.status, reading.cells) == ("not_blood", ())


def test_an_unknown_mode_is_named(classifier, cell):
    with pytest.raises(InputError, match="'slide'"):
        read_picture(cell, classifier, "slide")
