"""A blueprint: how many cells of which kind a set should have, and the draw of such cells from a library. Pure.

"12 neutrophils, 4 of them bands, 6 large lymphocytes, 2 pitfalls" is

    Row(12, "neutrophil", of_them=(Row(4, attributes={"nucleus_shape": "unsegmented-band"}),))
    Row(6, "lymphocyte", {"cell_size": "big"})
    Row(2, pitfall=True)
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from hematovision.cells import ATTRIBUTES, CELL_CLASSES, STAGES, class_of, display_name
from hematovision.errors import InputError, unknown

ROW_FIELDS = ("count", "cell", "attributes", "pitfall", "of_them")
MOST = 500
"""Cells that a blueprint may ask for."""

_SIZES = {"big": "large", "small": "small"}


@dataclass(frozen=True)
class Available:
    """A cell that may be drawn. `model_label` is the class that the model takes it for; None where it was not asked."""

    id: str
    label: str
    stage: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    model_label: str | None = None


@dataclass(frozen=True)
class Row:
    """`count` cells of a class or stage (any where it is empty) with all of these attribute values.

    A `pitfall` is a cell that the model takes for another class. `of_them`: exactly so many of the cells of this row
    are of the kind of each of these, and each of those cells is of one such kind only. Raises InputError.
    """

    count: int
    cell: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    pitfall: bool = False
    of_them: tuple["Row", ...] = ()

    def __post_init__(self) -> None:
        if type(self.count) is not int or not 1 <= self.count <= MOST:
            raise InputError("count should be a whole number.", f"Take 1 to {MOST}.")
        if self.cell and self.cell not in (*CELL_CLASSES, *STAGES):
            raise unknown("class or stage", self.cell, (*CELL_CLASSES, *STAGES))
        for name, value in self.attributes.items():
            if name not in ATTRIBUTES:
                raise unknown("attribute", name, ATTRIBUTES)
            if value not in ATTRIBUTES[name]:
                raise unknown(f"value of {name}", value, ATTRIBUTES[name])
        if not (self.cell or self.attributes or self.pitfall):
            raise InputError("A row says nothing of its cells.", "Name a class, a feature or pitfalls.")
        if sum(row.count for row in self.of_them) > self.count:
            raise InputError(
                f"Of {self.count} {self.words(self.count)}, {sum(row.count for row in self.of_them)} are of some kind.",
                "Ask for fewer of them, or for more in all.",
            )
        if any(row.of_them for row in self.of_them):
            raise InputError("A row of a row has rows of its own.", "Put its features into one row.")

    def fits(self, cell: Available) -> bool:
        """Whether a cell is of this kind, its `of_them` aside. An attribute that is not known fits nothing."""
        return (
            self.cell in ("", cell.label, cell.stage)
            and all(cell.attributes.get(name) == value for name, value in self.attributes.items())
            and (not self.pitfall or (cell.model_label is not None and cell.model_label != class_of(cell.label)))
        )

    def words(self, count: int) -> str:
        """`large lymphocytes`, `neutrophils with nucleus shape unsegmented-band`, `pitfalls`; one of them for 1."""
        noun = display_name(self.cell).lower() if self.cell else "pitfall" if self.pitfall else "cell"
        size = _SIZES.get(self.attributes.get("cell_size", ""), "")
        rest = [f"{n.replace('_', ' ')} {v}" for n, v in sorted(self.attributes.items()) if n != "cell_size"]
        if self.cell and self.pitfall:
            rest.append("a wrong answer of the model")
        plural = noun if count == 1 else f"{noun}s"
        return f"{size} {plural}".strip() + (f" with {' and '.join(rest)}" if rest else "")

    def narrowed(self, kind: "Row") -> "Row":
        """The cells of this row that are of a kind of `of_them`, as a row of its own."""
        attributes = MappingProxyType({**self.attributes, **kind.attributes})
        return Row(kind.count, kind.cell or self.cell, attributes, self.pitfall or kind.pitfall)

    def as_dict(self) -> dict[str, Any]:
        """What `parse` takes a list of."""
        said: dict[str, Any] = {"cell": self.cell, "attributes": dict(self.attributes), "pitfall": self.pitfall}
        said["of_them"] = [row.as_dict() for row in self.of_them]
        return {"count": self.count} | {name: value for name, value in said.items() if value}


def parse(rows: object, what: str = "Row") -> tuple[Row, ...]:
    """The rows of a blueprint out of a list of mappings. Raises InputError that names the row; `what` calls it so."""
    if not isinstance(rows, list) or not rows:
        raise InputError("A blueprint is a list of rows.", f"A row can have: {', '.join(ROW_FIELDS)}.")
    made = []
    for number, row in enumerate(rows, start=1):
        try:
            made.append(_row(row))
        except InputError as error:
            raise InputError(f"{what} {number}: {error.message}", error.hint, kind=error.kind) from error
    return tuple(made)


def asks_model(rows: Sequence[Row]) -> bool:
    """Whether the answers of the model decide which cells are drawn."""
    return any(row.pitfall for part in rows for row in (part, *part.of_them))


def draw(rows: Sequence[Row], available: Sequence[Available], seed: int) -> tuple[str, ...]:
    """Ids of cells that fill every row, no cell twice, in an order of chance, which tells no row.

    The same seed draws the same cells, whatever order rows and cells come in. A row that shares its cells with others
    gives way to them: it fails only where the library cannot fill all of them together. Raises InputError that names
    the rows.
    """
    total = sum(row.count for row in rows)
    if not 1 <= total <= MOST:
        raise InputError(f"The blueprint asks for {total} cells.", f"Take 1 to {MOST}.")
    slots = sorted(
        (slot for row in rows for slot in _slots(row, available, seed)),
        key=lambda s: (len(s.cells), s.words(), s.count),
    )
    taken: dict[str, int] = {}
    for number, slot in enumerate(slots):
        for _ in range(slot.count):
            _take(number, slots, taken)
    return tuple(sorted(taken, key=lambda cell: _chance(seed, "order", cell)))


@dataclass(frozen=True)
class _Slot:
    """`count` cells to take out of `cells`, which are in an order of chance."""

    count: int
    kind: Row
    cells: tuple[str, ...]
    is_rest: bool = False

    def words(self, count: int = 2) -> str:
        return "other " * self.is_rest + self.kind.words(count)


def _slots(row: Row, available: Sequence[Available], seed: int) -> Iterator[_Slot]:
    kinds = {cell.id: [kind for kind in row.of_them if kind.fits(cell)] for cell in available if row.fits(cell)}
    for kind in row.of_them:
        cells = [cell for cell, found in kinds.items() if found == [kind]]
        narrowed = row.narrowed(kind)
        yield _Slot(kind.count, narrowed, _shuffled(cells, narrowed, seed))
    left = row.count - sum(kind.count for kind in row.of_them)
    if left:
        cells = [cell for cell, found in kinds.items() if not found]
        yield _Slot(left, row, _shuffled(cells, row, seed), is_rest=bool(row.of_them))


def _shuffled(cells: list[str], row: Row, seed: int) -> tuple[str, ...]:
    return tuple(sorted(cells, key=lambda cell: _chance(seed, row.words(2), cell)))


def _take(number: int, slots: list[_Slot], taken: dict[str, int]) -> None:
    """Give slot `number` one more cell; where all of its cells are taken, by moving others (an augmenting path)."""
    came_from: dict[int, tuple[int, str] | None] = {number: None}
    waiting = [number]
    for slot in waiting:
        for cell in slots[slot].cells:
            owner = taken.get(cell)
            if owner is None:
                _move(slot, cell, came_from, taken)
                return
            if owner not in came_from:
                came_from[owner] = (slot, cell)
                waiting.append(owner)
    raise _too_few([slots[slot] for slot in waiting])


def _move(slot: int, cell: str, came_from: dict[int, tuple[int, str] | None], taken: dict[str, int]) -> None:
    """The free cell goes to `slot`, the one that it gives up for it to the slot that asked, and so on."""
    taken[cell] = slot
    while (step := came_from[slot]) is not None:
        slot, cell = step
        taken[cell] = slot


def _too_few(slots: list[_Slot]) -> InputError:
    """The rows that compete for too few cells: all of their cells are taken by them alone."""
    asked = sum(slot.count for slot in slots)
    there = len({cell for slot in slots for cell in slot.cells})
    names = slots[0].words(there)
    if len(slots) > 1:
        names = f"{'cell' if there == 1 else 'cells'} for {' and '.join(dict.fromkeys(s.words() for s in slots))}"
    return InputError(
        f"There {'is' if there == 1 else 'are'} {there or 'no'} {names}; the blueprint asks for {asked}.",
        "Ask for fewer, or add pictures to the library.",
        kind="too_few",
    )


def _row(values: object) -> Row:
    if not isinstance(values, dict):
        raise InputError("A row has no fields.", f"It can have: {', '.join(ROW_FIELDS)}.")
    for name in values:
        if name not in ROW_FIELDS:
            raise unknown("field of a row", str(name), ROW_FIELDS)
    attributes = values.get("attributes", {})
    if not isinstance(attributes, dict):
        raise InputError("attributes should be names with values.", "Write {cell_size: big}.")
    pitfall = values.get("pitfall", False)
    if not isinstance(pitfall, bool):
        raise InputError("pitfall should be true or false.", "Write one of the two.")
    of_them = values.get("of_them", [])
    return Row(
        values.get("count", 0),
        str(values.get("cell", "")),
        MappingProxyType({str(name): _value(value) for name, value in attributes.items()}),
        pitfall,
        parse(of_them, "part") if of_them else (),
    )


def _value(value: object) -> str:
    """The value of an attribute: YAML takes a bare yes or no for true or false."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _chance(seed: int, words: str, cell: str) -> bytes:
    return sha256(json.dumps([seed, words, cell]).encode()).digest()
