import numpy as np
import pytest

from hematovision.cells import CELL_CLASSES
from hematovision.library.drawn import draw_cell, series
from hematovision.smear.cell_mask import cell_mask, cell_regions, middle_cell
from hematovision.smear.finder import find_cells

NUCLEATED = [label for label in CELL_CLASSES if label != "platelet"]


@pytest.mark.parametrize("label", NUCLEATED)
def test_the_outline_of_a_drawn_cell_is_found(label):
    shares = []
    for cell in series([label], 3, seed=11):
        drawn = draw_cell(cell)
        truth = (drawn.nucleus > 0.5) | (drawn.cytoplasm > 0.5)
        found = cell_mask(drawn.picture, middle_cell(drawn.picture).nucleus)
        shares.append((found & truth).sum() / (found | truth).sum())
    assert np.mean(shares) > 0.9


def test_the_same_picture_gives_the_same_mask_which_holds_its_nucleus(cell):
    nucleus = middle_cell(cell).nucleus
    first, again = cell_mask(cell, nucleus), cell_mask(cell, nucleus)
    assert first.dtype == bool and first.shape == cell.shape[:2]
    assert np.array_equal(first, again) and not (nucleus & ~first).any()


def test_the_cell_in_the_middle_is_taken_and_not_the_one_with_the_larger_nucleus(field):
    beside = field.picture[:, 140:]  # 500 wide: the lymphocyte at 20, the neutrophil at 320
    largest, middle = find_cells(beside)[0], middle_cell(beside)
    assert largest.box[0] < 100
    rows, columns = np.nonzero(middle.nucleus)
    assert abs(rows.mean() - 300) < 20 and abs(columns.mean() - 320) < 20


def test_where_nothing_is_stained_there_is_no_cell_and_an_empty_nucleus_has_no_outline():
    gray = np.full((64, 64, 3), 200, np.uint8)
    assert middle_cell(gray) is None
    assert not cell_mask(gray, np.zeros((64, 64), bool)).any()


LEAST_SHARED = {"basophil": (0.6, 0.4, 0.95), "lymphocyte": (0.85, 0.2, 0.95)}
"""Of nucleus, cytoplasm and background: granules hide a basophil's nucleus, a lymphocyte's cytoplasm is a thin rim."""


@pytest.mark.parametrize("label", NUCLEATED)
def test_the_regions_of_a_drawn_cell_are_found(label):
    shares = []
    for cell in series([label], 3, seed=11):
        drawn = draw_cell(cell)
        nucleus = drawn.nucleus > 0.5
        cytoplasm = (drawn.cytoplasm > 0.5) & ~nucleus
        found = cell_regions(drawn.picture)
        truth = (nucleus, cytoplasm, ~(nucleus | cytoplasm))
        regions = (found.nucleus, found.cytoplasm, found.background)
        shares.append([(a & b).sum() / (a | b).sum() for a, b in zip(regions, truth, strict=True)])
    assert (np.mean(shares, axis=0) >= LEAST_SHARED.get(label, (0.9, 0.8, 0.95))).all()


def test_the_regions_of_a_picture_part_it(cell):
    found = cell_regions(cell)
    masks = np.stack([found.nucleus, found.cytoplasm, found.background])
    assert masks.dtype == bool and masks.shape == (3, *cell.shape[:2])
    assert (masks.sum(axis=0) == 1).all() and masks.any(axis=(1, 2)).all()
    assert np.array_equal(found.cell, ~found.background)
    assert np.array_equal(found.cell, cell_mask(cell, middle_cell(cell).nucleus))


def test_a_picture_without_a_nucleus_has_no_regions():
    assert cell_regions(np.full((64, 64, 3), 200, np.uint8)) is None
