"""Folders of drafts and of published versions: what is frozen stays as it is."""

from dataclasses import replace

import pytest

from hematovision import images
from hematovision.errors import DataError, InputError
from hematovision.exchange.bundle import SetBundle, bundle
from hematovision.library.set_folders import Origin, SetFolders
from hematovision.quiz.set_cells import SetCell
from hematovision.quiz.sets import QuizSet, publish


@pytest.fixture
def made(cell) -> SetBundle:
    cells = [(SetCell(f"{i}.png", key), cell[: 100 + i]) for i, key in enumerate(("band", "segmented"))]
    return bundle(QuizSet("mine", "Mine", ("band", "segmented")), cells)


@pytest.fixture
def folders(tmp_path, made):
    folders = SetFolders(tmp_path)
    first = made.quiz_set.cells[0].picture
    folders.write_draft(made.quiz_set, made.pictures, {first: Origin("abc", "pbc", True, {"cell_size": "big"})})
    return folders


def test_a_draft_comes_back_with_where_its_pictures_came_from(folders, made):
    assert folders.draft("mine") == made.quiz_set and folders.draft_ids() == ["mine"]
    first, second = (folders.record(cell.picture[9:25]) for cell in made.quiz_set.cells)
    assert (first.dataset, first.is_drawn, dict(first.attributes)) == ("pbc", True, {"cell_size": "big"})
    assert (second.dataset, second.is_drawn, second.label) == ("uploaded", False, "")


def test_nothing_done_to_a_draft_changes_what_was_published_of_it(folders, made, tmp_path):
    frozen = folders.freeze(publish(made.quiz_set))
    kept = SetFolders(tmp_path).published("mine", 1, frozen.content_hash)
    file = kept.cells[0].picture
    other_keys = tuple(replace(cell, key="segmented") for cell in kept.cells[:1])
    folders.write_draft(replace(made.quiz_set, title="Other", cells=other_keys))
    (folders.draft_folder("mine") / file).write_bytes(b"")
    again = SetFolders(tmp_path).published("mine", 1, frozen.content_hash)
    assert again == kept == frozen and again.cells == made.quiz_set.cells
    assert images.encode_png(images.read(folders.record(file[9:25]).path)) == made.pictures[file]
    folders.delete_draft("mine")
    assert SetFolders(tmp_path).published("mine", 1, frozen.content_hash) == kept
    with pytest.raises(InputError, match="no longer there"):
        folders.draft("mine")


def test_a_version_is_never_written_twice(folders, made):
    first = folders.freeze(publish(made.quiz_set))
    assert folders.freeze(publish(made.quiz_set)) == first
    other = folders.freeze(publish(replace(made.quiz_set, title="Other")))
    assert (first.version, other.version) == (1, 2)
    assert folders.published("mine", 1, first.content_hash).title == "Mine"


def test_a_published_file_that_was_changed_is_refused_by_name(folders, made, tmp_path):
    frozen = folders.freeze(publish(made.quiz_set))
    path = tmp_path / "published" / "mine-1" / "sets" / "mine.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("key: band", "key: segmented", 1), encoding="utf-8")
    with pytest.raises(DataError, match="changed after it was published"):
        SetFolders(tmp_path).published("mine", 1, frozen.content_hash)
    changed = replace(frozen, title="Other")
    path.write_text(text.replace("Mine", "Other").replace(frozen.content_hash, changed.content_hash), encoding="utf-8")
    with pytest.raises(DataError, match="changed after it was published"):
        SetFolders(tmp_path).published("mine", 1, frozen.content_hash)


@pytest.mark.parametrize("text", ["", "[", "[1]", '{"a.png": 1}', '{"a.png": {"colour": "red"}}', "\udcff"])
def test_damaged_origins_are_an_error_that_says_what_to_do(folders, tmp_path, text):
    path = tmp_path / "drafts" / "mine" / "origins.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=r"origins\.json is damaged") as caught:
        folders.origins(path.parent)
    assert "delete it" in caught.value.hint
