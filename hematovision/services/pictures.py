"""The library's pictures, each with the model's answer out of the index."""

import atexit
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from hematovision import images
from hematovision.errors import DataError, HematoVisionError, ImageError, InputError, ModelError
from hematovision.exchange.bundle import name_of
from hematovision.files import cannot_write
from hematovision.library.bank import Library, Source, add_folder, added_folders, open_library
from hematovision.library.index import Index
from hematovision.library.records import Record
from hematovision.library.set_folders import SetFolders
from hematovision.library.similar import Near, References
from hematovision.services.explain import Explain
from hematovision.settings import Settings
from hematovision.vision.classifier import Classifier, Prediction


@dataclass(frozen=True)
class IndexState:
    """How far the index is: `done` of `total` pictures; `error` says why it stopped."""

    done: int = 0
    total: int = 0
    running: bool = False
    error: HematoVisionError | None = None


_OPENED_EVERY = 1024
"""Pictures that are added to the index before those that look for similar ones see them."""


class _EndingError(Exception):
    """The process ends: the index goes on with the next one."""


class Pictures:
    """Safe to share between threads."""

    def __init__(self, settings: Settings, explain: Explain):
        self._settings = settings
        self._explain = explain
        self._lock = threading.Lock()
        self._library: Library | None = None
        self._index: Index | None = None
        self._references: References | None = None
        self.index_state = IndexState()
        self._is_ending = False
        self.sets = SetFolders(settings.sets_folder)

    @property
    def library(self) -> Library:
        with self._lock:
            if self._library is None:
                settings = self._settings
                data = [settings.data] if settings.data else []
                own = [settings.own_cells] if settings.own_cells.is_dir() else []
                folders = [*data, *added_folders(settings.folders_file), *own, settings.bank]
                self._library = open_library(list(dict.fromkeys(folders)))
            return self._library

    def record(self, picture_id: str) -> Record:
        """A picture of the library, or of an instructor's set. Raises InputError where there is none."""
        found = self.library.records.get(picture_id) or self.sets.record(picture_id)
        return found or self.library.record(picture_id)

    def picture(self, picture_id: str) -> images.Picture:
        """RGB (H, W, 3). Raises InputError where it left the library, ImageError where its file is damaged.

        Also where a picture of an instructor's set is no longer the one that was put there.
        """
        record = self.record(picture_id)
        picture = images.read(record.path)
        if picture_id not in self.library.records and name_of(picture) != picture_id:
            raise ImageError("The picture was changed since.", "Take it back from a copy.", kind="changed")
        return picture

    def indexed(self, picture_id: str) -> Prediction | None:
        """The model's answer as far as the index has it. Raises ModelError."""
        return self._opened_index().prediction(picture_id)

    def is_indexed(self, picture_id: str) -> bool:
        """Whether the model's answer need not be computed. Raises ModelError."""
        return picture_id in self._opened_index()

    @property
    def model_version(self) -> str:
        """Raises ModelError."""
        return self._explain.classifier.card.version

    def prediction(self, picture_id: str) -> Prediction:
        """The model's answer: out of the index, or computed now. Raises ModelError, ImageError, InputError."""
        stored = self._opened_index().prediction(picture_id)
        return stored or self._explain.classifier.classify(self.picture(picture_id))

    def references(self, name: str, count: int, beside: str) -> list[str]:
        """Ids of `count` reference pictures of a class or stage: those nearest to the picture `beside`.

        Where the index has too few, others drawn by lot, always the same ones; without a model all of them.
        """
        try:
            near = [i for i, _ in self.similar(self.prediction(beside), count, name, beside)]
        except (ModelError, ImageError, InputError):
            near = []
        ids = [i for i in self.library.to_show.get(name, ()) if i != beside and i not in near]
        return near + random.Random(f"{beside} {name}").sample(ids, min(count - len(near), len(ids)))

    def similar(self, to: Prediction, count: int, name: str | None = None, beside: str = "") -> list[Near]:
        """The `count` reference pictures that the model sees as nearest: of all classes, or of a class or stage.

        Each with its cosine similarity, the nearest first; see `library.similar`. Never the picture `beside`, nor a
        copy of what the answer `to` is of. Only pictures that are indexed: `indexed_references` tells how many are.
        Raises ModelError.
        """
        return self._opened_references().nearest(to.embedding, count, name, beside)

    @property
    def indexed_references(self) -> tuple[int, int]:
        """How many reference pictures can be found, and how many there are. Raises ModelError."""
        return self._opened_references().at_hand

    def is_near(self, similarity: float) -> bool:
        """Whether a picture is as near as reference pictures usually are to each other. Raises ModelError."""
        usual = self._opened_references().usual
        return usual is not None and similarity >= usual

    def add_folder(self, folder: Path) -> Source:
        """Add a folder to the library. Raises DataError where there is nothing to use in it."""
        source = add_folder(self._settings.folders_file, folder)
        self.reload()
        return source

    def reload(self) -> None:
        """Look at the folders again: cells, sets or a whole folder were added."""
        with self._lock:
            self._library = None

    def build_index(
        self, progress: Callable[[int, int], None] = lambda done, total: None, waits: bool = False
    ) -> list[Path]:
        """Add what the index lacks; returns unreadable files.

        While another process builds it: waits, with that one's progress, or else raises DataError; also where it cannot
        be written. Raises ModelError.
        """
        # By their ids, which are hashes: what is there of an unfinished index is a sample of every class.
        paths = {picture_id: record.path for picture_id, record in sorted(self.library.records.items())}
        # A model of its own: answers to people do not wait behind a batch of the index.
        index = Index(self._settings.index_folder, Classifier(self._settings.model, threads=1))
        lock = FileLock(self._settings.index_folder / "building.lock", timeout=-1 if waits else 0, poll_interval=0.5)

        def follow() -> bool:
            index.reload()
            progress(sum(picture_id in index for picture_id in paths), len(paths))
            return False  # not to give up

        try:
            self._settings.index_folder.mkdir(parents=True, exist_ok=True)
            with lock.acquire(cancel_check=follow if waits else None):
                index.reload()
                unreadable = index.build(paths, progress)
        except Timeout:
            raise DataError(
                "The pictures are being prepared already, by the app or another command.",
                "Wait for it to end: the pictures are prepared then.",
                kind="busy",
            ) from None
        except OSError as error:
            raise cannot_write(self._settings.index_folder, error) from error
        with self._lock:
            known = self._index
        if known is None or len(known) != len(index):
            self._open_index()
        return unreadable

    def start_indexing(self) -> None:
        """Build the index in the background; `index_state` tells how far it is."""
        if self.index_state.running:
            return
        self.index_state = IndexState(running=True)
        thread = threading.Thread(target=self._index_in_background, name="index", daemon=True)
        thread.start()
        atexit.register(self._end_indexing, thread)

    def _end_indexing(self, thread: threading.Thread) -> None:
        # A thread inside the model's library while Python takes itself down would abort the process.
        self._is_ending = True
        thread.join()

    def _index_in_background(self) -> None:
        opened = 0

        def report(done: int, total: int) -> None:
            nonlocal opened
            if self._is_ending:
                raise _EndingError
            self.index_state = IndexState(done, total, running=True)
            if done - opened >= _OPENED_EVERY:
                opened = done
                self._open_index()

        try:
            self.build_index(report, waits=True)
        except _EndingError:
            return
        except HematoVisionError as error:
            self.index_state = IndexState(error=error)
            return
        self.index_state = IndexState(self.index_state.done, self.index_state.total)

    def _opened_index(self) -> Index:
        classifier = self._explain.classifier
        with self._lock:
            if self._index is None:
                self._index = Index(self._settings.index_folder, classifier)
            return self._index

    def _open_index(self) -> None:
        """Look at the index's files again, and see to it that no page waits for the first search in them."""
        index = Index(self._settings.index_folder, self._explain.classifier)
        references = References(self.library, index.embeddings)
        references.warm_up()
        with self._lock:
            self._index, self._references = index, references

    def _opened_references(self) -> References:
        library, embeddings = self.library, self._opened_index().embeddings
        with self._lock:
            found = self._references
        if found is None or found.library is not library or found.embeddings is not embeddings:
            # Two pages that come at once both look: that costs less than one waiting with the lock in hand.
            found = References(library, embeddings)
            with self._lock:
                self._references = found
        return found
