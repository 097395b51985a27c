import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hematovision.cells import CLASS_HEAD, HEADS, output_index
from hematovision.smear.cell_mask import CellRegions
from hematovision.vision.quality import (
    STEPS,
    Curve,
    agreement,
    centered_gaussian,
    faithfulness,
    placement,
    random_map,
    share_inside,
    steps_by_rank,
)

WIDTH = sum(len(values) for values in HEADS.values())
TARGET = (CLASS_HEAD, "monocyte")
WHITE = (255.0, 255.0, 255.0)

maps = arrays(np.float32, (6, 6), elements=st.floats(0, 1, width=32))


def test_the_share_inside_is_that_of_the_evidence_and_not_of_the_area():
    evidence = np.array([[3, 1], [0, 0]], np.float32)
    assert share_inside(evidence, np.array([[True, False], [True, True]])) == 0.75


@given(arrays(np.float32, (4, 5), elements=st.floats(0.125, 1, width=32)), arrays(bool, (4, 5)))
def test_inside_and_outside_make_one(evidence, mask):
    assert share_inside(evidence, mask) + share_inside(evidence, ~mask) == pytest.approx(1)


def test_the_gaussian_lies_in_the_middle_and_goes_by_the_width():
    found = centered_gaussian((101, 201))
    assert found[50, 100] == 1 == found.max()
    assert found[50, 100 + 30] == pytest.approx(np.exp(-0.5), abs=0.01)  # 0.15 × 201 is about 30
    assert np.allclose(found, found[::-1, ::-1])


def test_a_map_is_placed_beside_two_that_have_seen_nothing():
    nucleus, cytoplasm = np.zeros((2, 8, 8), bool)
    nucleus[3:5, 3:5] = True
    cytoplasm[3:5, 5:7] = True
    regions = CellRegions(nucleus, cytoplasm, ~(nucleus | cytoplasm))
    found = placement(np.where(nucleus, 0.75, 0).astype(np.float32) + np.where(cytoplasm, 0.25, 0), regions)
    assert (found.evidence.cell, found.evidence.nucleus) == (1, 0.75)
    assert (found.uniform.cell, found.uniform.nucleus) == (8 / 64, 4 / 64)
    assert found.uniform.nucleus < found.gaussian.nucleus < 1
    assert placement(np.zeros((8, 8), np.float32), regions) is None


def test_the_area_under_a_curve():
    assert Curve((1.0, 1.0, 1.0)).area == 1
    assert Curve((1.0, 0.0)).area == 0.5
    assert Curve((1.0, 0.5, 0.0, 0.0)).area == pytest.approx((0.75 + 0.25 + 0) / 3)


@given(arrays(np.float32, (12, 10), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])))
def test_each_step_takes_as_many_pixels_and_none_before_a_stronger_one(evidence):
    step = steps_by_rank(evidence)
    assert np.array_equal(np.bincount(step.ravel()), np.full(STEPS, 120 // STEPS))
    for level in (0.25, 0.5, 1.0):
        if (evidence == level).any() and (evidence < level).any():
            assert step[evidence == level].max() <= step[evidence < level].min()


def test_without_evidence_chance_decides_and_not_the_order_of_rows():
    step = steps_by_rank(np.zeros((48, 48), np.float32))
    assert abs(step[:24].mean() - step[24:].mean()) < 1


def test_a_map_of_what_the_model_looks_at_deletes_and_inserts_faster_than_chance():
    picture = np.full((48, 48, 3), 200, np.uint8)
    picture[30:38, 8:16] = 0
    evidence = np.zeros((48, 48), np.float32)
    evidence[30:38, 8:16] = 1
    told = []

    def forward(batch):
        """Names a monocyte by how dark that patch is."""
        logits = np.zeros((len(batch), WIDTH), np.float32)
        logits[:, output_index(*TARGET)] = 8 - batch[:, 30:38, 8:16, 0].astype(np.float32).mean(axis=(1, 2)) / 12
        return logits

    found = faithfulness(picture, evidence, TARGET, WHITE, forward, lambda done, total: told.append((done, total)))
    assert found.deletion.area < 0.1 < 0.4 < found.random_deletion.area
    assert found.insertion.area > 0.9 > found.random_insertion.area
    curve = found.deletion.probabilities
    assert len(curve) == STEPS + 1 and curve[0] > 0.99 and curve[-1] < 0.01
    # Both ways begin and end with the same two pictures, whatever the map.
    assert curve[0] == found.random_deletion.probabilities[0] == found.insertion.probabilities[-1]
    assert curve[-1] == found.random_deletion.probabilities[-1]
    assert told[-1] == (100, 100)


def test_the_random_map_is_the_same_each_time():
    assert np.array_equal(random_map(48), random_map(48))
    assert random_map(48).shape == (48, 48) and random_map(48).std() > 0.1


@given(maps, maps)
def test_agreement_is_that_of_the_order_alone(one, other):
    found = agreement(one, other)
    if found is None:
        assert one.max() == one.min() or other.max() == other.min()
        return
    assert -1 <= round(found, 9) <= 1
    assert found == pytest.approx(agreement(other, one), abs=1e-9)


def test_agreement_in_figures():
    rising = np.arange(24 * 24, dtype=np.float32).reshape(24, 24)
    assert agreement(rising, rising**2) == pytest.approx(1)
    assert agreement(rising, -rising) == pytest.approx(-1)
    assert agreement(rising, np.ones((24, 24))) is None
    # Maps of unlike size are compared cell by cell.
    assert agreement(np.kron(rising, np.ones((8, 8))), rising) == pytest.approx(1)
    halves = np.repeat([[0.0, 1.0]], 24, axis=0).repeat(12, axis=1)
    assert agreement(halves, halves.T) == pytest.approx(0)
