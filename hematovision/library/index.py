"""The index: the model's answer for each picture of the library, computed once for each version of the model.

Four files that only grow, in a folder named after the model's version; a row counts once all four hold it, so a
killed build goes on where it stopped.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from hematovision import images
from hematovision.cells import HEADS
from hematovision.errors import ImageError
from hematovision.smear.framing import Frame, cut
from hematovision.vision.classifier import BATCH, Classifier, Prediction

_WIDTH = sum(len(values) for values in HEADS.values())
_ID_LENGTH = 16

Progress = Callable[[int, int], None]
"""Called with (pictures done, pictures in all)."""


class Index:
    """Predictions of the library's pictures by picture id."""

    def __init__(self, folder: Path, classifier: Classifier):
        self.folder = folder / classifier.card.version
        self._classifier = classifier
        self.reload()

    def __len__(self) -> int:
        return len(self._rows)

    def reload(self) -> None:
        """Look at the files again: another process may have added to them."""
        self._rows: dict[str, int] = {}
        shape = self._shape()
        if shape is None:
            return
        side, depth = shape
        ids = (self.folder / "ids.txt").read_text().split("\n")[:-1]
        logits = _open(self.folder / "logits.f32", np.float32, (_WIDTH,))
        maps = _open(self.folder / "maps.f16", np.float16, (side, side, _WIDTH))
        embedding = _open(self.folder / "embedding.f16", np.float16, (depth,))
        count = min(len(ids), len(logits), len(maps), len(embedding))
        self._rows = {picture_id: row for row, picture_id in enumerate(ids[:count])}
        self._logits, self._maps, self._embedding = logits, maps, embedding

    def prediction(self, picture_id: str) -> Prediction | None:
        """The stored answer (maps and embedding at half precision), or None where the picture is not indexed."""
        row = self._rows.get(picture_id)
        if row is None:
            return None
        card = self._classifier.card
        return Prediction(
            np.array(self._logits[row]),
            self._maps[row].astype(np.float32),
            self._embedding[row].astype(np.float32),
            card.temperature,
            card.confident_from,
            trust=self._classifier.trust,
        )

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
                inputs.append(cut(picture, Frame.whole(picture.shape), size))
            if ids:
                self._append(ids, self._classifier.classify_inputs(np.stack(inputs)))
            done += len(chunk)
            progress(done, len(paths))
        self.reload()
        return unreadable

    def _shape(self) -> tuple[int, int] | None:
        """(side of a map, length of an embedding), as the first build wrote them."""
        path = self.folder / "shape.txt"
        if not path.is_file():
            return None
        side, depth = path.read_text().split()
        return int(side), int(depth)

    def _append(self, ids: list[str], answers: list[Prediction]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        first = answers[0]
        if self._shape() is None:
            (self.folder / "shape.txt").write_text(f"{first.maps.shape[0]} {first.embedding.size}")
        files = list(self._files(ids, answers))
        # Whatever a killed build left beyond the last whole row is overwritten.
        rows = min(path.stat().st_size // size if path.is_file() else 0 for path, size, _ in files)
        for path, size, content in files:
            with path.open("r+b" if path.is_file() else "wb") as file:
                file.truncate(rows * size)
                file.seek(rows * size)
                file.write(content)

    def _files(self, ids: list[str], answers: list[Prediction]) -> Iterator[tuple[Path, int, bytes]]:
        first = answers[0]
        yield self.folder / "logits.f32", 4 * _WIDTH, np.stack([a.logits for a in answers]).astype(np.float32).tobytes()
        yield (
            self.folder / "maps.f16",
            2 * first.maps.size,
            np.stack([a.maps for a in answers]).astype(np.float16).tobytes(),
        )
        embeddings = np.stack([a.embedding for a in answers]).astype(np.float16)
        yield self.folder / "embedding.f16", 2 * first.embedding.size, embeddings.tobytes()
        yield self.folder / "ids.txt", _ID_LENGTH + 1, "".join(f"{i}\n" for i in ids).encode()


def _open(path: Path, kind: type, row: tuple[int, ...]) -> np.ndarray:
    size = np.dtype(kind).itemsize * int(np.prod(row))
    rows = path.stat().st_size // size if path.is_file() else 0
    if rows == 0:
        return np.empty((0, *row), kind)
    return np.memmap(path, kind, "r", shape=(rows, *row))
