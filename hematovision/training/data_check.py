"""What is known to be wrong with a data set's labels, counted in the copy that is used."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from hematovision.library.records import Record

SEGMENTED = "SNE"
"""How PBC's file names of segmented neutrophils begin; `nucleus_shape` of WBCAtt's annotators stands beside."""
BAND = "unsegmented-band"


def check_data(records: Sequence[Record]) -> dict[str, Any]:
    """Counts of what a reader of the metrics should know; reads every file.

    `copies`: pictures with the very bytes of an earlier one; `copies_across_splits`: those whose equal is in another
    split; `copies_with_other_keys`: those whose equal has another key. `segmented`: cells that are segmented
    neutrophils by their file name, and how many of those that are annotated were called a band by the annotators.
    """
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[hashlib.sha256(record.path.read_bytes()).hexdigest()].append(record)
    copies = [(group[0], copy) for group in groups.values() for copy in group[1:]]
    segmented = [record for record in records if record.path.name.startswith(f"{SEGMENTED}_")]
    shapes = [record.attributes["nucleus_shape"] for record in segmented if "nucleus_shape" in record.attributes]
    return {
        "pictures": len(records),
        "copies": len(copies),
        "copies_across_splits": sum(first.split != copy.split for first, copy in copies),
        "copies_with_other_keys": sum(first.label != copy.label for first, copy in copies),
        "annotated": sum(bool(record.attributes) for record in records),
        "segmented": {"named": len(segmented), "annotated": len(shapes), "called_band": shapes.count(BAND)},
    }
