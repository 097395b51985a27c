import numpy as np
import pytest

from hematovision.cells import CLASS_HEAD, HEADS, output_index
from hematovision.vision.scorecam import CHANNELS, most_spread, score_cam

WIDTH = sum(len(values) for values in HEADS.values())
TARGET = (CLASS_HEAD, "monocyte")
WHITE = (255.0, 255.0, 255.0)


def sees_left(batch):
    """A model that names a monocyte where the left half is dark."""
    logits = np.zeros((len(batch), WIDTH), np.float32)
    logits[:, output_index(*TARGET)] = (255 - batch[:, :, :4, 0].astype(np.float32)).mean(axis=(1, 2)) / 20
    return logits


@pytest.fixture
def black() -> np.ndarray:
    return np.zeros((8, 8, 3), np.uint8)


def test_a_channel_counts_by_what_its_mask_leaves_of_the_answer(black):
    """One channel lets the left half through, one the right; the third is the same everywhere, and no mask."""
    features = np.zeros((2, 2, 3), np.float32)
    features[:, 0, 0], features[:, 1, 1], features[..., 2] = 4, 4, 9
    found = score_cam(black, features, TARGET, WHITE, sees_left)
    assert found.shape == (2, 2) and found.dtype == np.float32
    assert (found[:, 0] > 3 * found[:, 1]).all() and found.min() > 0
    assert np.array_equal(found[0], found[1])

    mask = np.array([1, 1, 0.875, 0.625, 0.375, 0.125, 0, 0])  # what is drawn out of (1, 0)

    def probability(dark):
        return np.exp(255 * dark / 20) / (np.exp(255 * dark / 20) + len(HEADS[CLASS_HEAD]) - 1)

    left, right, blank = (probability(share) for share in (mask[:4].mean(), mask[4:].mean(), 0))
    assert found[0] == pytest.approx([4 * (left - blank), 4 * (right - blank)], rel=1e-4)


def test_features_that_do_not_vary_give_no_evidence(black):
    assert not score_cam(black, np.ones((2, 2, 5), np.float32), TARGET, WHITE, sees_left).any()


def test_the_channels_that_spread_most_are_taken():
    features = np.zeros((2, 2, 100), np.float32)
    features[0, 0] = np.arange(100)
    assert np.array_equal(most_spread(features), np.arange(99, 99 - CHANNELS, -1))
    assert np.array_equal(most_spread(features[..., :3]), [2, 1])
