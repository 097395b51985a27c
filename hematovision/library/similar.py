"""Nearest reference cells: those whose embeddings point the way of one cell's, by exact search.

Nearest by what the network sees; no vote, and no probability.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hematovision.cells import CELL_CLASSES

if TYPE_CHECKING:
    from hematovision.library.bank import Library

SAME = 1 - 1e-7
"""Cosine similarity from which on two pictures are copies of each other: the network tells nothing between them."""

_DECIMALS = 9
"""Of a similarity: what is equal to them is a tie."""
_SAMPLE = 100
"""References whose own nearest ones tell what is near."""

Near = tuple[str, float]
"""A picture's id, and its cosine similarity in [-1, 1]: 1 where the network sees the same."""


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Embeddings (N, C) float32 with the picture id of each row. Never changes; safe to share between threads.

    `vectors` are used where they lie, in the index's file: their lengths are kept instead of a second, scaled copy.
    """

    rows: Mapping[str, int]
    vectors: NDArray[np.float32]

    @cached_property
    def lengths(self) -> NDArray[np.float32]:
        """(N,): 0 for what has no direction, which is near nothing."""
        with np.errstate(invalid="ignore", over="ignore"):
            squares = np.einsum("ij,ij->i", self.vectors, self.vectors)
        lengths: NDArray[np.float32] = np.sqrt(np.where(np.isfinite(squares), squares, 0), dtype=np.float32)
        return lengths

    def among(self, ids: Sequence[str]) -> NDArray[np.intp]:
        """The rows (n,) of those `ids` that have an embedding with a direction, in ascending order."""
        found = np.array(sorted(self.rows[i] for i in ids if i in self.rows), np.intp)
        return found[self.lengths[found] > 0]

    def nearest(self, query: NDArray, among: NDArray[np.intp], count: int, beside: str = "") -> list[Near]:
        """The `count` nearest to a `query` (C,) of the rows `among`, the nearest first; ties in the order of ids.

        Never the picture `beside` itself, nor a copy of what is asked for. Fewer where there are fewer; none for a
        query without a direction.
        """
        wanted = query.astype(np.float64)
        length = np.linalg.norm(wanted)
        if count < 1 or not among.size or not np.isfinite(length) or length == 0:
            return []
        wanted /= length
        scores = self._scores(wanted.astype(np.float32), among)
        # Single precision says which rows may be among the nearest, double precision in which order they are.
        error = self._rounding
        others = scores[scores < SAME - error]
        worst = np.partition(others, -count - 1)[-count - 1] if others.size > count else -np.inf
        found = [(i, self._similarity(row, wanted)) for i, row in self._named(among[scores >= worst - 2 * error])]
        found = [near for near in found if near[0] != beside and near[1] < SAME]
        return sorted(found, key=lambda near: (-near[1], near[0]))[:count]

    def usual(self, among: NDArray[np.intp]) -> float | None:
        """The similarity that nine of ten of the rows `among` reach with their nearest other one; None for one alone.

        Of a sample of a hundred, evenly spaced.
        """
        sample = among[np.linspace(0, among.size - 1, min(_SAMPLE, among.size)).astype(np.intp)]
        directions = self.vectors[sample] / self.lengths[sample, None]
        first, last = (among[0], among[-1] + 1) if among.size else (0, 0)
        with np.errstate(invalid="ignore", over="ignore"):
            scores = (directions @ self.vectors[first:last].T)[:, among - first] / self.lengths[among]
        scores[scores >= SAME - self._rounding] = -np.inf
        nearest = scores.max(axis=1, initial=-np.inf)
        nearest = nearest[np.isfinite(nearest)]
        return float(np.quantile(nearest, 0.1)) if nearest.size else None

    @property
    def _rounding(self) -> float:
        """No cosine in single precision is further from the true one."""
        return (self.vectors.shape[1] + 8) * float(np.finfo(np.float32).eps)

    def _scores(self, direction: NDArray[np.float32], among: NDArray[np.intp]) -> NDArray[np.float32]:
        # A class lies together, as its folder was read: one product over all from its first to its last picture costs
        # no copy, and an eighth of the whole.
        first = among[0]
        with np.errstate(invalid="ignore", over="ignore"):
            products = self.vectors[first : among[-1] + 1] @ direction
        scores: NDArray[np.float32] = products[among - first] / self.lengths[among]
        return scores

    def _named(self, rows: NDArray[np.intp]) -> Iterator[tuple[str, int]]:
        return ((self._ids[row], row) for row in rows.tolist())

    @cached_property
    def _ids(self) -> dict[int, str]:
        return {row: picture_id for picture_id, row in self.rows.items()}

    def _similarity(self, row: int, direction: NDArray[np.float64]) -> float:
        vector = self.vectors[row].astype(np.float64)
        return round(float(vector @ direction) / float(np.linalg.norm(vector)), _DECIMALS)


class References:
    """The reference cells of a library, as far as they are in its index. Safe to share between threads."""

    def __init__(self, library: "Library", embeddings: Embeddings):
        self.library, self.embeddings = library, embeddings
        self._among: dict[str | None, NDArray[np.intp]] = {}

    def nearest(self, query: NDArray, count: int, name: str | None = None, beside: str = "") -> list[Near]:
        """The `count` references nearest to an embedding (C,): of all classes, or of the class or stage `name`."""
        return self.embeddings.nearest(query, self._rows(name), count, beside)

    def warm_up(self) -> None:
        """Do once what the first search would have to wait for."""
        for name in (None, *self.library.to_show):
            self._rows(name)
        _ = self.usual

    @property
    def at_hand(self) -> tuple[int, int]:
        """How many references of all classes can be found, and how many the library has."""
        return len(self._rows(None)), len(self._ids(None))

    @cached_property
    def usual(self) -> float | None:
        """The similarity that most references of all classes reach with their nearest other one."""
        return self.embeddings.usual(self._rows(None))

    def _ids(self, name: str | None) -> list[str]:
        names = CELL_CLASSES if name is None else (name,)
        return [picture_id for each in names for picture_id in self.library.to_show.get(each, ())]

    def _rows(self, name: str | None) -> NDArray[np.intp]:
        if name not in self._among:
            self._among[name] = self.embeddings.among(self._ids(name))
        return self._among[name]
