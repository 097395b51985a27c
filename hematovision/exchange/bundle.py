"""A set with its pictures: what every exchange format is made from, and what those that can be read give back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType

from hematovision.cells import display_name
from hematovision.errors import DataError, unknown
from hematovision.images import Picture, at_most, encode_png, read
from hematovision.library.bank import Library
from hematovision.quiz.policy import order
from hematovision.quiz.publication import file_of, picture_id_of
from hematovision.quiz.questions import no_pictures
from hematovision.quiz.set_cells import MOST_CELLS, SetCell
from hematovision.quiz.sets import QuizSet

PROMPT = "Which cell is this?"
ALT = "A stained blood cell"
SECOND = "Another expert gives this key."
LONGEST_SIDE = 1024
"""Pixels; a larger picture is shrunk."""
MOST_BYTES = 300_000_000
"""Of all pictures of a set together."""
MOST_PIXELS = 2_000_000_000
"""Of all pictures together, as they come: a small file of one color has as many as a large one."""


@dataclass(frozen=True)
class Item:
    """A question: `picture` is a PNG file without metadata, `name` 16 hex digits of its pixels.

    The order of `choices` comes from the name alone.
    """

    number: int
    name: str
    picture: bytes
    key: str
    choices: tuple[str, ...]
    note: str = ""
    second_key: str | None = None

    @property
    def remark(self) -> str:
        """What there is to say with the key, in plain text."""
        second = f"Another expert: {display_name(self.second_key)}." if self.second_key else ""
        return "\n".join(filter(None, (self.note, second)))


@dataclass(frozen=True)
class SetBundle:
    """A set whose cells all have a key, and its pictures: file as the set names it -> PNG bytes."""

    quiz_set: QuizSet
    pictures: Mapping[str, bytes]

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The questions, in an order of chance where the policy shuffles: a set may list its cells class by class."""
        cells = {cell.picture: cell for cell in self.quiz_set.cells}
        files = order(tuple(cells), self.quiz_set.id, 0) if self.quiz_set.policy.shuffle else tuple(cells)
        made = []
        for number, cell in enumerate((cells[file] for file in files), start=1):
            name = picture_id_of(cell.picture)
            choices = order(self.quiz_set.choices, name, 0)
            picture = self.pictures[cell.picture]
            made.append(Item(number, name, picture, cell.key or "", choices, cell.note, cell.second_key))
        return tuple(made)


def bundle(quiz_set: QuizSet, cells: Iterable[tuple[SetCell, Picture]]) -> SetBundle:
    """The set with these cells, whose pictures are encoded anew and named by their pixels.

    Raises DataError where a cell has no key, two have the same picture, or all are too large.
    """
    made: dict[str, tuple[SetCell, bytes]] = {}
    size = pixels = 0
    for cell, picture in cells:
        if cell.key is None:
            raise DataError(f"{cell.picture} has no key.", "Give a key to each cell.", kind="no_key")
        pixels += picture.shape[0] * picture.shape[1]
        if pixels > MOST_PIXELS:
            raise DataError(f"The pictures have more than {MOST_PIXELS / 1e6:,.0f} megapixels.", "Save them smaller.")
        file, content = encoded(picture)
        if file in made:
            raise DataError(f"{cell.picture} shows the same picture as another cell.", "Leave one of them out.")
        size += len(content)
        if size > MOST_BYTES:
            raise DataError(f"The pictures have more than {MOST_BYTES // 1_000_000} MB.", "Split the set.")
        made[file] = (replace(cell, picture=file), content)
    return SetBundle(
        replace(quiz_set, cells=tuple(cell for cell, _ in made.values())),
        MappingProxyType({file: content for file, (_, content) in made.items()}),
    )


def from_library(library: Library, set_id: str) -> SetBundle:
    """A set of the library with all that it asks.

    Cells that it does not list come in an order of chance, for labels list them class by class. Raises InputError for
    an unknown set, DataError or ImageError where a picture cannot be used.
    """
    quiz_set = library.sets.get(set_id)
    if quiz_set is None:
        raise unknown("set", set_id, library.sets)
    source = next(source for source in library.sources if quiz_set in source.sets)
    found = {r.path.relative_to(source.folder).as_posix(): (r, cell) for r, cell in library.cells(quiz_set)}
    gone = [cell.picture for cell in quiz_set.cells if cell.picture not in found]
    if gone:
        raise DataError(
            f"{len(gone)} of the cells of {set_id} cannot be asked: {', '.join(gone[:5])}{', ...' * (len(gone) > 5)}.",
            "The picture has gone, or its key is none of the choices: run sets check.",
        )
    if not found:
        raise no_pictures()
    if len(found) > MOST_CELLS:
        raise DataError(f"The set has {len(found):,} cells.", f"The limit is {MOST_CELLS:,}: list the ones you mean.")
    files = [cell.picture for cell in quiz_set.cells] or order(tuple(found), set_id, 0)
    return bundle(quiz_set, ((replace(found[f][1], picture=f), read(found[f][0].path)) for f in files))


def encoded(picture: Picture) -> tuple[str, bytes]:
    """A picture as sets keep it: its file, named by its pixels, and that file's content."""
    picture, _ = at_most(picture, LONGEST_SIDE)
    return file_of(name_of(picture)), encode_png(picture)


def name_of(picture: Picture) -> str:
    """16 hex digits that tell nothing of a picture; the same ones whichever file it came from."""
    return sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()[:16]
