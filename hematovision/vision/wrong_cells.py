"""`model/errors.json`: the cells of a split that a model named wrong, and what it saw in them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hematovision.cells import display_name
from hematovision.errors import ModelError
from hematovision.files import write_whole
from hematovision.vision.card import ModelCard

ERRORS_FILE = "errors.json"


@dataclass(frozen=True)
class Hint:
    """A feature that the model saw in a cell, and in what share of each class's cells it sees the same."""

    attribute: str
    value: str
    of_key: float
    """Share in [0, 1] of the cells of the key's class, among those that it names right."""
    of_answer: float
    """The same of the answer's class."""


@dataclass(frozen=True)
class WrongCell:
    """One wrong answer, or none where the cell was refused. `hints` for the key come first, the clearest first."""

    dataset: str
    name: str
    """Folder and file name inside the data set."""
    key: str
    answer: str
    """A class; empty where the cell was refused as no blood cell."""
    status: str
    probabilities: Mapping[str, float]
    """Calibrated, of each class."""
    seen: Mapping[str, str]
    """Attribute -> value, as the model predicts it."""
    annotated: Mapping[str, str]
    """Attribute -> value, as annotated; empty where no one did."""
    hints: tuple[Hint, ...]

    @property
    def for_key(self) -> tuple[Hint, ...]:
        return tuple(hint for hint in self.hints if hint.of_key > hint.of_answer)

    @property
    def for_answer(self) -> tuple[Hint, ...]:
        return tuple(hint for hint in self.hints if hint.of_key < hint.of_answer)


@dataclass(frozen=True)
class WrongCells:
    """All wrong cells of a `split` of `n`; `model` is the version of the model that gave the answers."""

    model: str
    split: str
    n: int
    cells: tuple[WrongCell, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "WrongCells":
        cells = (WrongCell(**{**cell, "hints": tuple(Hint(**hint) for hint in cell["hints"])}) for cell in raw["cells"])
        return cls(raw["model"], raw["split"], raw["n"], tuple(cells))


def write_wrong_cells(folder: Path, wrong: WrongCells) -> None:
    """Write them into a model's folder, whole or not at all."""
    write_whole(folder / ERRORS_FILE, json.dumps(wrong.as_json(), indent=1, ensure_ascii=False) + "\n")


def load_wrong_cells(card: ModelCard) -> WrongCells | None:
    """Those of the card's model; None where there is no such file, or one of another model. Raises ModelError."""
    path = card.folder / ERRORS_FILE
    if not path.is_file():
        return None
    try:
        wrong = WrongCells.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} cannot be read.", "Write it anew with 'python -m hematovision evaluate --write'."
        ) from error
    return wrong if wrong.model == card.version else None


def hints_text(hints: Iterable[Hint]) -> str:
    """`Granularity: yes (96 % : 3 %)`, shares among cells of the key and of the answer; a dash where there is none."""
    said = (f"{display_name(h.attribute)}: {h.value} ({h.of_key:.0%} : {h.of_answer:.0%})" for h in hints)
    return "; ".join(said).replace("%", " %") or "–"
