import numpy as np
import pytest

from hematovision.vision.passes import logits_of_all


def test_pictures_go_through_in_batches_and_in_order():
    batches, told = [], []

    def forward(batch):
        batches.append(len(batch))
        return batch.mean(axis=(1, 2, 3))[:, None]

    pictures = (np.full((2, 2, 3), i, np.float32) for i in range(20))
    found = logits_of_all(forward, pictures, 20, lambda done, total: told.append((done, total)))
    assert np.array_equal(found[:, 0], np.arange(20)) and batches == [16, 4]
    assert told == [(0, 20), (16, 20), (20, 20)]


def test_who_is_told_of_the_progress_can_stop_the_work():
    """What is not passed through the network by then is not even drawn."""
    asked, drawn = [], []

    def pictures():
        for i in range(100):
            drawn.append(i)
            yield np.zeros((2, 2, 3), np.float32)

    def forward(batch):
        asked.append(len(batch))
        return np.zeros((len(batch), 1), np.float32)

    def stop(done, total):
        if done >= 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        logits_of_all(forward, pictures(), 100, stop)
    assert asked == [16] and len(drawn) == 16
