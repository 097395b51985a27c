"""The Morphology lab's sliders: which there are, in words and units, and the cell that they stand for.

The sliders themselves hold the cell. `State` is `st.session_state`, or a plain dict in tests.
"""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hematovision.library.drawn import DrawnCell
from hematovision.services.lab import with_granules
from hematovision.smear.morphology import LIMITS, NIL, CellSpec, morph, typical
from hematovision.smear.stain import STAINS

State = MutableMapping[Any, Any]
Kind = tuple[str, str]
"""Class and stage."""


@dataclass(frozen=True)
class Knob:
    """A slider for one number of a cell, `scale` of whose shown units make one."""

    name: str
    label: str
    help: str
    unit: str = "%d %%"
    scale: float = 100
    step: float = 1
    digits: int = 0

    @property
    def key(self) -> str:
        return f"lab-{self.name}"

    @property
    def limits(self) -> tuple[float, float]:
        """Least and greatest value that can be shown."""
        low, high = LIMITS[self.name]
        return self.shown(low), self.shown(high)

    def shown(self, value: float) -> float:
        """A cell's number in the slider's unit; an int where the slider moves in whole steps."""
        return round(value * self.scale, self.digits) if self.digits else round(value * self.scale)

    def value(self, shown: float) -> float:
        """The cell's number that the slider shows."""
        return shown if self.scale == 1 else shown / self.scale

    def text(self, value: float) -> str:
        return self.unit % self.shown(value)


GROUPS: Mapping[str, tuple[Knob, ...]] = MappingProxyType(
    {
        "Cell": (
            Knob("diameter", "Diameter", "Across the cell. A red cell measures about 7.2 µm.", "%.1f µm", 1, 0.1, 1),
            Knob("irregularity", "Irregular outline", "From round to amoeboid."),
            Knob("ruffles", "Ruffled edge", "From a smooth membrane to a hairy one."),
        ),
        "Nucleus": (
            Knob(
                "nuclear_ratio",
                "N:C ratio",
                "The nucleus' share of the cell, by area: 50 % is 1:1, 80 % is 4:1. 0 %: no nucleus.",
            ),
            Knob("lobes", "Lobes", "2: bilobed. 3 to 5: multilobed.", "%d", 1),
            Knob("indentation", "Indentation", "Of a nucleus with one lobe. 0 %: round, 50 %: kidney, 90 %: band."),
            Knob("folding", "Folds", "From a smooth nucleus to a folded and knobby one."),
            Knob("eccentricity", "Off center", "0 %: in the middle. 100 %: against the membrane."),
            Knob("chromatin_density", "Chromatin density", "From loose and pale to dense and dark."),
            Knob(
                "chromatin_clumping",
                "Gaps in the chromatin",
                "From few and narrow to broad and deep, as between coarse clumps.",
            ),
        ),
        "Cytoplasm": (
            Knob("basophilia", "Basophilia", "How blue it is: ribonucleic acid takes up the blue dye."),
            Knob("acidophilia", "Acidophilia", "How pink it is: proteins take up eosin."),
            Knob("ground_glass", "Ground glass", "From clear to frosted."),
            Knob("vacuoles", "Vacuoles", "How many clear bubbles there are.", "%d", 1),
            Knob("halo", "Halo", "A paler zone beside the nucleus, where the Golgi apparatus lies."),
        ),
        "Granules": (
            Knob("granules", "Amount", "The share of the cytoplasm that they fill."),
            Knob("granule_size", "Size", "Diameter of one granule.", "%.2f µm", 1, 0.01, 2),
            Knob("granules_over_nucleus", "Over the nucleus", "How densely they cover the nucleus."),
        ),
    }
)
KNOBS: Mapping[str, Knob] = MappingProxyType({knob.name: knob for group in GROUPS.values() for knob in group})


def begin(state: State) -> None:
    """What the page shows first; later visits of a session find the cell as it was."""
    if "lab-kind" not in state:
        state["lab-from"], state["lab-to"] = ("monocyte", ""), ("lymphocyte", "")
        state["lab-stain"], state["lab-seed"] = next(iter(STAINS)), 1
        follow_preset(state)


def follow_preset(state: State) -> None:
    """The cell of the first preset, with no part of the second."""
    state["lab-share"] = 0
    follow_morph(state)


def follow_morph(state: State) -> None:
    """The cell on the way between the two presets, on every slider."""
    _show(state, morph(typical(*state["lab-from"]), typical(*state["lab-to"]), state["lab-share"] / 100))


def follow_granule_type(state: State) -> None:
    """Granules of the type that was chosen: such as are usual, where the cell had none."""
    _show(state, with_granules(current(state).spec, state["lab-granule_type"]))


def current(state: State) -> DrawnCell:
    """The cell that the sliders stand for."""
    values: dict[str, Any] = {name: knob.value(state[knob.key]) for name, knob in KNOBS.items()}
    values["granule_type"] = state["lab-granule_type"]
    values["granule_colour"] = state["lab-granule_colour"] or NIL
    cell_class, stage = state["lab-kind"]
    return DrawnCell(CellSpec(cell_class, stage, **values), state["lab-stain"], state["lab-seed"])


def _show(state: State, spec: CellSpec) -> None:
    """Set every slider to the cell."""
    state["lab-kind"] = spec.cell_class, spec.stage
    for name, knob in KNOBS.items():
        state[knob.key] = knob.shown(getattr(spec, name))
    state["lab-granule_type"] = spec.granule_type
    state["lab-granule_colour"] = None if spec.granule_colour == NIL else spec.granule_colour
