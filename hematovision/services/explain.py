"""What the model says of a picture, and why."""

import threading
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hematovision.cells import CLASS_HEAD
from hematovision.errors import unknown
from hematovision.images import Picture
from hematovision.smear.framing import Frame, cut
from hematovision.vision.classifier import Classifier, Prediction
from hematovision.vision.gradients import GradientWorker
from hematovision.vision.heatmap import GRADCAM, GRADCAM_GRADIENTS, METHODS, lay
from hematovision.vision.reading import PictureReading, read_picture


class Explain:
    """Answers and heat maps of the model in a folder, which is loaded at first need."""

    def __init__(self, model_folder: Path):
        self._folder = model_folder
        self._lock = threading.Lock()
        self._classifier: Classifier | None = None
        # Moving the opacity slider must not ask the worker again; a failure is not kept.
        self._gradcam = lru_cache(maxsize=64)(self._compute_gradcam)

    @property
    def classifier(self) -> Classifier:
        """Raises ModelError as long as there is no usable model: a mended folder works without a restart."""
        with self._lock:
            if self._classifier is None:
                self._classifier = Classifier(self._folder)
            return self._classifier

    @cached_property
    def worker(self) -> GradientWorker:
        return GradientWorker(self._folder)

    def read(self, picture: Picture, mode: str = "auto") -> PictureReading:
        """The cells of a picture, each with the model's answer."""
        return read_picture(picture, self.classifier, mode)

    def evidence(
        self,
        picture: Picture,
        prediction: Prediction,
        target: tuple[str, str] | None = None,
        method: str = GRADCAM,
        frame: Frame | None = None,
    ) -> NDArray[np.float32]:
        """Evidence for `target` (head, value), the model's own answer by default: (H, W) in [0, 1], all 0 where none.

        Raises WorkerError for a gradient method whose worker fails, InputError for an unknown method.
        """
        head, value = target or (CLASS_HEAD, prediction.label)
        frame = frame or Frame.of_cell(picture)
        if method == GRADCAM:
            raw = prediction.map_of(head, value)
        elif method == GRADCAM_GRADIENTS:
            raw = self._gradcam(cut(picture, frame, self.classifier.card.size).tobytes(), head, value)
        else:
            raise unknown("method", method, METHODS)
        return lay(raw, frame, picture.shape)

    def _compute_gradcam(self, content: bytes, head: str, value: str) -> NDArray[np.float32]:
        size = self.classifier.card.size
        return self.worker.gradcam(np.frombuffer(content, np.uint8).reshape(size, size, 3), head, value)

    def close(self) -> None:
        """End the worker process, if it was started."""
        if "worker" in self.__dict__:
            self.worker.close()
