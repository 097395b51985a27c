import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hematovision.spreadsheet import as_csv, safe

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.tuples(TEXT, st.none() | st.integers())))
def test_a_table_comes_back_as_it_was_and_runs_nothing(rows):
    head, *found = csv.reader(io.StringIO(as_csv(("said", "count"), rows), newline=""))
    assert head == ["said", "count"]
    for (said, count), (shown, counted) in zip(rows, found, strict=True):
        assert shown in (said, f"'{said}") and not shown.lstrip().startswith(("=", "+", "-", "@"))
        assert counted == ("" if count is None else str(count))


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", " =1", "\t=1"])
def test_only_text_that_could_be_a_formula_is_marked(text):
    assert safe(text) == f"'{text}" and safe(f"a{text}") == f"a{text}" and safe("") == ""
