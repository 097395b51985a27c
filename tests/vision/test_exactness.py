import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hematovision.cells import CLASS_HEAD, HEADS, output_index
from hematovision.smear.cell_mask import CellRegions, cell_regions
from hematovision.smear.framing import Frame
from hematovision.vision.card import KERAS_FILE
from hematovision.vision.classifier import Classifier
from hematovision.vision.exactness import area_shares, logit_parts


def regions(nucleus, cytoplasm) -> CellRegions:
    nucleus, cytoplasm = np.array(nucleus, bool), np.array(cytoplasm, bool)
    return CellRegions(nucleus, cytoplasm, ~(nucleus | cytoplasm))


def test_a_cell_of_the_map_is_shared_out_by_area():
    """A 2 x 2 map over 4 x 4 pixels: one nucleus pixel in its first cell, half of the second is cytoplasm."""
    nucleus, cytoplasm = np.zeros((2, 4, 4), bool)
    nucleus[0, 0] = True
    cytoplasm[:2, 3] = True
    raw = np.array([[8.0, -4.0], [2.0, 6.0]], np.float32)
    found = logit_parts(raw, 5.0, regions(nucleus, cytoplasm), Frame(0, 0, 4))
    assert found.nucleus == 0.25 * 8 / 4 and found.cytoplasm == 0.5 * -4 / 4
    assert found.background == (0.75 * 8 + 0.5 * -4 + 2 + 6) / 4
    assert found.bias == 5 - 12 / 4 and found.logit == 5


def test_a_frame_between_pixels_and_over_the_edge_takes_just_its_part():
    mask = np.ones((4, 4), bool)
    assert np.allclose(area_shares(mask, Frame(0.5, 0.5, 2), 2), 1)
    # Half of the first cells lies outside, where there is nothing.
    assert np.allclose(area_shares(mask, Frame(-1, 0, 4), 2), [[0.5, 1], [0.5, 1]])
    assert np.allclose(area_shares(mask, Frame(-1, -1, 4), 2), [[0.25, 0.5], [0.5, 1]])


@given(
    arrays(np.int8, (9, 7), elements=st.integers(0, 2)),
    arrays(np.float32, (3, 3), elements=st.floats(-50, 50, width=32)),
    st.tuples(st.floats(-3, 5), st.floats(-3, 5), st.floats(1, 12)),
    st.floats(-20, 20),
)
def test_the_parts_add_up_to_the_logit_wherever_the_regions_lie(where, raw, frame, logit):
    found = logit_parts(raw, logit, regions(where == 1, where == 2), Frame(*frame))
    assert found.logit == pytest.approx(logit, abs=1e-4)
    assert found.bias == pytest.approx(logit - raw.astype(float).mean(), abs=1e-4)


def test_the_bias_is_that_of_the_models_head(tiny_model, cell):
    """So the four numbers are the model's own arithmetic, and the bias is no rest that hides an error."""
    model = keras.models.load_model(tiny_model / KERAS_FILE, compile=False)
    frame = Frame.of_cell(cell)
    answer = Classifier(tiny_model).classify(cell, frame)
    for target in ((CLASS_HEAD, "monocyte"), (CLASS_HEAD, "neutrophil"), ("granularity", "yes")):
        head, value = target
        bias = np.asarray(model.get_layer(head).bias)[HEADS[head].index(value)]
        logit = float(answer.logits[output_index(*target)])
        found = logit_parts(answer.map_of(*target), logit, cell_regions(cell), frame)
        assert found.bias == pytest.approx(bias, abs=1e-4)
        assert found.nucleus + found.cytoplasm + found.background + bias == pytest.approx(logit, abs=1e-4)
