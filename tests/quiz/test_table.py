import csv
import io
import json
from dataclasses import replace

from hematovision.quiz.questions import Region, Reply
from hematovision.quiz.session import Plan, Session
from hematovision.quiz.table import COLUMNS, as_csv, row
from tests.quiz.make import NOW, answered

SESSION = Session(7, "ann", Plan(), NOW)
FULL = replace(
    answered(model="lymphocyte"),
    reply=Reply("monocyte", 2, {"granularity": "no"}, Region(0.25, 0.5, 0.25, 0.5)),
    revised="monocyte",
    dispute="=HYPERLINK(1), or not",
)


def test_a_row_holds_all_that_was_said_and_goes_through_json():
    values = json.loads(json.dumps(row(SESSION, FULL)))
    assert tuple(values) == COLUMNS
    assert (values["session"], values["key"], values["right"], values["seconds"]) == (7, "monocyte", True, 5.0)
    assert values["features"] == {"granularity": "no"} and values["region"]["w"] == 0.25
    assert values["answered_at"] == "2026-01-02T03:04:00+00:00" and values["model_probability"] == 0.9
    assert row(SESSION, answered())["model_label"] is None


def test_csv_comes_back_and_runs_nothing_in_a_spreadsheet():
    head, full, plain = csv.reader(io.StringIO(as_csv([row(SESSION, FULL), row(SESSION, answered())])))
    assert tuple(head) == COLUMNS
    found = dict(zip(head, full, strict=True))
    assert found["dispute"] == "'=HYPERLINK(1), or not"
    assert found["choices"] == "eosinophil lymphocyte monocyte neutrophil"
    assert found["features"] == "granularity=no" and found["region"] == "x=0.25 y=0.5 w=0.25 h=0.5"
    assert dict(zip(head, plain, strict=True))["dispute"] == ""
