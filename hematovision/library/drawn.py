"""Drawn cells: each made from its morphology, a stain and a seed, and kept with a row that draws it again.

folder/
    labels.jsonl                one row for each picture
    pictures/<16 hex>.webp      named by its content
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from numpy.random import default_rng

from hematovision.cells import ATTRIBUTES, CELL_CLASSES, check_stage, parse_class
from hematovision.errors import DataError, InputError, unknown
from hematovision.files import cannot_write, write_whole
from hematovision.images import encode_webp
from hematovision.library.records import Record
from hematovision.smear.drawing import Drawn, draw
from hematovision.smear.morphology import NUMBERS, CellSpec, plausible, stages
from hematovision.smear.stain import STAINS, vary

TABLE = "labels.jsonl"
SOURCE = "drawn by HematoVision"
MOST = 1_000_000
"""Cells of one class in one series."""

_NEUTRAL = re.compile(r"pictures/[0-9a-f]{16}\.webp")


@dataclass(frozen=True)
class DrawnCell:
    """All that a picture of a cell is drawn from. Raises InputError for an unknown stain."""

    spec: CellSpec
    """Its numbers are rounded to four decimals: a row of text gives the very same cell."""
    stain: str
    seed: int

    def __post_init__(self) -> None:
        if self.stain not in STAINS:
            raise unknown("stain", self.stain, STAINS)
        rounded: dict[str, Any] = {name: round(getattr(self.spec, name), 4) for name in NUMBERS}
        object.__setattr__(self, "spec", replace(self.spec, **rounded))


def random_cell(cell_class: str, seed: int, stain: str = "mgg", stage: str | None = None) -> DrawnCell:
    """A plausible cell of a class, of any stage or of the one that is named. Raises InputError."""
    return DrawnCell(plausible(cell_class, default_rng([seed, 0]), stage), stain, seed)


def series(
    classes: Sequence[str], count: int, seed: int, stain: str = "mgg", stage: str | None = None
) -> list[DrawnCell]:
    """`count` random cells of each class, spread evenly over its stages or all of the one that is named.

    No two seeds, classes or places in the series share the seed of a cell. Raises InputError.
    """
    if not 1 <= count <= MOST:
        raise InputError(f"{count} cells of a class cannot be drawn.", f"It should be between 1 and {MOST:,}.")
    if seed < 0:
        raise InputError(f"{seed} is no seed.", "It should be 0 or more.")
    cells = []
    for label in map(parse_class, classes):
        first = (seed * len(CELL_CLASSES) + CELL_CLASSES.index(label)) * MOST
        check_stage(label, stage or "")
        wanted = (stage,) if stage else stages(label)
        cells += [random_cell(label, first + i, stain, wanted[i % len(wanted)]) for i in range(count)]
    return cells


def draw_cell(cell: DrawnCell) -> Drawn:
    """The picture of a cell, 256 × 256, with its masks: the same one each time."""
    rng = default_rng([cell.seed, 1])
    return draw(cell.spec, vary(STAINS[cell.stain], rng), rng)


def save(folder: Path, cell: DrawnCell) -> str:
    """Draw a cell into `folder` and add its row, once; returns its file as the row names it. Raises DataError.

    Where others may save into the folder at the same time, hold `files.changing`.
    """
    content = encode_webp(draw_cell(cell).picture)
    file = f"pictures/{sha256(content).hexdigest()[:16]}.webp"
    table = folder / TABLE
    try:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        write_whole(folder / file, content)
        text = _text(table) if table.is_file() else ""
        known = _whole_rows(text)
        if f'"{file}"' not in known:
            if known != text:
                write_whole(table, known)
            with table.open("a", encoding="utf-8", newline="\n") as rows:
                rows.write(json.dumps(row(cell, file)) + "\n")
    except OSError as error:
        raise cannot_write(folder, error) from error
    return file


def row(cell: DrawnCell, file: str) -> dict[str, Any]:
    """What the table says of a cell that was saved as `file`."""
    return {
        "file": file,
        "class": cell.spec.cell_class,
        "stage": cell.spec.stage,
        "attributes": cell.spec.attributes,
        "spec": asdict(cell.spec),
        "stain": cell.stain,
        "seed": cell.seed,
        "source": SOURCE,
        "licence": "MIT",
    }


def read_drawn(folder: Path) -> list[Record]:
    """The cells of a folder's table. Raises DataError that names the line which cannot be used."""
    table = folder / TABLE
    records = []
    for number, line in enumerate(_whole_rows(_text(table)).splitlines(), start=1):
        try:
            records.append(_record(folder, line))
        except InputError as error:
            raise DataError(f"Line {number} of {table}: {error.message}", error.hint) from error
    return records


def _text(table: Path) -> str:
    try:
        return table.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{table} cannot be read.", "Copy or draw the folder again.") from error


def _whole_rows(text: str) -> str:
    """The rows of a table, each with its end of line; without a last one that broke off as it was written."""
    end = text.rfind("\n") + 1
    last = text[end:]
    try:
        json.loads(last or "null")
    except ValueError:
        return text[:end]
    return text + "\n" if last else text


def _record(folder: Path, line: str) -> Record:
    try:
        found = json.loads(line)
        file, label, stage, attributes = (found[name] for name in ("file", "class", "stage", "attributes"))
        known = [(name, str(value)) for name, value in attributes.items()]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError("It is damaged.", "Remove it, or copy or draw the folder again.") from None
    if label not in CELL_CLASSES:
        raise unknown("cell class", label, CELL_CLASSES)
    check_stage(label, str(stage))
    for name, value in known:
        if name not in ATTRIBUTES:
            raise unknown("attribute", name, ATTRIBUTES)
        if value not in ATTRIBUTES[name]:
            raise unknown(f"value of {name}", value, ATTRIBUTES[name])
    # A name that says nothing, and that leads nowhere else.
    if not _NEUTRAL.fullmatch(str(file)):
        raise InputError(f"'{file}' is no name of a drawn picture.", "Should be: pictures/<16 hex digits>.webp.")
    if not (folder / file).is_file():
        raise InputError(f"There is no {file}.", "Copy or draw the folder again.")
    return Record("HematoVision", folder / file, label, "", MappingProxyType(dict(known)), stage, is_drawn=True)
