"""HematoVision's own format: a zip with a set and its pictures, laid out like a folder of the library.

    sets/<id>.yaml             the set; every cell with its key
    pictures/<16 hex>.png      named by the content

The keys lie in the set file. An unpacked archive is a folder that the library can open.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from hematovision.errors import DataError, ImageError
from hematovision.exchange.bundle import SetBundle, bundle
from hematovision.images import MAX_BYTES, Picture, decode
from hematovision.library.set_files import MOST_BYTES, as_text, check_text
from hematovision.quiz.set_cells import MOST_CELLS, SetCell
from hematovision.quiz.sets import QuizSet

MOST_FILES = MOST_CELLS + 100
MOST_UNPACKED = 300_000_000
HIGHEST_RATIO = 100
"""Unpacked to packed size, of a file of more than 1 MB. Pictures hardly shrink."""

# A ValueError is what `zipfile` says of a file that would begin before the archive, or has a name that is no text.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
_ENTRY = b"PK\x01\x02"
"""What the list of files of a zip has before each."""
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def write(bundle: SetBundle) -> bytes:
    """The zip: the same bytes for the same set."""
    return pack(
        {f"sets/{bundle.quiz_set.id}.yaml": as_text(bundle.quiz_set).encode()}
        | {file: bundle.pictures[file] for file in (cell.picture for cell in bundle.quiz_set.cells)}
    )


def pack(files: dict[str, bytes]) -> bytes:
    """A zip of these files, without the time or the machine it was made on."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            how = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            packed.writestr(info, content, how)
    return out.getvalue()


def read(data: bytes) -> SetBundle:
    """The set in an archive. Raises DataError that names what is wrong: everything is checked, and nothing kept."""
    # Before it is opened: a list of millions of empty files would fill the memory.
    if (listed := data.count(_ENTRY)) > 10 * MOST_FILES:
        raise _too_many(listed)
    with _opened(data) as packed:
        files = _checked(packed)
        found = [name for name in files if name.startswith("sets/") and name.endswith((".yaml", ".yml"))]
        if len(found) != 1:
            raise DataError(
                f"The archive has {len(found)} sets.", "It should hold one: sets/<name>.yaml.", kind="no_set"
            )
        quiz_set = _read_set(found[0], _unpack(packed, files[found[0]], MOST_BYTES))
        missing = [cell.picture for cell in quiz_set.cells if cell.picture not in files]
        if missing:
            raise DataError(f"The archive has no {missing[0]}.", "Add it, or leave it out of the set.")
        return bundle(quiz_set, _pictures(packed, files, quiz_set))


def _pictures(
    packed: zipfile.ZipFile, files: dict[str, zipfile.ZipInfo], quiz_set: QuizSet
) -> Iterator[tuple[SetCell, Picture]]:
    """One at a time: decoded, all of them together could fill the memory."""
    for cell in quiz_set.cells:
        try:
            yield cell, decode(_unpack(packed, files[cell.picture], MAX_BYTES))
        except ImageError as error:
            raise DataError(f"{cell.picture}: {error.message}", error.hint) from error


def _read_set(name: str, content: bytes) -> QuizSet:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise DataError("The set is no text in UTF-8.", "Save it as UTF-8.") from None
    quiz_set, faults = check_text(PurePosixPath(name).stem, text)
    if quiz_set is None:
        first = faults[0]
        more = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
        raise DataError(f"{name}, line {first.line}: {first.error.message}{more}", first.error.hint)
    if not quiz_set.cells:
        raise DataError(f"{name} lists no cells.", "List each with its picture and key.")
    return quiz_set


def _opened(data: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except _DAMAGE as error:
        raise _damaged() from error


def _checked(packed: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by name, none of them read yet. Raises DataError for all that may not be unpacked."""
    infos = packed.infolist()
    if len(infos) > MOST_FILES:
        raise _too_many(len(infos))
    files: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename
        if name.startswith("/") or ".." in name.split("/") or set(name) & set("\\:\0"):
            raise _refused(f"'{name}' would lie outside of the archive's folder.", "Make the archive anew.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise _refused(f"'{name}' is a link.", "Put the file itself into the archive.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Others may ask for any amount of memory.
            raise _refused(f"'{name}' is packed in an uncommon way.", "Make the archive with a common program.")
        if info.flag_bits & 1:
            raise _refused(f"'{name}' is encrypted.", "Make the archive without a password.")
        if name in files:
            raise _refused(f"'{name}' is there twice.", "Make the archive anew.")
        if info.file_size > 1_000_000 and info.file_size > HIGHEST_RATIO * max(info.compress_size, 1):
            raise _refused(
                f"'{name}' unpacks to more than {HIGHEST_RATIO} times its size.", "This is no picture: leave it out."
            )
        files[name] = info
    total = sum(info.file_size for info in infos)
    if total > MOST_UNPACKED:
        raise _refused(
            f"The archive unpacks to {total / 1e6:,.0f} MB.",
            f"The limit is {MOST_UNPACKED / 1e6:.0f} MB: split the set.",
        )
    return files


def _unpack(packed: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """The content of one file, never more than `most` bytes, whatever the archive says of its size."""
    try:
        with packed.open(info) as file:
            content = file.read(most + 1)
    except _DAMAGE as error:
        raise _damaged() from error
    if len(content) > most:
        raise _refused(f"'{info.filename}' has more than {most / 1e6:.0f} MB.", "Save it smaller.")
    return content


def _damaged() -> DataError:
    return DataError("The archive is damaged.", "Export, copy or download it again.", kind="broken")


def _too_many(count: int) -> DataError:
    return _refused(f"The archive has {count:,} files.", f"The limit is {MOST_FILES:,}: split the set.")


def _refused(message: str, hint: str) -> DataError:
    return DataError(message, hint, kind="refused")
