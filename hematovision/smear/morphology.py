"""A cell in the words of morphology: what can be drawn, what is true of it, and what is plausible for each class.

N:C ratios follow the atlases named in docs/drawing.md, sizes PBC; the rest is set by eye against photographs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np

from hematovision.cells import ATTRIBUTES, CELL_CLASSES, check_stage
from hematovision.errors import InputError, unknown

BIG_FROM = 13.6
"""Diameter in µm from which WBCAtt's annotators call a cell of PBC big."""
NIL = "nil"


@dataclass(frozen=True)
class CellSpec:
    """One cell. Shares and degrees are in [0, 1] where nothing else is said."""

    cell_class: str
    stage: str = ""
    """band, segmented, promyelocyte, myelocyte, metamyelocyte; empty where the class has no stages here."""
    diameter: float = 13.0
    """µm."""
    irregularity: float = 0.1
    """Of the outline: 0 round, 1 amoeboid."""
    ruffles: float = 0.0
    """Fringe of the outline: 0 smooth, 1 hairy."""
    nuclear_ratio: float = 0.5
    """Area of the nucleus in the area of the cell; 0: no nucleus."""
    lobes: int = 1
    indentation: float = 0.0
    """Of a nucleus with one lobe: 0 round, 0.2 notched, 0.5 kidney, 0.9 band or horseshoe."""
    folding: float = 0.0
    """Of the nucleus' outline: 0 smooth, 1 folded and knobby."""
    eccentricity: float = 0.2
    """0: nucleus in the middle, 1: against the membrane."""
    chromatin_density: float = 0.7
    """0 loose and pale, 1 dense and dark."""
    chromatin_clumping: float = 0.5
    """0 fine and lacy, 1 blocky."""
    basophilia: float = 0.2
    """Blue of the cytoplasm."""
    acidophilia: float = 0.2
    """Pink of the cytoplasm."""
    ground_glass: float = 0.0
    """0 clear, 1 frosted cytoplasm."""
    vacuoles: int = 0
    halo: float = 0.0
    """Paler zone beside the nucleus."""
    granules: float = 0.0
    """Share of the cytoplasm that they fill."""
    granule_type: str = NIL
    granule_colour: str = NIL
    granule_size: float = 0.3
    """µm."""
    granules_over_nucleus: float = 0.0
    """How densely they lie over the nucleus, compared with the cytoplasm."""

    def __post_init__(self) -> None:
        if self.cell_class not in CELL_CLASSES:
            raise unknown("cell class", self.cell_class, CELL_CLASSES)
        check_stage(self.cell_class, self.stage)
        for name in ("granule_type", "granule_colour"):
            if getattr(self, name) not in ATTRIBUTES[name]:
                raise unknown(name, getattr(self, name), ATTRIBUTES[name])
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(
                    f"{name} is {value}, which no cell has.", f"It should be between {low:g} and {high:g}."
                )

    @property
    def has_nucleus(self) -> bool:
        return self.nuclear_ratio > 0

    @property
    def has_granules(self) -> bool:
        return self.granules > 0 and NIL not in (self.granule_type, self.granule_colour)

    @property
    def attributes(self) -> dict[str, str]:
        """The morphology attributes that are true of it, by the names of `cells.ATTRIBUTES`.

        All eleven; a cell without a nucleus lacks the three that speak of one. A promyelocyte has no type of granules:
        primary ones lie between what WBCAtt, which has annotated none, calls small and coarse.
        """
        found = {"cell_size": "big" if self.diameter >= BIG_FROM else "small"}
        found["cell_shape"] = "irregular" if max(self.irregularity, self.ruffles - 0.2) >= 0.6 else "round"
        if self.has_nucleus:
            found["nucleus_shape"] = self._nucleus_shape
            found["nuclear_cytoplasmic_ratio"] = "high" if self.nuclear_ratio >= 0.6 else "low"
            found["chromatin_density"] = "densely" if self.chromatin_density >= 0.5 else "loosely"
        found["cytoplasm_vacuole"] = "yes" if self.vacuoles else "no"
        found["cytoplasm_texture"] = "frosted" if self.ground_glass >= 0.5 else "clear"
        if self.basophilia < 0.4:
            found["cytoplasm_colour"] = "light blue"
        else:
            found["cytoplasm_colour"] = "purple blue" if self.acidophilia >= 0.12 else "blue"
        if self.stage != "promyelocyte":
            found["granule_type"] = self.granule_type if self.has_granules else NIL
        found["granule_colour"] = self.granule_colour if self.has_granules else NIL
        found["granularity"] = "yes" if self.has_granules else "no"
        return found

    @property
    def _nucleus_shape(self) -> str:
        if self.lobes > 1:
            return "segmented-bilobed" if self.lobes == 2 else "segmented-multilobed"
        if self.folding >= 0.6:
            return "irregular"
        if self.indentation >= 0.7:
            return "unsegmented-band"
        return "unsegmented-indented" if self.indentation >= 0.25 else "unsegmented-round"


LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "diameter": (1.0, 22.0),
        "lobes": (1, 5),
        "vacuoles": (0, 12),
        "granule_size": (0.1, 1.5),
        "nuclear_ratio": (0.0, 0.92),
    }
    | dict.fromkeys(
        (
            "irregularity",
            "ruffles",
            "indentation",
            "folding",
            "eccentricity",
            "chromatin_density",
            "chromatin_clumping",
            "basophilia",
            "acidophilia",
            "ground_glass",
            "halo",
            "granules",
            "granules_over_nucleus",
        ),
        (0.0, 1.0),
    )
)
"""Least and greatest value of every number of a `CellSpec`."""

Range = tuple[float, float]

_SMOOTH: dict[str, Range] = {"irregularity": (0.0, 0.3), "ruffles": (0.0, 0.15)}
_MATURE: dict[str, Range] = {"chromatin_density": (0.8, 1.0), "chromatin_clumping": (0.6, 0.9)}
_NEUTROPHIL: dict[str, Range | str] = {
    **_MATURE,
    "diameter": (12.4, 15.6),
    "irregularity": (0.0, 0.5),
    "ruffles": (0.0, 0.25),
    "folding": (0.1, 0.45),
    "eccentricity": (0.05, 0.45),
    "basophilia": (0.12, 0.28),
    "acidophilia": (0.25, 0.45),
    "vacuoles": (-8, 1.2),
    "granules": (0.25, 0.6),
    "granule_type": "small",
    "granule_colour": "pink",
    "granule_size": (0.23, 0.34),
    "granules_over_nucleus": (0.0, 0.1),
}

_RANGES: Mapping[tuple[str, str], Mapping[str, Range | str]] = MappingProxyType(
    {
        ("basophil", ""): {
            "diameter": (10.9, 13.8),
            "irregularity": (0.1, 0.6),
            "ruffles": (0.1, 0.4),
            "nuclear_ratio": (0.42, 0.55),
            "lobes": (1, 2.6),
            "folding": (0.5, 0.9),
            "eccentricity": (0.0, 0.3),
            "chromatin_density": (0.65, 0.85),
            "chromatin_clumping": (0.3, 0.6),
            "basophilia": (0.1, 0.3),
            "acidophilia": (0.25, 0.6),
            "granules": (0.7, 1.0),
            "granule_type": "coarse",
            "granule_colour": "purple",
            "granule_size": (0.45, 0.62),
            "granules_over_nucleus": (0.5, 0.95),
        },
        ("eosinophil", ""): {
            **_SMOOTH,
            **_MATURE,
            "diameter": (12.6, 15.4),
            "nuclear_ratio": (0.32, 0.44),
            "lobes": (2, 2.65),
            "eccentricity": (0.4, 0.8),
            "basophilia": (0.1, 0.22),
            "acidophilia": (0.2, 0.4),
            "vacuoles": (-8, 1.2),
            "granules": (0.75, 1.0),
            "granule_type": "round",
            "granule_colour": "red",
            "granule_size": (0.49, 0.62),
            "granules_over_nucleus": (0.0, 0.06),
            "folding": (0.0, 0.35),
        },
        ("erythroblast", ""): {
            **_SMOOTH,
            "diameter": (9.2, 11.7),
            "nuclear_ratio": (0.34, 0.62),
            "eccentricity": (0.05, 0.6),
            "chromatin_density": (0.9, 1.0),
            "chromatin_clumping": (0.3, 0.65),
            "basophilia": (0.2, 0.65),
            "acidophilia": (0.02, 0.2),
            "ground_glass": (0.0, 0.3),
            "irregularity": (0.1, 0.6),
            "ruffles": (0.2, 0.6),
            "halo": (0.1, 0.5),
        },
        ("immature_granulocyte", "promyelocyte"): {
            **_SMOOTH,
            "diameter": (13.9, 17.1),
            "nuclear_ratio": (0.55, 0.7),
            "indentation": (0.0, 0.2),
            "eccentricity": (0.4, 0.9),
            "chromatin_density": (0.5, 0.7),
            "chromatin_clumping": (0.15, 0.4),
            "basophilia": (0.4, 0.6),
            "acidophilia": (0.2, 0.4),
            "halo": (0.2, 0.7),
            "granules": (0.35, 0.6),
            "granule_type": "small",
            "granule_colour": "purple",
            "granule_size": (0.3, 0.43),
            "granules_over_nucleus": (0.15, 0.4),
            "folding": (0.05, 0.35),
        },
        ("immature_granulocyte", "myelocyte"): {
            "diameter": (12.3, 14.9),
            "irregularity": (0.0, 0.4),
            "nuclear_ratio": (0.42, 0.56),
            "indentation": (0.0, 0.2),
            "eccentricity": (0.5, 0.9),
            "chromatin_density": (0.65, 0.85),
            "chromatin_clumping": (0.35, 0.6),
            "basophilia": (0.24, 0.4),
            "acidophilia": (0.2, 0.4),
            "granules": (0.3, 0.6),
            "granule_type": "small",
            "granule_colour": "purple",
            "granule_size": (0.21, 0.32),
            "granules_over_nucleus": (0.0, 0.15),
            "folding": (0.05, 0.35),
        },
        ("immature_granulocyte", "metamyelocyte"): {
            "diameter": (12.3, 14.9),
            "irregularity": (0.0, 0.4),
            "nuclear_ratio": (0.38, 0.5),
            "indentation": (0.28, 0.45),
            "eccentricity": (0.4, 0.8),
            "chromatin_density": (0.7, 0.9),
            "chromatin_clumping": (0.45, 0.7),
            "basophilia": (0.2, 0.34),
            "acidophilia": (0.25, 0.4),
            "granules": (0.25, 0.5),
            "granule_type": "small",
            "granule_colour": "pink",
            "granule_size": (0.21, 0.3),
            "granules_over_nucleus": (0.0, 0.1),
            "folding": (0.05, 0.35),
        },
        ("lymphocyte", ""): {
            "diameter": (9.4, 12.6),
            "irregularity": (0.1, 0.65),
            "ruffles": (0.3, 0.95),
            "nuclear_ratio": (0.68, 0.84),
            "indentation": (0.0, 0.22),
            "eccentricity": (0.2, 0.8),
            "chromatin_density": (0.75, 0.95),
            "chromatin_clumping": (0.05, 0.3),
            "basophilia": (0.6, 0.95),
            "acidophilia": (0.02, 0.15),
            "ground_glass": (0.35, 0.95),
            "halo": (0.2, 0.9),
        },
        ("monocyte", ""): {
            "diameter": (13.2, 16.6),
            "irregularity": (0.2, 0.9),
            "ruffles": (0.25, 0.95),
            "nuclear_ratio": (0.42, 0.58),
            "indentation": (0.3, 0.65),
            "folding": (0.3, 0.75),
            "eccentricity": (0.2, 0.7),
            "chromatin_density": (0.28, 0.6),
            "chromatin_clumping": (0.05, 0.3),
            "basophilia": (0.44, 0.56),
            "acidophilia": (0.02, 0.22),
            "ground_glass": (0.55, 1.0),
            "vacuoles": (-6, 10),
        },
        ("neutrophil", "band"): {**_NEUTROPHIL, "nuclear_ratio": (0.26, 0.36), "indentation": (0.75, 1.0)},
        ("neutrophil", "segmented"): {**_NEUTROPHIL, "nuclear_ratio": (0.25, 0.36), "lobes": (2, 4.4)},
        ("platelet", ""): {
            "diameter": (4.5, 7.0),
            "irregularity": (0.4, 0.9),
            "ruffles": (0.6, 1.0),
            "nuclear_ratio": (0.0, 0.0),
            "basophilia": (0.3, 0.55),
            "acidophilia": (0.05, 0.2),
            "granules": (0.8, 1.0),
            "granule_type": "small",
            "granule_colour": "purple",
            "granule_size": (0.23, 0.36),
        },
    }
)

KINDS: tuple[tuple[str, str], ...] = tuple(_RANGES)
"""What can be drawn: (class, stage)."""

NUMBERS: tuple[str, ...] = tuple(field.name for field in fields(CellSpec) if field.name in LIMITS)
_WHOLE = ("lobes", "vacuoles")


def stages(cell_class: str) -> tuple[str, ...]:
    """The stages of a class that can be drawn, youngest first; one empty name where it has none."""
    found = tuple(stage for label, stage in KINDS if label == cell_class)
    if not found:
        raise unknown("cell class", cell_class, CELL_CLASSES)
    return found


def typical(cell_class: str, stage: str | None = None) -> CellSpec:
    """The middle of what is plausible: the preset of a class (its most mature stage) or of one stage."""
    return _from_shares(cell_class, stage or stages(cell_class)[-1], dict.fromkeys(NUMBERS, 0.5))


def plausible(cell_class: str, rng: np.random.Generator, stage: str | None = None) -> CellSpec:
    """A cell as it may occur, of any stage or of the one that is named."""
    found = stages(cell_class)
    chosen = stage or found[int(rng.integers(len(found)))]
    return _from_shares(cell_class, chosen, {name: float(rng.random()) for name in NUMBERS})


def morph(start: CellSpec, end: CellSpec, share: float) -> CellSpec:
    """A cell on the way from `start` (share 0) to `end` (share 1).

    Numbers move in a straight line. The nearer cell gives class and stage, and kind and color of the granules unless
    it has none.
    """
    near, far = (start, end) if share < 0.5 else (end, start)
    moved = {name: (1 - share) * getattr(start, name) + share * getattr(end, name) for name in NUMBERS}
    grains = near if near.has_granules else far
    words = {"granule_type": grains.granule_type, "granule_colour": grains.granule_colour}
    return CellSpec(near.cell_class, near.stage, **_rounded(moved), **words)  # type: ignore[arg-type]


def _from_shares(cell_class: str, stage: str, shares: Mapping[str, float]) -> CellSpec:
    """The cell that lies at a share of every range of its kind."""
    check_stage(cell_class, stage)
    ranges = _RANGES[cell_class, stage]
    values: dict[str, float] = {}
    words: dict[str, str] = {}
    for name, value in ranges.items():
        if isinstance(value, str):
            words[name] = value
        else:
            values[name] = value[0] + shares[name] * (value[1] - value[0])
    return CellSpec(cell_class, stage, **_rounded(values), **words)  # type: ignore[arg-type]


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    # A range may begin below nothing: that share of the cells has none.
    return {name: max(0, round(value)) if name in _WHOLE else value for name, value in values.items()}
