import json
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from hematovision.cells import ATTRIBUTES
from hematovision.content.concepts import CONCEPTS_FILE
from hematovision.errors import DataError
from hematovision.library.concepts import CONVERGED, L2, fit_concepts, newton, one_hot
from hematovision.library.datasets import read_datasets
from hematovision.library.records import Record

FIRST = {name: values[0] for name, values in ATTRIBUTES.items()}


def record(label, split="train", is_drawn=False, **values):
    return Record("PBC", Path("a"), label, split, attributes=MappingProxyType({**FIRST, **values}), is_drawn=is_drawn)


def test_one_column_stands_for_one_value():
    row = one_hot([record("monocyte", cell_size="small")])[0]
    assert len(row) == sum(map(len, ATTRIBUTES.values())) and row.sum() == len(ATTRIBUTES)
    assert row[:4].tolist() == [0, 1, 1, 0]  # small, then irregular


def test_a_hand_made_table_is_learned_and_counted_on_the_other_split():
    rows = [record("lymphocyte", cell_size="small")] * 6 + [record("monocyte", cell_size="big")] * 6
    rows += [record("lymphocyte", "test", cell_size="small")] * 3 + [record("monocyte", "test", cell_size="small")]
    rows += [record("platelet", "val"), record("basophil", is_drawn=True)]
    found = fit_concepts(rows)
    assert found["train"] == {"n": 12} and found["gradient"] < CONVERGED
    assert (found["test"]["n"], found["test"]["right"]) == (4, 3)
    assert list(found["biases"]) == ["lymphocyte", "monocyte"]
    big = {label: table["cell_size"]["big"] for label, table in found["weights"].items()}
    assert big["monocyte"] > 0.5 and big["lymphocyte"] == pytest.approx(-big["monocyte"], abs=1e-5)
    assert found["weights"]["monocyte"]["granularity"]["yes"] == 0  # never seen: nothing is known of it


def test_no_step_from_the_end_makes_the_penalized_likelihood_greater():
    rng = np.random.default_rng(0)
    inputs, keys = rng.integers(0, 2, (40, 3)).astype(float), rng.integers(0, 3, 40)

    def loss(matrix):
        logits = inputs @ matrix[:, :3].T + matrix[:, 3]
        chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        return L2 / 2 * (matrix[:, :3] ** 2).sum() - np.log(chances[np.arange(40), keys]).sum()

    matrix, steepest = newton(inputs, keys, 3)
    assert steepest < CONVERGED
    for _ in range(50):
        assert loss(matrix + rng.normal(0, 0.01, matrix.shape)) > loss(matrix)


def test_nothing_to_fit_on_is_an_error():
    with pytest.raises(DataError, match="no annotated pictures"):
        fit_concepts([record("monocyte", "val")])


def test_the_app_has_the_model_of_the_real_data(real_data):
    written = json.loads(CONCEPTS_FILE.read_text(encoding="utf-8"))
    found = fit_concepts(read_datasets(real_data))
    assert {name: found[name] for name in ("l2", "train", "test")} == {
        name: written[name] for name in ("l2", "train", "test")
    }
    assert found["biases"] == pytest.approx(written["biases"], abs=2e-6)
    for label, table in found["weights"].items():
        for head, values in table.items():
            assert values == pytest.approx(written["weights"][label][head], abs=2e-6)
