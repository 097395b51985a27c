"""Many altered copies of one picture through the network, batch by batch, with a place to stop in between."""

from collections.abc import Callable, Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from hematovision.vision.classifier import BATCH, Floats

Forward = Callable[[NDArray], Floats]
"""Pictures at the network's size, (N, size, size, 3) in 0..255 -> logits (N, V)."""
Progress = Callable[[int, int], None]
"""Called with how many passes are done, and of how many, before each batch and after the last one.

What it raises ends the work there and then, and reaches the caller.
"""


def logits_of_all(forward: Forward, pictures: Iterable[NDArray], total: int, progress: Progress | None) -> Floats:
    """Logits (N, V) of `total` pictures, which are made as they are needed, 16 at a time."""
    rest = iter(pictures)
    found: list[Floats] = []
    for done in range(0, total, BATCH):
        if progress:
            progress(done, total)
        found.append(forward(np.stack(list(islice(rest, BATCH)))))
    if progress:
        progress(total, total)
    return np.concatenate(found)
