"""An instructor's sets on disk: drafts that change, and published versions that never do.

    drafts/<set>/                 a draft: sets/<set>.yaml, pictures/, origins.json
    published/<set>-<version>/    a version, laid out alike; written whole and never again

Each is a folder that the library can open, and can be kept in a quiz bank. Pictures are named by their pixels, so that
a name tells nothing, and a picture that was changed does not fit its name.
"""

import json
import re
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hematovision.errors import DataError, InputError
from hematovision.files import changing, write_whole
from hematovision.library.records import Record
from hematovision.library.set_files import read_set, set_file, write_set
from hematovision.quiz.publication import file_of, picture_id_of
from hematovision.quiz.sets import ID, QuizSet

UPLOADED = "uploaded"
"""The source of a picture that an instructor brought."""

_ORIGINS = "origins.json"
_PICTURE_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Origin:
    """Where a picture of a set came from. `picture_id` is that of the library; empty for one that was uploaded."""

    picture_id: str = ""
    source: str = UPLOADED
    is_drawn: bool = False
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class SetFolders:
    """Safe to share between threads and processes: who changes a draft holds `changing`."""

    def __init__(self, root: Path):
        self.drafts_folder, self.published_folder = root / "drafts", root / "published"
        self._root = root
        # A published version never changes: it is read and checked once.
        self._published = lru_cache(maxsize=64)(self._read_published)
        self._origins = lru_cache(maxsize=256)(_read_origins)

    def changing(self) -> AbstractContextManager[None]:
        """One change of a draft at a time: two tabs that add cells both add them. Raises DataError."""
        return changing(self._root)

    # Drafts

    def draft_ids(self) -> list[str]:
        """The one changed last first."""
        found = {path.stem: path.stat().st_mtime_ns for path in self.drafts_folder.glob("*/sets/*.yaml")}
        return sorted(found, key=lambda set_id: (-found[set_id], set_id))

    def draft_folder(self, set_id: str) -> Path:
        """Raises InputError where there is no such draft."""
        if not ID.fullmatch(set_id) or not set_file(self.drafts_folder / set_id, set_id).is_file():
            raise InputError("This draft is no longer there.", "Go on with another one.", kind="gone")
        return self.drafts_folder / set_id

    def draft(self, set_id: str) -> QuizSet:
        """Raises InputError where it is gone, DataError where its file is damaged."""
        return read_set(set_file(self.draft_folder(set_id), set_id))

    def changed_at(self, set_id: str) -> datetime:
        return datetime.fromtimestamp(set_file(self.draft_folder(set_id), set_id).stat().st_mtime, UTC)

    def write_draft(
        self,
        quiz_set: QuizSet,
        pictures: Mapping[str, bytes] = MappingProxyType({}),
        origins: Mapping[str, Origin] = MappingProxyType({}),
    ) -> None:
        """Write a draft with pictures that are new to it: file -> PNG bytes, file -> origin. Raises DataError."""
        folder = self.drafts_folder / quiz_set.id
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        for file, content in pictures.items():
            write_whole(folder / file, content)
        if origins:
            known = {**_read_origins(folder), **origins}
            write_whole(folder / _ORIGINS, json.dumps({file: _as_value(one) for file, one in known.items()}, indent=0))
        write_set(folder, quiz_set)

    def copy_draft(self, set_id: str, copy: QuizSet) -> None:
        """Write `copy`, which has the cells of the draft `set_id`, as a draft of its own."""
        shutil.copytree(self.draft_folder(set_id), self.drafts_folder / copy.id, ignore=shutil.ignore_patterns("sets"))
        write_set(self.drafts_folder / copy.id, copy)

    def delete_draft(self, set_id: str) -> None:
        shutil.rmtree(self.draft_folder(set_id))

    # Published versions

    def freeze(self, quiz_set: QuizSet) -> QuizSet:
        """Keep a published version for ever, with copies of the draft's pictures: all of it or nothing.

        Where a folder of this version is there, which a kill between two steps may leave, it is taken if it holds the
        same; else the version gets the next free number. Returns the version as it is kept.
        """
        while (folder := self._version_folder(quiz_set.id, quiz_set.version)).exists():
            kept = read_set(set_file(folder, quiz_set.id))
            if kept.content_hash == quiz_set.content_hash:
                return kept
            quiz_set = replace(quiz_set, version=quiz_set.version + 1)
        source = self.draft_folder(quiz_set.id)
        new = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        (new / "pictures").mkdir(parents=True)
        for cell in quiz_set.cells:
            shutil.copyfile(source / cell.picture, new / cell.picture)
        if (source / _ORIGINS).is_file():
            shutil.copyfile(source / _ORIGINS, new / _ORIGINS)
        write_set(new, quiz_set)
        new.replace(folder)
        return quiz_set

    def published(self, set_id: str, version: int, content_hash: str) -> QuizSet:
        """A published version. Raises DataError where its folder is gone or was changed since."""
        return self._published(set_id, version, content_hash)

    def _read_published(self, set_id: str, version: int, content_hash: str) -> QuizSet:
        folder = self._version_folder(set_id, version)
        path = set_file(folder, set_id)
        if not path.is_file():
            raise DataError(f"There is no {path}.", "Take the folder back from a copy.", kind="gone")
        found = read_set(path)
        if found.content_hash != content_hash:
            raise DataError(f"{path} was changed after it was published.", "Take it back from a copy.", kind="changed")
        if missing := missing_pictures(folder, found):
            raise DataError(f"There is no {missing[0]} in {folder}.", "Take it back from a copy.", kind="gone")
        return found

    def _version_folder(self, set_id: str, version: int) -> Path:
        return self.published_folder / f"{set_id}-{version}"

    # Pictures

    def record(self, picture_id: str) -> Record | None:
        """A picture of a published set, or else of a draft. It has no label: the key is the set's."""
        if not _PICTURE_ID.fullmatch(picture_id):
            return None
        file = file_of(picture_id)
        for root in (self.published_folder, self.drafts_folder):
            for path in sorted(root.glob(f"[!.]*/{file}")):
                folder = path.parent.parent
                origin = self.origins(folder).get(file, Origin())
                return Record(origin.source, path, "", attributes=origin.attributes, is_drawn=origin.is_drawn)
        return None

    def origins(self, folder: Path) -> Mapping[str, Origin]:
        """File -> origin of the pictures of a draft's or a published folder."""
        path = folder / _ORIGINS
        return self._origins(folder, path.stat().st_mtime_ns if path.is_file() else 0)

    def copies(self) -> dict[str, str]:
        """Library's picture id -> id of its copy in published sets."""
        return {
            origin.picture_id: picture_id_of(file)
            for folder in self.published_folder.glob("[!.]*")
            for file, origin in self.origins(folder).items()
            if origin.picture_id
        }


def missing_pictures(folder: Path, quiz_set: QuizSet) -> list[str]:
    """The pictures of a set that are not in its folder, as its cells name them."""
    return [cell.picture for cell in quiz_set.cells if not (folder / cell.picture).is_file()]


def _read_origins(folder: Path, _changed: int = 0) -> Mapping[str, Origin]:
    path = folder / _ORIGINS
    if not path.is_file():
        return MappingProxyType({})
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return MappingProxyType({file: _origin(value) for file, value in values.items()})
    except (ValueError, TypeError, AttributeError) as error:
        hint = "Take it back from a copy, or delete it: it says no more than where the pictures came from."
        raise DataError(f"{path} is damaged.", hint) from error


def _origin(value: dict[str, Any]) -> Origin:
    return Origin(**{**value, "attributes": MappingProxyType(value.get("attributes", {}))})


def _as_value(origin: Origin) -> dict[str, object]:
    return {**origin.__dict__, "attributes": dict(origin.attributes)}
