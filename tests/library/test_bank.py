"""The library of several folders: which cells come first, and the sets."""

import shutil
from dataclasses import replace

import pytest

from hematovision.cells import CELL_CLASSES, STAGES
from hematovision.errors import DataError, InputError
from hematovision.library.bank import add_folder, add_to_set, keep_set, open_library, own_set, read_set
from hematovision.library.drawn import random_cell, save
from hematovision.library.set_files import write_set
from hematovision.quiz.set_cells import MOST_CELLS, SetCell
from hematovision.quiz.sets import QuizSet, publish


@pytest.fixture
def own(tmp_path):
    """A folder of one's own with two drawn cells."""
    for label in ("monocyte", "neutrophil"):
        save(tmp_path / "own", random_cell(label, seed=1))
    return tmp_path / "own"


def test_drawn_cells_stand_in_where_there_is_no_real_one(cells_folder, bank, tmp_path):
    for label in ("monocyte", "platelet"):
        shutil.copytree(cells_folder / label, tmp_path / "few" / label)
    library = open_library([tmp_path / "few", bank])
    for ids in (library.to_ask, library.to_show):
        assert set(ids) == {*CELL_CLASSES, *STAGES}
        real = {name for name in ids if not any(library.records[i].is_drawn for i in ids[name])}
        assert real == {"monocyte", "platelet"}
        assert len(ids["monocyte"]) == 6 and len(ids["lymphocyte"]) == 3
    assert len(library.records) == 12 + 24


def test_the_sets_of_the_bank_have_cells_for_each_choice(bank):
    library = open_library([bank])
    assert len(library.sets) >= 7 and library.sources[0].error is None
    for quiz_set in library.sets.values():
        assert all(library.pool(quiz_set).values()), quiz_set.title
    pool = library.pool(library.sets["band-segmented"])
    assert {i: library.records[i].stage for ids in pool.values() for i in ids} == {
        i: stage for stage, ids in pool.items() for i in ids
    }


def test_of_two_sets_of_one_name_the_first_is_played_and_the_other_named(own, bank):
    (file, *_) = (f"pictures/{path.name}" for path in (own / "pictures").iterdir())
    mine = QuizSet("core-four", "Mine", CELL_CLASSES, (SetCell(file),))
    write_set(own, mine)
    library = open_library([own, bank])
    assert library.sets["core-four"] == mine
    assert sum(map(len, library.pool(mine).values())) == 1
    first, second = library.sources
    assert first.error is None and len(second.records) == 24
    path = "sets/core-four.yaml"
    assert second.error.message == f"{bank / path} is not played: {own / path} has the same name." and second.error.hint
    assert library.sets.keys() == open_library([bank]).sets.keys()
    assert open_library([bank, own]).sets["core-four"].title == "Core four, drawn cells"


def test_a_set_asks_the_cells_of_its_own_folder_only(cells_folder, bank, own):
    library = open_library([cells_folder, own, bank])
    pool = library.pool(library.sets["core-four"])
    assert {len(ids) for ids in pool.values()} == {3}
    assert not set(pool["monocyte"]) & {r.picture_id for r in library.sources[1].records}


def test_a_set_of_ones_own_grows_and_is_played(own):
    files = [f"pictures/{path.name}" for path in (own / "pictures").iterdir()]
    for file in [*files, files[0]]:
        add_to_set(own, own_set(own, " Für die Prüfung "), file)
    library = open_library([own])
    (mine,) = library.sets.values()
    assert (mine.title, mine.choices) == ("Für die Prüfung", CELL_CLASSES)
    assert mine.cells == tuple(map(SetCell, files))
    assert sum(map(len, library.pool(mine).values())) == 2
    assert own_set(own, "Für die Prüfung") == mine and own_set(own, "Another").cells == ()


def test_a_set_is_played_on_when_a_picture_of_it_has_gone(cells_folder, tmp_path):
    """While the app runs: the quiz passes it over when it cannot be shown."""
    shutil.copytree(cells_folder, tmp_path / "own")
    write_set(tmp_path / "own", QuizSet("a", "A", ("monocyte", "platelet")))
    library = open_library([tmp_path / "own"])
    before = library.pool(library.sets["a"])
    (tmp_path / "own" / "monocyte" / "monocyte_0.png").unlink()
    assert library.pool(library.sets["a"]) == before and len(before["monocyte"]) == 6


def test_a_cell_that_has_gone_from_a_set_is_passed_over(own):
    add_to_set(own, own_set(own, "Mine"), "pictures/0123456789abcdef.webp")
    library = open_library([own])
    (mine,) = library.sets.values()
    assert not any(library.pool(mine).values())


def test_a_set_without_a_title_is_refused(own):
    with pytest.raises(InputError, match="title is missing"):
        own_set(own, "  ")
    assert not (own / "sets").exists()


@pytest.mark.parametrize("text", ["title: [", "title: x\nchoices: [monocyte]", "- a", "", "\x00"])
def test_a_damaged_set_is_named_and_the_rest_goes_on(bank, tmp_path, text):
    shutil.copytree(bank, tmp_path / "copy")
    bad = tmp_path / "copy" / "sets" / "bad.yaml"
    bad.write_text(text)
    with pytest.raises(DataError) as caught:
        read_set(bad)
    assert str(bad) in caught.value.message and caught.value.hint
    whole, hurt = open_library([bank]), open_library([tmp_path / "copy"])
    assert hurt.sets == whole.sets and set(hurt.records) == set(whole.records)
    assert str(bad) in str(hurt.sources[0].error)


def test_a_key_of_the_sets_own_comes_before_the_label_of_the_folder(own):
    files = {path.name: f"pictures/{path.name}" for path in (own / "pictures").iterdir()}
    labels = {r.path.name: r.label for r in open_library([own]).records.values()}
    (monocyte,) = (files[name] for name, label in labels.items() if label == "monocyte")
    (neutrophil,) = (files[name] for name, label in labels.items() if label == "neutrophil")
    disputed = QuizSet(
        "disputed",
        "Disputed",
        ("band", "lymphocyte"),
        (SetCell(monocyte, "lymphocyte", "n", "band"), SetCell(neutrophil)),
    )
    write_set(own, disputed)
    library = open_library([own])
    pool = library.pool(library.sets["disputed"])
    assert [library.record(i).path.name for i in pool["lymphocyte"]] == [monocyte.removeprefix("pictures/")]
    ((_, cell),) = (found for found in library.cells(disputed) if found[1].note)
    assert cell == SetCell(monocyte, "lymphocyte", "n", "band", is_drawn=True)


def test_a_folder_needs_no_labels_where_its_sets_bring_the_keys(cells_folder, tmp_path):
    (tmp_path / "mine").mkdir()
    for number, label in enumerate(("monocyte", "platelet", "neutrophil")):
        shutil.copy(cells_folder / label / f"{label}_0.png", tmp_path / "mine" / f"{number}.png")
    cells = (SetCell("0.png", "monocyte"), SetCell("2.png", "band"), SetCell("7.png", "band"))
    write_set(tmp_path / "mine", QuizSet("a", "A", ("monocyte", "band"), cells))
    write_set(tmp_path / "mine", QuizSet("b", "B", ("monocyte", "band"), (SetCell("0.png", "band"),)))
    source = add_folder(tmp_path / "folders.txt", tmp_path / "mine")
    assert source.error is None
    assert [(r.path.name, r.label, r.stage, r.is_drawn) for r in source.records] == [
        ("0.png", "monocyte", "", False),
        ("2.png", "neutrophil", "band", False),
    ]
    library = open_library([tmp_path / "mine"])
    assert {k: len(v) for k, v in library.pool(library.sets["a"]).items()} == {"monocyte": 1, "band": 1}
    assert {k: len(v) for k, v in library.pool(library.sets["b"]).items()} == {"monocyte": 0, "band": 1}


def test_a_folder_with_nothing_to_use_is_not_added(tmp_path):
    (tmp_path / "empty" / "sets").mkdir(parents=True)
    with pytest.raises(DataError, match="No pictures were found"):
        add_folder(tmp_path / "folders.txt", tmp_path / "empty")
    assert not (tmp_path / "folders.txt").exists()


def test_a_published_or_full_set_does_not_grow(own):
    published = publish(QuizSet("p", "P", ("monocyte", "band"), (SetCell("0.png", "band"),)))
    with pytest.raises(InputError) as caught:
        add_to_set(own, published, "1.png")
    assert caught.value.kind == "published"
    full = replace(own_set(own, "Full"), cells=tuple(SetCell(f"{i}.png") for i in range(MOST_CELLS)))
    with pytest.raises(InputError) as caught:
        add_to_set(own, full, "another.png")
    assert caught.value.kind == "full" and not (own / "sets").exists()


KEPT = QuizSet("a-set", "A", ("monocyte", "band"), (SetCell("pictures/0123456789abcdef.png", "band"),))
PICTURES = {"pictures/0123456789abcdef.png": b"png"}


def test_a_set_is_kept_once_and_under_a_name_of_its_own(tmp_path):
    assert keep_set(tmp_path, KEPT, PICTURES).id == "a-set"
    assert keep_set(tmp_path, KEPT, PICTURES).id == "a-set"
    other = replace(KEPT, title="B")
    assert keep_set(tmp_path, other, PICTURES).id == "a-set-2"
    assert keep_set(tmp_path, other, PICTURES).id == "a-set-2"
    assert keep_set(tmp_path, replace(KEPT, title="C"), PICTURES, {"a-set-3"}).id == "a-set-4"
    assert keep_set(tmp_path, replace(KEPT, id="x" * 28), PICTURES, {"x" * 28}).id == "x" * 24 + "-2"
    assert len(list((tmp_path / "sets").iterdir())) == 4


def test_nothing_is_left_of_a_set_that_could_not_be_written(tmp_path):
    (tmp_path / "sets").write_text("no folder")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "other.png").write_bytes(b"mine")
    with pytest.raises(DataError):
        keep_set(tmp_path, KEPT, PICTURES)
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["other.png"]
