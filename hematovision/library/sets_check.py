"""Every fault of a set's file, with its line: those of its text, and those of the pictures and labels beside it."""

from hashlib import sha256
from pathlib import Path

from hematovision.errors import DataError, HematoVisionError, ImageError
from hematovision.images import read
from hematovision.library.bank import open_library
from hematovision.library.set_files import SetFault, check_text, lines_of_cells, text_of
from hematovision.quiz.questions import no_pictures
from hematovision.quiz.set_cells import SetCell
from hematovision.quiz.sets import QuizSet


def check_set(path: Path) -> list[SetFault]:
    """Every fault of a file, in order of the lines. Raises DataError where it cannot be read.

    The folder of a set is the one that holds `sets/`. Its pictures are opened, and its labels read.
    """
    text = text_of(path)
    quiz_set, faults = check_text(path.stem, text)
    if quiz_set is None:
        return faults
    return _Folder(path.resolve().parent.parent, quiz_set).faults(lines_of_cells(text))


class _Folder:
    """The folder of a set, and what of it the set may ask."""

    def __init__(self, folder: Path, quiz_set: QuizSet):
        self._folder, self._set = folder, quiz_set
        self._source = open_library([folder]).sources[0]
        self._labels = {record.path: (record.label, record.stage) for record in self._source.records}
        self._seen: dict[bytes, str] = {}

    def faults(self, lines: list[int]) -> list[SetFault]:
        if not self._set.cells:
            fits = any(self._set.key(label, stage) for label, stage in self._labels.values())
            error = None if self._labels else self._source.error
            return [] if fits else [SetFault(1, error or no_pictures())]
        found = zip(lines, map(self._fault, self._set.cells), strict=True)
        return [SetFault(line, error) for line, error in found if error]

    def _fault(self, cell: SetCell) -> HematoVisionError | None:
        path = self._folder / cell.picture
        try:
            picture = read(path)
        except ImageError as error:
            if error.kind == "not_found":
                return DataError(f"There is no {cell.picture} in {self._folder}.", "Copy it there, or leave it out.")
            return ImageError(f"{cell.picture}: {error.message}", error.hint, kind=error.kind)
        pixels = sha256(repr(picture.shape).encode() + picture.tobytes()).digest()
        first = self._seen.setdefault(pixels, cell.picture)
        if first != cell.picture:
            return DataError(f"{cell.picture} shows the same picture as {first}.", "Leave one of them out.")
        label, stage = self._labels.get(path, ("", ""))
        if cell.key or self._set.key(label, stage):
            return None
        if label:
            called = stage or label
            return DataError(
                f"{cell.picture} is labeled {called}, which is none of the choices.", "Leave it out, or give it a key."
            )
        return DataError(f"{cell.picture} has no key, and the folder has no label for it.", "Give it a key.")
