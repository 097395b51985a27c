import numpy as np
import pytest

from hematovision.cells import CLASS_HEAD, HEADS, output_index, output_slice
from hematovision.vision.occlusion import covered, occlude_at, occlusion_map

WIDTH = sum(len(values) for values in HEADS.values())
TARGET = (CLASS_HEAD, "monocyte")
WHITE = (255.0, 255.0, 255.0)


def sees(places: list[tuple[slice, slice]], values=(1.0,)):
    """A model whose logit for a monocyte is the darkness of some places, (255 - level) per pixel and their weight."""

    def forward(batch):
        logits = np.zeros((len(batch), WIDTH), np.float32)
        for (rows, columns), value in zip(places, values, strict=True):
            dark = (255 - batch[:, rows, columns, 0].astype(np.float32)).sum(axis=(1, 2))
            logits[:, output_index(*TARGET)] += value * dark
        return logits

    return forward


@pytest.fixture
def dot() -> np.ndarray:
    """24 x 24, white, with one black pixel in row 9, column 5: cell (4, 2) of the map."""
    picture = np.full((24, 24, 3), 255, np.uint8)
    picture[9, 5] = 0
    return picture


def test_the_score_falls_where_the_thing_is_covered(dot):
    found = occlusion_map(dot, TARGET, WHITE, sees([(slice(9, 10), slice(5, 6))]))
    assert found.shape == (12, 12) and found.dtype == np.float32
    # All four patches over its cell take the pixel away; of a cell beside it, half of those that cover it.
    assert found[4, 2] == 255 == found.max()
    assert found[4, 1] == found[3, 2] == 127.5 and found[3, 1] == 63.75
    assert np.count_nonzero(found) == 9


def test_what_speaks_against_the_target_is_below_zero(dot):
    found = occlusion_map(dot, TARGET, WHITE, sees([(slice(9, 10), slice(5, 6))], [-1.0]))
    assert found.min() == -255 and found.max() == 0


def test_background_under_the_cover_changes_nothing(dot):
    assert not occlusion_map(dot, ("granularity", "yes"), WHITE, sees([(slice(9, 10), slice(5, 6))])).any()


def test_one_patch_says_what_it_changed(dot):
    forward = sees([(slice(9, 10), slice(5, 6))], [0.01])
    found = occlude_at(dot, (5.5, 9.5), 3, TARGET, WHITE, forward)
    classes = output_slice(CLASS_HEAD).stop - output_slice(CLASS_HEAD).start
    assert found.logit_before == pytest.approx(2.55) and found.logit_after == 0
    assert found.logit_change == pytest.approx(-2.55)
    assert found.probability_before == pytest.approx(np.exp(2.55) / (np.exp(2.55) + classes - 1))
    assert found.probability_change == pytest.approx(1 / classes - found.probability_before)


@pytest.mark.parametrize("place", [(20.0, 20.0), (-9.0, 9.5), (400.0, 9.5)])
def test_a_patch_beside_the_thing_or_the_picture_changes_nothing(dot, place):
    found = occlude_at(dot, place, 4, TARGET, WHITE, sees([(slice(9, 10), slice(5, 6))]))
    assert found.logit_change == found.probability_change == 0


def test_the_picture_itself_is_never_painted_on(dot):
    before = dot.copy()
    assert (covered(dot, (8, 12), (4, 8), WHITE) == 255).all()
    assert np.array_equal(dot, before)
