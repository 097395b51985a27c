"""Files that are written whole or not at all, folders that are changed by one at a time, and errors of both."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from hematovision.errors import DataError, InputError

_HINT = "Check the folder, and that the disk has room."


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file, text as UTF-8: a reader, or one who comes after a kill, finds the former one or this one."""
    draft = path.with_name(path.name + ".draft")
    draft.write_bytes(content.encode() if isinstance(content, str) else content)
    draft.replace(path)


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """One change of a folder at a time, among threads and processes: two that add to it both add. Raises DataError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "changing.lock"):
            yield
    except OSError as error:
        # It may be a file that could not be read: what has failed is the change.
        place = f"{folder}: {error.filename}" if error.filename and error.filename != str(folder) else folder
        raise DataError(f"Cannot change {place}: {error.strerror or error}.", _HINT) from error


def cannot_write(path: Path, error: OSError) -> DataError:
    """The error for a file or folder that could not be written: an OSError does not always name it."""
    return DataError(f"Cannot write {path}: {error.strerror or error}.", _HINT)


def expanded(path: Path) -> Path:
    """The path with `~` read as one's home folder, `~name` as another's. Raises InputError for the home of nobody."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise InputError(f"There is no {path}.", "Check the name after '~', or give the whole path.") from None
