"""How a sentence says each value of an attribute, and the English that it takes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import yaml

from hematovision.cells import ATTRIBUTES, display_name
from hematovision.errors import DataError

T = TypeVar("T")

PHRASES_FILE = Path(__file__).parent / "phrases.yaml"

SUBJUNCTIVE: Mapping[str, str] = MappingProxyType(
    {"is": "were", "are": "were", "has": "had", "takes": "took", "looks": "looked"}
)
"""Each verb that a phrase may have -> how it says what is not so."""


@dataclass(frozen=True)
class Phrase:
    """`the granules`, `are`, `fine`. The subject always begins with `the`."""

    subject: str
    verb: str
    rest: str

    @property
    def words(self) -> str:
        """`the granules are fine`"""
        return f"{self.subject} {self.verb} {self.rest}"

    @property
    def if_words(self) -> str:
        """`the granules were fine`: of what is not so."""
        return f"{self.subject} {SUBJUNCTIVE[self.verb]} {self.rest}"

    @property
    def its_words(self) -> str:
        """`its granules are fine`; of the cell itself `it has no granules`."""
        subject = "it" if self.subject == "the cell" else self.subject.replace("the ", "its ", 1)
        return f"{subject} {self.verb} {self.rest}"

    @property
    def pronoun(self) -> str:
        return "they" if self.verb == "are" else "it"


Phrases = Mapping[tuple[str, str], Phrase]
"""(Attribute, value) -> how it is said."""


def read_phrases(path: Path) -> Phrases:
    """Raises DataError that names the attribute where one lacks, or is not laid out as a phrase."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        phrases = {}
        for head, values in ATTRIBUTES.items():
            if set(found[head]) != set(values):
                raise DataError(f"{path}: {head} has wrong values.", f"Should have: {', '.join(values)}.")
            for value in values:
                subject, verb, rest = map(str, found[head][value])
                if verb not in SUBJUNCTIVE or not subject.startswith("the "):
                    raise DataError(f"{path}: {head} {value} is no phrase.", f"Verbs: {', '.join(SUBJUNCTIVE)}.")
                phrases[head, value] = Phrase(subject, verb, rest)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} cannot be read.", "Get the file of HematoVision again.") from error
    return MappingProxyType(phrases)


@lru_cache(maxsize=1)
def phrases() -> Phrases:
    """The phrases that come with HematoVision, read once. Raises DataError."""
    return read_phrases(PHRASES_FILE)


def sentence_case(words: str) -> str:
    return words[0].upper() + words[1:]


def with_article(name: str) -> str:
    """`eosinophil` -> `an eosinophil`; names of classes only, which begin as they sound."""
    words = display_name(name).lower()
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def plural(name: str) -> str:
    """`immature_granulocyte` -> `immature granulocytes`"""
    return f"{display_name(name).lower()}s"


def percent(share: float) -> str:
    """A share in words. Never 100 % or 0 % for what is not certain."""
    if 0.995 <= share < 1:
        return "> 99 %"
    return "< 1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


def unbroken(words: str) -> str:
    """The words with every share in them kept on one line: neither its sign nor `%` is left at the end of another."""
    return re.sub(r"([<>]) (?=\d)|(?<=\d) (?=%)", lambda found: f"{found[1] or ''}\xa0", words)


def counted(count: int, noun: str) -> str:
    """`1 cell`, `20 cells`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def told_apart(labels: Mapping[T, str]) -> dict[T, str]:
    """What each is called, no two alike: of those with one label the later ones get a number (`Wei Chen (2)`).

    A control that is given two alike takes one for the other.
    """
    apart: dict[T, str] = {}
    for key, label in labels.items():
        number, words = 1, label
        while words in apart.values():
            number += 1
            words = f"{label} ({number})"
        apart[key] = words
    return apart
