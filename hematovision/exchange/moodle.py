"""Moodle XML: one multiple-choice question for each cell, with its picture inside.

A student sees the question text, with the picture, and the answers. The key is marked by `fraction="100"`, which stays
on the server. The note is general feedback and a second key is feedback on its answer: the quiz's review options say
when those show. Grading and policy have no place in the format.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from hematovision.cells import CELL_CLASSES, STAGES, display_name
from hematovision.errors import DataError, HematoVisionError, InputError, unknown
from hematovision.exchange.bundle import ALT, PROMPT, SECOND, Item, SetBundle, bundle
from hematovision.images import MAX_BYTES, Picture, decode
from hematovision.library.bank import id_of
from hematovision.quiz.set_cells import MOST_CELLS, SetCell, parse_note
from hematovision.quiz.sets import parse, parse_choices, parse_title

MOST_XML = 200_000_000
"""Bytes."""
MOST_MARKS = 500_000
"""Angle brackets and quotes of a file: a full set has 60,000. Without a limit a file of tags fills the memory."""

_NAMES = {display_name(name): name for name in (*CELL_CLASSES, *STAGES)}
_TOP = "$course$/top/"


def write(bundle: SetBundle) -> bytes:
    """The XML file."""
    quiz = Element("quiz")
    category = SubElement(SubElement(quiz, "question", type="category"), "category")
    _text(category, _TOP + bundle.quiz_set.title.replace("/", "//"))
    for item in bundle.items:
        _question(quiz, item)
    return tostring(quiz, encoding="utf-8", xml_declaration=True)


def read(data: bytes) -> SetBundle:
    """The set in a Moodle XML file of multiple-choice questions, each with one picture and one right answer.

    The title is the name of the category. Choices come in the order of the classes, as the format has none of its own.
    Raises DataError that names the question.
    """
    if len(data) > MOST_XML:
        raise DataError(f"The file has {len(data) / 1e6:,.0f} MB.", f"The limit is {MOST_XML / 1e6:.0f} MB: split it.")
    if sum(data.count(mark) for mark in (b"<", b'"', b"'")) > MOST_MARKS:
        raise DataError("The file has far too many tags.", "Split it.", kind="refused")
    try:
        quiz = fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        raise DataError("The file defines entities of its own.", "Export it from Moodle again.", "refused") from None
    except (ParseError, ValueError, LookupError) as error:
        raise DataError(f"This is no XML: {error}.", "Export it from Moodle again.", kind="broken") from error
    if quiz.tag != "quiz":
        raise DataError(f"This is no Moodle XML: it begins with <{quiz.tag}>.", "Export it from Moodle again.")
    questions = [q for q in quiz.findall("question") if q.get("type") != "category"]
    if not 1 <= len(questions) <= MOST_CELLS:
        raise DataError(f"The file has {len(questions):,} questions.", f"It should have 1 to {MOST_CELLS:,}.")
    cells = []
    offered: set[str] = set()
    for number, question in enumerate(questions, start=1):
        with _named(number):
            cell, choices = _read_question(question, number)
        cells.append(cell)
        offered |= choices
    category = quiz.findtext("question[@type='category']/category/text") or "Moodle questions"
    try:
        title = parse_title(_last_part(category))
        choices_in_order = parse_choices([name for name in (*CELL_CLASSES, *STAGES) if name in offered])
        quiz_set = parse(id_of(title), {"title": title, "choices": list(choices_in_order)})
    except InputError as error:
        raise DataError(error.message, error.hint) from error
    return bundle(quiz_set, zip(cells, _pictures(questions), strict=True))


@contextmanager
def _named(number: int) -> Iterator[None]:
    """Name the question in what is wrong with it."""
    try:
        yield
    except HematoVisionError as error:
        raise DataError(f"Question {number}: {error.message}", error.hint, kind=error.kind) from error


def _pictures(questions: Sequence[Element]) -> Iterator[Picture]:
    """One at a time: decoded, all of them together could fill the memory."""
    for number, question in enumerate(questions, start=1):
        with _named(number):
            picture = _read_picture(question)
        yield picture


def _question(quiz: Element, item: Item) -> None:
    question = SubElement(quiz, "question", type="multichoice")
    _text(SubElement(question, "name"), f"Cell {item.number}")
    asked = SubElement(question, "questiontext", format="html")
    _text(asked, f'<p>{PROMPT}</p><p><img src="@@PLUGINFILE@@/{item.name}.png" alt="{ALT}"></p>')
    picture = SubElement(asked, "file", name=f"{item.name}.png", path="/", encoding="base64")
    picture.text = b64encode(item.picture).decode()
    _text(SubElement(question, "generalfeedback", format="plain_text"), item.note)
    for name, value in (
        ("defaultgrade", "1"), ("penalty", "0"), ("hidden", "0"), ("single", "true"), ("shuffleanswers", "true"),
        ("answernumbering", "none"),
    ):  # fmt: skip
        SubElement(question, name).text = value
    for choice in item.choices:
        answer = SubElement(question, "answer", fraction="100" if choice == item.key else "0", format="html")
        _text(answer, escape(display_name(choice)))
        _text(SubElement(answer, "feedback", format="plain_text"), SECOND if choice == item.second_key else "")


def _text(parent: Element, text: str) -> None:
    SubElement(parent, "text").text = text


def _read_question(question: Element, number: int) -> tuple[SetCell, set[str]]:
    if question.get("type") != "multichoice" or question.findtext("single", "true").strip() not in ("true", "1"):
        raise DataError(
            f"It is of the type {question.get('type')}, or has several right answers.",
            "Export questions with one right answer.",
        )
    right: list[str] = []
    second: list[str] = []
    choices: set[str] = set()
    for answer in question.findall("answer"):
        words = _words(answer)
        name = _NAMES.get(words)
        if name is None:
            raise unknown("answer", words, _NAMES)
        if name in choices:
            raise DataError(f"It has the answer {words} twice.", "Leave one of them out.")
        choices.add(name)
        if _is_right(answer):
            right.append(name)
        feedback = answer.find("feedback")
        if feedback is not None and _words(feedback) == SECOND:
            second.append(name)
    if len(right) != 1:
        raise DataError(f"It has {len(right)} right answers.", "One answer should have a fraction of 100.")
    if len(second) > 1 or second == right:
        raise DataError("Another expert's key is marked wrongly.", f"'{SECOND}' should stand with one wrong answer.")
    remark = question.find("generalfeedback")
    note = parse_note("" if remark is None else _words(remark))
    return SetCell(f"question {number}", right[0], note, next(iter(second), None)), choices


def _read_picture(question: Element) -> Picture:
    files = question.findall("questiontext/file")
    if len(files) != 1:
        raise DataError(f"It has {len(files)} pictures.", "A question should show one.")
    # Four letters are three bytes; white space between them is allowed.
    if files[0].get("encoding") != "base64" or len(files[0].text or "") > 2 * MAX_BYTES:
        raise DataError("Its picture is not in base64, or too large.", "Export it from Moodle again.")
    try:
        return decode(b64decode("".join((files[0].text or "").split()), validate=True))
    except binascii.Error:
        raise DataError("Its picture is damaged.", "Export it from Moodle again.", kind="broken") from None


def _is_right(answer: Element) -> bool:
    try:
        return float(answer.get("fraction", "0")) == 100
    except ValueError:
        raise DataError("An answer has no fraction.", "It should be a number: 100 for the right one.") from None


def _words(element: Element) -> str:
    """The text of a field, without the tags where it is HTML."""
    text = element.findtext("text", "")
    if element.get("format") in ("plain_text", "markdown"):
        return text.strip()
    reader = _Plain()
    reader.feed(text)
    reader.close()
    return re.sub(r" *\n *", "\n", "".join(reader.found)).strip()


class _Plain(HTMLParser):
    """Gathers the text between tags; a paragraph or break begins a new line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        # A line break of HTML's source is a space.
        self.found.append(re.sub(r"\s+", " ", data))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("p", "br", "li", "div") and self.found:
            self.found.append("\n")


def _last_part(category: str) -> str:
    """The title out of the path of a category, where two slashes are one letter."""
    whole = category.removeprefix(_TOP).replace("//", "\0")
    return whole.split("/")[-1].replace("\0", "/")
