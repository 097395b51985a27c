"""The library: every picture that a quiz can ask, by neutral id, and the sets to play, from this machine's folders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from hematovision.cells import CELL_CLASSES, STAGES, class_of
from hematovision.errors import DataError, HematoVisionError, InputError
from hematovision.files import cannot_write, expanded, write_whole
from hematovision.library.datasets import read_datasets
from hematovision.library.drawn import TABLE
from hematovision.library.records import Record
from hematovision.library.set_files import read_set, set_file, write_set
from hematovision.quiz.set_cells import MOST_CELLS, SetCell
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
        pool: dict[str, list[str]] = {choice: [] for choice in quiz_set.choices}
        for record, cell in self.cells(quiz_set):
            if cell.key:
                pool[cell.key].append(record.picture_id)
        return pool

    def cells(self, quiz_set: QuizSet) -> list[tuple[Record, SetCell]]:
        """The pictures that a set asks, with their keys, in the order in which the folder has them.

        A key of the set's own comes before that of the folder's labels.
        """
        source = next(source for source in self.sources if quiz_set in source.sets)
        found = []
        for record in source.records:
            file = record.path.relative_to(source.folder).as_posix()
            cell = quiz_set.cell(file)
            key = cell.key or quiz_set.key(record.label, record.stage)
            if key and quiz_set.holds(file):
                found.append((record, replace(cell, key=key, is_drawn=record.is_drawn)))
        return found

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
    """Read the folders; what cannot be used is kept as the error of its source, and the rest goes on.

    Of sets with one name, that of the first folder counts.
    """
    sources: list[Source] = []
    played: dict[str, Path] = {}
    for source in map(_open_source, folders):
        error, sets = source.error, []
        for quiz_set in source.sets:
            path = set_file(source.folder, quiz_set.id)
            if (first := played.setdefault(quiz_set.id, path)) == path:
                sets.append(quiz_set)
            else:
                clash = f"{path} is not played: {first} has the same name."
                error = error or DataError(clash, "Give its file another name.", kind="clash")
        sources.append(replace(source, sets=tuple(sets), error=error))
    return Library(tuple(sources))


def _open_source(folder: Path) -> Source:
    try:
        return _read_source(folder)
    except OSError as error:
        hint = "Check that the folder is there, and yours to read."
        return Source(folder, error=DataError(f"{folder} cannot be read: {error.strerror}.", hint))


def _read_source(folder: Path) -> Source:
    sets: list[QuizSet] = []
    broken: HematoVisionError | None = None
    for path in sorted((folder / "sets").glob("*.yaml")):
        try:
            sets.append(read_set(path))
        except DataError as found:
            broken = broken or found
    records: tuple[Record, ...] = ()
    error: HematoVisionError | None = None
    try:
        records = tuple(read_datasets(folder))
    except DataError as found:
        error = found
    keyed = _keyed(folder, sets, records)
    if error and not keyed:
        return Source(folder, error=error)
    if error and not (folder / TABLE).exists():
        error = None  # it needs no labels: the sets bring the keys
    return Source(folder, (*records, *keyed), tuple(sets), error or broken)


def _keyed(folder: Path, sets: Sequence[QuizSet], records: Sequence[Record]) -> tuple[Record, ...]:
    """The pictures that only sets have a key for, each once, by the key of the first set that has it."""
    known = {record.path for record in records}
    found: dict[Path, Record] = {}
    for cell in (cell for quiz_set in sets for cell in quiz_set.cells):
        path = folder / cell.picture
        if cell.key and path not in known and path not in found and path.is_file():
            stage = cell.key if cell.key in STAGES else ""
            found[path] = Record(folder.name, path, class_of(cell.key), "", stage=stage, is_drawn=cell.is_drawn)
    return tuple(found.values())


def own_set(folder: Path, title: str) -> QuizSet:
    """The set of that title in a folder of one's own; one of all classes, not yet written, where there is none.

    Raises DataError, and InputError for an empty title.
    """
    path = set_file(folder, id_of(title))
    return read_set(path) if path.is_file() else parse(path.stem, {"title": title, "choices": list(CELL_CLASSES)})


def id_of(title: str) -> str:
    """The name of a set of one's own: no part of the title, which may have any letters, and two may begin alike."""
    return sha256(title.strip().encode("utf-8", "replace")).hexdigest()[:12]


def add_to_set(folder: Path, quiz_set: QuizSet, file: str) -> QuizSet:
    """Write a set with one more file, once. Raises DataError, and InputError where the set is published."""
    if any(cell.picture == file for cell in quiz_set.cells):
        return quiz_set
    if len(quiz_set.cells) >= MOST_CELLS:
        raise InputError(f"This set has {MOST_CELLS} cells, which is the limit.", "Use another title.", kind="full")
    if quiz_set.version:
        raise InputError("This set is published and does not change.", "Use another title.", kind="published")
    grown = replace(quiz_set, cells=(*quiz_set.cells, SetCell(file)))
    write_set(folder, grown)
    return grown


def keep_set(folder: Path, quiz_set: QuizSet, pictures: Mapping[str, bytes], taken: Collection[str] = ()) -> QuizSet:
    """Write a set with its pictures into a folder of one's own: all of it or nothing. Returns it as it was kept.

    Where another set of the folder, or one of `taken`, has its name, it gets a number to it; one that is there already
    is left as it is. Pictures are named by their content. Raises DataError.
    """
    number = 1
    name = quiz_set.id
    while True:
        kept = replace(quiz_set, id=name)
        path = set_file(folder, name)
        if path.is_file():
            if _is_there(path, kept):
                return kept
        elif name not in taken:
            break
        number += 1
        name = f"{quiz_set.id[:24].rstrip('-')}-{number}"
    written: list[Path] = []
    try:
        for file, content in pictures.items():
            if not (folder / file).is_file():
                written.append(folder / file)
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                write_whole(folder / file, content)
        write_set(folder, kept)
    except (OSError, DataError) as error:
        for path in written:
            path.unlink(missing_ok=True)
            path.with_name(path.name + ".draft").unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise cannot_write(folder, error) from error
        raise
    return kept


def _is_there(path: Path, quiz_set: QuizSet) -> bool:
    try:
        return read_set(path) == quiz_set
    except DataError:
        return False


def added_folders(file: Path) -> list[Path]:
    """The folders that were added on this machine."""
    if not file.is_file():
        return []
    return [Path(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def add_folder(file: Path, folder: Path) -> Source:
    """Remember a folder; nothing is copied.

    Raises DataError where there is nothing to use in it or the file cannot be written, InputError for nobody's home.
    """
    folder = expanded(folder).resolve()
    source = _open_source(folder)
    if source.error and not source.records:
        raise source.error
    folders = added_folders(file)
    if folder not in folders:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, "".join(f"{f}\n" for f in [*folders, folder]))
        except OSError as error:
            raise cannot_write(file, error) from error
    return source
