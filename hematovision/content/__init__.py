"""Teaching text: facts of each class and stage, of each attribute, of each look-alike pair, each with its sources.

The text lies beside this file as YAML, and the shares that were measured as JSON. All of it is checked when it is read:
a name that `cells` does not know, one that is missing, or a source that is not listed raises DataError.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from hematovision.cells import ATTRIBUTES, CELL_CLASSES, LOOK_ALIKES, STAGES, pair_of
from hematovision.content.key import Key
from hematovision.errors import DataError

HERE = Path(__file__).parent
SHARES_FILE = HERE / "attribute_shares.json"
FILES = ("classes.yaml", "attributes.yaml", "pairs.yaml", "key.yaml", "sources.yaml", SHARES_FILE.name)

NAMES: tuple[str, ...] = (*CELL_CLASSES, *STAGES)
"""Everything that has an entry: the classes, then the stages, youngest first."""

KINDS: tuple[str, ...] = (*(name for name in CELL_CLASSES if name not in STAGES.values()), *STAGES)
"""What the key tells apart: classes, and the stages of those that have some."""

STAGE_PAIRS: tuple[str, ...] = tuple(pair_of(*pair) for pair in zip(STAGES, tuple(STAGES)[1:], strict=False))
"""Stages that follow each other."""


@dataclass(frozen=True)
class SourceText:
    """Where a fact comes from."""

    id: str
    title: str
    about: str


@dataclass(frozen=True)
class CellText:
    """A class or stage. `normal` is what healthy adults typically have in blood; `sources` are ids.

    `also` is what else it is taken for that is none of the classes; empty where there is no such thing.
    """

    name: str
    definition: str
    size: str
    nc_ratio: str
    nucleus: str
    chromatin: str
    cytoplasm: str
    granules: str
    normal: str
    sources: tuple[str, ...]
    also: str = ""


@dataclass(frozen=True)
class Doubt:
    """Where the annotations of some classes differ from what atlases say of them."""

    words: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class AttributeText:
    """An attribute of WBCAtt: what it is, how to look for it, and what each value means."""

    name: str
    definition: str
    look: str
    values: Mapping[str, str]
    sources: tuple[str, ...]
    doubt: Doubt | None


@dataclass(frozen=True)
class PairText:
    """Two look-alikes: the question that decides, and what each of the two shows: name -> words."""

    pair: str
    decides: str
    shows: Mapping[str, str]
    sources: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.shows)

    def other(self, name: str) -> str:
        """The look-alike of one of the two."""
        one, other = self.names
        return other if name == one else one


@dataclass(frozen=True)
class Measured:
    """How often each attribute value was annotated: class -> attribute -> value -> pictures.

    `n` holds the pictures of each class that were annotated; a class without annotations is not in it.
    """

    n: Mapping[str, int]
    counts: Mapping[str, Mapping[str, Mapping[str, int]]]
    source: str

    def share(self, name: str, attribute: str, value: str) -> float | None:
        """In [0, 1]; None where the class has no annotations."""
        if name not in self.n:
            return None
        return self.counts[name][attribute].get(value, 0) / self.n[name]

    def is_typical(self, name: str, attributes: Mapping[str, str]) -> bool:
        """Whether a cell has of each attribute the value that is the commonest in its class.

        The nucleus of a class that spans stages may have any shape. Of a class without annotations every cell is
        typical.
        """
        return all(
            attributes.get(attribute) == max(counts, key=lambda value: counts[value])
            for attribute, counts in self.counts.get(name, {}).items()
            if not (attribute == "nucleus_shape" and name in STAGES.values())
        )


@dataclass(frozen=True)
class Content:
    """All the teaching text. Mappings go by name, by pair as `cells.pair_of` says it, and by id."""

    cells: Mapping[str, CellText]
    attributes: Mapping[str, AttributeText]
    pairs: Mapping[str, PairText]
    sources: Mapping[str, SourceText]
    key: Key
    measured: Measured

    def look_alikes(self, name: str) -> tuple[PairText, ...]:
        """The pairs that a class or stage is in."""
        return tuple(pair for pair in self.pairs.values() if name in pair.names)


def read_content(folder: Path = HERE) -> Content:
    """The text of a folder. Raises DataError that names the file and the entry."""
    sources = {
        name: SourceText(name, _words(entry, "title", name), _words(entry, "about", name))
        for name, entry in _entries(folder / "sources.yaml", None).items()
    }
    cells = {
        name: CellText(
            name,
            _words(entry, "definition", name),
            _words(entry, "size", name),
            _words(entry, "nc_ratio", name),
            _words(entry, "nucleus", name),
            _words(entry, "chromatin", name),
            _words(entry, "cytoplasm", name),
            _words(entry, "granules", name),
            _words(entry, "normal", name),
            _sources(entry, name, sources),
            also=_words(entry, "also", name) if "also" in entry else "",
        )
        for name, entry in _entries(folder / "classes.yaml", NAMES).items()
    }
    attributes = {
        name: AttributeText(
            name,
            _words(entry, "definition", name),
            _words(entry, "look", name),
            _mapping(entry, "values", name, ATTRIBUTES[name]),
            _sources(entry, name, sources),
            _doubt(entry, name),
        )
        for name, entry in _entries(folder / "attributes.yaml", ATTRIBUTES).items()
    }
    wanted = (*(pair_of(*pair) for pair in LOOK_ALIKES), *STAGE_PAIRS)
    pairs = {
        name: PairText(
            name,
            _words(entry, "decides", name),
            _mapping(entry, "shows", name, name.split("|")),
            _sources(entry, name, sources),
        )
        for name, entry in _entries(folder / "pairs.yaml", wanted).items()
    }
    return Content(
        MappingProxyType(cells),
        MappingProxyType(attributes),
        MappingProxyType(pairs),
        MappingProxyType(sources),
        _key(folder / "key.yaml", sources),
        read_measured(folder / SHARES_FILE.name),
    )


@lru_cache(maxsize=1)
def content() -> Content:
    """The text that comes with HematoVision, read once. Raises DataError."""
    return read_content()


def read_measured(path: Path) -> Measured:
    """The counts that `benchmarks/attribute_shares.py` wrote. Raises DataError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        measured = Measured(found["n"], found["counts"], found["source"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read.", "Write it again: python -m benchmarks.attribute_shares.") from error
    _check_names(path, measured.n, CELL_CLASSES, complete=False)
    _check_names(path, measured.counts, measured.n)
    for name in measured.n:
        _check_names(path, measured.counts[name], ATTRIBUTES)
        for attribute, counts in measured.counts[name].items():
            _check_names(path, counts, ATTRIBUTES[attribute], complete=False)
            if sum(counts.values()) != measured.n[name]:
                raise DataError(f"{path}: the counts of {attribute} in {name} do not add up.", "Write it again.")
    return measured


def _key(path: Path, sources: Mapping[str, SourceText]) -> Key:
    try:
        found = _load(path)
        asks = {name: str(entry["ask"]) for name, entry in found["questions"].items()}
        features = {
            name: {str(feature): str(words) for feature, words in entry["features"].items()}
            for name, entry in found["questions"].items()
        }
        kinds = {
            kind: {question: frozenset(shown) for question, shown in entry.items()}
            for kind, entry in found["kinds"].items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is not laid out as a key.", "Compare it with the one of HematoVision.") from error
    _check_names(path, kinds, KINDS)
    for entry in kinds.values():
        _check_names(path, entry, asks)
        for question, shown in entry.items():
            _check_names(path, shown, features[question], complete=False)
    return Key(asks, features, kinds, _sources(found, "the key", sources))


def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path} cannot be read as YAML.", "Get the file of HematoVision again.") from error


def _entries(path: Path, wanted: Iterable[str] | None) -> dict[str, Any]:
    """Name -> entry, in the order of `wanted`; as they stand in the file where that is None."""
    found = _load(path)
    if not isinstance(found, dict):
        raise DataError(f"{path} has no entries.", "Get the file of HematoVision again.")
    if wanted is None:
        return found
    names = tuple(wanted)
    _check_names(path, found, names)
    return {name: found[name] for name in names}


def _check_names(path: Path, found: Iterable[str], allowed: Iterable[str], complete: bool = True) -> None:
    names, known = list(found), list(allowed)
    for name in names:
        if name not in known:
            raise DataError(f"{path}: unknown name '{name}'.", f"Should be one of: {', '.join(known)}.")
    if complete and (missing := [name for name in known if name not in names]):
        raise DataError(f"{path}: nothing is said of {', '.join(missing)}.", "Add an entry.")


def _words(entry: Any, field: str, name: str) -> str:
    words = entry.get(field) if isinstance(entry, dict) else None
    if not isinstance(words, str) or not words.strip():
        raise DataError(f"'{name}' does not say its {field}.", "Add the field.")
    return words


def _mapping(entry: Any, field: str, name: str, wanted: Iterable[str]) -> Mapping[str, str]:
    found = entry.get(field) if isinstance(entry, dict) else None
    names = list(wanted)
    if not isinstance(found, dict) or set(found) != set(names):
        raise DataError(f"'{name}' has wrong {field}.", f"Should have: {', '.join(names)}.")
    return MappingProxyType({str(one): _words(found, one, f"{name}, {field}") for one in found})


def _doubt(entry: Any, name: str) -> Doubt | None:
    if "doubt" not in entry:
        return None
    found = entry["doubt"]
    classes = found.get("classes") if isinstance(found, dict) else None
    if not isinstance(classes, list) or not classes or any(one not in CELL_CLASSES for one in classes):
        raise DataError(f"'{name}' has a doubt on unknown classes.", f"Use some of: {', '.join(CELL_CLASSES)}.")
    return Doubt(_words(found, "words", f"{name}, doubt"), tuple(classes))


def _sources(entry: Any, name: str, sources: Mapping[str, SourceText]) -> tuple[str, ...]:
    found = entry.get("sources") if isinstance(entry, dict) else None
    if not isinstance(found, list) or not found or any(one not in sources for one in found):
        raise DataError(f"'{name}' has no source, or one that is not listed.", f"Use ids: {', '.join(sources)}.")
    return tuple(found)
