"""Browse the library as an instructor: which cells there are, how the model does on them, what a class has seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hematovision.cells import class_of
from hematovision.errors import InputError, ModelError, unknown
from hematovision.library.records import Record
from hematovision.quiz.blueprint import Available
from hematovision.services.pictures import Pictures
from hematovision.storage.publications import Publications
from hematovision.vision.trust import NOT_BLOOD, STATUSES

MODEL_FILTERS = ("", "right", "wrong", *STATUSES)
MOST_AT_ONCE = 200


@dataclass(frozen=True)
class Filters:
    """Which cells of the library to show; what is empty, or None, lets every cell through. Raises InputError.

    `cell` is a class or stage. `model`: whether it names the key's class (`right`, `wrong`), or one of
    `trust.STATUSES`. `difficulty` is a closed range in [0, 1]. `source` is the name of a data set (`Teach.sources`).
    `seen`: whether a published set asked it already. A cell that the index does not have passes no filter by the model
    or by difficulty, and comes last with `hardest_first`.
    """

    cell: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    model: str = ""
    difficulty: tuple[float, float] = (0.0, 1.0)
    source: str = ""
    seen: bool | None = None
    hardest_first: bool = False

    def __post_init__(self) -> None:
        if self.model not in MODEL_FILTERS:
            raise unknown("filter by the model", self.model, MODEL_FILTERS[1:])
        if not 0 <= self.difficulty[0] <= self.difficulty[1] <= 1:
            raise InputError("difficulty should be a range.", "Take two numbers from 0 to 1.")

    @property
    def asks_model(self) -> bool:
        """Whether what the model says of a picture decides if it is shown, or where."""
        return bool(self.model) or self.difficulty != (0.0, 1.0) or self.hardest_first


@dataclass(frozen=True)
class LibraryCell:
    """A cell of the library as an instructor sees it, with its key: a class, and where it is known the stage.

    `difficulty` is 1 minus the calibrated probability that the model gives the key's class, so it measures what is hard
    for the model. It, `model_label` and `model_status` come from the index, and are None where the picture is not in it
    or there is no model; the label is None, too, where the model takes the picture for no blood cell. `seen` counts the
    students who named it in attempts at published sets.
    """

    picture_id: str
    key: str
    stage: str
    attributes: Mapping[str, str]
    source: str
    is_drawn: bool
    model_label: str | None
    model_status: str | None
    difficulty: float | None
    seen: int


@dataclass(frozen=True)
class Found:
    """A page of cells, and how many there are in all."""

    total: int
    cells: tuple[LibraryCell, ...]


@dataclass(frozen=True)
class _Opinion:
    """The class that the model gives a picture, whatever its status, and how far that is from the key."""

    label: str
    difficulty: float


class Browser:
    """Safe to share between threads."""

    def __init__(self, pictures: Pictures, publications: Publications):
        self._pictures, self._publications = pictures, publications
        # By the model's version and the picture. A status costs much more than an opinion, and is seldom asked for.
        self._opinions: dict[tuple[str, str], _Opinion] = {}
        self._statuses: dict[tuple[str, str], str] = {}

    def sources(self) -> tuple[str, ...]:
        """Names of the data sets of the library."""
        return tuple(dict.fromkeys(record.dataset for record in self._pictures.library.records.values()))

    def cells(self, filters: Filters, count: int, offset: int = 0) -> Found:
        """`count` cells that pass, from number `offset` on, in the library's order or the hardest first."""
        if not 1 <= count <= MOST_AT_ONCE or offset < 0:
            raise InputError("This page of cells cannot be shown.", f"Take 1 to {MOST_AT_ONCE} cells from 0 on.")
        seen = self._seen()
        found = []
        for picture_id, record in self._pictures.library.records.items():
            if not _passes(filters, record) or filters.seen not in (None, picture_id in seen):
                continue
            opinion = self._opinion(picture_id, record) if filters.asks_model else None
            if self._fits(filters, picture_id, record, opinion):
                found.append((picture_id, record, opinion.difficulty if opinion else -1.0))
        if filters.hardest_first:
            found.sort(key=lambda one: -one[2])
        page = found[offset : offset + count]
        return Found(len(found), tuple(self._cell(picture_id, record, seen) for picture_id, record, _ in page))

    def available(self, asks_model: bool, learned: bool = False) -> Iterator[Available]:
        """The cells that a blueprint may draw: those that practice asks too, which no model was trained on.

        With `learned` all of the library. What the model says of them only where it is asked.
        """
        library = self._pictures.library
        asked = dict.fromkeys(picture_id for ids in library.to_ask.values() for picture_id in ids)
        for picture_id in library.records if learned else asked:
            record = library.records[picture_id]
            opinion = self._opinion(picture_id, record) if asks_model else None
            label = opinion.label if opinion else None
            # A picture that the model takes for no blood cell is no pitfall; of a right answer it makes no difference.
            if label not in (None, record.label) and self._status(picture_id) == NOT_BLOOD:
                label = None
            yield Available(picture_id, record.label, record.stage, record.attributes, label)

    def _cell(self, picture_id: str, record: Record, seen: Mapping[str, int]) -> LibraryCell:
        opinion = self._opinion(picture_id, record)
        status = self._status(picture_id) if opinion else None
        return LibraryCell(
            picture_id,
            record.label,
            record.stage,
            record.attributes,
            record.dataset,
            record.is_drawn,
            opinion.label if opinion and status != NOT_BLOOD else None,
            status,
            opinion.difficulty if opinion else None,
            seen.get(picture_id, 0),
        )

    def _opinion(self, picture_id: str, record: Record) -> _Opinion | None:
        try:
            version = self._pictures.model_version
            known = self._opinions.get((version, picture_id))
            if known is None and (prediction := self._pictures.indexed(picture_id)):
                difficulty = 1 - prediction.probabilities[class_of(record.label)]
                known = self._opinions[version, picture_id] = _Opinion(prediction.label, difficulty)
        except ModelError:
            return None
        return known

    def _status(self, picture_id: str) -> str | None:
        """The status of a picture of which there is an opinion."""
        version = self._pictures.model_version
        known = self._statuses.get((version, picture_id))
        if known is None and (prediction := self._pictures.indexed(picture_id)):
            known = self._statuses[version, picture_id] = prediction.status
        return known

    def _fits(self, filters: Filters, picture_id: str, record: Record, opinion: _Opinion | None) -> bool:
        """What needs the model, the costly part last."""
        if opinion is None:
            return not filters.model and filters.difficulty == (0.0, 1.0)
        low, high = filters.difficulty
        if not low <= opinion.difficulty <= high:
            return False
        if filters.model in ("right", "wrong"):
            is_right = opinion.label == record.label
            return (filters.model == "right") == is_right and self._status(picture_id) != NOT_BLOOD
        return not filters.model or filters.model == self._status(picture_id)

    def _seen(self) -> dict[str, int]:
        """Library's picture -> how many students named it: in a set it is a copy of its own."""
        answered = self._publications.answered()
        if not answered:
            return {}
        return {
            picture_id: answered[copy] for picture_id, copy in self._pictures.sets.copies().items() if copy in answered
        }


def _passes(filters: Filters, record: Record) -> bool:
    """What needs no model."""
    return (
        filters.cell in ("", record.label, record.stage)
        and filters.source in ("", record.dataset)
        and all(record.attributes.get(name) == value for name, value in filters.attributes.items())
    )
