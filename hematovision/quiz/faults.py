"""Faults of something that a person wrote: every one of them with its place, not only the first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hematovision.errors import InputError

Place = tuple[str | int, ...]
"""Names of fields and numbers of list entries from 0, from the outside in: `("cells", 2, "key")`."""

T = TypeVar("T")


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where."""

    place: Place
    error: InputError


class Faults:
    """Collects faults while a value is read. `found` holds them in the order in which they were met."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, place: Place, message: str, hint: str) -> None:
        self.found.append(Fault(place, InputError(message, hint)))

    def read(self, place: Place, reader: Callable[[object], T], value: object, instead: T) -> T:
        """`reader(value)`, or `instead` with a fault where it raises InputError."""
        try:
            return reader(value)
        except InputError as error:
            self.found.append(Fault(place, error))
            return instead
