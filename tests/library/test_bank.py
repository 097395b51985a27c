"""The library of several folders: which cells come first, and the sets."""

import shutil

import pytest

from hematovision.cells import CELL_CLASSES, STAGES
from hematovision.errors import DataError, InputError
from hematovision.library.bank import add_to_set, open_library, own_set, read_set
from hematovision.library.drawn import random_cell, save


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
    assert (mine.title, mine.choices, list(mine.cells)) == ("Für die Prüfung", CELL_CLASSES, files)
    assert sum(map(len, library.pool(mine).values())) == 2
    assert own_set(own, "Für die Prüfung") == mine and own_set(own, "Another").cells == ()


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
