"""How often each attribute value was annotated in each class of a data set."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from hematovision.cells import ATTRIBUTES, CELL_CLASSES
from hematovision.library.records import Record


def attribute_counts(records: Iterable[Record]) -> dict[str, Any]:
    """Of the real pictures with all attributes: `n` by class, and `counts` by class, attribute and value.

    A class without annotations is left out; a value that was never annotated in a class is not counted there.
    """
    annotated = [record for record in records if not record.is_drawn and record.attributes.keys() == ATTRIBUTES.keys()]
    counts = Counter((r.label, name, value) for r in annotated for name, value in r.attributes.items())
    n = Counter(record.label for record in annotated)
    return {
        "n": {label: n[label] for label in CELL_CLASSES if n[label]},
        "counts": {
            label: {
                name: {value: counts[label, name, value] for value in values if counts[label, name, value]}
                for name, values in ATTRIBUTES.items()
            }
            for label in CELL_CLASSES
            if n[label]
        },
    }
