"""Files that are written whole or not at all, and folders that are changed by one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from hematovision.errors import DataError


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
        raise DataError(f"Cannot write {error.filename}: {error.strerror}.", "Check the folder.") from error
