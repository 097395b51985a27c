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
from hematovision.smear.framing import Frame, cut
from hematovision.smear.light import background, measure_light
from hematovision.vision.classifier import Classifier, Prediction
from hematovision.vision.exactness import LogitParts, logit_parts
from hematovision.vision.gradients import GradientWorker
from hematovision.vision.heatmap import common, contrast, fused, lay, lay_signed
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
from hematovision.vision.passes import Forward, Progress
from hematovision.vision.quality import Faithfulness, Placement, agreement, faithfulness, placement
from hematovision.vision.reading import PictureReading, read_picture
from hematovision.vision.scorecam import score_cam

Map = NDArray[np.float32]
Target = tuple[str, str]

KEPT = 256
"""Results that are kept for all sessions together: the largest takes 150 kB."""


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
        depth: str = COMMON,
        weights: str = TRAINED,
        progress: Progress | None = None,
    ) -> Map:
        """Evidence for `target` (head, value), the model's own answer by default: (H, W) in [0, 1], all 0 where none.

        `depth` is for LayerCAM: one of `methods.DEPTHS` or `FUSIONS`. Raises WorkerError for a method whose worker
        fails, ModelError where the model file lacks what Score-CAM needs, InputError for an unknown method.
        """
        case = self._case(picture, prediction, target, frame)
        return lay(self._raw(case, method, depth, weights, progress), case.frame, picture.shape)

    def regions(self, picture: Picture) -> CellRegions | None:
        """Nucleus, cytoplasm and background of a picture of one cell; None where no nucleus is found."""
        return self._kept.get((_sum_of(picture), "regions"), lambda: cell_regions(picture))

    def contrast(
        self, picture: Picture, prediction: Prediction, one: Target, other: Target, frame: Frame | None = None
    ) -> Map:
        """What speaks for `one` (above 0) rather than `other` (below 0): (H, W) in [-1, 1], by Grad-CAM."""
        frame = frame or Frame.of_cell(picture)
        return lay_signed(contrast(prediction.map_of(*one), prediction.map_of(*other)), frame, picture.shape)

    def occlude(
        self,
        picture: Picture,
        prediction: Prediction,
        place: tuple[float, float],
        side: float,
        target: Target | None = None,
        frame: Frame | None = None,
    ) -> Occluded:
        """What covering one square does, with its middle at `place` (x, y), of `side`: in pixels of the picture."""
        case = self._case(picture, prediction, target, frame)
        seen = self._seen(case)
        scale = seen.inputs.shape[0] / case.frame.side
        x, y = (place[0] - case.frame.x) * scale, (place[1] - case.frame.y) * scale
        # As everywhere, probabilities of classes are calibrated, and those of attributes are not.
        temperature = prediction.temperature if case.target[0] == CLASS_HEAD else 1.0
        forward = self.classifier.logits_of
        return occlude_at(seen.inputs, (x, y), side * scale, case.target, seen.empty, forward, temperature)

    def logit_parts(
        self, picture: Picture, prediction: Prediction, target: Target | None = None, frame: Frame | None = None
    ) -> LogitParts | None:
        """What nucleus, cytoplasm and background add to the target's logit; None where no nucleus is found."""
        case = self._case(picture, prediction, target, frame)
        regions = self.regions(case.picture)
        if regions is None:
            return None
        logit = float(prediction.logits[output_index(*case.target)])
        return logit_parts(prediction.map_of(*case.target), logit, regions, case.frame)

    def placement(
        self,
        picture: Picture,
        prediction: Prediction,
        target: Target | None = None,
        method: str = GRADCAM,
        frame: Frame | None = None,
        depth: str = COMMON,
        progress: Progress | None = None,
    ) -> Placement | None:
        """Where a map's evidence lies; None where there is none, or no nucleus is found."""
        case = self._case(picture, prediction, target, frame)
        regions = self.regions(case.picture)
        if regions is None:
            return None
        return placement(lay(self._raw(case, method, depth, TRAINED, progress), case.frame, picture.shape), regions)

    def faithfulness(
        self,
        picture: Picture,
        prediction: Prediction,
        target: Target | None = None,
        method: str = GRADCAM,
        frame: Frame | None = None,
        depth: str = COMMON,
        progress: Progress | None = None,
    ) -> Faithfulness:
        """Deletion and insertion of a map, beside a random one. Takes 100 passes, after those of the map."""
        case = self._case(picture, prediction, target, frame)
        raw = self._raw(case, method, depth, TRAINED, progress)

        def compute() -> Faithfulness:
            seen = self._seen(case)
            values = self._squared(raw)
            return faithfulness(seen.inputs, values, case.target, seen.empty, self.classifier.logits_of, progress)

        return self._once(case, ("faithfulness", method, depth), compute)

    def agreement(
        self,
        picture: Picture,
        prediction: Prediction,
        methods: Sequence[str],
        target: Target | None = None,
        frame: Frame | None = None,
        depth: str = COMMON,
        progress: Progress | None = None,
    ) -> dict[tuple[str, str], float | None]:
        """Rank correlation of the maps of each two of the methods; None where one of the two has no evidence."""
        case = self._case(picture, prediction, target, frame)
        maps = {name: self._squared(self._raw(case, name, depth, TRAINED, progress)) for name in methods}
        return {(one, other): agreement(maps[one], maps[other]) for one, other in combinations(methods, 2)}

    def sanity(
        self,
        picture: Picture,
        prediction: Prediction,
        target: Target | None = None,
        method: str = GRADCAM,
        frame: Frame | None = None,
        depth: str = COMMON,
        progress: Progress | None = None,
    ) -> dict[str, float | None]:
        """How alike a map stays as the network's weights are made random, by `methods.WEIGHTS` (Adebayo et al. 2018).

        Rank correlation with the map under the trained weights; None where a map has no evidence. By the worker.
        """
        case = self._case(picture, prediction, target, frame)
        before, *after = (self._squared(self._raw(case, method, depth, weights, progress)) for weights in WEIGHTS)
        return {name: agreement(before, values) for name, values in zip(WEIGHTS[1:], after, strict=True)}

    def close(self) -> None:
        """End the worker process, if it was started."""
        if "worker" in self.__dict__:
            self.worker.close()

    def _case(self, picture: Picture, prediction: Prediction, target: Target | None, frame: Frame | None) -> "_Case":
        return _Case(picture, prediction, target or (CLASS_HEAD, prediction.label), frame or Frame.of_cell(picture))

    def _once(self, case: "_Case", what: Hashable, compute: Callable[[], Any]) -> Any:
        return self._kept.get((case.digest, self.classifier.card.version, case.target, what), compute)

    def _raw(self, case: "_Case", method: str, depth: str, weights: str, progress: Progress | None) -> Map:
        """The map (h, w) before ReLU and scaling, of any method."""
        parse_method(method)
        if method == GRADCAM and weights == TRAINED:
            return case.prediction.map_of(*case.target)
        if method != LAYERCAM:
            return self._once(case, (method, weights), lambda: self._compute(case, method, weights, progress))
        if parse_depth(depth) in FUSIONS:
            maps = [self._raw(case, method, name, weights, progress) for name in DEPTHS]
            return fused(maps) if depth == FUSED else common(maps)
        return self._once(
            case,
            (method, weights, depth),
            lambda: self.worker.map_by(method, self._seen(case).inputs, case.target, depth, weights),
        )

    def _compute(self, case: "_Case", method: str, weights: str, progress: Progress | None) -> Map:
        seen, target = self._seen(case), case.target
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

    def _seen(self, case: "_Case") -> "_Seen":
        def compute() -> _Seen:
            light = measure_light(case.picture)
            empty = [light[0, round(level), channel] for channel, level in enumerate(background(case.picture))]
            inputs = cut(case.picture, case.frame, self.classifier.card.size, light)
            return _Seen(inputs, tuple(map(float, empty)))

        return self._kept.get((case.digest, "seen"), compute)

    def _squared(self, raw: Map) -> Map:
        """The map's evidence at the network's size, (size, size)."""
        size = self.classifier.card.size
        return lay(raw, Frame(0, 0, size), (size, size))


@dataclass(frozen=True)
class _Case:
    """One framed cell, the model's answer, and what evidence is wanted for."""

    picture: Picture
    prediction: Prediction
    target: Target
    frame: Frame

    @cached_property
    def digest(self) -> str:
        """Of the picture's content and its frame: two sessions that look at the same cell share its maps."""
        return _sum_of(self.picture, f"{self.frame}")


def _sum_of(picture: Picture, more: str = "") -> str:
    told = f"{picture.shape} {more}".encode()
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes() + told).hexdigest()


@dataclass(frozen=True)
class _Seen:
    """What the network sees, (size, size, 3), and the color of empty background in it."""

    inputs: Picture
    empty: tuple[float, ...]


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
