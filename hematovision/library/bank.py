"""The library: every picture that a quiz can ask, by neutral id, and the sets to play, from this machine's folders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import yaml

from hematovision.cells import CELL_CLASSES, STAGES
from hematovision.errors import DataError, HematoVisionError, InputError
from hematovision.library.datasets import read_datasets
from hematovision.library.records import Record
from hematovision.quiz.sets import QuizSet, parse


@dataclass(frozen=True)
class Source:
    """A folder of the library: its records and sets, and what in it cannot be used, if anything."""

    folder: Path
    records: tuple[Record, ...] = ()
    sets: tuple[QuizSet, ...] = ()
    error: HematoVisionError | None = None

    @property
    def is_drawn(self) -> bool:
        return any(record.is_drawn for record in self.records)


@dataclass(frozen=True)
class Library:
    """All sources together. A picture's id says nothing about the picture."""

    sources: tuple[Source, ...]

    @cached_property
    def records(self) -> dict[str, Record]:
        return {record.picture_id: record for source in self.sources for record in source.records}

    @cached_property
    def to_ask(self) -> dict[str, tuple[str, ...]]:
        """Class or stage -> ids of pictures for questions: those that no model was trained on, where there are any.

        Drawn cells only where there is no real one.
        """
        return self._by_name(unseen_by_model=True)

    @cached_property
    def to_show(self) -> dict[str, tuple[str, ...]]:
        """Class or stage -> ids of pictures to show beside an answer: never one to ask, where there are others.

        Drawn cells only where there is no real one.
        """
        return self._by_name(unseen_by_model=False)

    @cached_property
    def sets(self) -> dict[str, QuizSet]:
        return {quiz_set.id: quiz_set for source in self.sources for quiz_set in source.sets}

    def pool(self, quiz_set: QuizSet) -> dict[str, list[str]]:
        """Choice -> ids of the pictures of a set, all from the folder that the set lies in."""
        source = next(source for source in self.sources if quiz_set in source.sets)
        pool: dict[str, list[str]] = {choice: [] for choice in quiz_set.choices}
        for record in source.records:
            key = quiz_set.key(record.label, record.stage)
            if key and quiz_set.holds(record.path.relative_to(source.folder).as_posix()):
                pool[key].append(record.picture_id)
        return pool

    def record(self, picture_id: str) -> Record:
        """Raises InputError for a picture that is no longer in the library."""
        try:
            return self.records[picture_id]
        except KeyError:
            raise InputError(
                "This picture is no longer in the library.", "Go on to the next one.", kind="gone"
            ) from None

    def _by_name(self, unseen_by_model: bool) -> dict[str, tuple[str, ...]]:
        result = {}
        for name in (*CELL_CLASSES, *STAGES):
            found = {i: r for i, r in self.records.items() if name in (r.label, r.stage)}
            found = {i: r for i, r in found.items() if not r.is_drawn} or found
            chosen = [i for i, r in found.items() if (r.split != "train") == unseen_by_model]
            if found:
                result[name] = tuple(chosen or found)
        return result


def open_library(folders: Sequence[Path]) -> Library:
    """Read the folders; what cannot be used is kept as the error of its source, and the rest goes on."""
    return Library(tuple(_open_source(folder) for folder in folders))


def _open_source(folder: Path) -> Source:
    sets, error = [], None
    try:
        records = tuple(read_datasets(folder))
    except DataError as found:
        return Source(folder, error=found)
    for path in sorted((folder / "sets").glob("*.yaml")):
        try:
            sets.append(read_set(path))
        except DataError as found:
            error = error or found
    return Source(folder, records, tuple(sets), error)


def read_set(path: Path) -> QuizSet:
    """The set in a file. Raises DataError."""
    try:
        return parse(path.stem, yaml.safe_load(path.read_text(encoding="utf-8")))
    except InputError as error:
        raise DataError(f"{path}: {error.message}", error.hint) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path} cannot be read as YAML.", "Compare it with a set of the quiz bank.") from error


def own_set(folder: Path, title: str) -> QuizSet:
    """The set of that title in a folder of one's own; one of all classes, not yet written, where there is none.

    Raises DataError, and InputError for an empty title.
    """
    # No part of the title: a title may have any letters, and two may begin alike.
    path = _set_file(folder, sha256(title.strip().encode()).hexdigest()[:12])
    return read_set(path) if path.is_file() else parse(path.stem, {"title": title, "choices": list(CELL_CLASSES)})


def add_to_set(folder: Path, quiz_set: QuizSet, file: str) -> QuizSet:
    """Write a set with one more file, once. Raises DataError."""
    if file in quiz_set.cells:
        return quiz_set
    grown = replace(quiz_set, cells=(*quiz_set.cells, file))
    path = _set_file(folder, quiz_set.id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written beside it first: a killed process leaves the old set or the new one.
        new = path.with_suffix(".new")
        new.write_text(yaml.safe_dump(grown.as_dict(), sort_keys=False, allow_unicode=True), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise DataError(f"Cannot write {error.filename}: {error.strerror}.", "Check the folder.") from error
    return grown


def _set_file(folder: Path, set_id: str) -> Path:
    return folder / "sets" / f"{set_id}.yaml"


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
