"""Sets as YAML files: read, checked fault by fault with their lines, written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hematovision.errors import DataError, HematoVisionError, InputError
from hematovision.files import cannot_write, write_whole
from hematovision.quiz import sets
from hematovision.quiz.faults import Place
from hematovision.quiz.sets import QuizSet

MOST_BYTES = 2_000_000
_DEEPEST = 12
"""Levels of a file: a set needs three. Without a limit a file of brackets ends the process."""
_MOST_EVENTS = 20_000
"""Fields and values of a file, beginnings and ends: a full set has 7,000. A file of commas would take minutes."""
_LONGEST_NUMBER = 1000
"""Letters. A longer one in hexadecimal is read, and then too long to be named in a fault."""


@dataclass(frozen=True)
class SetFault:
    """What is wrong in a file; `line` counts from 1."""

    line: int
    error: HematoVisionError


_READ_AS_VALUES = ("bool", "int", "float", "null", "timestamp")
"""Kinds of YAML that a bare word may be taken for."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C reads a full set in a tenth of the time."""


def read_set(path: Path) -> QuizSet:
    """The set in a file. Raises DataError that names the first fault."""
    quiz_set, faults = check_text(path.stem, text_of(path))
    if quiz_set is None:
        error = faults[0].error
        raise DataError(f"{path}, line {faults[0].line}: {error.message}", error.hint) from error
    return quiz_set


def check_text(set_id: str, text: str) -> tuple[QuizSet | None, list[SetFault]]:
    """The set that a YAML text describes, None where it has faults; and every fault, in order of the lines."""
    try:
        values, root = _plain(text)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        # What is missing at the end is missed after the last line.
        line = min(mark.line, text.count("\n")) + 1 if mark else 1
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        wrong = DataError(f"This is no plain YAML: {problem}.", "Compare it with a set of the quiz bank.")
        return None, [SetFault(line, wrong)]
    lines = _Lines(root)
    quiz_set, found = sets.read(set_id, values)
    faults = [SetFault(lines.of(fault.place), fault.error) for fault in found]
    faults += [
        SetFault(line, InputError(f"{name} is there twice.", "Keep one of them: the last would count."))
        for line, name in lines.doubles
    ]
    return (None if faults else quiz_set), sorted(faults, key=lambda fault: fault.line)


def lines_of_cells(text: str) -> list[int]:
    """The line of each cell of a text that `check_text` found no fault in, in order."""
    values, root = _plain(text)
    lines = _Lines(root)
    cells = values.get("cells") if isinstance(values, dict) else None
    return [lines.of(("cells", number)) for number in range(len(cells or ()))]


def as_text(quiz_set: QuizSet) -> str:
    """The YAML text of a set: what `check_text` takes."""
    return yaml.safe_dump(quiz_set.as_dict(), sort_keys=False, allow_unicode=True)


def set_file(folder: Path, set_id: str) -> Path:
    return folder / "sets" / f"{set_id}.yaml"


def write_set(folder: Path, quiz_set: QuizSet) -> None:
    """Write the file of a set, whole or not at all. Raises DataError."""
    path = set_file(folder, quiz_set.id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, as_text(quiz_set))
    except OSError as error:
        raise cannot_write(path, error) from error


class _Lines:
    """Where the fields of a YAML text stand."""

    def __init__(self, root: yaml.Node | None):
        self._lines: dict[Place, int] = {}
        self.doubles: list[tuple[int, str]] = []
        if root is not None:
            self._walk((), root)

    def of(self, place: Place) -> int:
        """The line of a place, from 1; of what should hold it where it is not there."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def _walk(self, place: Place, node: yaml.Node) -> None:
        self._lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            names = set()
            for key, value in node.value:
                name = str(key.value)
                if name in names:
                    self.doubles.append((key.start_mark.line + 1, name))
                names.add(name)
                # `no: 1` has a field False: its fault has the value for a place, not the word.
                if isinstance(key, yaml.ScalarNode) and key.tag.rsplit(":", 1)[-1] in _READ_AS_VALUES:
                    self._lines[(*place, yaml.load(name, _Loader))] = key.start_mark.line + 1
                self._lines[(*place, name)] = key.start_mark.line + 1
                self._walk((*place, name), value)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                self._walk((*place, number), value)


def _plain(text: str) -> tuple[object, yaml.Node | None]:
    """The values of a YAML text, and the tree that they stand in. Raises YAMLError, ValueError, OverflowError.

    What can make a small file huge is refused before anything is built of it.
    """
    depth = 0
    for number, event in enumerate(yaml.parse(text, _Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        problem = ""
        if isinstance(event, yaml.AliasEvent):
            problem = "an alias is not used here"
        elif isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            problem = "a merge is not used here"
        elif isinstance(event, yaml.ScalarEvent) and event.implicit[0] and _is_long_number(event.value):
            problem = "a number is too long"
        elif depth > _DEEPEST:
            problem = "too many levels"
        elif number > _MOST_EVENTS:
            problem = "too many values"
        if problem:
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        return (None if root is None else loader.construct_document(root)), root
    finally:
        loader.dispose()


def _is_long_number(word: str) -> bool:
    return len(word) > _LONGEST_NUMBER and word.lstrip("+-")[:1].isdigit()


def text_of(path: Path) -> str:
    """The text of a set's file. Raises DataError."""
    hint = "Compare it with a set of the quiz bank."
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path} has more than {MOST_BYTES // 1_000_000} MB.", "Split the set.")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"There is no file {path}.", "Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text.", hint) from error
