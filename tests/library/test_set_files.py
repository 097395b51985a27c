"""Sets as files: every fault with its line, and nothing that a file may hold ends the process."""

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision.errors import DataError, InputError
from hematovision.exchange.formats import FORMATS
from hematovision.library.set_files import MOST_BYTES, as_text, check_text, lines_of_cells, read_set
from hematovision.quiz import blueprint, policy, set_cells, sets
from hematovision.quiz.sets import QuizSet, parse
from hematovision.settings import ROOT

FAULTY = """\
title: ''
choices: [band, segmented]
cells:
- pictures/0.png
- picture: pictures/1.png
  key: monocyte
  note: 3
- ../2.png
policy:
  feedback: later
  opens_at: 2026-11-30T08:00:00+01:00
  closes_at: 2026-11-30 07:00:00Z
grading: kind
grading: plain
sound: true
"""


def test_every_fault_is_named_with_its_line():
    quiz_set, faults = check_text("s", FAULTY)
    assert quiz_set is None
    assert [(fault.line, fault.error.message.split(".")[0]) for fault in faults] == [
        (1, "title is missing"),
        (6, "Unknown key 'monocyte'"),
        (7, "note was read as 3, which is no text"),
        (8, "'"),
        (10, "Unknown feedback 'later'"),
        (12, "The set closes before it opens"),
        (14, "grading is there twice"),
        (15, "Unknown field 'sound'"),
    ]
    assert all(fault.error.hint for fault in faults)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("title: [", 1, "This is no plain YAML"),
        ("title: x\n\tchoices: []", 2, "This is no plain YAML"),
        ("title: x\nchoices: &a [band]\ncells: *a", 3, "an alias is not used here"),
        ("title: x\nchoices: !!python/name:os.system", 2, "This is no plain YAML"),
        ("title: x\npolicy: {opens_at: 2026-13-41}", 1, "This is no plain YAML: month must be in 1..12"),
        ("a: " + "[" * 5000, 1, "too many levels"),
        ("a: [" + "1," * 30_000 + "1]", 1, "too many values"),
        ("a\x00b", 1, "characters are not allowed"),
        ("", 1, "A set has no fields"),
        ("- a", 1, "A set has no fields"),
        ("a: 1\n---\nb: 2", 2, "This is no plain YAML"),
        ("a: " + "9" * 5000, 1, "a number is too long"),
        ("title: 0x" + "f" * 5000, 1, "a number is too long"),
        ("title: T\nchoices: [band, -0b" + "1" * 20_000 + "]", 2, "a number is too long"),
        ("title: T\nchoices: [band, 1" + ":59" * 5000 + "]", 2, "a number is too long"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(text, line, words):
    quiz_set, (fault, *_) = check_text("s", text)
    assert quiz_set is None and fault.line == line and words in fault.error.message


def test_a_field_that_yaml_takes_for_a_value_has_its_line():
    """`no`, a number or a date are no text to YAML."""
    text = "title: T\nchoices: [band, segmented]\nno: 1\n12: x\n2026-11-30: y\n~: z\n1e3: 1\nyes: {}\n"
    _, faults = check_text("s", text)
    assert [(fault.line, fault.error.message) for fault in faults] == [
        (3, "Unknown field 'False'."),
        (4, "Unknown field '12'."),
        (5, "Unknown field '2026-11-30'."),
        (6, "Unknown field 'None'."),
        (7, "Unknown field '1e3'."),
        (8, "Unknown field 'True'."),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("note: yes", "note was read as true, which is no text"),
        ("note: 2026-11-30", "note was read as 2026-11-30, which is no text"),
        ("note: [a]", "note was read as ['a'], which is no text"),
        ("key: no", "Unknown key 'False'"),
        ("key: .inf", "Unknown key 'inf'"),
        ("drawn: 'yes'", "drawn should be true or false"),
        ("drawn: 1", "drawn should be true or false"),
        ("key: !!binary YQ==", "Unknown key"),
        ("note: !!set {a, b}", "note was read as "),
    ],
)
def test_a_value_that_yaml_takes_for_something_else_is_named(line, words):
    text = f"title: T\nchoices: [band, segmented]\ncells:\n- picture: pictures/0123456789abcdef.png\n  {line}\n"
    _, (fault,) = check_text("s", text)
    assert fault.line == 5 and words in fault.error.message and fault.error.hint


@pytest.mark.parametrize(
    ("title", "read"),
    [("no", "false"), ("2026", "2026"), ("2026-11-30", "2026-11-30"), ("1:30", "90"), ("[a]", "['a']")],
)
def test_a_title_that_yaml_takes_for_something_else_is_told_as_it_was_read(title, read):
    _, (fault,) = check_text("s", f"title: {title}\nchoices: [band, segmented]\n")
    assert (fault.line, fault.error.message) == (1, f"title was read as {read}, which is no text.")
    assert "quotes" in fault.error.hint
    assert check_text("s", f"title: '{title}'\nchoices: [band, segmented]\n")[0].title == title


@pytest.mark.parametrize("title", ["", "~", "''", "' '"])
def test_a_title_that_says_nothing_is_missing(title):
    _, (fault,) = check_text("s", f"title: {title}\nchoices: [band, segmented]\n")
    assert (fault.line, fault.error.message) == (1, "title is missing.")


def test_what_was_read_for_a_text_is_told_in_short():
    _, (fault,) = check_text("s", f"title: [{'a, ' * 9000}a]\nchoices: [band, segmented]\n")
    assert len(fault.error.message) < 90


@pytest.mark.parametrize("picture", ["12", "yes", "2026-11-30", "[a]", "'a\tb'", '"a\\nb"', "'" + "a" * 300 + ".png'"])
def test_what_is_no_name_of_a_file_is_refused(picture):
    _, (fault,) = check_text("s", f"title: T\nchoices: [band, segmented]\ncells:\n- a.png\n- {picture}\n")
    assert fault.line == 5 and fault.error.hint


def test_a_name_is_as_long_as_a_disk_takes_it():
    text = "title: T\nchoices: [band, segmented]\ncells: ['{}.png']\n"
    assert not check_text("s", text.format("é" * 125))[1]
    assert "no disk takes" in check_text("s", text.format("é" * 126))[1][0].error.message
    assert "picture has 1,003 letters" in check_text("s", text.format("a/" * 499 + "a"))[1][0].error.message


def test_the_cells_of_a_text_have_their_lines():
    text = "title: T\nchoices: [band, segmented]\ncells:\n- a.png\n\n- picture: b.png\n  key: band\n"
    assert lines_of_cells(text) == [4, 6] and lines_of_cells(text.split("cells")[0]) == []


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        read_set(tmp_path / "none.yaml")
    (tmp_path / "big.yaml").write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(DataError, match="more than 2 MB"):
        read_set(tmp_path / "big.yaml")
    (tmp_path / "latin.yaml").write_bytes("title: Für".encode("latin-1"))
    with pytest.raises(DataError, match="cannot be read as text"):
        read_set(tmp_path / "latin.yaml")


def test_the_first_fault_is_named_where_a_set_is_read(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(FAULTY)
    with pytest.raises(DataError, match=r"bad\.yaml, line 1: title is missing"):
        read_set(path)


def test_the_document_of_sets_is_true():
    text = (ROOT / "docs" / "sets.md").read_text(encoding="utf-8")
    example, rows = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    quiz_set, faults = check_text("example", example)
    assert not faults and quiz_set.cells[1].second_key == "lymphocyte" and quiz_set.policy.pass_mark == 0.6
    assert [row.count for row in blueprint.parse(yaml.safe_load(rows))] == [12, 6, 2]
    tables = [re.findall(r"^\| (`.*?) \|", part, re.MULTILINE) for part in text.split("\n## ")]
    named = [re.findall(r"`([\w-]+)`", " ".join(table)) for table in tables if table]
    assert named == [list(sets.FIELDS), list(set_cells.FIELDS), list(policy.FIELDS), list(FORMATS)]


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_title_and_note_come_back_from_the_file(title, note):
    values = {"title": title, "choices": ["band", "monocyte"], "cells": [{"picture": "a.png", "note": note}]}
    try:
        quiz_set = parse("s", values)
    except InputError as error:
        assert error.hint
        return
    assert check_text("s", as_text(quiz_set)) == (quiz_set, [])


@settings(deadline=None)
@given(st.text(alphabet="abc:[]{}-&*!|>'\"#%@`\n\t 0?,~", max_size=60))
def test_no_text_breaks_the_check(text):
    quiz_set, faults = check_text("s", text)
    assert isinstance(quiz_set, QuizSet) or faults
