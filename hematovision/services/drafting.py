"""Drafts of quiz sets: made, filled with cells of the library or pictures of one's own, edited."""

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from hematovision import images
from hematovision.cells import class_of
from hematovision.errors import DataError, HematoVisionError, ImageError, InputError, unknown
from hematovision.exchange import formats
from hematovision.exchange.bundle import SetBundle, encoded, from_library
from hematovision.library.set_folders import Origin, missing_pictures
from hematovision.quiz import blueprint, sets
from hematovision.quiz.blueprint import Available, Row
from hematovision.quiz.publication import Publication
from hematovision.quiz.sets import QuizSet, SetCell
from hematovision.services.browse import Browser, Filters, Found
from hematovision.services.pictures import Pictures
from hematovision.services.roles import check_teacher, may_teach
from hematovision.storage.store import Store


@dataclass(frozen=True)
class Draft:
    """A set that is being built. `Pictures.picture(picture_id_of(cell.picture))` is the picture of a cell.

    `publications` are its published versions, the newest first. `is_changed`: whether it differs from the newest, or
    there is none; one that is the same, and still open, is not published again.
    """

    quiz_set: QuizSet
    changed_at: datetime
    publications: tuple[Publication, ...] = ()
    is_changed: bool = True


@dataclass(frozen=True)
class Uploaded:
    """The draft with what could be used, and what could not: file name -> why."""

    draft: Draft
    refused: Mapping[str, HematoVisionError]


class Drafting:
    """The half of `Teach` that works on drafts. Safe to share between threads and processes."""

    def __init__(
        self,
        store: Store,
        pictures: Pictures,
        instructors: frozenset[str],
        clock: Callable[[], datetime],
        rng: random.Random,
    ):
        self._store, self._pictures, self._folders = store, pictures, pictures.sets
        self._instructors, self._clock, self._rng = instructors, clock, rng
        self._browser = Browser(pictures, store.publications)

    def may_teach(self, actor: str) -> bool:
        """Whether the pages of Teach are for this learner. On a machine of one's own: everyone."""
        return may_teach(actor, self._instructors)

    # Drafts

    def drafts(self, actor: str) -> list[Draft]:
        """All drafts that can be read, the one changed last first."""
        self._check(actor)
        found = []
        for set_id in self._folders.draft_ids():
            try:
                found.append(self._draft(set_id))
            except DataError:
                continue  # `damaged` names it
        return found

    def damaged(self, actor: str) -> list[DataError]:
        """What is wrong with the drafts that cannot be read."""
        self._check(actor)
        errors = []
        for set_id in self._folders.draft_ids():
            try:
                self._folders.draft(set_id)
            except DataError as error:
                errors.append(error)
        return errors

    def draft(self, actor: str, set_id: str) -> Draft:
        """Raises InputError (`gone`) where there is none, DataError where its file is damaged."""
        self._check(actor)
        return self._draft(set_id)

    def new(self, actor: str, title: str, choices: Sequence[str]) -> Draft:
        """An empty draft. Raises InputError for a title or choices that cannot be."""
        self._check(actor)
        return self._keep(sets.parse(self._new_id(), {"title": title, "choices": list(choices)}))

    def save(self, actor: str, quiz_set: QuizSet) -> Draft:
        """Keep title, choices, cells with keys and notes, grading and policy as they were edited.

        Raises InputError that names the first fault, or a picture that the draft does not have.
        """
        self._check(actor)
        with self._folders.changing():
            folder = self._folders.draft_folder(quiz_set.id)
            checked = sets.parse(quiz_set.id, replace(quiz_set, version=0).as_dict())
            if missing := missing_pictures(folder, checked):
                raise InputError(f"The draft has no {missing[0]}.", "Add the picture first.", kind="gone")
            self._folders.write_draft(checked)
        return self._draft(quiz_set.id)

    def duplicate(self, actor: str, set_id: str, title: str) -> Draft:
        """A new draft with the same cells and policy: of a draft, or of a set of the library.

        Raises InputError where there is neither, DataError where a cell of the library's set cannot be used.
        """
        self._check(actor)
        if set_id in self._folders.draft_ids():
            with self._folders.changing():
                copy = replace(self._folders.draft(set_id), id=self._new_id(), title=sets.parse_title(title))
                self._folders.copy_draft(set_id, copy)
            return self._draft(copy.id)
        bundle = from_library(self._pictures.library, set_id)
        return self._take(replace(bundle.quiz_set, title=sets.parse_title(title)), bundle.pictures)

    def delete(self, actor: str, set_id: str) -> None:
        """Delete a draft with its pictures. What was published of it stays."""
        self._check(actor)
        with self._folders.changing():
            self._folders.delete_draft(set_id)

    def export(self, actor: str, set_id: str, format_name: str) -> bytes:
        """The file of a draft in one of `exchange.formats.FORMATS`. Raises as `exportable`."""
        quiz_set, folder = self.exportable(actor, set_id), self._folders.draft_folder(set_id)
        pictures = {cell.picture: (folder / cell.picture).read_bytes() for cell in quiz_set.cells}
        return formats.write(SetBundle(quiz_set, MappingProxyType(pictures)), format_name)

    def exportable(self, actor: str, set_id: str) -> QuizSet:
        """The draft, where `export` can write it: a browser that is downloading could not be told why not.

        Raises InputError (`no_key`) where a cell has no key, DataError (`gone`) where its picture is not there.
        """
        self._check(actor)
        quiz_set = sets.publish(self._folders.draft(set_id))
        self._check_pictures(quiz_set)
        return replace(quiz_set, version=0)

    def import_file(self, actor: str, content: bytes) -> Draft:
        """A draft out of an archive of HematoVision or Moodle XML. Raises DataError."""
        self._check(actor)
        bundle = formats.read(content)
        return self._take(bundle.quiz_set, bundle.pictures)

    # Its cells

    def sources(self, actor: str) -> tuple[str, ...]:
        """Names of the data sets of the library, for `Filters.source`."""
        self._check(actor)
        return self._browser.sources()

    def browse(self, actor: str, filters: Filters, count: int, offset: int = 0) -> Found:
        """`count` cells of the library that pass, from number `offset` on. Raises InputError for more than 200."""
        self._check(actor)
        return self._browser.cells(filters, count, offset)

    def taken(self, actor: str, set_id: str) -> frozenset[str]:
        """Ids of the library's pictures that a draft holds already."""
        self._check(actor)
        return self._taken(self._folders.draft(set_id))

    def add(self, actor: str, set_id: str, picture_ids: Iterable[str]) -> Draft:
        """Copy pictures of the library into a draft, each once, with the library's key.

        All of them or none. Raises InputError where a key is none of the choices or the set would be too large.
        """
        self._check(actor)
        with self._folders.changing():
            self._add(self._folders.draft(set_id), picture_ids)
        return self._draft(set_id)

    def remove(self, actor: str, set_id: str, pictures: Iterable[str]) -> Draft:
        """Take cells out, by their `cell.picture`."""
        self._check(actor)
        out = set(pictures)
        with self._folders.changing():
            quiz_set = self._folders.draft(set_id)
            self._folders.write_draft(
                replace(quiz_set, cells=tuple(cell for cell in quiz_set.cells if cell.picture not in out))
            )
        return self._draft(set_id)

    def fill(self, actor: str, set_id: str, rows: Sequence[Row], seed: int, instead_of: Collection[str] = ()) -> Draft:
        """Add the cells of a blueprint (`blueprint.parse` makes its rows), none that the draft has already.

        They come from what practice asks, too: cells that no model was trained on, where there are any. The same seed
        draws the same cells. Those of `instead_of`, by their `cell.picture`, go, and may come again. Raises InputError
        (`too_few`) that says what the library lacks; then the draft stays as it was.
        """
        self._check(actor)
        with self._folders.changing():
            quiz_set = self._folders.draft(set_id)
            quiz_set = replace(quiz_set, cells=tuple(c for c in quiz_set.cells if c.picture not in instead_of))
            for name in (row.cell for part in rows for row in (part, *part.of_them)):
                if name and name not in quiz_set.choices and class_of(name) not in quiz_set.choices:
                    raise unknown("class or stage of the blueprint", name, quiz_set.choices)
            try:
                found = blueprint.draw(rows, self._available(quiz_set, rows), seed)
            except InputError as error:
                raise self._too_few(error, quiz_set, rows) if error.kind == "too_few" else error from None
            self._add(quiz_set, found)
        return self._draft(set_id)

    def upload(self, actor: str, set_id: str, files: Iterable[tuple[str, bytes]], key: str) -> Uploaded:
        """Add pictures of one's own (file name, content), all with this key.

        At most 1024 pixels wide or high, without metadata, and named by their pixels: no file name stays. What cannot
        be used is told, and the rest goes on. Raises InputError where the key is none of the choices.
        """
        self._check(actor)
        refused: dict[str, HematoVisionError] = {}
        with self._folders.changing():
            quiz_set = self._folders.draft(set_id)
            if key not in quiz_set.choices:
                raise unknown("key", key, quiz_set.choices)
            have = {cell.picture for cell in quiz_set.cells}
            pictures: dict[str, bytes] = {}
            for name, content in files:
                try:
                    file, packed = encoded(images.decode(content))
                except ImageError as error:
                    refused[name] = error
                    continue
                if file in have or file in pictures:
                    refused[name] = InputError("This picture is in the set already.", "Leave it out.", kind="twice")
                else:
                    pictures[file] = packed
            self._grow(quiz_set, [SetCell(file, key) for file in pictures], pictures, dict.fromkeys(pictures, Origin()))
        return Uploaded(self._draft(set_id), MappingProxyType(refused))

    def _check(self, actor: str) -> None:
        check_teacher(actor, self._instructors)

    def _check_pictures(self, quiz_set: QuizSet) -> None:
        if missing := missing_pictures(self._folders.draft_folder(quiz_set.id), quiz_set):
            number = [cell.picture for cell in quiz_set.cells].index(missing[0]) + 1
            message = f"The picture of cell {number}, {missing[0]}, has gone."
            raise DataError(message, "Take the cell out, or take the file back from a copy.", kind="gone")

    def _draft(self, set_id: str) -> Draft:
        quiz_set, publications = self._folders.draft(set_id), self._store.publications.all(set_id)
        is_changed = not publications or self._hash(publications[0].code) != quiz_set.content_hash
        return Draft(quiz_set, self._folders.changed_at(set_id), tuple(publications), is_changed)

    def _hash(self, code: str) -> str:
        return self._store.publications.content_hash(code) or ""

    def _new_id(self) -> str:
        return f"{self._rng.getrandbits(48):012x}"

    def _keep(self, quiz_set: QuizSet) -> Draft:
        with self._folders.changing():
            self._folders.write_draft(quiz_set)
        return self._draft(quiz_set.id)

    def _take(self, quiz_set: QuizSet, pictures: Mapping[str, bytes]) -> Draft:
        """A set with its pictures from elsewhere as a draft."""
        quiz_set = replace(quiz_set, id=self._new_id(), version=0)
        origins = {cell.picture: Origin(is_drawn=cell.is_drawn) for cell in quiz_set.cells}
        with self._folders.changing():
            self._folders.write_draft(quiz_set, pictures, origins)
        return self._draft(quiz_set.id)

    def _taken(self, quiz_set: QuizSet) -> frozenset[str]:
        origins = self._folders.origins(self._folders.draft_folder(quiz_set.id))
        found = (origins.get(cell.picture, Origin()).picture_id for cell in quiz_set.cells)
        return frozenset(picture_id for picture_id in found if picture_id)

    def _available(self, quiz_set: QuizSet, rows: Sequence[Row], learned: bool = False) -> list[Available]:
        """What a blueprint may draw for a set, with the cells that a model `learned` from or without them."""
        taken = self._taken(quiz_set)
        found = self._browser.available(blueprint.asks_model(rows), learned)
        return [cell for cell in found if cell.id not in taken and quiz_set.key(cell.label, cell.stage)]

    def _too_few(self, error: InputError, quiz_set: QuizSet, rows: Sequence[Row]) -> InputError:
        """What the library lacks, and where there is more of it."""
        state = self._pictures.index_state
        if blueprint.asks_model(rows) and state.running:
            hint = f"The model has seen {state.done:,} of {state.total:,} pictures so far: wait, or ask for fewer."
            return InputError(error.message, hint, kind=error.kind)
        try:
            blueprint.draw(rows, self._available(quiz_set, rows, learned=True), 0)
        except InputError:
            return error
        hint = "Ask for fewer, or add them by click from the library: it has more, which a model learned from."
        return InputError(error.message, hint, kind=error.kind)

    def _add(self, quiz_set: QuizSet, picture_ids: Iterable[str]) -> None:
        have, taken = {cell.picture for cell in quiz_set.cells}, self._taken(quiz_set)
        cells: dict[str, SetCell] = {}
        pictures: dict[str, bytes] = {}
        origins: dict[str, Origin] = {}
        for picture_id in dict.fromkeys(picture_ids):
            record = self._pictures.record(picture_id)
            key = quiz_set.key(record.label, record.stage)
            if key is None:
                raise unknown("key", record.stage or record.label, quiz_set.choices)
            if picture_id in taken:
                continue
            file, packed = encoded(images.read(record.path))
            if file not in have:
                cells[file], pictures[file] = SetCell(file, key, is_drawn=record.is_drawn), packed
                origins[file] = Origin(picture_id, record.dataset, record.is_drawn, record.attributes)
        self._grow(quiz_set, list(cells.values()), pictures, origins)

    def _grow(
        self, quiz_set: QuizSet, cells: list[SetCell], pictures: Mapping[str, bytes], origins: Mapping[str, Origin]
    ) -> None:
        grown = replace(quiz_set, cells=(*quiz_set.cells, *cells))
        # Also says where there are too many.
        self._folders.write_draft(sets.parse(grown.id, grown.as_dict()), pictures, origins)
