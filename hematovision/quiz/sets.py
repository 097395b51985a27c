"""A quiz set: what it is called, which answers it offers, which cells it asks, by which policy.

Pure: files are read elsewhere. docs/sets.md tells what a file holds.
"""

import json
import re
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from hematovision.cells import CELL_CLASSES, STAGES, class_of
from hematovision.errors import InputError, unknown
from hematovision.quiz import policy as policies
from hematovision.quiz.faults import Fault, Faults
from hematovision.quiz.grading import check_rule
from hematovision.quiz.policy import FREE, Policy
from hematovision.quiz.questions import MOST_CHOICES
from hematovision.quiz.set_cells import SetCell, checked_text, plain_text, read_cells

FIELDS = ("title", "choices", "cells", "grading", "policy", "version", "content_hash")
LONGEST_TITLE = 200

ID = re.compile(r"[a-z0-9-]{1,28}")
"""Of a set: the name of its file."""


@dataclass(frozen=True)
class QuizSet:
    """`choices` are classes or stages; no `cells` means all of the folder that fit.

    `grading` is one of `grading.RULES`. `version` counts how often it was published; 0 is a draft. A published set
    never changes: the next version does.
    """

    id: str
    title: str
    choices: tuple[str, ...]
    cells: tuple[SetCell, ...] = ()
    grading: str = "plain"
    policy: Policy = FREE
    version: int = 0

    @cached_property
    def _by_picture(self) -> dict[str, SetCell]:
        return {cell.picture: cell for cell in self.cells}

    def holds(self, file: str) -> bool:
        """Whether a file of its folder may be asked."""
        return not self.cells or file in self._by_picture

    def cell(self, file: str) -> SetCell:
        """What the set says of a file of its folder."""
        return self._by_picture.get(file, SetCell(file))

    def key(self, label: str, stage: str) -> str | None:
        """The choice that is right for a cell of this class and stage, or None where the set has none."""
        return next((name for name in (stage, label) if name in self.choices), None)

    @property
    def content_hash(self) -> str:
        """SHA-256 of all that a student meets: everything but the name of the set and its version.

        Pictures count by their names.
        """
        return sha256(json.dumps(self._content(), sort_keys=True).encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """What `parse` takes."""
        frozen = {"version": self.version, "content_hash": self.content_hash} if self.version else {}
        return self._content() | frozen

    def _content(self) -> dict[str, Any]:
        values: dict[str, Any] = {"title": self.title, "choices": list(self.choices)}
        if self.cells:
            values["cells"] = [cell.as_value() for cell in self.cells]
        if self.grading != "plain":
            values["grading"] = self.grading
        if self.policy != FREE:
            values["policy"] = self.policy.as_dict()
        return values


def publish(quiz_set: QuizSet) -> QuizSet:
    """The next version of a set, frozen. Raises InputError where a cell of it has no key of its own.

    A key that comes from the labels of a folder would change with them.
    """
    if not quiz_set.cells or any(cell.key is None for cell in quiz_set.cells):
        raise InputError("Not every cell of the set has a key.", "List the cells with their keys.", kind="no_key")
    return replace(quiz_set, version=quiz_set.version + 1)


def parse(set_id: str, values: object) -> QuizSet:
    """The set that a file with the name `set_id` describes. Raises InputError that names the field."""
    quiz_set, faults = read(set_id, values)
    if faults:
        raise faults[0].error
    return quiz_set


def read(set_id: str, values: object) -> tuple[QuizSet, list[Fault]]:
    """The set as far as it can be read, and every fault of it: one with a fault is not to be used."""
    faults = Faults()
    if not ID.fullmatch(set_id):
        faults.add((), f"'{set_id}' is no name for a set.", "Use up to 28 lower-case letters, digits and hyphens.")
    if not isinstance(values, dict):
        faults.add((), "A set has no fields.", f"It should have: {', '.join(FIELDS[:4])}.")
        return QuizSet(set_id, "", ()), faults.found
    for name in values:
        if name not in FIELDS:
            faults.found.append(Fault((name,), unknown("field", str(name), FIELDS)))
    title = faults.read(("title",), parse_title, values.get("title"), "")
    none: tuple[str, ...] = ()
    choices = faults.read(("choices",), parse_choices, values.get("choices"), none)
    cells = read_cells(values.get("cells"), choices, faults)
    grading = faults.read(("grading",), lambda rule: check_rule(str(rule)), values.get("grading", "plain"), "plain")
    policy = policies.read(values.get("policy"), ("policy",), faults)
    version = faults.read(("version",), _version, values.get("version", 0), 0)
    quiz_set = QuizSet(set_id, title, choices, cells, grading, policy, version)
    if not faults.found and version and values.get("content_hash") != quiz_set.content_hash:
        faults.add(
            ("content_hash",),
            f"The set was changed after it was published as version {version}.",
            "Publish it again for a new version, or take the file back from a copy.",
        )
    return quiz_set, faults.found


def parse_title(value: object) -> str:
    """A title: one line without control characters. Raises InputError."""
    title = plain_text("title", checked_text("title", value), LONGEST_TITLE, "")
    if not title:
        raise InputError("title is missing.", "Say in a few words what the set is about.")
    return title


def parse_choices(names: object) -> tuple[str, ...]:
    """The classes or stages that a quiz offers. Raises InputError where they are too few, too many or overlap."""
    if not isinstance(names, list) or not 2 <= len(names) <= MOST_CHOICES:
        raise InputError(f"choices should be a list of 2 to {MOST_CHOICES} classes or stages.", "Name more, or fewer.")
    for name in names:
        if name not in (*CELL_CLASSES, *STAGES):
            raise unknown("name in choices", name, (*CELL_CLASSES, *STAGES))
        if names.count(name) > 1:
            raise InputError(f"choices names {name} twice.", "Name each one once.")
        if name in STAGES and class_of(name) in names:
            raise InputError(f"choices names {name} and its class {class_of(name)}.", "Name one of them.")
    return tuple(names)


def _version(value: object) -> int:
    if type(value) is not int or value < 0:
        raise InputError("version should be a whole number.", "0, or none, is a draft.")
    return value
