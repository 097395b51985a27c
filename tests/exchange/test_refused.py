"""Files that must not be taken in: each is refused by name, with a hint, before anything is kept."""

import base64
import io
import stat
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hematovision import images
from hematovision.errors import DataError
from hematovision.exchange import archive, bundle, moodle
from hematovision.exchange.formats import read, read_file
from hematovision.quiz.set_cells import MOST_CELLS
from tests.exchange.make import make, picture

PNG = images.encode_png(picture(1))
SET = "title: M\nchoices: [band, monocyte]\ncells: [{picture: a.png, key: band}]\n"


def zipped(files, how=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def refused(data):
    with pytest.raises(DataError) as caught:
        read(data)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"sets/a.yaml": SET, "a.png": PNG, "../b.png": PNG}, "'../b.png' would lie outside"),
        ({"sets/a.yaml": SET, "a.png": PNG, "/etc/b": PNG}, "'/etc/b' would lie outside"),
        ({"sets/a.yaml": SET, "a.png": PNG, "x/../../b": PNG}, "would lie outside"),
        ({"sets/a.yaml": SET, "a.png": PNG, "..\\b.png": PNG}, "would lie outside"),
        ({"sets/a.yaml": SET, "a.png": PNG, "C:b.png": PNG}, "would lie outside"),
        ({"a.png": PNG}, "The archive has 0 sets"),
        ({"sets/a.yaml": SET, "sets/b.yaml": SET, "a.png": PNG}, "The archive has 2 sets"),
        ({"sets/a.yaml": SET}, "The archive has no a.png"),
        ({"sets/a.yaml": SET, "a.png": b"no picture"}, "a.png: This file is not a picture"),
        ({"sets/a.yaml": SET, "a.png": PNG[:-40]}, "a.png: The picture is damaged or cut off"),
        ({"sets/a.yaml": SET, "a.png": b""}, "a.png: The file is empty"),
        ({"sets/A_B.yaml": SET, "a.png": PNG}, "sets/A_B.yaml, line 1: 'A_B' is no name for a set"),
        ({"sets/a.yaml": SET.replace("key: band", "key: blast"), "a.png": PNG}, "line 3: Unknown key 'blast'"),
        ({"sets/a.yaml": SET.replace("M", "''").replace("band}", "x}")}, "line 1: title is missing. And 1 more."),
        ({"sets/a.yaml": SET.replace(", key: band", ""), "a.png": PNG}, "a.png has no key"),
        ({"sets/a.yaml": "title: M\nchoices: [band, monocyte]", "a.png": PNG}, "lists no cells"),
        ({"sets/a.yaml": SET.replace("a.png", "../a.png"), "a.png": PNG}, "is no file of the set's folder"),
        ({"sets/a.yaml": "title: [", "a.png": PNG}, "This is no plain YAML"),
        ({"sets/a.yaml": "a: &a [b]\nc: [*a, *a]", "a.png": PNG}, "an alias is not used here"),
        ({"sets/a.yaml": b"title: \xff", "a.png": PNG}, "The set is no text in UTF-8"),
        ({"sets/a.yaml": SET, "a.png": bytes(2_000_000)}, "'a.png' unpacks to more than 100 times its size"),
        ({f"{i}.txt": b"" for i in range(archive.MOST_FILES + 1)}, "The archive has 601 files"),
        ({"sets/a.yaml": SET, "a.png": PNG, "c:\\b.png": PNG}, "would lie outside"),
        ({"sets/a.yaml": SET, "a.png": PNG, "\\\\host\\b.png": PNG}, "would lie outside"),
        ({"sets/a.yaml": SET, "a.png": PNG, "..": PNG}, "'..' would lie outside"),
        ({"sets/a.yaml": SET.replace("a.png", "c:a.png"), "a.png": PNG}, "is no file of the set's folder"),
        ({"sets/ä.yaml": SET, "a.png": PNG}, "'ä' is no name for a set"),
        ({"sets/a.yaml": SET.replace("a.png", "é.png"), "e\u0301.png": PNG}, "The archive has no é.png"),
        ({"sets/a.yaml": SET + "x: &a [" + "x," * 9 + "]\ny: [*a]", "a.png": PNG}, "an alias is not used here"),
        ({"sets/a.yaml": SET + "<<: {title: N}", "a.png": PNG}, "line 4: This is no plain YAML: a merge"),
        ({"sets/a.yaml": SET.replace("[band, monocyte]", "yes"), "a.png": PNG}, "line 2: choices should be a list"),
        ({"sets/a.yaml": SET.replace("key: band", "key: no"), "a.png": PNG}, "line 3: Unknown key 'False'"),
        ({"sets/a.yaml": SET + "policy: {minutes: " + "9" * 400 + "}", "a.png": PNG}, "line 4: minutes should be"),
        ({"sets/a.yaml": SET + "policy: {opens_at: 2026-11-30}", "a.png": PNG}, "line 4: opens_at has no time zone"),
        ({"sets/a.yaml": SET + "policy: {opens_at: 0001-01-01T00:00+14:00}", "a.png": PNG}, "opens_at is no date"),
        ({"sets/a.yaml": SET + "version: 1\ncontent_hash: x", "a.png": PNG}, "line 5: The set was changed after"),
    ],
)  # fmt: skip
def test_an_archive_is_refused(files, words):
    assert words in refused(zipped(files))


def test_links_doubles_and_passwords_are_refused():
    link = zipfile.ZipInfo("a.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "'a.png' is a link" in refused(zipped({"sets/a.yaml": SET} | {link: b"/etc/passwd"}))
    with pytest.warns(UserWarning, match="Duplicate name"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            for content in (SET, SET.replace("band", "monocyte")):
                packed.writestr("sets/a.yaml", content)
    assert "'sets/a.yaml' is there twice" in refused(out.getvalue())
    data = bytearray(zipped({"sets/a.yaml": SET}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "'sets/a.yaml' is encrypted" in refused(bytes(data))


def test_a_list_of_millions_of_files_is_not_even_read(monkeypatch):
    data = zipped({f"{i}.txt": b"" for i in range(51)})
    monkeypatch.setattr(archive, "MOST_FILES", 5)
    monkeypatch.setattr(archive.zipfile, "ZipFile", None)
    assert "The archive has 51 files" in refused(data)


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ways_of_packing_that_may_ask_for_any_memory_are_refused(how):
    assert "is packed in an uncommon way" in refused(zipped({"sets/a.yaml": SET, "a.png": PNG}, how))


def test_a_file_that_begins_before_the_archive_is_damage():
    """What `zipfile` answers with an error that it does not name."""
    data = bytearray(archive.write(make()))
    place = data.index(b"PK\x01\x02") + 42
    data[place : place + 4] = (2**32 - 10**6).to_bytes(4, "little")
    end = data.rindex(b"PK\x05\x06") + 16
    data[end : end + 4] = (int.from_bytes(data[end : end + 4], "little") + 10**6).to_bytes(4, "little")
    assert "The archive is damaged" in refused(bytes(data))


ARCHIVE = archive.write(make())


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_change_of_an_archive_breaks_the_reader(data):
    whole = bytearray(ARCHIVE)
    listed = whole.index(b"PK\x01\x02")
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(listed, len(whole) - 1))] = data.draw(st.sampled_from([0, 1, 127, 128, 255]))
    with suppress(DataError):
        archive.read(bytes(whole))


def test_pictures_of_one_color_are_bounded_by_their_pixels(monkeypatch):
    """A few kilobytes of PNG may hold 40 million pixels."""
    data = archive.write(make())
    monkeypatch.setattr(bundle, "MOST_PIXELS", 40 * 48 * 2)
    assert "The pictures have more than 0 megapixels" in refused(data)


@pytest.mark.parametrize("writer", [archive, moodle])
def test_one_picture_at_a_time_is_decoded(writer, monkeypatch):
    """All of them together, as they come, could fill the memory."""
    events, content = [], writer.write(make())
    decode, shrink = writer.decode, bundle.at_most
    monkeypatch.setattr(writer, "decode", lambda data: (events.append("decode"), decode(data))[1])
    monkeypatch.setattr(bundle, "at_most", lambda *a: (events.append("shrink"), shrink(*a))[1])
    writer.read(content)
    assert events == ["decode", "shrink"] * 6


def test_sizes_are_bounded_whatever_the_archive_says(monkeypatch):
    monkeypatch.setattr(archive, "MOST_UNPACKED", 10_000)
    files = {"sets/a.yaml": SET, "a.png": PNG}
    assert "The archive unpacks to 0 MB" in refused(zipped(files | {"b": bytes(9_000)}))
    monkeypatch.setattr(archive, "MOST_BYTES", 20)
    monkeypatch.setattr(archive, "MOST_UNPACKED", 1_000_000)
    assert "'sets/a.yaml' has more than" in refused(zipped(files))


def test_a_file_that_says_it_is_smaller_than_it_is_is_damaged():
    data = zipped({"sets/a.yaml": SET, "a.png": bytes(100_000)})
    place = data.rindex(b"a.png") - 46 + 24
    assert int.from_bytes(data[place : place + 4], "little") == 100_000
    lying = data[:place] + (50).to_bytes(4, "little") + data[place + 4 :]
    assert "The archive is damaged" in refused(lying)


@pytest.mark.parametrize("cut", [10, 200, -30])
def test_a_damaged_archive_is_refused(cut):
    assert "The archive is damaged" in refused(archive.write(make())[:cut])


def test_pictures_are_bounded_together(monkeypatch):
    data = archive.write(make())
    monkeypatch.setattr(bundle, "MOST_BYTES", 10_000)
    assert "The pictures have more than" in refused(data)


def question(answers=(("Band neutrophil", "100"), ("Monocyte", "0")), kind="multichoice", more="", file=PNG):
    inside = "".join(f'<answer fraction="{f}"><text>{text}</text></answer>' for text, f in answers)
    code = base64.b64encode(file).decode()
    return (
        f'<question type="{kind}"><questiontext format="html"><text>?</text>'
        f'<file name="a.png" encoding="base64">{code}</file>{more}</questiontext>{inside}</question>'
    )


def second(*fractions):
    """A question whose first answers another expert gives."""
    names = ("Band neutrophil", "Segmented neutrophil", "Monocyte")
    remark = "<feedback><text>Another expert gives this key.</text></feedback>"
    made = question(tuple(zip(names, fractions, strict=False)))
    return made.replace("</answer>", f"{remark}</answer>", max(1, len(fractions) - 1))


def quiz(*questions, head=""):
    return f"{head}<quiz>{''.join(questions)}</quiz>".encode()


def test_questions_of_another_hand_are_read():
    html = '<answer fraction="100" format="html"><text><![CDATA[<p dir="ltr">Monocyte</p>]]></text></answer>'
    more = '<generalfeedback format="html"><text><![CDATA[<p>A &amp; B</p><p>C<br>D</p>]]></text></generalfeedback>'
    other = question((("Band neutrophil", "-33.3"),), file=images.encode_png(picture(2)))
    made = read(quiz(question(), other.replace("</question>", html + more + "</question>"))).quiz_set
    assert made.title == "Moodle questions" and made.choices == ("monocyte", "band")
    assert [(cell.key, cell.note) for cell in made.cells] == [("band", ""), ("monocyte", "A & B\nC\nD")]


EXPORTED = """<?xml version="1.0" encoding="UTF-8"?>
<quiz>
<!-- question: 0  -->
  <question type="category">
    <category>
      <text>$course$/top/Default for HEMA/Week 3: left shift</text>
    </category>
    <info format="moodle_auto_format">
      <text></text>
    </info>
    <idnumber></idnumber>
  </question>
<!-- question: 2295  -->
  <question type="multichoice">
    <name>
      <text>Which one?</text>
    </name>
    <questiontext format="html">
      <text><![CDATA[<p dir="ltr"><img src="@@PLUGINFILE@@/IMG%201.png" alt="" class="img-fluid"><br></p>]]></text>
<file name="IMG 1.png" path="/" encoding="base64">PICTURE</file>
    </questiontext>
    <generalfeedback format="html">
      <text><![CDATA[<p dir="ltr">An unsegmented
  nucleus.</p>
<ul>
  <li>Gray&nbsp;cytoplasm</li>
</ul>]]></text>
    </generalfeedback>
    <defaultgrade>1.0000000</defaultgrade>
    <penalty>0.3333333</penalty>
    <hidden>0</hidden>
    <idnumber></idnumber>
    <single>true</single>
    <shuffleanswers>true</shuffleanswers>
    <answernumbering>abc</answernumbering>
    <showstandardinstruction>0</showstandardinstruction>
    <correctfeedback format="html">
      <text>Your answer is correct.</text>
    </correctfeedback>
    <shownumcorrect/>
    <answer fraction="100" format="html">
      <text><![CDATA[<p dir="ltr" style="text-align: left;">Band neutrophil<br></p>]]></text>
      <feedback format="html">
        <text></text>
      </feedback>
    </answer>
    <answer fraction="-33.33333" format="html">
      <text><![CDATA[<p>Segmented&nbsp;neutrophil&nbsp;</p>]]></text>
      <feedback format="html">
        <text><![CDATA[<p>Another expert gives this key.</p>]]></text>
      </feedback>
    </answer>
  </question>
</quiz>
"""


def test_a_file_as_moodle_exports_it_is_read():
    """Comments, CDATA, settings of its own, the paragraphs of its editor."""
    made = read(EXPORTED.replace("PICTURE", base64.b64encode(PNG).decode()).encode()).quiz_set
    assert (made.title, made.choices) == ("Week 3: left shift", ("band", "segmented"))
    (cell,) = made.cells
    assert (cell.key, cell.second_key, cell.note) == ("band", "segmented", "An unsegmented nucleus.\nGray cytoplasm")


LAUGHS = '<!DOCTYPE q [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (quiz(question(), head=LAUGHS), "The file defines entities of its own"),
        (quiz(question(), head='<!DOCTYPE q SYSTEM "file:///etc/passwd">'), "The file defines entities of its own"),
        (quiz("<a>" * 300_000, "</a>" * 300_000), "The file has far too many tags"),
        (quiz("<a", *(f" a{i}=''" for i in range(300_000)), "/>"), "The file has far too many tags"),
        (quiz(question())[:-9], "This is no XML"),
        (b"<?xml version='1.0' encoding='klingon'?><quiz/>", "This is no XML"),
        (b"<rss></rss>", "This is no Moodle XML: it begins with <rss>"),
        (quiz(), "The file has 0 questions"),
        (quiz(*["<question type='essay'/>"] * (MOST_CELLS + 1)), "The file has 501 questions"),
        (quiz(question(), question(kind="essay")), "Question 2: It is of the type essay"),
        (quiz(question(more="</questiontext><single>false</single><questiontext>")), "Question 1: It is of the type"),
        (quiz(question(more="<file/>")), "Question 1: It has 2 pictures"),
        (quiz(question(file=b"no")), "Question 1: This file is not a picture"),
        (quiz(question()).replace(b"</file>", b"!</file>"), "Question 1: Its picture is damaged"),
        (quiz(question()).replace(b"base64", b"hex"), "Question 1: Its picture is not in base64"),
        (quiz(question((("Blast", "100"), ("Monocyte", "0")))), "Question 1: Unknown answer 'Blast'"),
        (quiz(question((("Monocyte", "100"), ("Monocyte", "0")))), "Question 1: It has the answer Monocyte twice"),
        (quiz(question((("Monocyte", "50"), ("Basophil", "50")))), "Question 1: It has 0 right answers"),
        (quiz(question((("Monocyte", "100"), ("Basophil", "100")))), "Question 1: It has 2 right answers"),
        (quiz(question((("Monocyte", "much"), ("Basophil", "0")))), "Question 1: An answer has no fraction"),
        (quiz(question((("Monocyte", "100"),))), "choices should be a list"),
        (quiz(second("100", "0")), "Question 1: Another expert's key is marked wrongly"),
        (quiz(second("0", "0", "100")), "Question 1: Another expert's key is marked wrongly"),
        (quiz("<a>" * 80_000, "</a>" * 80_000), "The file has 0 questions"),
        (quiz(question(), head='<!DOCTYPE q [<!ENTITY % p SYSTEM "http://a/b">%p;]>'), "entities of its own"),
        (quiz(question()).decode().encode("utf-16"), "This is neither an archive of HematoVision nor Moodle XML"),
        (quiz(question()).replace(b"Band", b"Band&#0;"), "This is no XML"),
        (quiz(question()).replace(b"Band", b"&nbsp;"), "This is no XML"),
        (quiz(question((("Neutrophil", "100"), ("Band neutrophil", "0")))), "choices names band and its class"),
        (quiz(question(), question()), "question 2 shows the same picture"),
        (b"\x89PNG", "This is neither an archive of HematoVision nor Moodle XML"),
        (b"", "This is neither an archive of HematoVision nor Moodle XML"),
    ],
)
def test_a_moodle_file_is_refused(data, words):
    assert words in refused(data)


def test_a_file_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(moodle, "MOST_XML", 100)
    assert "The file has 0 MB" in refused(quiz(question()))
    with pytest.raises(DataError, match="cannot be read"):
        read_file(tmp_path / "none.zip")
    monkeypatch.setattr("hematovision.exchange.formats.MOST_BYTES", 3)
    (tmp_path / "big.zip").write_bytes(b"PK12")
    with pytest.raises(DataError, match="has more than 0 MB"):
        read_file(tmp_path / "big.zip")
