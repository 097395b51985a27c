"""Picture -> Prediction in one pass of LiteRT: logits, attributes, embedding and the class activation maps.

Needs neither TensorFlow nor Keras.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from hematovision.cells import ATTRIBUTES, CELL_CLASSES, CLASS_HEAD, HEADS, output_index, output_slice
from hematovision.errors import ModelError
from hematovision.images import Picture
from hematovision.smear.framing import Frame, cut
from hematovision.smear.survey import Survey
from hematovision.vision.card import FEATURES, LITERT_FILE, RESTORE, ModelCard, checked_bytes, load_card
from hematovision.vision.trust import CHECK, CONFIDENT, NOT_BLOOD, UNFAMILIAR, Trust, conformal_set, load_trust

Floats = NDArray[np.float32]

OUTPUTS = ("logits", "maps", "embedding")
"""Names of the exported model's outputs, in the order of `Prediction`."""
EARLY = "early"
"""One more output, which a model may have: mean and standard deviation of a middle layer's channels. `FEATURES` is
another, read only where it is asked for, as it is large."""

BATCH = 16
"""Pictures that go through the network at once when there are many."""


@dataclass(frozen=True)
class Prediction:
    """The model's answer for one framed cell.

    `logits` (V,) and `maps` (h, w, V) run over all heads in the order of `cells.HEADS`; `embedding` is (C,).
    `early` (F,) is None where the model has no such output; without `trust` nothing is known of cells it never saw.
    """

    logits: Floats
    maps: Floats
    embedding: Floats
    temperature: float
    confident_from: float
    early: Floats | None = None
    trust: Trust | None = None
    claimed_from: Mapping[str, float] = field(default_factory=dict)
    """As on the card: for `vision.evidence`."""

    @cached_property
    def probabilities(self) -> dict[str, float]:
        """Calibrated probability of each class; they sum to 1."""
        values = softmax(self.logits[output_slice(CLASS_HEAD)] / self.temperature)
        return dict(zip(CELL_CLASSES, map(float, values), strict=True))

    @cached_property
    def label(self) -> str:
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def probability(self) -> float:
        """Calibrated probability of `label`."""
        return self.probabilities[self.label]

    @cached_property
    def status(self) -> str:
        """One of `trust.STATUSES`: `not_blood`, else `unfamiliar`, else `confident` from the card's threshold on."""
        if self.trust is not None and not self.trust.is_cell(self.early):
            return NOT_BLOOD
        if self.trust is not None and not self.trust.is_familiar(self.embedding, self.logits):
            return UNFAMILIAR
        return CONFIDENT if self.probability >= self.confident_from else CHECK

    @cached_property
    def answer_set(self) -> tuple[str, ...]:
        """The classes that it may be, the likeliest first: a conformal set, where the card has its thresholds.

        Else the likeliest classes until their probabilities reach the card's threshold for `confident`. Empty for what
        is unfamiliar or no cell: there the promise of such a set does not hold.
        """
        if self.status in (UNFAMILIAR, NOT_BLOOD):
            return ()
        if self.trust is not None:
            return conformal_set(self.probabilities, self.trust.least)
        chosen: list[str] = []
        total = 0.0
        for label, probability in sorted(self.probabilities.items(), key=lambda item: -item[1]):
            chosen.append(label)
            total += probability
            if total >= self.confident_from:
                break
        return tuple(chosen)

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The likeliest value of each morphology attribute."""
        return {name: values[int(self.logits[output_slice(name)].argmax())] for name, values in ATTRIBUTES.items()}

    def map_of(self, head: str, value: str) -> Floats:
        """Class activation map (h, w) of one class or attribute value: its mean plus the head's bias is the logit."""
        return self.maps[..., output_index(head, value)]


class Classifier:
    """The model of a folder, loaded once. Safe to share between threads; answers come one after the other."""

    def __init__(self, folder: Path, threads: int = 2):
        """Raises ModelError where the files are missing, damaged, or do not fit the card."""
        self.card: ModelCard = load_card(folder)
        self.trust: Trust | None = load_trust(self.card)
        self._content = checked_bytes(self.card, LITERT_FILE)
        self._threads = threads
        self._lock = threading.Lock()
        self._one = self._engine(1)
        self._many: _Engine | None = None

    def classify(self, picture: Picture | Survey, frame: Frame | None = None) -> Prediction:
        """The answer for one cell: the whole picture (H, W, 3), or what lies in `frame`."""
        return self.classify_many([(picture, frame)])[0]

    def classify_many(self, cells: Sequence[tuple[Picture | Survey, Frame | None]]) -> list[Prediction]:
        """The answers for several cells, in order. Batches of 16 go through in one pass each.

        Cells of one picture that follow each other are seen in its light, which is measured once.
        """
        if not cells:
            return []
        size = self.card.size
        inputs = []
        seen = Survey.of(cells[0][0])
        for picture, frame in cells:
            if picture is not seen and picture is not seen.picture:
                seen = Survey.of(picture)
            inputs.append(cut(seen.picture, frame or Frame.of_cell(seen), size, seen.light))
        return self.classify_inputs(np.stack(inputs))

    def classify_inputs(self, inputs: NDArray) -> list[Prediction]:
        """The answers for pictures already at the network's size, (N, size, size, 3) in 0..255."""
        predictions: list[Prediction] = []
        full = len(inputs) - len(inputs) % BATCH
        with self._lock:
            for start in range(0, full, BATCH):
                self._many = self._many or self._engine(BATCH)
                predictions += self._run(self._many, inputs[start : start + BATCH])
            for start in range(full, len(inputs)):
                predictions += self._run(self._one, inputs[start : start + 1])
        return predictions

    def logits_of(self, inputs: NDArray) -> Floats:
        """The logits (N, V) of pictures at the network's size, (N, size, size, 3) in 0..255."""
        return np.stack([answer.logits for answer in self.classify_inputs(inputs)])

    def features_of(self, inputs: NDArray) -> Floats:
        """The last feature map (h, w, C) of a picture at the network's size, (size, size, 3) in 0..255.

        Raises ModelError where the model file does not give it away.
        """
        with self._lock:
            return self._one.features(inputs[None])[0]

    def _engine(self, batch: int) -> "_Engine":
        return _Engine(self._content, (batch, self.card.size, self.card.size, 3), self._threads)

    def _run(self, engine: "_Engine", inputs: NDArray) -> list[Prediction]:
        card = self.card
        found = []
        for logits, maps, embedding, *more in zip(*engine.run(inputs), strict=True):
            early = more[0] if more else None
            rules = (card.temperature, card.confident_from, early, self.trust, card.claimed_from)
            found.append(Prediction(logits, maps, embedding, *rules))
        return found


class _Engine:
    """LiteRT with its memory laid out for one shape of input."""

    def __init__(self, content: bytes, shape: tuple[int, ...], threads: int):
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
            self._input = self._interpreter.get_input_details()[0]["index"]
            self._interpreter.resize_tensor_input(self._input, shape)
            self._interpreter.allocate_tensors()
            outputs = self._interpreter.get_signature_runner().get_output_details()
        except (ValueError, RuntimeError) as error:
            raise ModelError("The model file cannot be run.", RESTORE) from error
        width = sum(len(values) for values in HEADS.values())
        if set(outputs) - {EARLY, FEATURES} != set(OUTPUTS) or outputs["logits"]["shape"][-1] != width:
            raise ModelError("The model file has other outputs than this program reads.", RESTORE)
        self._outputs = [outputs[name]["index"] for name in (*OUTPUTS, EARLY) if name in outputs]
        self._features = outputs[FEATURES]["index"] if FEATURES in outputs else None

    def run(self, inputs: NDArray) -> list[Floats]:
        """Logits, maps, embedding, and early features where there are. Raises ModelError for what is not finite."""
        self._invoke(inputs)
        found = [self._interpreter.get_tensor(index) for index in self._outputs]
        if not np.isfinite(found[0]).all():
            raise ModelError("The model gave no usable answer.", RESTORE)
        return found

    def features(self, inputs: NDArray) -> Floats:
        if self._features is None:
            raise ModelError(
                "The model file does not give its last feature map away, which this heat map needs.",
                "Export the model again, or take another method.",
                kind="no_features",
            )
        self._invoke(inputs)
        return self._interpreter.get_tensor(self._features)

    def _invoke(self, inputs: NDArray) -> None:
        self._interpreter.set_tensor(self._input, inputs.astype(np.float32))
        self._interpreter.invoke()


def softmax(values: NDArray) -> NDArray:
    """Softmax over the last axis, in float64."""
    shifted = np.exp(values.astype(np.float64) - values.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
