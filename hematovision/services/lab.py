"""The Morphology lab: a drawn cell with the model's answer, and which of its features tips that answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from hematovision.cells import ATTRIBUTES
from hematovision.files import changing
from hematovision.library.bank import add_to_set, own_set
from hematovision.library.drawn import DrawnCell, draw_cell, save
from hematovision.services.explain import Explain
from hematovision.services.pictures import Pictures
from hematovision.smear.drawing import Drawn
from hematovision.smear.morphology import LIMITS, NIL, NUMBERS, CellSpec, typical
from hematovision.smear.stain import STAINS
from hematovision.vision.classifier import Prediction

GRANULES = "granule_kind"
"""Name of the feature that is type and color of the granules together."""
STAIN = "stain"

STEPS: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(NUMBERS, 0.2) | {"diameter": 2.0, "lobes": 1, "vacuoles": 3}
)
"""How far a number is moved to see whether it tips the answer, in its own unit: a fifth of the way for a share."""

_OF_A_NUCLEUS = frozenset(
    ("lobes", "indentation", "folding", "eccentricity", "chromatin_density", "chromatin_clumping", "halo")
)
_USUAL = {"small": ("neutrophil", "segmented"), "round": ("eosinophil", ""), "coarse": ("basophil", "")}
"""The kind of cell that each type of granule is known from."""

Progress = Callable[[int, int], None]
"""Called with (cells drawn, cells in all)."""


@dataclass(frozen=True)
class LabCell:
    """A drawn cell and what the model says of it."""

    drawn: Drawn
    prediction: Prediction

    @property
    def features(self) -> tuple[tuple[str, str | None, str], ...]:
        """(attribute, value that was drawn, value that the model sees); None where the cell has no such part."""
        seen = self.prediction.attributes
        return tuple((name, self.drawn.attributes.get(name), seen[name]) for name in ATTRIBUTES)


@dataclass(frozen=True)
class Trial:
    """The same cell with one feature moved: `feature` is a field of CellSpec, `GRANULES` or `STAIN`."""

    feature: str
    cell: DrawnCell


@dataclass(frozen=True)
class Tip:
    """What one move does to the answer.

    `change` of the calibrated probability of the answer so far is in [-1, 1]; `becomes` is the class that the answer
    turns into, None where it stays.
    """

    trial: Trial
    change: float
    becomes: str | None


class Lab:
    """Draws and asks the model. Safe to share between threads."""

    def __init__(self, explain: Explain, pictures: Pictures, folder: Path):
        """`folder` is where cells are saved to."""
        self._explain, self._pictures, self._folder = explain, pictures, folder
        # Both keep what was computed: for a slider that goes back, and for trials that were broken off.
        self._cells = lru_cache(maxsize=16)(self._draw)
        self._probabilities = lru_cache(maxsize=1024)(lambda cell: self._draw(cell).prediction.probabilities)

    def draw(self, cell: DrawnCell) -> LabCell:
        """The picture with its masks, and the model's answer. Raises ModelError."""
        return self._cells(cell)

    def sensitivity(self, cell: DrawnCell, progress: Progress = lambda done, total: None) -> tuple[Tip, ...]:
        """Each feature of the cell moved on its own, and what that does to the answer; the greatest change first.

        About forty cells are drawn: two seconds. Raises ModelError.
        """
        moved = trials(cell)
        found = []
        for done, trial in enumerate(moved):
            progress(done, len(moved))
            found.append((trial, self._probabilities(trial.cell)))
        return rank(self.draw(cell).prediction.probabilities, found)

    def save(self, cell: DrawnCell, title: str) -> int:
        """Keep the cell in the learner's own set of that title; returns how many cells it has then.

        Raises InputError for an empty title, DataError where the folder cannot be written.
        """
        own_set(self._folder, title)  # refuses a title before there is a folder
        with changing(self._folder):
            grown = add_to_set(self._folder, own_set(self._folder, title), save(self._folder, cell))
        self._pictures.reload()
        return len(grown.cells)

    def _draw(self, cell: DrawnCell) -> LabCell:
        drawn = draw_cell(cell)
        return LabCell(drawn, self._explain.classifier.classify(drawn.picture))


def matters(spec: CellSpec) -> frozenset[str]:
    """The numbers that make a difference to this cell: lobes need a nucleus, an amount needs granules."""
    found = set(NUMBERS)
    if not spec.has_nucleus:
        found -= _OF_A_NUCLEUS
    if spec.lobes > 1:
        found.discard("indentation")
    if NIL in (spec.granule_type, spec.granule_colour):
        found -= {"granules", "granule_size", "granules_over_nucleus"}
    elif not spec.has_granules:
        found -= {"granule_size", "granules_over_nucleus"}
    if not spec.has_nucleus:
        found.discard("granules_over_nucleus")
    return frozenset(found)


def with_granules(spec: CellSpec, granule_type: str, granule_colour: str | None = None) -> CellSpec:
    """The cell with granules of another type and color.

    Without a color they keep theirs, or take the one that is usual for the type. A cell that had none gets as many, and
    as large ones, as are usual.
    """
    if granule_type == NIL:
        return replace(spec, granule_type=NIL, granule_colour=NIL)
    usual = typical(*_USUAL[granule_type])
    kept = spec.granule_colour if spec.granule_colour != NIL else usual.granule_colour
    spec = replace(spec, granule_type=granule_type, granule_colour=granule_colour or kept)
    if spec.granules > 0:
        return spec
    return replace(spec, granules=usual.granules, granule_size=usual.granule_size)


def trials(cell: DrawnCell) -> tuple[Trial, ...]:
    """The same cell, seed and stain with each feature that matters moved down and up by its step, within its limits.

    Then with other granules, and on each other stain.
    """
    spec = cell.spec
    made = []
    for name in NUMBERS:
        if name in matters(spec):
            low, high = LIMITS[name]
            value = getattr(spec, name)
            for wanted in (value - STEPS[name], value + STEPS[name]):
                moved = min(max(wanted, low), high)
                if moved != value:
                    made.append(Trial(name, replace(cell, spec=replace(spec, **{name: moved}))))
    grains = [with_granules(spec, kind) for kind in (NIL, *_USUAL)]
    if spec.has_granules:
        colors = [color for color in ATTRIBUTES["granule_colour"] if color != NIL]
        grains += [with_granules(spec, spec.granule_type, color) for color in colors]
    had = (spec.granule_type, spec.granule_colour)
    made += [
        Trial(GRANULES, replace(cell, spec=other))
        for other in dict.fromkeys(grains)
        if (other.granule_type, other.granule_colour) != had
    ]
    made += [Trial(STAIN, replace(cell, stain=stain)) for stain in STAINS if stain != cell.stain]
    return tuple(made)


def rank(answer: Mapping[str, float], found: Iterable[tuple[Trial, Mapping[str, float]]]) -> tuple[Tip, ...]:
    """Probabilities of the cell, and those of each trial -> what each move does, the greatest change first."""
    label = max(answer, key=answer.__getitem__)
    tips = []
    for trial, probabilities in found:
        top = max(probabilities, key=probabilities.__getitem__)
        tips.append(Tip(trial, probabilities[label] - answer[label], None if top == label else top))
    return tuple(sorted(tips, key=lambda tip: -abs(tip.change)))
