import json
from pathlib import Path
from types import MappingProxyType

from hematovision.cells import ATTRIBUTES
from hematovision.content import SHARES_FILE
from hematovision.library.datasets import read_datasets
from hematovision.library.records import Record
from hematovision.library.shares import attribute_counts

FIRST = {name: values[0] for name, values in ATTRIBUTES.items()}


def record(label, is_drawn=False, **attributes):
    return Record("PBC", Path("a"), label, attributes=MappingProxyType(attributes), is_drawn=is_drawn)


def test_values_are_counted_by_class():
    found = attribute_counts(
        [
            record("monocyte", **FIRST),
            record("monocyte", **{**FIRST, "cell_size": "small"}),
            record("neutrophil", **FIRST),
            record("platelet"),
            record("monocyte", cell_size="big"),  # annotated in part
            record("monocyte", is_drawn=True, **FIRST),
        ]
    )
    assert found["n"] == {"monocyte": 2, "neutrophil": 1}
    assert found["counts"]["monocyte"]["cell_size"] == {"big": 1, "small": 1}
    assert found["counts"]["monocyte"]["granularity"] == {"no": 2}
    assert found["counts"]["neutrophil"]["cell_size"] == {"big": 1}


def test_the_atlas_has_the_counts_of_the_real_data(real_data):
    written = json.loads(SHARES_FILE.read_text(encoding="utf-8"))
    assert attribute_counts(read_datasets(real_data)) == {name: written[name] for name in ("n", "counts")}
