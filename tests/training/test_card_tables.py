from hematovision.training.card.tables import (
    class_name,
    class_table,
    estimate,
    matrix_table,
    most_confused,
    percent,
    percent_of,
    table,
)

CONFUSION = {"labels": ["monocyte", "platelet"], "rows": [[3, 1200], [0, 0]]}
METRICS = {
    "confusion": CONFUSION,
    "classes": {
        "monocyte": {"recall": 3 / 1203, "precision": 1.0, "f1": 0.5, "n": 1203},
        "platelet": {"recall": None, "precision": 0.0, "f1": None, "n": 0},
    },
}


def test_shares_are_written_with_interval_and_count():
    assert percent(0.98765) == "98.8 %"
    assert percent_of({"value": 0.5, "interval": [0.25, 0.75]}) == "50.0 % (25.0 % to 75.0 %)"
    assert percent_of({"value": 0.5, "interval": [0.25, 0.75], "n": 1200}).endswith(", n = 1,200)")
    assert percent_of({"value": None, "interval": [0, 1], "n": 0}) == "– (n = 0)"
    assert estimate({"value": 0.5, "interval": [0.25, 0.75]}) == "0.5000 (0.2500 to 0.7500)"


def test_a_table_has_a_head_and_its_rows():
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_class_without_cells_has_dashes_and_no_row_among_the_keys():
    monocyte, platelet = class_table(METRICS).splitlines()[2:]
    assert monocyte == "| monocyte | 0.2 % (0.1 % to 0.7 %, n = 1,203) | 100.0 % | 50.0 % |"
    assert platelet == "| platelet | – (n = 0) | 0.0 % | – |"
    assert matrix_table(CONFUSION).splitlines()[2:] == ["| **monocyte** | 3 | 1,200 |"]


def test_errors_are_named_the_most_frequent_first():
    rows = [[0, 2, 1], [5, 0, 0], [0, 0, 9]]
    found = most_confused({"labels": ["monocyte", "platelet", "immature_granulocyte"], "rows": rows}, count=2)
    assert found == "platelet taken for monocyte (5), monocyte taken for platelet (2)"
    assert most_confused({"labels": ["monocyte"], "rows": [[4]]}) == ""
    assert class_name("immature_granulocyte") == "immature granulocyte"
