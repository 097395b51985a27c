"""The formats by name: what a set can be written as, and what can be read back.

A format is loaded when it is used: what writes PDF and Anki decks would triple the start of a command.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from hematovision.errors import DataError, unknown

if TYPE_CHECKING:
    from hematovision.exchange.bundle import SetBundle

MOST_BYTES = 300_000_000


@dataclass(frozen=True)
class Format:
    """`suffix` is what the file's name ends with; `words` say what it is for; `function` of `module` writes it."""

    suffix: str
    words: str
    module: str
    function: str = "write"


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "zip": Format(".zip", "HematoVision, with everything", "archive"),
        "moodle": Format(".xml", "Moodle XML", "moodle"),
        "gift": Format(".gift.txt", "GIFT text", "gift"),
        "qti": Format(".zip", "QTI 1.2, for Canvas", "qti"),
        "anki": Format(".apkg", "Anki deck", "anki"),
        "pdf": Format(".pdf", "sheet to print", "pdf"),
        "pdf-key": Format(".pdf", "sheet to print, with a key page", "pdf", "write_with_key"),
        "csv": Format(".csv", "table of the questions with their keys", "items_csv"),
    }
)


def write(bundle: "SetBundle", name: str) -> bytes:
    """The file of a set in a format. Raises InputError for an unknown one."""
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    found = FORMATS[name]
    content: bytes = getattr(import_module(f"hematovision.exchange.{found.module}"), found.function)(bundle)
    return content


def read(data: bytes) -> "SetBundle":
    """The set in an archive of ours or in a Moodle XML file, told apart by their first bytes. Raises DataError."""
    from hematovision.exchange import archive, moodle

    if data.startswith(b"PK"):
        return archive.read(data)
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return moodle.read(data)
    raise DataError(
        "This is neither an archive of HematoVision nor Moodle XML.", "Export the set as one of them.", kind="refused"
    )


def read_file(path: Path) -> "SetBundle":
    """The set in a file. Raises DataError."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path} has more than {MOST_BYTES / 1e6:.0f} MB.", "Split the set.", kind="refused")
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    return read(data)
