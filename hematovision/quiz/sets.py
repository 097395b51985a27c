"""A quiz set: what it is called, which answers it offers, which cells it asks. Pure: files are read elsewhere."""

import re
from dataclasses import dataclass
from typing import Any

from hematovision.cells import CELL_CLASSES, STAGES, class_of
from hematovision.errors import InputError, unknown
from hematovision.quiz.grading import check_rule
from hematovision.quiz.questions import MOST_CHOICES

FIELDS = ("title", "choices", "cells", "grading")

_ID = re.compile(r"[a-z0-9-]{1,28}")


@dataclass(frozen=True)
class QuizSet:
    """`choices` are classes or stages; `cells` are files of the set's folder, and none means all that fit.

    `grading` is one of `grading.RULES`.
    """

    id: str
    title: str
    choices: tuple[str, ...]
    cells: tuple[str, ...] = ()
    grading: str = "plain"

    def holds(self, file: str) -> bool:
        """Whether a file of its folder may be asked."""
        return not self.cells or file in self.cells

    def key(self, label: str, stage: str) -> str | None:
        """The choice that is right for a cell of this class and stage, or None where the set has none."""
        return next((name for name in (stage, label) if name in self.choices), None)

    def as_dict(self) -> dict[str, Any]:
        """What `parse` takes."""
        cells = {"cells": list(self.cells)} if self.cells else {}
        grading = {"grading": self.grading} if self.grading != "plain" else {}
        return {"title": self.title, "choices": list(self.choices), **cells, **grading}


def parse(set_id: str, values: object) -> QuizSet:
    """The set that a file with the name `set_id` describes. Raises InputError that names the field."""
    if not _ID.fullmatch(set_id):
        raise InputError(f"'{set_id}' is no name for a set.", "Use up to 28 lower-case letters, digits and hyphens.")
    if not isinstance(values, dict):
        raise InputError("A set has no fields.", f"It should have: {', '.join(FIELDS)}.")
    for name in values:
        if name not in FIELDS:
            raise unknown("field", name, FIELDS)
    title = values.get("title")
    if not isinstance(title, str) or not title.strip():
        raise InputError("title is missing.", "Say in a few words what the set is about.")
    grading = check_rule(str(values.get("grading", "plain")))
    return QuizSet(set_id, title.strip(), parse_choices(values.get("choices")), _cells(values.get("cells")), grading)


def parse_choices(names: object) -> tuple[str, ...]:
    """The classes or stages that a quiz offers. Raises InputError where they are too few, too many or overlap."""
    if not isinstance(names, list) or not 2 <= len(names) <= MOST_CHOICES:
        raise InputError("choices should be a list.", f"It should have 2 to {MOST_CHOICES} classes or stages.")
    for name in names:
        if name not in (*CELL_CLASSES, *STAGES):
            raise unknown("name in choices", name, (*CELL_CLASSES, *STAGES))
        if names.count(name) > 1:
            raise InputError(f"choices names {name} twice.", "Name each one once.")
        if name in STAGES and class_of(name) in names:
            raise InputError(f"choices names {name} and its class {class_of(name)}.", "Name one of them.")
    return tuple(names)


def _cells(files: object) -> tuple[str, ...]:
    if files is None:
        return ()
    if not isinstance(files, list) or not files or not all(isinstance(file, str) for file in files):
        raise InputError("cells should be a list of files.", "Leave it out to ask every cell that fits.")
    return tuple(files)
