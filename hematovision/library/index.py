"""The index: the model's answer for each picture of the library, computed once for each version of the model.

Files that only grow, in a folder named after the model's version; a row counts once all of them hold it, so a killed
build goes on where it stopped.
"""

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np

from hematovision import images
from hematovision.errors import ImageError
from hematovision.files import write_whole
from hematovision.library.similar import Embeddings
from hematovision.smear.framing import Frame, cut
from hematovision.vision.classifier import BATCH, Classifier, Prediction

FORMAT = 3
"""An index of another format is not read: it is built anew, beside it. Format 1 had no features of middle layers, and 2
was of pictures whose detail was left as it is."""

_COLUMNS: Mapping[str, tuple[str, type]] = MappingProxyType(
    {
        "logits": ("logits.f32", np.float32),
        "maps": ("maps.f16", np.float16),
        # In full: rounded ones would now and then fall on the other side of the border to `unfamiliar`.
        "embedding": ("embedding.f32", np.float32),
        "early": ("early.f32", np.float32),
    }
)
"""Of a `Prediction`: the file of each value, and the numbers in it. Not every model has them all."""

Progress = Callable[[int, int], None]
"""Called with (pictures done, pictures in all)."""


class Index:
    """Predictions of the library's pictures by picture id."""

    def __init__(self, folder: Path, classifier: Classifier):
        self.folder = folder / f"{classifier.card.version}-{FORMAT}"
        self._classifier = classifier
        self.reload()

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, picture_id: str) -> bool:
        return picture_id in self._rows

    def reload(self) -> None:
        """Look at the files again: another process may have added to them."""
        self._rows: dict[str, int] = {}
        self._columns: dict[str, np.ndarray] = {}
        self.__dict__.pop("embeddings", None)
        shapes = self._shapes()
        if not shapes or not (self.folder / "ids.txt").is_file():
            return
        ids = (self.folder / "ids.txt").read_text().split("\n")[:-1]
        for name, shape in shapes.items():
            file, kind = _COLUMNS[name]
            self._columns[name] = _open(self.folder / file, kind, shape)
        count = min(len(ids), *map(len, self._columns.values()))
        self._rows = {picture_id: row for row, picture_id in enumerate(ids[:count])}

    def prediction(self, picture_id: str) -> Prediction | None:
        """The stored answer (maps at half precision), or None where the picture is not indexed.

        What it says of trust goes by the model's present thresholds, as that of an answer computed now.
        """
        row = self._rows.get(picture_id)
        if row is None:
            return None
        card = self._classifier.card
        return Prediction(
            **{name: np.array(column[row], np.float32) for name, column in self._columns.items()},
            temperature=card.temperature,
            confident_from=card.confident_from,
            trust=self._classifier.trust,
            claimed_from=card.claimed_from,
        )

    @cached_property
    def embeddings(self) -> Embeddings:
        """The embeddings of all its pictures, in the file where they lie."""
        if not self._rows:
            return Embeddings({}, np.empty((0, 0), np.float32))
        return Embeddings(self._rows, self._columns["embedding"][: max(self._rows.values()) + 1])

    def build(self, paths: Mapping[str, Path], progress: Progress = lambda done, total: None) -> list[Path]:
        """Add every picture of `paths` (id -> file) that is missing. Returns the files that could not be read."""
        missing = [(picture_id, path) for picture_id, path in paths.items() if picture_id not in self._rows]
        unreadable: list[Path] = []
        done = len(paths) - len(missing)
        progress(done, len(paths))
        size = self._classifier.card.size
        for start in range(0, len(missing), BATCH * 4):
            chunk = missing[start : start + BATCH * 4]
            ids, inputs = [], []
            for picture_id, path in chunk:
                try:
                    picture = images.read(path)
                except ImageError:
                    unreadable.append(path)
                    continue
                ids.append(picture_id)
                inputs.append(cut(picture, Frame.of_cell(picture), size))
            if ids:
                self._append(ids, self._classifier.classify_inputs(np.stack(inputs)))
            done += len(chunk)
            progress(done, len(paths))
        self.reload()
        return unreadable

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Column -> shape of a row, as the first build wrote them; empty before."""
        path = self.folder / "shapes.json"
        return {name: tuple(shape) for name, shape in json.loads(path.read_text()).items()} if path.is_file() else {}

    def _append(self, ids: list[str], answers: list[Prediction]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        found = {name: [getattr(answer, name) for answer in answers] for name in _COLUMNS}
        columns = {name: np.stack(values) for name, values in found.items() if values[0] is not None}
        if not self._shapes():
            shapes = {name: column.shape[1:] for name, column in columns.items()}
            write_whole(self.folder / "shapes.json", json.dumps(shapes))
        contents = {_COLUMNS[name][0]: column.astype(_COLUMNS[name][1]).tobytes() for name, column in columns.items()}
        contents["ids.txt"] = "".join(f"{i}\n" for i in ids).encode()
        files = [(self.folder / name, len(content) // len(ids), content) for name, content in contents.items()]
        # Whatever a killed build left beyond the last whole row is overwritten.
        rows = min(path.stat().st_size // size if path.is_file() else 0 for path, size, _ in files)
        for path, size, content in files:
            with path.open("r+b" if path.is_file() else "wb") as file:
                file.truncate(rows * size)
                file.seek(rows * size)
                file.write(content)


def _open(path: Path, kind: type, row: tuple[int, ...]) -> np.ndarray:
    size = np.dtype(kind).itemsize * int(np.prod(row))
    rows = path.stat().st_size // size if path.is_file() else 0
    if rows == 0:
        return np.empty((0, *row), kind)
    return np.memmap(path, kind, "r", shape=(rows, *row))
