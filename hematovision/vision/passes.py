"""Many altered copies of one picture through the network, batch by batch, with a place to stop in between."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from hematovision.images import Picture
from hematovision.smear.framing import Frame, cut
from hematovision.smear.light import background, measure_light
from hematovision.vision.classifier import BATCH, Floats

Color = tuple[float, ...]
"""RGB in 0..255."""
Forward = Callable[[NDArray], Floats]
"""Pictures at the network's size, (N, size, size, 3) in 0..255 -> logits (N, V)."""
Progress = Callable[[int, int], None]
"""Called with how many passes are done, and of how many, before each batch and after the last one.

What it raises ends the work there and then, and reaches the caller.
"""


@dataclass(frozen=True)
class Seen:
    """What the network sees of a framed cell, (size, size, 3) uint8, and the color of empty background in it."""

    inputs: Picture
    empty: Color


def seen_of(picture: Picture, frame: Frame, size: int) -> Seen:
    """What a network of `size` sees in the frame of a picture (H, W, 3)."""
    light = measure_light(picture)
    empty = tuple(float(light[0, round(level), channel]) for channel, level in enumerate(background(picture)))
    return Seen(cut(picture, frame, size, light), empty)


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
