"""The differential: a slide to tally, its percentages with limits, and the comparison with the key.

Pure. White cells make the hundred; erythroblasts are counted beside them, per 100 white cells.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType

from hematovision.cells import WHITE_CELLS
from hematovision.quiz.intervals import exact, wilson
from hematovision.quiz.questions import Question, no_pictures

NRBC = "erythroblast"
COUNTED: tuple[str, ...] = (*WHITE_CELLS, NRBC)
"""What the tally keys name, in their order."""

TYPICAL: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "neutrophil": (40.0, 75.0),
        "lymphocyte": (12.0, 44.0),
        "monocyte": (4.0, 9.0),
        "eosinophil": (0.0, 5.5),
        "basophil": (0.0, 1.0),
        "immature_granulocyte": (0.0, 0.9),
    }
)
"""Typical percentages in adult blood. Laboratories differ. Shown with `TYPICAL_SOURCE`."""

TYPICAL_SOURCE = "Davis's Lab & Diagnostic Tests. Laboratories differ."

RAISED = (2.0, 4.0)
"""How many times its share a class is raised on a slide that is not normal."""
NRBC_PER_100 = (1, 10)
"""Erythroblasts on a slide that has some."""


@dataclass(frozen=True)
class Share:
    """One class of a differential: its count and percentage, Wilson's and Rümke's 95 % limits in percent.

    Rümke's are the exact ones. `typical` is the range in adult blood. `key` is the percentage by the expert key, and
    `agrees` says whether it lies within Rümke's limits; both are None where there is no white cell by the key.
    """

    name: str
    count: int
    percent: float
    wilson: tuple[float, float]
    rumke: tuple[float, float]
    typical: tuple[float, float]
    key_count: int
    key: float | None
    agrees: bool | None

    @property
    def is_typical(self) -> bool:
        low, high = self.typical
        return low <= self.percent <= high


@dataclass(frozen=True)
class TalliedCell:
    """One cell of the slide, for the comparison cell by cell."""

    number: int
    picture_id: str
    key: str
    choice: str

    @property
    def is_right(self) -> bool:
        return self.key == self.choice


@dataclass(frozen=True)
class Differential:
    """The result. `white` counts the white cells that the learner tallied, `key_white` those by the key.

    `nrbc` and `key_nrbc` are per 100 white cells, None where there is no white cell.
    """

    white: int
    key_white: int
    shares: tuple[Share, ...]
    nrbc_count: int
    nrbc: float | None
    key_nrbc: float | None
    cells: tuple[TalliedCell, ...]

    @property
    def right(self) -> int:
        return sum(cell.is_right for cell in self.cells)


def result(questions: Sequence[Question]) -> Differential:
    """The differential of the cells that were tallied; those that were not count neither here nor in the key."""
    cells = tuple(TalliedCell(q.number, q.picture_id, q.key, q.reply.choice) for q in questions if q.reply is not None)
    tally = Counter(cell.choice for cell in cells)
    key = Counter(cell.key for cell in cells)
    white = sum(tally[name] for name in WHITE_CELLS)
    key_white = sum(key[name] for name in WHITE_CELLS)
    shares = tuple(_share(name, tally[name], white, key[name], key_white) for name in WHITE_CELLS)
    return Differential(
        white=white,
        key_white=key_white,
        shares=shares,
        nrbc_count=tally[NRBC],
        nrbc=100 * tally[NRBC] / white if white else None,
        key_nrbc=100 * key[NRBC] / key_white if key_white else None,
        cells=cells,
    )


def _share(name: str, count: int, white: int, key_count: int, key_white: int) -> Share:
    rumke = _percent(exact(count, white))
    key = 100 * key_count / key_white if key_white else None
    return Share(
        name,
        count,
        percent=100 * count / white if white else 0.0,
        wilson=_percent(wilson(count, white)),
        rumke=rumke,
        typical=TYPICAL[name],
        key_count=key_count,
        key=key,
        agrees=None if key is None else rumke[0] <= key <= rumke[1],
    )


def _percent(limits: tuple[float, float]) -> tuple[float, float]:
    return 100 * limits[0], 100 * limits[1]


def draw_shares(rng: random.Random) -> dict[str, float]:
    """Percentages of the white cells of a made-up slide; they sum to 100.

    Each class but the neutrophils is drawn evenly from its typical range, and neutrophils are the rest. On every other
    slide one class is then raised (`RAISED`). Shares of a data set are not those of blood, so they are not used.
    """
    while True:
        shares = {name: rng.uniform(*TYPICAL[name]) for name in WHITE_CELLS if name != "neutrophil"}
        rest = 100 - sum(shares.values())
        low, high = TYPICAL["neutrophil"]
        if low <= rest <= high:
            break
    shares["neutrophil"] = rest
    if rng.random() < 0.5:
        shares[rng.choice(WHITE_CELLS)] *= rng.uniform(*RAISED)
    total = sum(shares.values())
    return {name: 100 * shares[name] / total for name in WHITE_CELLS}


def draw_slide(
    pool: Mapping[str, Sequence[str]], length: int, seen: Set[str], rng: random.Random
) -> list[tuple[str, str]]:
    """(picture id, key) of each cell: `length` white cells, and on every other slide some erythroblasts among them.

    A class without pictures has none on the slide. Pictures that were not seen come first, and none comes twice before
    all of its class came once. Raises InputError where there is no picture of a white cell.
    """
    shares = {name: share for name, share in draw_shares(rng).items() if pool.get(name)}
    if not shares:
        raise no_pictures()
    names = rng.choices(list(shares), list(shares.values()), k=length)
    if pool.get(NRBC) and rng.random() < 0.5:
        names += [NRBC] * (rng.randint(*NRBC_PER_100) * length // 100)
    rng.shuffle(names)
    taken: dict[str, set[str]] = {name: set() for name in names}
    slide = []
    for name in names:
        if len(taken[name]) == len(pool[name]):
            taken[name] = set()
        left = [picture for picture in pool[name] if picture not in taken[name]]
        fresh = [picture for picture in left if picture not in seen]
        picture = rng.choice(fresh or left)
        taken[name].add(picture)
        slide.append((picture, name))
    return slide
