"""The cells of a set: a picture each, with its key where the labels of the folder are not to tell it."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from hematovision.errors import InputError, unknown
from hematovision.quiz.faults import Fault, Faults, Place

FIELDS = ("picture", "key", "note", "second_key", "drawn")
LONGEST_NOTE = 2000
LONGEST_PATH = 1000
LONGEST_NAME = 255
"""Bytes of a file's or folder's name on common disks."""
MOST_CELLS = 500

_NEUTRAL = re.compile(r"pictures/[0-9a-f]{16}\.(png|webp)")
"""Names of pictures that tell nothing: the learner's browser meets that of a drawn one."""


@dataclass(frozen=True)
class SetCell:
    """One cell of a set: `picture` is a file of the set's folder.

    `key` is None where the folder's labels tell it. `second_key` is what another expert calls the cell. `is_drawn` says
    of a cell with a key of its own whether its picture was drawn.
    """

    picture: str
    key: str | None = None
    note: str = ""
    second_key: str | None = None
    is_drawn: bool = False

    def as_value(self) -> str | dict[str, Any]:
        """What a file holds: the bare name where there is no more to say."""
        said = {"key": self.key, "note": self.note, "second_key": self.second_key, "drawn": self.is_drawn}
        said = {name: value for name, value in said.items() if value}
        return {"picture": self.picture, **said} if said else self.picture


def parse_note(value: object) -> str:
    """A note: text of several lines. Raises InputError."""
    return plain_text("note", checked_text("note", value).replace("\r\n", "\n"), LONGEST_NOTE, "\n\t")


def read_cells(entries: object, choices: tuple[str, ...], faults: Faults) -> tuple[SetCell, ...]:
    """The cells as far as they can be read; `faults` takes the rest. Without `choices` no key is looked at."""
    if entries is None:
        return ()
    if not isinstance(entries, list) or not entries:
        hint = "Leave it out to ask every cell that fits."
        faults.add(("cells",), "cells should be a list of files, or of entries with a picture.", hint)
        return ()
    if len(entries) > MOST_CELLS:
        faults.add(("cells",), f"The set has {len(entries):,} cells.", f"The limit is {MOST_CELLS:,}: split it.")
        return ()
    cells: list[SetCell] = []
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        cell = _cell(entry, choices, ("cells", number), faults)
        if cell.picture and cell.picture in seen:
            faults.add(("cells", number), f"cells has {cell.picture} twice.", "Ask each picture once.")
        seen.add(cell.picture)
        cells.append(cell)
    return tuple(cells)


def _cell(entry: object, choices: tuple[str, ...], place: Place, faults: Faults) -> SetCell:
    if not isinstance(entry, dict):
        return SetCell(faults.read(place, _picture, entry, ""))
    for name in entry:
        if name not in FIELDS:
            faults.found.append(Fault((*place, name), unknown("field of a cell", str(name), FIELDS)))
    picture = faults.read((*place, "picture"), _picture, entry.get("picture"), "")
    keys: dict[str, str | None] = {"key": None, "second_key": None}
    for name in keys:
        value = entry.get(name)
        # Choices that could not be read would make a fault of every key.
        if value is not None and choices and value not in choices:
            faults.found.append(Fault((*place, name), unknown(name, str(value), choices)))
        elif isinstance(value, str):
            keys[name] = value
    if keys["second_key"] is not None and keys["second_key"] == keys["key"]:
        faults.add((*place, "second_key"), "The second key is the same as the key.", "Leave it out.")
    note = faults.read((*place, "note"), parse_note, entry.get("note", ""), "")
    drawn = entry.get("drawn", False)
    if not isinstance(drawn, bool):
        faults.add((*place, "drawn"), "drawn should be true or false.", "Write one of the two.")
    elif drawn and picture and not _NEUTRAL.fullmatch(picture):
        hint = "Name it pictures/<16 hex digits>.png, or leave drawn out."
        faults.add((*place, "drawn"), f"'{picture}' is no name of a drawn picture.", hint)
    return SetCell(picture, keys["key"], note, keys["second_key"], drawn is True)


def _picture(value: object) -> str:
    value = checked_text("picture", value)
    if not value:
        raise InputError("cells should be a list of files, or of entries with a picture.", "Name a file for each cell.")
    path = PurePosixPath(value)
    # One name for a file: ./a.png and b//a.png are others of it.
    is_plain = value == path.as_posix() and ".." not in path.parts and value != "."
    if not is_plain or value.startswith("/") or set(value) & set("\\:\0"):
        hint = "Name it by its path in the folder: pictures/0001.png."
        raise InputError(f"'{value}' is no file of the set's folder.", hint)
    plain_text("picture", value, LONGEST_PATH, "")
    if any(len(part.encode()) > LONGEST_NAME for part in path.parts):
        raise InputError("picture has a name that no disk takes.", "Give the file a shorter one.")
    return value


def checked_text(name: str, value: object) -> str:
    """The value of a field that should be text, empty where it was left empty.

    Raises InputError that tells what was read instead, in short.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        read = f"{str(value).lower():.40}"
        hint = "Put it in quotes: without them no is false, and figures are a number or a date."
        raise InputError(f"{name} was read as {read}, which is no text.", hint)
    return value


def plain_text(name: str, value: str, longest: int, allowed: str) -> str:
    """Text that every format can hold: XML has no control characters, no halves of letters and no noncharacters.

    `allowed` control characters may be in it. Raises InputError that names the field.
    """
    value = value.strip()
    if len(value) > longest:
        raise InputError(f"{name} has {len(value):,} letters.", f"The limit is {longest:,}.")
    for letter in dict.fromkeys(value):
        is_bad = unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or ord(letter) & 0xFFFE == 0xFFFE
        if is_bad and letter not in allowed:
            raise InputError(
                f"{name} has the character U+{ord(letter):04X}, which cannot be shown.", "Write it anew without it."
            )
    return value
