"""The question's side of each file is the same whatever the keys are: so nothing on it can tell a key.

The question's side is what a program shows before the answer: texts, choices and their order, pictures, and what is
around them: file names, alternative texts, identifiers, metadata, the sizes of files.
"""

import csv
import io
import json
import re
import sqlite3
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from hematovision.exchange import anki
from hematovision.exchange.bundle import SetBundle
from hematovision.exchange.formats import FORMATS, write
from tests.exchange.make import CHOICES, make


def keyed(turn: int) -> SetBundle:
    """The same questions with other keys, notes and second keys."""
    made = make(policy=replace(make().quiz_set.policy, shuffle=turn > 1))
    cells = []
    for number, cell in enumerate(made.quiz_set.cells):
        key = CHOICES[(number + turn) % len(CHOICES)]
        second = CHOICES[(number + turn + 1) % len(CHOICES)] if number % 2 == turn % 2 else None
        cells.append(replace(cell, key=key, note=f"A {key}." * (turn + number % 2), second_key=second))
    return replace(made, quiz_set=replace(made.quiz_set, cells=tuple(cells)))


def members(data, without=()):
    """The files in a zip with all that the zip says of them; of those of `without`, the names alone."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return {
            info.filename: None
            if re.fullmatch("|".join(without) or "$", info.filename)
            else (packed.read(info), info.date_time, info.comment, info.extra, info.external_attr)
            for info in packed.infolist()
        }


def seen_in_zip(data):
    return members(data, without=["sets/a-set.yaml"])


def seen_in_moodle(data):
    quiz = ElementTree.fromstring(data)
    for question in quiz.iter("question"):
        for name in ("generalfeedback", "answer/feedback"):
            for feedback in question.findall(name):
                feedback.clear()
        for answer in question.findall("answer"):
            del answer.attrib["fraction"]
    return ElementTree.tostring(quiz)


def seen_in_gift(data):
    lines = [line for line in data.decode().split("\n") if not line.startswith("\t####")]
    return [re.sub(r"^\t[=~]([^#]*)(#.*)?$", r"\t~\1", line) for line in lines]


def seen_in_qti(data):
    questions = "set-a-set/set-a-set.xml"
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        root = ElementTree.fromstring(packed.read(questions))
    space = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
    for item in root.iter(f"{space}item"):
        for name in ("resprocessing", "itemfeedback"):
            for element in item.findall(space + name):
                item.remove(element)
    return ElementTree.tostring(root), members(data, without=[questions])


def seen_in_anki(data):
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        database = sqlite3.connect(":memory:")
        database.deserialize(packed.read("collection.anki2"))
        media = json.loads(packed.read("media"))
        pictures = {name: packed.read(number) for number, name in media.items()}
    tables = {}
    for (table,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
        found = database.execute(f"select * from {table}")
        names = [column[0] for column in found.description]
        tables[table] = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    database.close()
    for note in tables["notes"]:
        picture, choices, _key, _note = note.pop("flds").split("\x1f")
        note["shown"] = picture, choices
    return tables, pictures, list(media.items())


def seen_in_pdf(data):
    return data


def seen_in_pdf_key(data):
    """The first page: what of it the key page changes is in the file's list of pages, not on it."""
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data))
    page = reader.pages[0]
    return page.get_contents().get_data(), [(image.name, image.data) for image in page.images], dict(reader.metadata)


def seen_in_csv(data):
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    return [{name: row[name] for name in row if name not in ("key", "second_key", "note")} for row in rows]


SEEN = {
    "zip": seen_in_zip,
    "moodle": seen_in_moodle,
    "gift": seen_in_gift,
    "qti": seen_in_qti,
    "anki": seen_in_anki,
    "pdf": seen_in_pdf,
    "pdf-key": seen_in_pdf_key,
    "csv": seen_in_csv,
}


def write_at_once(bundle, name):
    # The one format that holds when it was made.
    return anki.write(bundle, 1e9) if name == "anki" else write(bundle, name)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("turns", [(0, 1), (2, 3)], ids=["as listed", "shuffled"])
def test_what_is_seen_before_the_answer_is_the_same_whatever_the_keys_are(name, turns):
    first, other = (write_at_once(keyed(turn), name) for turn in turns)
    assert (first == other) == (name == "pdf"), "the keys of these two differ"
    seen = SEEN[name](first)
    assert seen == SEEN[name](other)
    assert len(str(seen)) > 300


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "zip"])
def test_a_set_that_lists_its_cells_class_by_class_does_not_go_out_so(name):
    """Where the policy shuffles. The archive keeps the order: a student's attempt has one of its own."""
    made = make(policy=replace(make().quiz_set.policy, shuffle=True))
    by_class = sorted(made.quiz_set.cells, key=lambda cell: str(cell.key))
    other = replace(made, quiz_set=replace(made.quiz_set, cells=tuple(by_class)))
    assert [item.key for item in other.items] != [cell.key for cell in by_class]
    assert SEEN[name](write_at_once(other, name)) == SEEN[name](write_at_once(made, name))
