"""The library: every picture that a quiz can ask, by neutral id, from the data sets that this machine has."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hematovision.cells import CELL_CLASSES
from hematovision.errors import DataError, HematoVisionError, InputError
from hematovision.library.datasets import Record, read_datasets


@dataclass(frozen=True)
class Source:
    """A folder of the library: its records, or why it cannot be used."""

    folder: Path
    records: tuple[Record, ...]
    error: HematoVisionError | None = None


@dataclass(frozen=True)
class Library:
    """All sources together. A picture's id says nothing about the picture."""

    sources: tuple[Source, ...]

    @cached_property
    def records(self) -> dict[str, Record]:
        return {record.picture_id: record for source in self.sources for record in source.records}

    @cached_property
    def to_ask(self) -> dict[str, tuple[str, ...]]:
        """Class -> ids of pictures for questions: those that no model was trained on, where there are any."""
        return self._by_class(unseen_by_model=True)

    @cached_property
    def to_show(self) -> dict[str, tuple[str, ...]]:
        """Class -> ids of pictures to show beside an answer: never one that can be asked, where there are others."""
        return self._by_class(unseen_by_model=False)

    def record(self, picture_id: str) -> Record:
        """Raises InputError for a picture that is no longer in the library."""
        try:
            return self.records[picture_id]
        except KeyError:
            raise InputError(
                "This picture is no longer in the library.", "Go on to the next one.", kind="gone"
            ) from None

    def _by_class(self, unseen_by_model: bool) -> dict[str, tuple[str, ...]]:
        result = {}
        for label in CELL_CLASSES:
            ids = [(i, r.split) for i, r in self.records.items() if r.label == label]
            chosen = [i for i, split in ids if (split != "train") == unseen_by_model]
            if ids:
                result[label] = tuple(chosen or [i for i, _ in ids])
        return result


def open_library(folders: Sequence[Path]) -> Library:
    """Read the folders; one that cannot be used is kept with its error, and the others go on."""
    sources = []
    for folder in folders:
        try:
            sources.append(Source(folder, tuple(read_datasets(folder))))
        except DataError as error:
            sources.append(Source(folder, (), error))
    return Library(tuple(sources))


def added_folders(file: Path) -> list[Path]:
    """The folders that were added on this machine."""
    if not file.is_file():
        return []
    return [Path(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def add_folder(file: Path, folder: Path) -> Source:
    """Remember a folder; nothing is copied. Raises DataError where there is nothing to use in it."""
    folder = folder.expanduser().resolve()
    source = Source(folder, tuple(read_datasets(folder)))
    folders = added_folders(file)
    if folder not in folders:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{f}\n" for f in [*folders, folder]), encoding="utf-8")
    return source
