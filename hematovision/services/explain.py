"""What the model says of a picture, and why."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hematovision.cells import CLASS_HEAD, output_index
from hematovision.images import Picture
from hematovision.smear.cell_mask import CellRegions, cell_regions
from hematovision.smear.framing import Frame
from hematovision.vision.classifier import Classifier, Prediction
from hematovision.vision.exactness import LogitParts, logit_parts
from hematovision.vision.gradients import GradientWorker
from hematovision.vision.heatmap import common, contrast, fused, lay, lay_signed, positive, shift_of, tiled
from hematovision.vision.methods import (
    COMMON,
    DEPTHS,
    FUSED,
    FUSIONS,
    GRADCAM,
    LAYERCAM,
    OCCLUSION,
    SCORECAM,
    SMOOTHGRAD,
    TRAINED,
    WEIGHTS,
    parse_depth,
    parse_method,
)
from hematovision.vision.occlusion import Occluded, occlude_at, occlusion_map
from hematovision.vision.passes import Forward, Progress, Seen, seen_of
from hematovision.vision.quality import Faithfulness, Placement, agreement, faithfulness, placement
from hematovision.vision.reading import PictureReading, read_picture
from hematovision.vision.scorecam import score_cam

Map = NDArray[np.float32]
Target = tuple[str, str]

KEPT = 256
"""Results that are kept for all sessions together: the largest takes 150 kB."""


@dataclass(frozen=True)
class Subject:
    """One framed cell, the model's answer, and what evidence is wanted for."""

    picture: Picture
    prediction: Prediction
    target: Target
    frame: Frame

    @classmethod
    def of(
        cls, picture: Picture, prediction: Prediction, target: Target | None = None, frame: Frame | None = None
    ) -> "Subject":
        """For the model's own answer where no `target` (head, value) is given; a picture of one cell has its frame."""
        return cls(picture, prediction, target or (CLASS_HEAD, prediction.label), frame or Frame.of_cell(picture))

    @cached_property
    def digest(self) -> str:
        """Of the picture's content and its frame: two sessions that look at the same cell share its maps."""
        return _sum_of(self.picture, f"{self.frame}")


class Explain:
    """Answers and heat maps of the model in a folder, which is loaded at first need.

    Safe to share between sessions. Of what takes long nothing is computed twice, and what failed or was stopped is not
    kept. A `progress` is called between the passes of such work with how many are done, and of how many; what it raises
    stops the work.
    """

    def __init__(self, model_folder: Path):
        self._folder = model_folder
        self._lock = threading.Lock()
        self._classifier: Classifier | None = None
        self._kept = _Kept(KEPT)

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
        target: Target | None = None,
        method: str = GRADCAM,
        frame: Frame | None = None,
    ) -> Map:
        """Evidence for `target` (head, value), the model's own answer by default: as `map_of`."""
        return self.map_of(Subject.of(picture, prediction, target, frame), method)

    def map_of(
        self, subject: Subject, method: str = GRADCAM, depth: str = COMMON, progress: Progress | None = None
    ) -> Map:
        """Evidence by one method: (H, W) in [0, 1], all 0 where there is none.

        `depth` is for LayerCAM: one of `methods.DEPTHS` or `FUSIONS`. Raises WorkerError for a method whose worker
        fails, ModelError where the model file lacks what Score-CAM needs, InputError for an unknown method.
        """
        raw = self._raw(subject, method, depth, TRAINED, progress)
        return lay(raw, subject.frame, subject.picture.shape, method, self._shift)

    def regions(self, picture: Picture) -> CellRegions | None:
        """Nucleus, cytoplasm and background of a picture of one cell; None where no nucleus is found."""
        return self._kept.get((_sum_of(picture), "regions"), lambda: cell_regions(picture))

    def contrast(self, subject: Subject, other: Target) -> Map:
        """What speaks for the target (above 0) rather than `other` (below 0): (H, W) in [-1, 1], by Grad-CAM."""
        maps = (subject.prediction.map_of(*target) for target in (subject.target, other))
        return lay_signed(contrast(*maps), subject.frame, subject.picture.shape, shift=self._shift)

    def occlude(self, subject: Subject, place: tuple[float, float], side: float) -> Occluded:
        """What covering one square does, with its middle at `place` (x, y), of `side`: in pixels of the picture."""
        seen, frame = self._seen(subject), subject.frame
        scale = seen.inputs.shape[0] / frame.side
        x, y = (place[0] - frame.x) * scale, (place[1] - frame.y) * scale
        # As everywhere, probabilities of classes are calibrated, and those of attributes are not.
        temperature = subject.prediction.temperature if subject.target[0] == CLASS_HEAD else 1.0
        forward = self.classifier.logits_of
        return occlude_at(seen.inputs, (x, y), side * scale, subject.target, seen.empty, forward, temperature)

    def logit_parts(self, subject: Subject) -> LogitParts | None:
        """What nucleus, cytoplasm and background add to the target's logit; None where no nucleus is found."""
        regions = self.regions(subject.picture)
        if regions is None:
            return None
        raw = subject.prediction.map_of(*subject.target)
        logit = float(subject.prediction.logits[output_index(*subject.target)])
        return logit_parts(raw, logit, regions, tiled(subject.frame, raw.shape[0], shift=self._shift))

    def placement(
        self, subject: Subject, method: str = GRADCAM, depth: str = COMMON, progress: Progress | None = None
    ) -> Placement | None:
        """Where a map's evidence lies; None where there is none, or no nucleus is found."""
        regions = self.regions(subject.picture)
        return None if regions is None else placement(self.map_of(subject, method, depth, progress), regions)

    def faithfulness(
        self, subject: Subject, method: str = GRADCAM, depth: str = COMMON, progress: Progress | None = None
    ) -> Faithfulness:
        """Deletion and insertion of a map, beside a random one. Takes 100 passes, after those of the map."""
        raw = self._raw(subject, method, depth, TRAINED, progress)

        def compute() -> Faithfulness:
            seen, evidence = self._seen(subject), self._squared(positive(raw), method)
            return faithfulness(seen.inputs, evidence, subject.target, seen.empty, self.classifier.logits_of, progress)

        return self._once(subject, ("faithfulness", method, depth), compute)

    def agreement(
        self, subject: Subject, methods: Sequence[str], depth: str = COMMON, progress: Progress | None = None
    ) -> dict[tuple[str, str], float | None]:
        """Rank correlation of the evidence by each two of the methods; None where one of the two has none."""
        raw = {name: self._raw(subject, name, depth, TRAINED, progress) for name in methods}
        maps = {name: self._squared(positive(values), name) for name, values in raw.items()}
        return {(one, other): agreement(maps[one], maps[other]) for one, other in combinations(methods, 2)}

    def sanity(
        self, subject: Subject, method: str = GRADCAM, depth: str = COMMON, progress: Progress | None = None
    ) -> dict[str, float | None]:
        """How alike a map stays as the network's weights are made random, by `methods.WEIGHTS` (Adebayo et al. 2018).

        Rank correlation with the map under the trained weights, what speaks against the target included: random weights
        may leave no evidence for it at all. None where a map is the same everywhere. By the worker.
        """
        raw = (self._raw(subject, method, depth, weights, progress) for weights in WEIGHTS)
        before, *after = (self._squared(values, method) for values in raw)
        return {name: agreement(before, values) for name, values in zip(WEIGHTS[1:], after, strict=True)}

    def close(self) -> None:
        """End the worker process, if it was started."""
        if "worker" in self.__dict__:
            self.worker.close()

    def _once(self, subject: Subject, what: Hashable, compute: Callable[[], Any]) -> Any:
        return self._kept.get((subject.digest, self.classifier.card.version, subject.target, what), compute)

    def _raw(self, subject: Subject, method: str, depth: str, weights: str, progress: Progress | None) -> Map:
        """The map (h, w) before ReLU and scaling, of any method."""
        parse_method(method)
        if method == GRADCAM and weights == TRAINED:
            return subject.prediction.map_of(*subject.target)
        if method != LAYERCAM:
            return self._once(subject, (method, weights), lambda: self._compute(subject, method, weights, progress))
        if parse_depth(depth) in FUSIONS:
            maps = [self._raw(subject, method, name, weights, progress) for name in DEPTHS]
            return (fused if depth == FUSED else common)(maps, self._shift)
        return self._once(
            subject,
            (method, weights, depth),
            lambda: self.worker.map_by(method, self._seen(subject).inputs, subject.target, depth, weights),
        )

    def _compute(self, subject: Subject, method: str, weights: str, progress: Progress | None) -> Map:
        seen, target = self._seen(subject), subject.target
        forward: Forward = self.classifier.logits_of
        if weights != TRAINED:
            forward = lambda batch: self.worker.logits_of(batch, weights)  # noqa: E731
        if method == GRADCAM:
            return self.worker.raw_map(seen.inputs, target, weights)
        if method == OCCLUSION:
            return occlusion_map(seen.inputs, target, seen.empty, forward, progress)
        if method == SCORECAM:
            trained = weights == TRAINED
            of = self.classifier.features_of(seen.inputs) if trained else self.worker.features_of(seen.inputs, weights)
            return score_cam(seen.inputs, of, target, seen.empty, forward, progress)
        if method == SMOOTHGRAD:
            return self.worker.smoothgrad(seen.inputs, target, weights, progress)
        return self.worker.map_by(method, seen.inputs, target, weights=weights)

    def _seen(self, subject: Subject) -> Seen:
        size = self.classifier.card.size
        return self._kept.get((subject.digest, "seen"), lambda: seen_of(subject.picture, subject.frame, size))

    def _squared(self, values: Map, method: str) -> Map:
        """A method's map (h, w) at the network's size, (size, size)."""
        size = self.classifier.card.size
        return lay_signed(values, Frame(0, 0, size), (size, size), method, self._shift)

    @property
    def _shift(self) -> float:
        return shift_of(self.classifier.card)


def _sum_of(picture: Picture, more: str = "") -> str:
    told = f"{picture.shape} {more}".encode()
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes() + told).hexdigest()


class _Kept:
    """The results that were asked for last, each computed once, however many ask for it at the same time."""

    def __init__(self, most: int):
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._at_work: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            turn = self._at_work.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            try:
                value = compute()
                with self._lock:
                    self._values[key] = value
                    if len(self._values) > self._most:
                        self._values.popitem(last=False)
            finally:
                with self._lock:
                    self._at_work.pop(key, None)
            return value
