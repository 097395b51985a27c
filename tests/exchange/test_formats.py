"""Each format as something else than our code reads it, and that nothing on the question's side tells the key."""

import base64
import csv
import io
import json
import re
import sqlite3
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import pytest
from PIL import Image
from pypdf import PdfReader

from hematovision import images
from hematovision.cells import display_name
from hematovision.errors import InputError
from hematovision.exchange.anki import write as write_anki
from hematovision.exchange.formats import write
from hematovision.quiz.policy import Policy
from hematovision.quiz.set_cells import parse_note
from hematovision.settings import ROOT
from tests.exchange.make import CHOICES, NOTE, make, picture

BUNDLE = make()
KEYS = [item.key for item in BUNDLE.items]
TELLING = [*CHOICES, *map(display_name, CHOICES), *(display_name(c).lower() for c in CHOICES), "EO_", "BA_"]
QTI = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
CANVAS = "{http://canvas.instructure.com/xsd/cccv1p0}"


def unzipped(data):
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


def tells(text):
    return [word for word in TELLING if word in text]


def is_bare(png):
    """Whether a picture is one of ours, with nothing but its pixels."""
    assert any((images.decode(png).shape == picture(i).shape) for i in range(6))
    with Image.open(io.BytesIO(png)) as opened:
        opened.load()
        chunks = re.findall(rb"(IHDR|tEXt|iTXt|zTXt|eXIf|tIME|iCCP)", png[:64])
        return opened.format == "PNG" and not opened.info and not opened.getexif() and chunks == [b"IHDR"]


def test_an_unknown_format_is_named():
    with pytest.raises(InputError, match="Unknown format 'docx'"):
        write(BUNDLE, "docx")


def test_a_format_is_loaded_when_it_is_used():
    """A command that only names the formats does not wait for what writes PDF and decks."""
    code = (
        "import sys, hematovision.exchange.formats; print({'genanki', 'reportlab', 'numpy', 'cv2'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_choices_come_in_an_order_of_chance_that_the_picture_alone_gives():
    orders = [item.choices for item in BUNDLE.items]
    assert len(set(orders)) > 3 and all(sorted(order) == sorted(CHOICES) for order in orders)
    assert [item.choices for item in make("Other", "x", "other").items] == orders
    places = [item.choices.index(item.key) for item in BUNDLE.items]
    assert len(set(places)) > 1


@pytest.mark.parametrize("name", ["zip", "moodle", "gift", "qti", "pdf", "pdf-key", "csv"])
def test_the_same_set_gives_the_same_file(name):
    assert write(make(), name) == write(BUNDLE, name)


def test_the_names_in_the_archive_tell_nothing():
    files = unzipped(write(BUNDLE, "zip"))
    assert next(iter(files)) == "sets/a-set.yaml" and len(files) == 7
    for name, content in list(files.items())[1:]:
        assert re.fullmatch(r"pictures/[0-9a-f]{16}\.png", name) and is_bare(content)


def test_moodle_xml():
    data = write(BUNDLE, "moodle")
    quiz = ElementTree.fromstring(data)
    category, *questions = quiz.findall("question")
    assert category.findtext("category/text") == '$course$/top/Für <Anna> & "Ben" // 血'
    for number, (question, key) in enumerate(zip(questions, KEYS, strict=True), start=1):
        assert question.get("type") == "multichoice" and question.findtext("single") == "true"
        (file,) = question.findall("questiontext/file")
        html = question.findtext("questiontext/text")
        assert file.attrib == {"name": file.get("name"), "path": "/", "encoding": "base64"}
        assert f'src="@@PLUGINFILE@@/{file.get("name")}"' in html and 'alt="A stained blood cell"' in html
        assert question.findtext("name/text") == f"Cell {number}"
        asked = question.findtext("name/text") + html + file.get("name")
        assert not tells(asked) and is_bare(base64.b64decode(file.text))
        answers = {a.findtext("text"): a.get("fraction") for a in question.findall("answer")}
        assert answers == {display_name(c): "100" if c == key else "0" for c in CHOICES}
        assert list(answers) == [display_name(c) for c in BUNDLE.items[number - 1].choices]
    first = questions[0]
    assert (
        first.findtext("generalfeedback/text") == NOTE and first.find("generalfeedback").get("format") == "plain_text"
    )
    said = {a.findtext("text"): a.findtext("feedback/text") for a in first.findall("answer")}
    assert {k: v for k, v in said.items() if v} == {"Lymphocyte": "Another expert gives this key."}


def gift_fields(block):
    """A question of a GIFT file as Moodle takes it apart: name, text, [(mark, answer, feedback)], general feedback."""
    for letter in "~=#{}:":
        block = block.replace(f"\\{letter}", f"&{ord(letter)};")
    block = block.replace("\\\\", "\\")

    def plain(text):
        for letter in "~=#{}:":
            text = text.replace(f"&{ord(letter)};", letter)
        return text.strip()

    _, name, rest = block.split("::", 2)
    text, answers = rest.split("{")
    answers, general = [*answers.removesuffix("}").split("####"), ""][:2]
    found = [re.match(r"([=~])([^#]*)#?(.*)", part.strip()).groups() for part in re.split(r"(?=[=~])", answers)[1:]]
    return (
        name,
        plain(text),
        [(mark, plain(answer), plain(feedback)) for mark, answer, feedback in found],
        plain(general),
    )


def test_gift():
    text = write(BUNDLE, "gift").decode()
    category, *blocks = text.strip().split("\n\n")
    assert category == '$CATEGORY: $course$/top/Für <Anna> & "Ben" // 血'
    assert len(blocks) == len(KEYS)
    for number, (block, key) in enumerate(zip(blocks, KEYS, strict=True), start=1):
        name, asked, answers, general = gift_fields(block)
        assert name == f"Cell {number}" and asked.startswith("[html]<p>Which cell is this?</p>")
        address = re.search(r'src="data:image/png;base64,([^"]+)" alt="A stained blood cell"', asked)
        assert is_bare(base64.b64decode(address[1])) and not tells(asked.replace(address[1], ""))
        assert [answer for mark, answer, _ in answers if mark == "="] == [display_name(key)]
        assert [answer for _, answer, _ in answers] == [display_name(c) for c in BUNDLE.items[number - 1].choices]
        if number == 1:
            assert general == "[html]Folded = {nucleus} ~ 50 % #1: \\gray\\ &lt;b&gt;&amp;<br><br>cytoplasm"
            assert [a for _, a, feedback in answers if feedback] == ["Lymphocyte"]
        else:
            assert not general


def test_qti_for_canvas():
    files = unzipped(write(BUNDLE, "qti"))
    manifest = ElementTree.fromstring(files["imsmanifest.xml"])
    space = "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}"
    resources = manifest.findall(f".//{space}resource")
    named = {file.get("href") for resource in resources for file in resource.findall(f"{space}file")}
    assert named == set(files) - {"imsmanifest.xml"}
    idents = [resource.get("identifier") for resource in resources]
    assert len(set(idents)) == len(idents) and resources[0].get("type") == "imsqti_xmlv1p2"
    assert resources[0].find(f"{space}dependency").get("identifierref") in idents
    assert not tells(files["imsmanifest.xml"].decode())

    assessment = ElementTree.fromstring(files["set-a-set/set-a-set.xml"])[0]
    assert assessment.get("title") == BUNDLE.quiz_set.title
    for item, key in zip(assessment.iter(f"{QTI}item"), KEYS, strict=True):
        shown = item.find(f"{QTI}presentation")
        html = shown.findtext(f"{QTI}material/{QTI}mattext")
        image = re.search(r'src="%24IMS-CC-FILEBASE%24/(images/[0-9a-f]{16}\.png)" alt="A stained blood cell"', html)
        assert is_bare(files[image[1]])
        labels = {
            label.get("ident"): label.findtext(f".//{QTI}mattext") for label in shown.iter(f"{QTI}response_label")
        }
        assert sorted(labels.values()) == sorted(map(display_name, CHOICES))
        assert not tells(html + item.get("ident") + item.get("title") + " ".join(labels))
        right = item.find(f".//{QTI}setvar/..")
        assert labels[right.findtext(f".//{QTI}varequal")] == display_name(key)
        assert not tells(ElementTree.tostring(item.find(f"{QTI}itemmetadata"), encoding="unicode"))
    feedback = assessment.findall(f".//{QTI}itemfeedback")
    assert len(feedback) == 1
    assert feedback[0].findtext(f".//{QTI}mattext") == (
        "<p>Folded = {nucleus} ~ 50 % #1: \\gray\\ &lt;b&gt;&amp;<br><br>cytoplasm<br>Another expert: Lymphocyte.</p>"
    )


@pytest.mark.parametrize(
    ("policy", "fields"),
    [
        ({}, {"allowed_attempts": "-1", "show_correct_answers": "true", "hide_results": None, "time_limit": None}),
        (
            {"feedback": "never", "minutes": 20, "attempts": 2},
            {"allowed_attempts": "2", "show_correct_answers": "false", "hide_results": "always", "time_limit": "20"},
        ),
    ],
)
def test_canvas_is_told_the_policy(policy, fields):
    files = unzipped(write(make(policy=Policy(**policy)), "qti"))
    meta = ElementTree.fromstring(files["set-a-set/assessment_meta.xml"])
    assert {name: meta.findtext(CANVAS + name) for name in fields} == fields
    assert meta.findtext(f"{CANVAS}points_possible") == "6.0"


def test_a_note_of_gift_that_begins_like_a_format_keeps_its_beginning():
    """Moodle takes one format off, which is ours."""
    assert "\t####[html][markdown]*a*\n" in write(make(note="[markdown]*a*"), "gift").decode()


def test_canvas_has_a_question_of_its_own_in_each_set():
    """It knows a question again by its name, and would put the one of the other set in its place."""

    def idents(made):
        (questions,) = (content for name, content in unzipped(write(made, "qti")).items() if "/set-" in name)
        return {item.get("ident") for item in ElementTree.fromstring(questions).iter(f"{QTI}item")}

    assert len(idents(BUNDLE)) == 6 and idents(BUNDLE).isdisjoint(idents(make(quiz_id="other")))


def anki(data, tmp_path):
    files = unzipped(data)
    path = tmp_path / "collection.anki2"
    path.write_bytes(files["collection.anki2"])
    with sqlite3.connect(path) as db:
        notes = db.execute("select guid, flds, sfld, tags from notes order by id").fetchall()
        decks, models = db.execute("select decks, models from col").fetchone()
        count = db.execute("select count(*) from cards").fetchone()[0]
    db.close()
    return files, notes, json.loads(decks), json.loads(models), count


def test_anki_deck(tmp_path):
    files, notes, decks, models, count = anki(write(BUNDLE, "anki"), tmp_path)
    media = json.loads(files["media"])
    assert count == len(notes) == len(media) == 6
    assert BUNDLE.quiz_set.title in {deck["name"] for deck in decks.values()}
    (model,) = (m for m in models.values() if m["name"] == "HematoVision cell")
    (card,) = model["tmpls"]
    assert set(re.findall(r"{{(\w+)}}", card["qfmt"])) == {"Picture", "Choices"}
    pictures = {name: files[number] for number, name in media.items()}
    for (_, fields, sort, tags), item in zip(notes, BUNDLE.items, strict=True):
        shown, choices, key, note = fields.split("\x1f")
        name = re.fullmatch(r'<img src="(hematovision-[0-9a-f]{16}\.png)" alt="A stained blood cell">', shown)[1]
        assert is_bare(pictures[name]) and not tells(shown + str(sort)) and not tags.strip()
        assert choices.split(" · ") == [display_name(c) for c in item.choices]
        assert key == display_name(item.key) and note.startswith("Folded") == bool(item.note)
    assert notes[0][1].endswith("&lt;b&gt;&amp;<br><br>cytoplasm<br>Another expert: Lymphocyte.")


def test_a_later_export_has_newer_notes(tmp_path):
    """Anki leaves a note as it is where that of the file is not the newer one."""

    def changed_at(*seconds):
        path = tmp_path / "collection.anki2"
        path.write_bytes(unzipped(write_anki(BUNDLE, *seconds))["collection.anki2"])
        with sqlite3.connect(path) as db:
            found = [mod for (mod,) in db.execute("select distinct mod from notes").fetchall()]
        db.close()
        return found

    assert changed_at(1e9) == [10**9] and changed_at(1e9 + 1) == [10**9 + 1]
    assert changed_at()[0] > 1_700_000_000


def test_anki_knows_the_cards_of_a_set_again(tmp_path):
    def ids(made):
        _, notes, decks, models, _ = anki(write(made, "anki"), tmp_path)
        return {guid for guid, *_ in notes}, set(decks), set(models)

    before = ids(BUNDLE)
    assert ids(make("A new title", "A new note")) == before
    other = ids(make(quiz_id="other"))
    assert other[0].isdisjoint(before[0]) and other[1] != before[1] and other[2] == before[2]


def pages(data):
    reader = PdfReader(io.BytesIO(data))
    return reader, [page.extract_text() for page in reader.pages]


def test_the_sheet_without_key_holds_no_key():
    reader, (text,) = pages(write(BUNDLE, "pdf"))
    assert text.count("Monocyte") == text.count("Lymphocyte") == text.count("Band neutrophil") == 6
    assert "Key" not in text and "Folded" not in text and "expert" not in text
    assert 'Für <Anna> & "Ben"' in text and "Which cell is this?" in text
    assert [line for line in text.splitlines() if line.isdigit()].count("6") == 1
    assert not reader.attachments and not reader.outline and reader.xmp_metadata is None
    about = dict(reader.metadata)
    assert about.pop("/Title") == BUNDLE.quiz_set.title and not tells(str(about))
    assert not tells(" ".join(image.name for page in reader.pages for image in page.images))
    assert sorted(image.image.size for image in reader.pages[0].images) == [(48, 40 + i) for i in range(6)]
    assert b"Annots" not in write(BUNDLE, "pdf")


def test_the_sheet_with_key_is_the_same_sheet_and_a_page_more():
    _, (sheet,) = pages(write(BUNDLE, "pdf"))
    _, (same, keys) = pages(write(BUNDLE, "pdf-key"))
    assert same == sheet
    lines = keys.splitlines()
    assert [line for line in lines if re.match(r"\d  ", line)] == [
        f"{item.number}  {display_name(item.key)}" for item in BUNDLE.items
    ]
    assert "Another expert: Lymphocyte." in lines


def test_a_long_note_goes_on_on_the_next_page_and_loses_nothing():
    note = parse_note("\n".join(f"line {i} of this note" for i in range(90)))
    _, (_, *keys) = pages(write(make(note=note), "pdf-key"))
    text = "\n".join(keys)
    assert len(keys) == 2 and all(f"line {i} of this note" in text for i in range(90))


def test_a_word_that_is_wider_than_the_page_is_cut_and_loses_nothing():
    _, (sheet, keys) = pages(write(make(title="W" * 190, note="q" * 600 + " z"), "pdf-key"))
    assert keys.count("q") == 600 and keys.count("z") == 1
    assert 600 / 8 < max(line.count("q") for line in keys.splitlines()) < 110
    assert sheet.count("W") - sheet.count("Which") == 190 and max(map(len, sheet.splitlines())) < 60


def test_the_table_holds_every_question():
    data = write(make(note='=HYPERLINK("x")'), "csv")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [row["key"] for row in rows] == KEYS and [row["number"] for row in rows] == list("123456")
    assert rows[0]["note"] == '\'=HYPERLINK("x")' and rows[0]["second_key"] == "lymphocyte"
    assert sorted(rows[0]["choices"].split()) == sorted(CHOICES)
    assert not any(tells(row["picture"]) for row in rows)
