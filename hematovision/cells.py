"""The vocabulary: cell classes, morphology attributes and their values, in the one order that everything uses.

Attributes and their values are those of WBCAtt (Tsutsui, Pang, Wen 2023), defined for the five mature white cells.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hematovision.errors import InputError, unknown

CELL_CLASSES: tuple[str, ...] = (
    "basophil",
    "eosinophil",
    "erythroblast",
    "immature_granulocyte",
    "lymphocyte",
    "monocyte",
    "neutrophil",
    "platelet",
)

CORE_FOUR: tuple[str, ...] = ("eosinophil", "lymphocyte", "monocyte", "neutrophil")

STAGES: Mapping[str, str] = MappingProxyType(
    {
        "promyelocyte": "immature_granulocyte",
        "myelocyte": "immature_granulocyte",
        "metamyelocyte": "immature_granulocyte",
        "band": "neutrophil",
        "segmented": "neutrophil",
    }
)
"""Stage of the neutrophil's maturation, youngest first -> the class that it belongs to."""

SCOPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"core_four": CORE_FOUR, "all_eight": CELL_CLASSES, "stages": tuple(STAGES)}
)

WHITE_CELLS: tuple[str, ...] = (
    "neutrophil",
    "lymphocyte",
    "monocyte",
    "eosinophil",
    "basophil",
    "immature_granulocyte",
)
"""The classes that a differential counts, the commonest in adult blood first. Erythroblasts are counted beside them."""

NO_NUCLEUS: tuple[str, ...] = ("platelet",)
"""Classes whose cells have none: what is stained in a picture of theirs is no nucleus."""

LOOK_ALIKES: tuple[tuple[str, str], ...] = (
    ("basophil", "eosinophil"),
    ("basophil", "immature_granulocyte"),
    ("basophil", "neutrophil"),
    ("eosinophil", "neutrophil"),
    ("erythroblast", "lymphocyte"),
    ("immature_granulocyte", "monocyte"),
    ("immature_granulocyte", "neutrophil"),
    ("lymphocyte", "monocyte"),
    ("monocyte", "neutrophil"),
)
"""Classes that are taken for each other, after CellaVision's CellAtlas, Lichtman's Atlas and Hematology Outlines."""

ATTRIBUTES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cell_size": ("big", "small"),
        "cell_shape": ("irregular", "round"),
        "nucleus_shape": (
            "irregular",
            "segmented-bilobed",
            "segmented-multilobed",
            "unsegmented-band",
            "unsegmented-indented",
            "unsegmented-round",
        ),
        "nuclear_cytoplasmic_ratio": ("high", "low"),
        "chromatin_density": ("densely", "loosely"),
        "cytoplasm_vacuole": ("no", "yes"),
        "cytoplasm_texture": ("clear", "frosted"),
        "cytoplasm_colour": ("blue", "light blue", "purple blue"),
        "granule_type": ("coarse", "nil", "round", "small"),
        "granule_colour": ("nil", "pink", "purple", "red"),
        "granularity": ("no", "yes"),
    }
)

CLASS_HEAD = "cell_class"
"""Name of the model head that names the class; the other heads carry the names of `ATTRIBUTES`."""
SIZE_HEAD, COLOR_HEAD = "cell_size", "cytoplasm_colour"

HEADS: Mapping[str, tuple[str, ...]] = MappingProxyType({CLASS_HEAD: CELL_CLASSES, **ATTRIBUTES})
"""Every head of the model and its values, in the order in which the exported model concatenates them."""


def display_name(name: str) -> str:
    """`immature_granulocyte` -> `Immature granulocyte`; `band` -> `Band neutrophil`, as no one says band alone.

    The data set spells colour, the app color.
    """
    if STAGES.get(name) == "neutrophil":
        name += " neutrophil"
    return name.replace("_", " ").replace("colour", "color").capitalize()


def class_of(name: str) -> str:
    """The class of a stage; a class is its own."""
    return STAGES.get(name, name)


def pair_of(one: str, other: str) -> str:
    """The name of a pair of classes or stages, the same whichever comes first: `lymphocyte|monocyte`."""
    return "|".join(sorted((one, other)))


def are_neighbors(one: str, other: str) -> bool:
    """Whether one follows the other in the neutrophil's maturation, with no stage between them.

    A class spans its stages, so that a metamyelocyte and a neutrophil are neighbors, a myelocyte and a neutrophil not.
    """
    row = list(STAGES)
    spans = []
    for name in (one, other):
        found = [row.index(stage) for stage in row if name in (stage, STAGES[stage])]
        if not found:
            return False
        spans.append((found[0], found[-1]))
    (_, first_end), (second_start, _) = sorted(spans)
    return second_start - first_end == 1


def are_look_alikes(one: str, other: str) -> bool:
    """Whether two different classes or stages are often taken for each other."""
    if one == other:
        return False
    return are_neighbors(one, other) or tuple(sorted((class_of(one), class_of(other)))) in LOOK_ALIKES


_ALARMING = ("immature_granulocyte", "erythroblast")
"""Classes that adult blood hardly has: one that is missed or made up changes what is done next."""


def severity(key: str, choice: str) -> float:
    """How much it could matter to take a cell of `key` for `choice`, in [0, 1]: 0 where that is right.

    1: a class that adult blood hardly has is missed. 0.75: one is reported that is not there. 0.25: the two are stages
    of one class, or neighboring stages. 0.5: any other confusion. The steps are this project's judgement, not a
    measurement.
    """
    if key == choice:
        return 0.0
    if class_of(key) == class_of(choice) or ({key, choice} <= STAGES.keys() and are_neighbors(key, choice)):
        return 0.25
    if class_of(key) in _ALARMING:
        return 1.0
    return 0.75 if class_of(choice) in _ALARMING else 0.5


def check_stage(cell_class: str, stage: str) -> None:
    """Raises InputError where a stage is not one of the class; an empty one fits every class."""
    if stage and STAGES.get(stage) != cell_class:
        known = [name for name, owner in STAGES.items() if owner == cell_class]
        hint = f"Should be one of: {', '.join(known)}." if known else "Leave it out: this class has no stages."
        raise InputError(f"'{stage}' is no stage of {cell_class}.", hint, kind="unknown_name")


def parse_class(name: str) -> str:
    """The class that `name` means; display names and any case are accepted. Raises InputError."""
    found = name.strip().lower().replace(" ", "_")
    if found not in CELL_CLASSES:
        raise unknown("cell class", name, CELL_CLASSES)
    return found


def parse_target(text: str) -> tuple[str, str]:
    """`monocyte` -> (`cell_class`, `monocyte`); `granularity=yes` -> (`granularity`, `yes`). Raises InputError."""
    head, separator, value = text.partition("=")
    if not separator:
        return CLASS_HEAD, parse_class(text)
    head = head.strip().lower()
    value = value.strip().lower()
    if head not in ATTRIBUTES:
        raise unknown("attribute", head, ATTRIBUTES)
    if value not in ATTRIBUTES[head]:
        raise unknown(f"value of {head}", value, ATTRIBUTES[head])
    return head, value


def output_slice(head: str) -> slice:
    """Where a head's values stand in the concatenated outputs of the exported model."""
    start = 0
    for name, values in HEADS.items():
        if name == head:
            return slice(start, start + len(values))
        start += len(values)
    raise unknown("head", head, HEADS)


def output_index(head: str, value: str) -> int:
    """Where one value stands in the concatenated outputs of the exported model."""
    return output_slice(head).start + HEADS[head].index(value)
