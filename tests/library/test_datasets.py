import os
import re
import shutil

import pytest

from hematovision.errors import DataError
from hematovision.library.bank import add_folder, added_folders, open_library
from hematovision.library.datasets import data_hash, read_bccd, read_datasets


@pytest.fixture
def pbc(tmp_path, cells_folder):
    """A folder laid out like PBC, with a table of splits."""
    root = tmp_path / "pbc" / "PBC_dataset_normal_DIB"
    rows = ["name,class,split,cell_size"]
    for folder, label, name in (("ig", "immature_granulocyte", "IG_1.png"), ("monocyte", "monocyte", "MO_1.png")):
        (root / folder).mkdir(parents=True)
        (root / folder / name).write_bytes((cells_folder / label / f"{label}_0.png").read_bytes())
        (root / folder / ".DS_169665.png").write_bytes(b"no picture")
    rows += ["MO_1.png,monocyte,test,big", "IG_1.png,ig,train,"]
    (tmp_path / "pbc" / "splits.csv").write_text("\n".join(rows))
    return tmp_path


def test_pbc_gives_class_split_and_attributes(pbc):
    found = {r.path.name: r for r in read_datasets(pbc)}
    assert set(found) == {"IG_1.png", "MO_1.png"}
    assert (found["IG_1.png"].label, found["IG_1.png"].split) == ("immature_granulocyte", "train")
    assert dict(found["MO_1.png"].attributes) == {"cell_size": "big"}
    assert not found["IG_1.png"].attributes


def test_an_unknown_attribute_value_is_named(pbc):
    table = pbc / "pbc" / "splits.csv"
    table.write_text(table.read_text().replace(",big", ",huge"))
    with pytest.raises(DataError, match="unknown value 'huge' for cell_size"):
        read_datasets(pbc)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"name,class\nMO_1.png,monocyte\n", "has no column 'split'"),
        (b"picture,split\nMO_1.png,test\n", "has no column 'name'"),
        (b"", "has no column 'name'"),
        ("name,split\nMÜ_1.png,test\n".encode("latin-1"), "cannot be read as text"),
        (b"name,split\n" + b"x" * 200_000 + b",test\n", "cannot be read as a table"),
        (b"name,split\nIG_1.png,train\nMO_1.png\n", "Line 3 of .* has too few values"),
        (b"name,split\nIG_1.png,Train\n", "Line 2 of .* has the unknown split 'Train'"),
    ],
)
def test_a_table_of_splits_that_cannot_be_used_is_named_and_the_rest_goes_on(pbc, cells_folder, table, words):
    (pbc / "pbc" / "splits.csv").write_bytes(table)
    library = open_library([pbc, cells_folder])
    error = library.sources[0].error
    assert isinstance(error, DataError) and error.hint and str(pbc / "pbc" / "splits.csv") in error.message
    assert re.search(words, error.message)
    assert len(library.records) == 48


def test_a_table_of_splits_may_begin_as_excel_begins_it(pbc):
    table = pbc / "pbc" / "splits.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes())
    assert {record.split for record in read_datasets(pbc)} == {"train", "test"}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("Number,Category\n1,MONOCYTE\n", "has no column 'Image'"),
        ("Image,Category\n1\n", "Line 2 of .* has too few values"),
        ("Image,Category\n1,MONOCYTE\none,MONOCYTE\n", "Line 3 of .* 'one' is no number of a field"),
    ],
)
def test_a_table_of_fields_that_cannot_be_used_is_named(tmp_path, table, words):
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(DataError, match=words) as caught:
        read_bccd(tmp_path)
    assert caught.value.hint and str(tmp_path / "labels.csv") in caught.value.message


def test_own_folders_are_named_after_classes(cells_folder):
    records = read_datasets(cells_folder)
    assert len(records) == 48 and {r.split for r in records} == {""}


def test_a_picture_id_tells_neither_name_nor_class(cells_folder):
    for record in read_datasets(cells_folder):
        assert len(record.picture_id) == 16
        assert record.label[:4] not in record.picture_id and record.path.stem not in record.picture_id


def test_picture_ids_are_unique(cells_folder):
    records = read_datasets(cells_folder)
    assert len({r.picture_id for r in records}) == len(records)


def test_a_picture_keeps_its_id_while_the_library_is_open(tmp_path, cells_folder):
    shutil.copytree(cells_folder, tmp_path / "own")
    library = open_library([tmp_path / "own"])
    before = dict(library.records)
    changed, gone, *_ = before.values()
    os.utime(changed.path, (1e9, 1e9))
    gone.path.unlink()
    assert [record.picture_id for record in before.values()] == list(before)
    # Whoever opens it anew sees what became of the files.
    again = open_library([tmp_path / "own"]).records
    assert len(before.keys() - again.keys()) == 2 and len(again) == 47


def test_a_link_to_a_picture_that_is_gone_is_no_picture(tmp_path, cells_folder):
    shutil.copytree(cells_folder, tmp_path / "own")
    (tmp_path / "own" / "monocyte" / "a.png").symlink_to(tmp_path / "gone.png")
    assert len(open_library([tmp_path / "own"]).records) == 48


def test_pictures_that_differ_only_in_their_class_have_different_ids(tmp_path, cells_folder):
    """Unpacked from an archive, uncompressed pictures may agree in name, size and time."""
    for label in ("monocyte", "neutrophil"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.png").write_bytes((cells_folder / "monocyte" / "monocyte_0.png").read_bytes())
        os.utime(tmp_path / label / "1.png", (1e9, 1e9))
    library = open_library([tmp_path])
    assert {record.label for record in library.records.values()} == {"monocyte", "neutrophil"}


def test_the_hash_of_the_data_changes_with_a_key_and_a_byte(pbc):
    before = data_hash(read_datasets(pbc))
    assert before == data_hash(reversed(read_datasets(pbc)))
    table = pbc / "pbc" / "splits.csv"
    table.write_text(table.read_text().replace("test,big", "val,big"))
    relabeled = data_hash(read_datasets(pbc))
    path = pbc / "pbc" / "PBC_dataset_normal_DIB" / "ig" / "IG_1.png"
    path.write_bytes(path.read_bytes() + b"x")
    assert len({before, relabeled, data_hash(read_datasets(pbc))}) == 3


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_folder_without_pictures_says_what_it_should_hold(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError) as caught:
        read_datasets(tmp_path / name)
    assert caught.value.hint


def test_questions_and_references_come_from_different_pictures(pbc):
    library = open_library([pbc])
    assert set(library.to_ask) == {"immature_granulocyte", "monocyte"}
    held_out = [i for i, r in library.records.items() if r.split == "test"]
    assert library.to_ask["monocyte"] == tuple(held_out)


def test_a_broken_source_leaves_the_others_alone(pbc, tmp_path):
    library = open_library([tmp_path / "gone", pbc])
    assert library.sources[0].error is not None
    assert len(library.records) == 2


def test_a_folder_that_cannot_be_read_leaves_the_others_alone(cells_folder, tmp_path):
    unreadable = tmp_path / ("x" * 300)  # longer than a name may be
    library = open_library([unreadable, cells_folder])
    assert f"{unreadable} cannot be read" in library.sources[0].error.message and library.sources[0].error.hint
    assert len(library.records) == 48


def test_an_added_folder_is_remembered_once(tmp_path, cells_folder):
    file = tmp_path / "home" / "folders.txt"
    add_folder(file, cells_folder)
    add_folder(file, cells_folder)
    assert added_folders(file) == [cells_folder]


def test_a_folder_without_use_is_not_remembered(tmp_path):
    with pytest.raises(DataError):
        add_folder(tmp_path / "folders.txt", tmp_path)
    assert added_folders(tmp_path / "folders.txt") == []


def test_the_real_sets_are_read_whole(real_data):
    records = read_datasets(real_data)
    assert {s: sum(r.split == s for r in records) for s in ("train", "val", "test")} == {
        "train": 9399,
        "val": 1710,
        "test": 5126,
    }
    assert sum(bool(r.attributes) for r in records) == 9794
    fields = read_bccd(real_data / "bccd")
    assert len(fields) == 261 and all(f.path.is_file() for f in fields)
