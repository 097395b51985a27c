"""What comes back from a file is what went into it."""

import io
import zipfile
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hematovision import images
from hematovision.errors import DataError, InputError
from hematovision.exchange import archive, moodle
from hematovision.exchange.bundle import LONGEST_SIDE, bundle, from_library
from hematovision.exchange.formats import read
from hematovision.library.bank import keep_set, open_library
from hematovision.quiz.set_cells import SetCell, parse_note
from hematovision.quiz.sets import QuizSet, parse_title, publish
from tests.exchange.make import CHOICES, make, picture


def clean(reader, text):
    try:
        return reader(text)
    except InputError:
        assume(False)


titles = st.text(min_size=1, max_size=40) | st.text("/\\$:<>&'\"= a", min_size=1, max_size=9)


@settings(max_examples=60, deadline=None)
@given(titles, st.text(max_size=60) | st.text("<>&\n\t =#a", max_size=9))
def test_any_title_and_note_come_back(title, note):
    made = make(clean(parse_title, title), clean(parse_note, note))
    assert archive.read(archive.write(made)) == made
    back = moodle.read(moodle.write(made))
    assert back.quiz_set.title == made.quiz_set.title
    assert back.quiz_set.cells == made.quiz_set.cells and back.pictures == made.pictures


def test_an_archive_holds_everything():
    made = make()
    for whole in (made, replace(made, quiz_set=publish(made.quiz_set))):
        back = read(archive.write(whole))
        assert back == whole and back.quiz_set.policy == whole.quiz_set.policy
        assert archive.write(back) == archive.write(whole)


def test_moodle_holds_title_keys_notes_and_pictures_but_no_order_of_choices_and_no_policy():
    made = make()
    back = read(moodle.write(made)).quiz_set
    assert set(back.choices) == set(CHOICES) and back.choices != CHOICES
    assert (back.title, back.cells) == (made.quiz_set.title, made.quiz_set.cells)
    assert back.grading == "plain" and back.policy.as_dict() == {}


def test_pixels_come_back_and_nothing_else_of_a_picture(tmp_path):
    made = make()
    for number, item in enumerate(made.items):
        assert (images.decode(item.picture) == picture(number)).all()
    large = np.zeros((64, LONGEST_SIDE * 2, 3), np.uint8)
    shrunk = bundle(QuizSet("s", "S", CHOICES), [(SetCell("a.jpg", "band"), large)])
    assert images.decode(shrunk.items[0].picture).shape == (32, LONGEST_SIDE, 3)


def test_a_set_is_exported_and_imported_from_folder_to_folder(bank, tmp_path):
    library = open_library([bank])
    made = from_library(library, "core-four")
    kept = keep_set(tmp_path, *(lambda b: (b.quiz_set, b.pictures))(read(archive.write(made))))
    again = open_library([tmp_path])
    assert again.sources[0].error is None and kept == made.quiz_set
    before, after = library.pool(library.sets["core-four"]), again.pool(kept)
    assert {key: len(ids) for key, ids in after.items()} == {key: len(ids) for key, ids in before.items()}
    assert all(record.is_drawn for record in again.records.values())
    pixels = {
        key: sorted(images.read(again.record(i).path).tobytes() for i in ids) == sorted(
            images.read(library.record(i).path).tobytes() for i in before[key]
        )
        for key, ids in after.items()
    }  # fmt: skip
    assert all(pixels.values())
    assert from_library(again, "core-four").pictures == made.pictures


def test_cells_that_the_set_does_not_list_come_in_an_order_that_tells_nothing(bank):
    keys = [item.key for item in from_library(open_library([bank]), "all-eight").items]
    assert len(keys) == 24 and keys != sorted(keys)
    assert sum(one == other for one, other in pairwise(keys)) < 8


def test_cells_that_are_not_to_be_shuffled_keep_their_order(bank, tmp_path):
    library = open_library([bank])
    made = from_library(library, "core-four")
    straight = replace(made.quiz_set, policy=replace(made.quiz_set.policy, shuffle=False))
    keep_set(tmp_path, straight, made.pictures)
    assert from_library(open_library([tmp_path]), "core-four").quiz_set == straight


def test_a_set_that_cannot_be_exported_says_why(bank, tmp_path):
    library = open_library([bank])
    with pytest.raises(InputError, match="Unknown set 'mine'"):
        from_library(library, "mine")
    made = from_library(library, "core-four")
    keep_set(tmp_path, made.quiz_set, dict(list(made.pictures.items())[2:]))
    with pytest.raises(DataError, match=r"2 of the cells of core-four cannot be asked: pictures/"):
        from_library(open_library([tmp_path]), "core-four")


def test_a_picture_is_in_a_set_once_and_has_a_key():
    with pytest.raises(DataError, match=r"b\.jpg shows the same picture as another cell"):
        bundle(QuizSet("s", "S", CHOICES), [(SetCell(f, "band"), picture(1)) for f in ("a.jpg", "b.jpg")])
    with pytest.raises(DataError, match=r"a\.jpg has no key"):
        bundle(QuizSet("s", "S", CHOICES), [(SetCell("a.jpg"), picture(1))])


def test_an_archive_made_by_hand_is_read():
    """Folders are in it, its pictures are JPEG under telling names, and it has more than the set asks."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.mkdir("sets")
        packed.writestr("sets/mine.yaml", "title: M\nchoices: [band, monocyte]\ncells: [{picture: m 1.png, key: band}]")
        packed.writestr("m 1.png", images.encode_png(picture(1)) + b"GPS")
        packed.writestr("readme.txt", "Hello")
    back = read(out.getvalue())
    assert list(back.pictures) == [back.quiz_set.cells[0].picture] and "m 1" not in str(back.pictures)
    assert b"GPS" not in back.items[0].picture
