"""A set is checked with the pictures and labels beside it: every fault that would stop it later, with its line."""

import shutil

import pytest

from hematovision import images
from hematovision.errors import DataError
from hematovision.library.bank import open_library
from hematovision.library.sets_check import check_set

HEAD = "title: Mine\nchoices: [band, monocyte]\n"


def checked(folder, text, name="mine"):
    (folder / "sets").mkdir(parents=True, exist_ok=True)
    path = folder / "sets" / f"{name}.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return [(fault.line, fault.error.message) for fault in check_set(path) if fault.error.hint]


@pytest.fixture
def folder(tmp_path, cell):
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(images.encode_png(cell[: 100 + number]))
    (tmp_path / "again.png").write_bytes(images.encode_png(cell[:100]))
    (tmp_path / "cut.png").write_bytes(images.encode_png(cell)[:-400])
    (tmp_path / "none.png").write_bytes(b"")
    return tmp_path


def test_a_set_with_all_it_needs_has_no_fault(folder):
    assert checked(folder, "cells: [{picture: 0.png, key: band}, {picture: 1.png, key: monocyte}]\n") == []


def test_every_picture_that_cannot_be_asked_is_named_with_its_line(folder):
    text = """\
cells:
- {picture: 0.png, key: band}
- picture: gone.png
  key: band
- {picture: again.png, key: monocyte}
- {picture: cut.png, key: band}
- {picture: none.png, key: band}
- {picture: sets, key: band}
- 1.png
"""
    assert checked(folder, text) == [
        (5, f"There is no gone.png in {folder}."),
        (7, "again.png shows the same picture as 0.png."),
        (8, "cut.png: The picture is damaged or cut off."),
        (9, "none.png: The file is empty."),
        (10, f"There is no sets in {folder}."),
        (11, "1.png has no key, and the folder has no label for it."),
    ]


def test_a_cell_whose_label_is_none_of_the_choices_is_named(bank, tmp_path):
    """It would be left out of a quiz without a word."""
    library = open_library([bank])
    monocyte, platelet = (
        next(r.path.relative_to(bank).as_posix() for r in library.records.values() if r.label == label)
        for label in ("monocyte", "platelet")
    )
    shutil.copytree(bank, tmp_path / "bank")
    assert checked(tmp_path / "bank", f"cells:\n- {monocyte}\n- {platelet}\n") == [
        (5, f"{platelet} is labeled platelet, which is none of the choices.")
    ]
    assert checked(tmp_path / "bank", f"cells: [{{picture: {platelet}, key: band}}]\n") == []


def test_a_set_that_lists_nothing_needs_a_folder_with_something(bank, folder):
    path = bank / "sets" / "core-four.yaml"
    assert check_set(path) == []
    assert checked(folder, "") == [(1, f"No pictures were found in {folder}.")]
    (folder / "platelet").mkdir()
    (folder / "0.png").rename(folder / "platelet" / "0.png")
    assert checked(folder, "") == [(1, "The library has no pictures of these classes.")]


def test_faults_of_the_text_come_first(folder):
    assert checked(folder, "cells: [gone.png]\ngrading: kind\n") == [(4, "Unknown grading 'kind'.")]


def test_the_sets_of_the_bank_have_no_fault():
    from hematovision.settings import ROOT

    paths = sorted((ROOT / "quiz_bank" / "sets").glob("*.yaml"))
    assert len(paths) == 9 and [check_set(path) for path in paths] == [[]] * 9


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        check_set(tmp_path / "none.yaml")
