"""Read a data set's folder as it is downloaded: PBC (with or without splits and attributes), BCCD, or one's own.

Pictures are not opened here.
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

from hematovision.cells import ATTRIBUTES, CELL_CLASSES
from hematovision.errors import DataError
from hematovision.images import SUFFIXES
from hematovision.library.drawn import TABLE, read_drawn
from hematovision.library.records import Record

PBC_FOLDERS = {name: name for name in CELL_CLASSES} | {"ig": "immature_granulocyte"}
"""Folder names of PBC and of one's own folders -> class."""

SPLITS = ("train", "val", "test")
"""What a model is trained on, is tuned on, and is measured on."""


def read_datasets(folder: Path) -> list[Record]:
    """Every picture with a key below `folder`.

    Looks for `pbc/` (or PBC's own folder), then for a table of drawn cells, and else takes sub-folders named after
    classes. Raises DataError where there is nothing to use.
    """
    if not folder.is_dir():
        raise DataError(
            f"There is no folder {folder}.", "Check the path, or set HEMATOVISION_DATA to an existing folder."
        )
    for root in (folder / "pbc" / "PBC_dataset_normal_DIB", folder / "PBC_dataset_normal_DIB"):
        if root.is_dir():
            return read_pbc(root)
    is_drawn = (folder / TABLE).is_file()
    records = read_drawn(folder) if is_drawn else list(_class_folders(folder, dataset=folder.name))
    if not records:
        raise DataError(
            f"No pictures were found in {folder}.",
            "It should hold the PBC data set, what the draw command wrote, or one sub-folder for each class, named "
            + ", ".join(CELL_CLASSES)
            + ".",
        )
    return records


def read_pbc(root: Path) -> list[Record]:
    """PBC's class folders, with split and attributes where a `splits.csv` lies beside them.

    Raises DataError that names what in the table cannot be used.
    """
    records = list(_class_folders(root, dataset="PBC"))
    table = root.parent / "splits.csv"
    if not table.is_file():
        return records
    rows = {}
    for line, found in _rows(table, ("name", "split")):
        if found["split"] not in ("", *SPLITS):
            raise DataError(
                f"Line {line} of {table} has the unknown split '{found['split']}'.",
                f"Should be one of: {', '.join(SPLITS)}; or empty.",
            )
        rows[found["name"]] = found
    known = []
    for record in records:
        row = rows.get(record.path.name)
        if row is None:
            known.append(record)
            continue
        attributes = {name: row[name] for name in ATTRIBUTES if row.get(name)}
        for name, value in attributes.items():
            if value not in ATTRIBUTES[name]:
                raise DataError(
                    f"{table} has the unknown value '{value}' for {name}.",
                    "Should be one of: " + ", ".join(ATTRIBUTES[name]),
                )
        known.append(Record(record.dataset, record.path, record.label, row["split"], MappingProxyType(attributes)))
    return known


def read_bccd(folder: Path) -> list[Record]:
    """BCCD's fields that hold exactly one labeled white cell; empty where there is no `labels.csv` in `folder`.

    Raises DataError that names the line which cannot be used.
    """
    table = folder / "labels.csv"
    if not table.is_file():
        return []
    fields = folder / "BCCD" / "JPEGImages"
    records = []
    for line, row in _rows(table, ("Image", "Category")):
        number, label = row["Image"], row["Category"].strip().lower()
        if not number.isdecimal():
            raise DataError(f"Line {line} of {table}: '{number}' is no number of a field.", "Download BCCD again.")
        if label in CELL_CLASSES:
            records.append(Record("BCCD", fields / f"BloodImage_{int(number):05d}.jpg", label))
    return records


def data_hash(records: Iterable[Record]) -> str:
    """One SHA-256 over split, key, attributes and bytes of all pictures, in order of their names."""
    total = hashlib.sha256()
    for record in sorted(records, key=lambda r: (r.label, r.path.name)):
        content = hashlib.sha256(record.path.read_bytes()).hexdigest()
        attributes = ";".join(record.attributes.get(name, "") for name in ATTRIBUTES)
        total.update(f"{record.label},{record.path.name},{record.split},{attributes},{content}\n".encode())
    return total.hexdigest()


def _rows(table: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file, each with the number of its line. Raises DataError where one lacks a needed value."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            for name in needed:
                if name not in (reader.fieldnames or ()):
                    hint = f"Its first line should name the columns, among them: {', '.join(needed)}."
                    raise DataError(f"{table} has no column '{name}'.", hint)
            for row in reader:
                if any(row[name] is None for name in needed):
                    hint = f"Each line should have: {', '.join(needed)}."
                    raise DataError(f"Line {reader.line_num} of {table} has too few values.", hint)
                yield reader.line_num, row
    except UnicodeDecodeError as error:
        raise DataError(f"{table} cannot be read as text.", "Save it as UTF-8.") from error
    except csv.Error as error:
        raise DataError(f"{table} cannot be read as a table: {error}.", "Save it as CSV, with commas.") from error


def _class_folders(root: Path, dataset: str) -> Iterable[Record]:
    for folder in sorted(root.iterdir()):
        label = PBC_FOLDERS.get(folder.name.lower())
        if label is None or not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file():
                yield Record(dataset, path, label)
