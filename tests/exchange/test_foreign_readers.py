"""Each export opened by a program of another hand: keys, choices, notes and every pixel are there for it too."""

import base64
import io
import itertools
import logging
import re
import sys
import types
import zipfile
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from pypdf import PdfReader

from hematovision import images
from hematovision.cells import display_name
from hematovision.exchange import anki
from hematovision.exchange.formats import write
from tests.exchange.make import CHOICES, make

BUNDLE = make()
KEYS = [display_name(item.key) for item in BUNDLE.items]
ORDERS = [list(map(display_name, item.choices)) for item in BUNDLE.items]
SECOND = "Another expert gives this key."
REMARK = "Folded = {nucleus} ~ 50 % #1: \\gray\\ <b>&\n\ncytoplasm\nAnother expert: Lymphocyte."
PROMPT = "Which cell is this?"


class Shown(HTMLParser):
    """What a browser shows of a piece of HTML: `words`, and the address and the other text of each picture."""

    def __init__(self, html):
        super().__init__()
        self.words, self.pictures = "", []
        self.feed(html)
        self.close()

    def handle_data(self, data):
        self.words += data

    def handle_starttag(self, tag, attributes):
        self.words += "\n" * (tag == "br")
        if tag == "img":
            self.pictures.append(dict(attributes))


def same_pixels(number, content):
    return np.array_equal(images.decode(content), images.decode(BUNDLE.items[number].picture))


def test_moodle_xml_is_read_by_amc2moodle(monkeypatch, tmp_path):
    """It turns Moodle's questions into LaTeX, and writes their pictures to files."""
    # It loads ImageMagick for pictures that LaTeX cannot show; ours are PNG.
    monkeypatch.setitem(sys.modules, "wand", types.ModuleType("wand"))
    monkeypatch.setitem(sys.modules, "wand.image", types.SimpleNamespace(Image=None))
    monkeypatch.chdir(tmp_path)
    from amc2moodle.moodle2amc import Quiz

    (tmp_path / "set.xml").write_bytes(write(BUNDLE, "moodle"))
    found, categories = Quiz("set.xml")._reshape()
    assert list(categories.values()) == [6]
    questions = found.findall("question")
    assert [question.get("qname") for question in questions] == [f"Cell {i}" for i in range(1, 7)]
    for number, question in enumerate(questions):
        # As a form with one right answer, not with several.
        assert question.get("amctype") == "question"
        assert [choice.findtext("text") for choice in question.find("choices")] == ORDERS[number]
        assert [choice.findtext("text") for choice in question.iter("correctchoice")] == [KEYS[number]]
        shown = Shown(question.findtext("text"))
        (picture,) = shown.pictures
        assert shown.words.strip() == PROMPT and picture["alt"] == "A stained blood cell"
        file = tmp_path / "Figures" / picture["src"].removeprefix("@@PLUGINFILE@@/")
        assert same_pixels(number, file.read_bytes())


def test_gift_is_read_by_pygiftparser():
    from pygiftparser.parser import parseFile
    from pygiftparser.utils import transformSpecials

    questions = parseFile(io.StringIO(write(BUNDLE, "gift").decode()))
    assert [question.title for question in questions] == [f"Cell {i}" for i in range(1, 7)]
    for number, question in enumerate(questions):
        assert question.valid and question.markup == "html" and not question.tail.strip()
        assert question.cat == "$course$/top/Für"  # its names of categories end at a space
        shown = Shown(transformSpecials(question.text))
        (picture,) = shown.pictures
        assert shown.words.strip() == PROMPT and picture["alt"] == "A stained blood cell"
        assert same_pixels(number, base64.b64decode(picture["src"].removeprefix("data:image/png;base64,")))
        answers = question.answers.answers
        assert [answer.answer for answer in answers] == ORDERS[number]
        assert [answer.answer for answer in answers if answer.fraction == 100] == [KEYS[number]]
        assert {answer.fraction for answer in answers} == {0, 100}
        # It leaves two backslashes as they are.
        said = Shown(transformSpecials(question.generalFeedback).replace("\\\\", "\\")).words
        assert said == (REMARK.rsplit("\n", 1)[0] if number == 0 else "")
    said = [answer.answer for question in questions for answer in question.answers.answers if answer.feedback == SECOND]
    assert said == ["Lymphocyte"]


@pytest.mark.parametrize("note", ["[x", "// a\n// b", "{=a ~b}", "####", "::t::", "$CATEGORY: x", "%50%a", "->"])
def test_no_note_is_taken_for_gift(note):
    from pygiftparser.parser import parseFile
    from pygiftparser.utils import transformSpecials

    questions = parseFile(io.StringIO(write(make(note=note), "gift").decode()))
    assert len(questions) == 6 and all(question.valid and not question.tail.strip() for question in questions)
    assert Shown(transformSpecials(questions[0].generalFeedback)).words == note
    assert [answer.answer for answer in questions[0].answers.answers] == ORDERS[0]


@pytest.fixture
def qti():
    with zipfile.ZipFile(io.BytesIO(write(BUNDLE, "qti"))) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_qti_is_read_by_pyslet(qti, caplog):
    """It holds each element to the specification of QTI 1.2, and warns of HTML that XHTML would not take."""
    from pyslet.qtiv1 import common, core, item, xml

    document = xml.QTIDocument()
    with caplog.at_level(logging.WARNING):
        document.read(io.BytesIO(qti["set-a-set/set-a-set.xml"]))
    assert not caplog.records
    assessment = document.root.Assessment
    assert (assessment.ident, assessment.title) == ("set-a-set", BUNDLE.quiz_set.title)
    (section,) = assessment.SectionMixin
    questions = section.SectionItemMixin
    assert [question.title for question in questions] == [f"Cell {i}" for i in range(1, 7)]
    assert len({question.ident for question in questions}) == 6
    for number, question in enumerate(questions):
        metadata = {name: value for name, ((value, _),) in question.ItemMetadata.metadata.items()}
        asked, response = question.Presentation.get_children()
        shown = Shown(asked.contentChildren[0].get_value())
        (picture,) = shown.pictures
        assert shown.words == PROMPT and picture["alt"] == "A stained blood cell"
        assert same_pixels(number, qti[picture["src"].removeprefix("%24IMS-CC-FILEBASE%24/")])
        assert isinstance(response, item.ResponseLId) and response.rCardinality == core.RCardinality.Single
        (choices,) = response.get_children()
        labels = {
            label.ident: next(label.find_children_depth_first(common.MatText)).get_value()
            for label in choices.get_children()
        }
        assert list(labels.values()) == ORDERS[number]
        assert metadata == {
            "question_type": "multiple_choice_question",
            "points_possible": "1",
            "original_answer_ids": ",".join(labels),
        }
        (processing,) = question.ResProcessing
        right = next(processing.find_children_depth_first(common.VarEqual))
        assert right.responseIdentifier == response.ident and labels[right.get_value()] == KEYS[number]
        said = [Shown(text.get_value()).words for f in question.ItemFeedback for text in texts(f, common.MatText)]
        assert said == ([REMARK] if number == 0 else [])


def texts(element, kind):
    return element.find_children_depth_first(kind)


def outline(element, depth=0):
    """The elements of a tree with their attributes: what Canvas goes by."""
    name = element.tag.split("}")[-1]
    told = {"ident", "linkrefid", "href", "identifier", "identifierref", "title", "texttype"}
    yield depth, name, {key: None if key in told else value for key, value in element.attrib.items() if "}" not in key}
    for child in element:
        yield from outline(child, depth + 1)


def test_qti_is_laid_out_like_that_of_text2qti(qti, tmp_path, monkeypatch):
    """Canvas takes what text2qti writes. The same question by both: the same elements in the same order."""
    from text2qti.config import Config
    from text2qti.qti import QTI
    from text2qti.quiz import Quiz

    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(BUNDLE.items[0].picture)
    marks = {KEYS[0]: "*"}
    lines = [f"{marks.get(c, '')}{letter}) {c}" for letter, c in zip("abcd", ORDERS[0], strict=True)]
    text = "Quiz title: T\n\n1. Which?\n    ![A cell](a.png)\n... Folded.\n" + "\n".join(lines) + "\n"
    made = QTI(Quiz(text, config=Config(), source_name=str(tmp_path / "quiz.txt")))
    theirs = {
        "imsmanifest.xml": made.imsmanifest_xml,
        "assessment_meta.xml": made.assessment_meta,
        "set-a-set.xml": made.assessment,
    }
    ours = {name.split("/")[-1]: ElementTree.fromstring(qti[name]) for name in qti if name.endswith(".xml")}
    theirs = {name: ElementTree.fromstring(content) for name, content in theirs.items()}
    assert [root.tag for root in ours.values()] == [theirs[name].tag for name in ours]

    def question(root):
        """The first one, and the names of its metadata. That of text2qti has one more, for a bank of questions."""
        first = next(item for item in root.iter() if item.tag.endswith("}item"))
        names = {label.text for label in first.iter() if label.tag.endswith("}fieldlabel")}
        inside = ("qtimetadatafield", "fieldlabel", "fieldentry")
        return [line for line in outline(first) if line[1] not in inside], names

    (mine, my_names), (other, other_names) = question(ours["set-a-set.xml"]), question(theirs["set-a-set.xml"])
    assert mine == other and my_names == other_names - {"assessment_question_identifierref"}

    known = {child.tag for child in theirs["assessment_meta.xml"]} | {
        f"{{http://canvas.instructure.com/xsd/cccv1p0}}{name}" for name in ("time_limit", "unlock_at", "lock_at")
    }
    assert {child.tag for child in ours["assessment_meta.xml"]} <= known
    kinds = [
        [resource.get("type") for resource in root.iter() if resource.tag.endswith("}resource")]
        for root in (ours["imsmanifest.xml"], theirs["imsmanifest.xml"])
    ]
    assert [kind for kind, _ in itertools.groupby(kinds[0])] == kinds[1]


def test_anki_imports_the_deck_and_an_export_of_a_change_changes_its_cards(tmp_path):
    """Anki itself. It is not among the requirements: its licence is the AGPL, and it brings a JSON writer that plotly
    would take. `pip install anki` in an environment of its own, with these requirements, runs this."""
    collections = pytest.importorskip("anki.collection", reason="Anki's own package is not installed")
    collection = collections.Collection(str(tmp_path / "own.anki2"))

    def imported(content):
        path = tmp_path / "set.apkg"
        path.write_bytes(content)
        request = collections.ImportAnkiPackageRequest(
            package_path=str(path), options=collections.ImportAnkiPackageOptions()
        )
        log = collection.import_anki_package(request).log
        return len(log.new), len(log.updated), len(log.duplicate)

    try:
        assert imported(anki.write(BUNDLE, 1e9)) == (6, 0, 0)
        assert imported(anki.write(BUNDLE, 1e9)) == (0, 0, 6)
        assert BUNDLE.quiz_set.title in {deck.name for deck in collection.decks.all_names_and_ids()}
        cards = [collection.get_card(number) for number in collection.find_cards("", order="c.id")]
        for number, card in enumerate(cards):
            shown = Shown(card.question().split("</style>")[1])
            (picture,) = shown.pictures
            assert shown.words == PROMPT + " · ".join(ORDERS[number])
            assert same_pixels(number, (tmp_path / "own.media" / picture["src"]).read_bytes())
            said = Shown(card.answer().split("<hr id='answer'>")[1]).words
            assert said == KEYS[number] + (REMARK if number == 0 else "")
        report = collection.media.check()
        assert not report.missing and not report.unused

        changed = anki.write(make(note="Seen anew."), 1e9 + 60)
        assert imported(changed) == (0, 6, 0)
        card = collection.get_card(cards[0].id)
        assert "Seen anew." in card.answer() and card.ivl == cards[0].ivl
        assert collection.fix_integrity()[1]
    finally:
        collection.close()


@pytest.mark.parametrize("name", ["pdf", "pdf-key"])
def test_the_sheet_is_read_by_pypdf_with_every_pixel(name):
    reader = PdfReader(io.BytesIO(write(BUNDLE, name)))
    named = {image.name.rsplit(".", 1)[0]: image.image for page in reader.pages for image in page.images}
    drawn = [name for page in reader.pages for name in re.findall(rb"/(\S+) Do", page.get_contents().get_data())]
    pictures = [np.array(named[name.decode()].convert("RGB")) for name in drawn]
    found = [[np.array_equal(picture, images.decode(item.picture)) for item in BUNDLE.items] for picture in pictures]
    # In the order of their numbers, each once, none on a page of keys.
    assert np.array_equal(found, np.eye(6, dtype=bool))
    lines = [line.strip() for line in reader.pages[0].extract_text().splitlines()]
    assert lines[3:] == [line for number, order in enumerate(ORDERS, start=1) for line in (str(number), *order)]


def test_every_choice_is_in_every_file():
    assert all(sorted(order) == sorted(map(display_name, CHOICES)) for order in ORDERS)
