"""A whole picture -> its cells, each with the model's answer: as one cell, or as a field in which cells are found."""

from dataclasses import dataclass

from hematovision.errors import unknown
from hematovision.images import Picture
from hematovision.smear.finder import is_stained
from hematovision.smear.framing import Box, Frame
from hematovision.smear.survey import Survey
from hematovision.vision.classifier import Classifier, Prediction
from hematovision.vision.trust import CHECK, NOT_BLOOD, STATUSES

MODES = ("auto", "cell", "field")

_LONGEST_CELL = 1.25
_LARGEST_CELL = 512


@dataclass(frozen=True)
class CellReading:
    """One cell of a picture: its box in pixels, the frame the network saw, and the answer."""

    box: Box
    frame: Frame
    prediction: Prediction

    def as_json(self) -> dict[str, object]:
        answer = self.prediction
        return {
            "box": list(self.box),
            "label": answer.label,
            "probability": answer.probability,
            "probabilities": answer.probabilities,
            "answer_set": list(answer.answer_set),
            "attributes": answer.attributes,
            "status": answer.status,
        }


@dataclass(frozen=True)
class PictureReading:
    """All cells of a picture. `status` is that of its least certain cell; what is refused is not among the cells."""

    status: str
    cells: tuple[CellReading, ...]
    refused: tuple[CellReading, ...] = ()


def read_picture(picture: Picture, classifier: Classifier, mode: str = "auto") -> PictureReading:
    """What the model says of a picture (H, W, 3), taken as one `cell`, as a `field`, or as its shape suggests."""
    if mode not in MODES:
        raise unknown("way to read a picture", mode, MODES)
    if not is_stained(picture):
        return PictureReading(NOT_BLOOD, ())
    height, width = picture.shape[:2]
    whole: Box = (0, 0, width, height)
    seen = Survey(picture)
    framed: list[tuple[Box, Frame]] = []
    if mode == "field" or (mode == "auto" and _may_be_field(picture)):
        framed = [(cell.box, Frame.around(cell.box, seen.pixels_per_um)) for cell in seen.cells]
        if not framed and mode == "field":
            return PictureReading(CHECK, ())
    if not framed:
        framed = [(whole, Frame.of_cell(seen))]
    answers = classifier.classify_many([(seen, frame) for _, frame in framed])
    found = [CellReading(box, frame, answer) for (box, frame), answer in zip(framed, answers, strict=True)]
    cells = tuple(cell for cell in found if cell.prediction.status != NOT_BLOOD)
    refused = tuple(cell for cell in found if cell.prediction.status == NOT_BLOOD)
    statuses = [cell.prediction.status for cell in cells]
    return PictureReading(max(statuses, key=STATUSES.index, default=NOT_BLOOD), cells, refused)


def _may_be_field(picture: Picture) -> bool:
    shorter, longer = sorted(picture.shape[:2])
    return longer > _LONGEST_CELL * shorter or shorter > _LARGEST_CELL
