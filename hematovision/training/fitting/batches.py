"""Records -> batches of pictures and one-hot targets, seeded by picture and epoch: a resumed run goes on as it was."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np

from hematovision import images
from hematovision.cells import CLASS_HEAD, COLOR_HEAD, HEADS, SIZE_HEAD
from hematovision.library.records import Record
from hematovision.smear.cell_mask import cell_mask, middle_cell
from hematovision.smear.framing import Frame, cut
from hematovision.smear.light import Table, evened, measure_light
from hematovision.training.fitting.augment import ABROAD, Mask, augment
from hematovision.training.fitting.teachers import Teachers


class Batches(keras.utils.PyDataset):
    """(pictures (N, size, size, 3) float32 in 0..255, {head: one-hot (N, values)}) for one epoch."""

    def __init__(
        self,
        records: Sequence[Record],
        size: int,
        batch_size: int,
        *,
        seed: int | None = None,
        epoch: int = 0,
        abroad: float = ABROAD,
        teachers: Teachers | None = None,
    ):
        """With a `seed` shuffled, augmented, with rows times `value_weights` and softened by `teachers`; without, as
        they lie."""
        super().__init__(workers=1)
        self.records, self.size, self.batch_size, self.seed, self.epoch = records, size, batch_size, seed, epoch
        self.abroad, self.teachers = abroad, teachers
        self.weights = value_weights(records) if seed is not None else {}
        self.order = np.arange(len(records))
        if seed is not None:
            np.random.default_rng((seed, epoch)).shuffle(self.order)

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __getitem__(self, index: int):
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        pictures, is_home = zip(*(self._picture(int(i)) for i in chosen), strict=True)
        rows = targets([self.records[i] for i in chosen])
        if self.seed is not None:
            rows = {head: values * self.weights[head] for head, values in rows.items()}
            for head in (SIZE_HEAD, COLOR_HEAD):
                rows[head][~np.array(is_home)] = 0
        batch = np.stack(pictures).astype(np.float32)
        if self.seed is not None and self.teachers:
            rows = self.teachers.soften(rows, batch, np.random.default_rng((self.seed, self.epoch, index)))
        return batch, rows

    def _picture(self, index: int) -> tuple[images.Picture, bool]:
        """The picture, and whether it is one of the home laboratory: it shows the cell's size and color."""
        picture, frame, light = opened(self.records[index].path)
        if self.seed is None:
            return cut(picture, frame, self.size, light), True
        return variant(
            self.records[index].path, self.size, np.random.default_rng((self.seed, self.epoch, index)), self.abroad
        )


def variant(path: Path, size: int, rng: np.random.Generator, abroad: float) -> tuple[images.Picture, bool]:
    """What `augment` makes of the picture of a cell at `path`."""
    picture, frame, light = opened(path)
    return augment(evened(picture, light), _cell(path), frame, size, rng, abroad)


@lru_cache(maxsize=12_000)
def opened(path: Path) -> tuple[images.Picture, Frame, Table]:
    """Picture, frame and light, kept: every epoch needs them again. PBC takes 2 GB at 256 pixels."""
    picture = images.read(path)
    return picture, Frame.of_cell(picture), measure_light(picture)


@lru_cache(maxsize=12_000)
def _cell(path: Path) -> Mask:
    """Where the cell is, kept; where no nucleus is found, all of the picture is the cell's."""
    picture, _, _ = opened(path)
    found = middle_cell(picture)
    cell = cell_mask(picture, found.nucleus) if found else np.ones(picture.shape[:2], bool)
    return np.where(cell, 255, 0).astype(np.uint8)


def targets(records: Sequence[Record]) -> dict[str, np.ndarray]:
    """One-hot rows for each head. A missing attribute is a row of zeros."""
    result = {}
    for head, values in HEADS.items():
        rows = np.zeros((len(records), len(values)), np.float32)
        for row, record in zip(rows, records, strict=True):
            value = record.label if head == CLASS_HEAD else record.attributes.get(head)
            if value is not None:
                row[values.index(value)] = 1
        result[head] = rows
    return result


def value_weights(records: Sequence[Record]) -> dict[str, np.ndarray]:
    """What each value of each head weighs in the loss: for attributes the inverse square root of its share, with a
    mean of 1 over the cells annotated, so that rare values are learned too; for the class 1."""
    weights = {}
    for head, values in HEADS.items():
        counts = np.array([sum(r.attributes.get(head) == value for r in records) for value in values])
        if head == CLASS_HEAD or not counts.any():
            weights[head] = np.ones(len(values), np.float32)
            continue
        rare = 1 / np.sqrt(np.maximum(counts, 1))
        weights[head] = (rare * counts.sum() / (rare * counts).sum()).astype(np.float32)
    return weights
