"""Split pictures into folds: each class spread evenly, and whatever shows the same thing kept together."""

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hematovision import images
from hematovision.errors import InputError
from hematovision.images import Picture
from hematovision.library.records import Record

SIDE = 16
"""Side of the grid of brightness steps that a picture is told by."""
MOST_DIFFERENT = 24
"""Bits of 256 in which two pictures of one cell differ at most: saved again, or shrunk. No two cells among 8,118 of PBC
differ in less than 60."""
FIELD_MARK = "__"
"""`slide7__2.png` was cut from the field `slide7`, as was `slide7__5.png`, in whatever class folder they lie."""


def assign_folds(labels: Sequence[str], groups: Sequence[Hashable], folds: int, seed: int) -> list[int]:
    """The fold (0 to `folds` - 1) of each picture: groups whole, classes as even as they allow.

    Greedy: large groups first, by chance among equals, each into the fold that has least of its classes. Raises
    InputError where there are fewer groups than folds.
    """
    members: dict[Hashable, list[int]] = {}
    for i, group in enumerate(groups):
        members.setdefault(group, []).append(i)
    if folds < 2 or len(members) < folds:
        raise InputError(
            f"{len(members)} different pictures cannot be split into {folds} folds.",
            "There should be 2 folds at least, and no more than pictures.",
        )
    wholes = list(members.values())
    shuffled = [wholes[i] for i in np.random.default_rng(seed).permutation(len(wholes))]
    total = Counter(labels)
    held = [Counter[str]() for _ in range(folds)]
    result = [0] * len(labels)
    for whole in sorted(shuffled, key=len, reverse=True):
        wanted = Counter(labels[i] for i in whole)

        def fullness(fold: int, wanted: Counter[str] = wanted) -> tuple[float, int]:
            return sum(n * held[fold][label] / total[label] for label, n in wanted.items()), held[fold].total()

        chosen = min(range(folds), key=fullness)
        held[chosen] += wanted
        for i in whole:
            result[i] = chosen
    return result


def group_pictures(records: Sequence[Record]) -> list[int]:
    """The group of each picture: same bytes, nearly the same picture, or cut from one field, each also by way of a
    third. Reads every picture, with a bar."""
    parents = list(range(len(records)))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = i = parents[parents[i]]
        return i

    seen: dict[Hashable, int] = {}
    hashes = np.zeros((len(records), SIDE * SIDE // 64), np.uint64)
    for i, record in enumerate(tqdm(records, desc="comparing", unit="picture")):
        content = record.path.read_bytes()
        hashes[i] = picture_hash(images.decode(content))
        for key in (hashlib.sha256(content).digest(), *_field(record)):
            parents[root(i)] = root(seen.setdefault(key, i))
    for i in range(len(records)):
        for j in i + 1 + np.flatnonzero(_distances(hashes[i], hashes[i + 1 :]) <= MOST_DIFFERENT):
            parents[root(int(j))] = root(i)
    return [root(i) for i in range(len(records))]


def picture_hash(picture: Picture) -> NDArray[np.uint64]:
    """256 bits (4,): where a gray thumbnail grows brighter from left to right. Lighting and JPEG hardly change it."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA).astype(int)
    return np.packbits(small[:, 1:] > small[:, :-1]).view(np.uint64)


def _distances(one: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.int_]:
    return np.bitwise_count(one ^ others).sum(axis=1, dtype=int)


def _field(record: Record) -> list[Hashable]:
    field, mark, _ = record.path.stem.rpartition(FIELD_MARK)
    return [(record.dataset, field)] if mark else []
