"""Drawn cells: what is drawn is what the spec says, and what the masks say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.cells import CELL_CLASSES
from hematovision.smear.drawing import PIXELS_PER_UM, draw, draw_field
from hematovision.smear.finder import find_cells, is_stained
from hematovision.smear.morphology import KINDS, plausible, typical
from hematovision.smear.stain import MGG, STAINS, vary

CLASSES_AND_SEEDS = {"cell_class": st.sampled_from(CELL_CLASSES), "seed": st.integers(0, 10**6)}


def drawn(cell_class, seed):
    rng = np.random.default_rng(seed)
    spec = plausible(cell_class, rng)
    return spec, draw(spec, vary(MGG, rng), rng)


@settings(max_examples=40, deadline=None)
@given(**CLASSES_AND_SEEDS)
def test_masks_and_spec_agree(cell_class, seed):
    spec, cell = drawn(cell_class, seed)
    assert cell.picture.shape == (256, 256, 3) and cell.picture.dtype == np.uint8
    for mask in (cell.nucleus, cell.cytoplasm, cell.granules, cell.red_cells):
        assert mask.shape == (256, 256) and mask.dtype == np.bool_
    assert not (cell.nucleus & cell.cytoplasm).any()
    whole = cell.nucleus | cell.cytoplasm
    assert not (whole & cell.red_cells).any()
    assert 2 * np.sqrt(whole.sum() / np.pi) / PIXELS_PER_UM == pytest.approx(spec.diameter, rel=0.06)
    assert cell.nucleus.sum() / whole.sum() == pytest.approx(spec.nuclear_ratio, abs=0.08)
    assert cell.granules.any() == spec.has_granules
    assert cell.attributes == spec.attributes


@settings(max_examples=15, deadline=None)
@given(**CLASSES_AND_SEEDS)
def test_the_same_seed_draws_the_same_picture_and_another_one_another(cell_class, seed):
    _, first = drawn(cell_class, seed)
    _, again = drawn(cell_class, seed)
    _, other = drawn(cell_class, seed + 1)
    assert np.array_equal(first.picture, again.picture) and np.array_equal(first.granules, again.granules)
    assert not np.array_equal(first.picture, other.picture)


@pytest.mark.parametrize("name", STAINS)
def test_every_stain_is_seen_as_stained_and_its_nucleus_is_found(name):
    for seed, cell_class in enumerate(("lymphocyte", "monocyte", "neutrophil", "eosinophil")):
        cell = draw(typical(cell_class), STAINS[name], np.random.default_rng(seed))
        assert is_stained(cell.picture)
        found = find_cells(cell.picture)[0]
        assert (found.nucleus & cell.nucleus).sum() > 0.7 * cell.nucleus.sum()


def test_a_change_of_the_nucleus_moves_nothing_else():
    """So that one sees, while a slider moves, what the slider does."""
    spec = typical("neutrophil")
    three, four = (draw(replace(spec, lobes=n), MGG, np.random.default_rng(3)) for n in (3, 4))
    assert np.array_equal(three.red_cells, four.red_cells)
    assert np.array_equal(three.nucleus | three.cytoplasm, four.nucleus | four.cytoplasm)
    assert not np.array_equal(three.nucleus, four.nucleus)
    outside = ~(three.nucleus | three.cytoplasm)
    difference = np.abs(three.picture.astype(int) - four.picture.astype(int)).max(axis=2)
    assert np.percentile(difference[outside], 95) <= 3


def test_lobes_can_be_counted_where_filaments_are_cut():
    import cv2

    for lobes in (2, 3, 4):
        spec = replace(typical("neutrophil"), lobes=lobes, nuclear_ratio=0.22, folding=0.0)
        counts = []
        for seed in range(12):
            nucleus = draw(spec, MGG, np.random.default_rng(seed)).nucleus.astype(np.uint8)
            eroded = cv2.erode(nucleus, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11)))
            counts.append(cv2.connectedComponents(eroded)[0] - 1)
        assert abs(np.median(counts) - lobes) <= 1 and max(counts) <= lobes


@pytest.mark.parametrize(("cell_class", "stage"), KINDS)
def test_presets_are_drawn_at_any_size_and_stay_in_the_picture(cell_class, stage):
    cell = draw(typical(cell_class, stage), MGG, np.random.default_rng(0), size=192)
    whole = cell.nucleus | cell.cytoplasm
    assert cell.picture.shape == (192, 192, 3)
    ys, xs = np.nonzero(whole)
    assert abs(ys.mean() - 96) < 8 and abs(xs.mean() - 96) < 8
    assert not whole[0].any() and not whole[-1].any() and not whole[:, 0].any() and not whole[:, -1].any()


def test_granules_keep_off_the_nucleus_unless_they_lie_over_it():
    over = {}
    for cell_class in ("eosinophil", "basophil"):
        cell = draw(typical(cell_class), MGG, np.random.default_rng(1))
        over[cell_class] = (cell.granules & cell.nucleus).sum() / cell.nucleus.sum()
    assert over["eosinophil"] < 0.15 < 0.4 < over["basophil"]


def test_a_field_holds_its_cells_where_they_were_put():
    centers = [(150.0, 140.0), (480.0, 330.0)]
    cells = [(typical("lymphocyte"), centers[0]), (typical("neutrophil"), centers[1])]
    field = draw_field(cells, MGG, np.random.default_rng(4))
    assert field.picture.shape == (480, 640, 3) and field.attributes == {}
    for x, y in centers:
        assert (field.nucleus | field.cytoplasm)[int(y), int(x)]
    found = find_cells(field.picture)
    assert len(found) == 2
    middles = sorted((cell.box[0] + cell.box[2] / 2, cell.box[1] + cell.box[3] / 2) for cell in found)
    for (x, y), (cx, cy) in zip(middles, centers, strict=True):
        assert abs(x - cx) < 25 and abs(y - cy) < 25
