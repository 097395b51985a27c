"""BCCD's cells that are called eosinophils and look otherwise: what our eyes say beside what its key says.

Each of the 72 was looked at once, by eye, without the model's answer, and by no hematologist: coarse orange granules
make an eosinophil; fine lilac ones and a nucleus of three lobes and more a neutrophil; the rest is unclear. The other
classes were looked through in the same way, and nothing was found to change.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import yaml

from hematovision.library.records import Record

READINGS = Path(__file__).with_name("second_readings.yaml")
UNCLEAR = "unclear"


def reread(records: Iterable[Record]) -> list[Record | None]:
    """Each record with the class that was read where it differs from its key; None where nothing could be read."""
    listed = yaml.safe_load(READINGS.read_text(encoding="utf-8"))
    readings = {number: reading for reading, numbers in listed.items() for number in numbers}

    def read(record: Record) -> str:
        number = re.search(r"\d+", record.path.stem)
        return readings.get(int(number[0]), record.label) if number and record.dataset == "BCCD" else record.label

    return [None if read(r) == UNCLEAR else replace(r, label=read(r)) for r in records]
