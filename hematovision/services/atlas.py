"""The Atlas: teaching text, and cells to look at that no quiz ever asks."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from hematovision.cells import ATTRIBUTES, CELL_CLASSES, STAGES, class_of
from hematovision.content import NAMES, Content, content
from hematovision.errors import unknown
from hematovision.images import Picture
from hematovision.library.bank import Library
from hematovision.library.drawn import DrawnCell, draw_cell, random_cell
from hematovision.library.records import Record
from hematovision.services.pictures import Pictures

FIRST_SEED = 7_000_000_000
"""Of the cells that are drawn for the Atlas: beyond the seeds of the quiz bank, so that none of them is asked."""

_Any = TypeVar("_Any")
_TRIED = 100
"""Cells of each class that are thought of, in search of those with an attribute value."""


@dataclass(frozen=True)
class Exemplar:
    """A cell to look at: RGB (H, W, 3), its stage or class, and whether it is drawn."""

    picture: Picture
    name: str
    is_drawn: bool


class Atlas:
    """Safe to share between threads. The same turn shows the same cells."""

    def __init__(self, pictures: Pictures):
        self._pictures = pictures
        self._draw = lru_cache(maxsize=256)(lambda cell: draw_cell(cell).picture)
        self._drawn_with = lru_cache(maxsize=None)(drawn_with)
        self._shown: tuple[Library | None, dict[str, Record]] = (None, {})

    @property
    def content(self) -> Content:
        """Raises DataError."""
        return content()

    def of_kind(self, name: str, wanted: int, turn: int = 0) -> list[Exemplar]:
        """Up to `wanted` cells of a class or stage, others at another `turn`: the library's real ones, else drawn ones.

        Of real ones the first turn shows typical cells, as far as there are any; later ones show what else there is.
        Raises InputError for an unknown name, ImageError where a picture is damaged.
        """
        if name not in NAMES:
            raise unknown("class or stage", name, NAMES)
        if found := self._real(lambda record: name in (record.label, record.stage)):
            typical = [i for i in found if turn == 0 and self._is_typical(i)]
            chosen = _draw_lots(typical, wanted, name)
            others = [i for i in found if i not in chosen]
            return self._read(chosen + _draw_lots(others, wanted - len(chosen), f"{name} {turn}"))
        first = FIRST_SEED + turn * wanted
        stage = name if name in STAGES else None
        return self._drawn([random_cell(class_of(name), first + nth, stage=stage) for nth in range(wanted)])

    def of_value(self, attribute: str, value: str, wanted: int, turn: int = 0) -> list[Exemplar]:
        """Up to `wanted` cells with an attribute value: real ones that people annotated so, else ones drawn so.

        Raises InputError for an unknown name, ImageError where a picture is damaged.
        """
        if attribute not in ATTRIBUTES:
            raise unknown("attribute", attribute, ATTRIBUTES)
        if value not in ATTRIBUTES[attribute]:
            raise unknown(f"value of {attribute}", value, ATTRIBUTES[attribute])
        lots = f"{attribute} {value} {turn}"
        if found := self._real(lambda record: record.attributes.get(attribute) == value):
            return self._read(_draw_lots(found, wanted, lots))
        return self._drawn(_draw_lots(self._drawn_with(attribute, value), wanted, lots))

    def _is_typical(self, picture_id: str) -> bool:
        record = self._pictures.record(picture_id)
        return self.content.measured.is_typical(record.label, record.attributes)

    def _real(self, fits: Callable[[Record], bool]) -> list[str]:
        """Ids of the real cells that fit and that no question asks."""
        library = self._pictures.library
        seen, records = self._shown
        if seen is not library:
            records = never_asked(library)
            self._shown = (library, records)
        return [picture_id for picture_id, record in records.items() if fits(record)]

    def _read(self, ids: Sequence[str]) -> list[Exemplar]:
        found = []
        for picture_id in ids:
            record = self._pictures.record(picture_id)
            found.append(Exemplar(self._pictures.picture(picture_id), record.stage or record.label, is_drawn=False))
        return found

    def _drawn(self, cells: Sequence[DrawnCell]) -> list[Exemplar]:
        return [Exemplar(self._draw(cell), cell.spec.stage or cell.spec.cell_class, is_drawn=True) for cell in cells]


def never_asked(library: Library) -> dict[str, Record]:
    """The real cells of a library that neither practice nor any of its sets asks: those that a model was trained on."""
    asked = {picture_id for ids in library.to_ask.values() for picture_id in ids}
    for quiz_set in library.sets.values():
        asked.update(picture_id for ids in library.pool(quiz_set).values() for picture_id in ids)
    return {i: record for i, record in library.records.items() if not record.is_drawn and i not in asked}


def drawn_with(attribute: str, value: str) -> tuple[DrawnCell, ...]:
    """Cells, not yet drawn, with an attribute value: those of `_TRIED` of each class that have it."""
    cells = (random_cell(name, FIRST_SEED + nth) for nth in range(_TRIED) for name in CELL_CLASSES)
    return tuple(cell for cell in cells if cell.spec.attributes.get(attribute) == value)


def _draw_lots(found: Sequence[_Any], wanted: int, seed: str) -> list[_Any]:
    return random.Random(seed).sample(found, min(wanted, len(found)))
