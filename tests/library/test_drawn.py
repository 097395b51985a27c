import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from hematovision import images
from hematovision.cells import ATTRIBUTES, CELL_CLASSES, STAGES
from hematovision.errors import DataError, InputError
from hematovision.library.bank import open_library
from hematovision.library.datasets import read_datasets
from hematovision.library.drawn import DrawnCell, draw_cell, random_cell, read_drawn, row, save, series
from hematovision.settings import ROOT
from hematovision.smear.morphology import CellSpec


def rows(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]


def cell_of(row: dict) -> DrawnCell:
    return DrawnCell(CellSpec(**row["spec"]), row["stain"], row["seed"])


@pytest.fixture
def copy(bank, tmp_path):
    """A bank to be damaged."""
    shutil.copytree(bank, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_row_draws_the_same_cell_again(bank):
    for found in rows(bank):
        cell = cell_of(found)
        assert images.encode_webp(draw_cell(cell).picture) == (bank / found["file"]).read_bytes()
        assert row(cell, found["file"]) == found


def test_a_cell_is_drawn_as_it_is_written_down():
    cell = random_cell("monocyte", seed=11)
    again = cell_of(json.loads(json.dumps(row(cell, "x"))))
    assert again == cell and np.array_equal(draw_cell(again).picture, draw_cell(cell).picture)
    assert cell.spec.diameter == round(cell.spec.diameter, 4)


def test_the_seed_makes_the_cell_and_its_surroundings():
    spec = random_cell("lymphocyte", seed=1).spec
    assert spec != random_cell("lymphocyte", seed=2).spec
    one, two = (draw_cell(DrawnCell(spec, "mgg", seed)).picture for seed in (1, 2))
    assert one.shape == (256, 256, 3) and not np.array_equal(one, two)


def test_an_unknown_stain_names_the_known_ones():
    with pytest.raises(InputError, match="Should be one of: mgg, mgg-bluish, mgg-wright, wright"):
        random_cell("monocyte", seed=1, stain="ink")


def test_a_series_is_spread_over_stages_and_no_seed_comes_twice():
    found = [cell for seed in (0, 1) for cell in series(CELL_CLASSES, 6, seed)]
    assert len({cell.seed for cell in found}) == len(found) == 96
    for label in CELL_CLASSES:
        stages = [cell.spec.stage for cell in found[:48] if cell.spec.cell_class == label]
        assert {stages.count(stage) for stage in stages} == {6 // len(set(stages))}
    assert {cell.spec.stage for cell in found} == {"", *STAGES}


def test_a_longer_series_begins_with_the_shorter_one():
    assert series(["monocyte"], 5, seed=3)[:2] == series(["monocyte"], 2, seed=3)


def test_saving_twice_keeps_one(tmp_path):
    cell = random_cell("platelet", seed=1)
    assert save(tmp_path, cell) == save(tmp_path, cell)
    assert len(rows(tmp_path)) == 1 and len(list((tmp_path / "pictures").iterdir())) == 1


@pytest.mark.parametrize("end", [0, 1, 30, 60, -2])
def test_a_row_that_was_broken_off_takes_no_other_with_it(tmp_path, end):
    """As a full disk or a loss of power leaves the table: the last row is written in part."""
    one, two = (random_cell("platelet", seed=seed) for seed in (1, 2))
    files = [save(tmp_path, cell) for cell in (one, two)]
    table = tmp_path / "labels.jsonl"
    whole = table.read_text()
    first, last = whole.splitlines()
    table.write_text(f"{first}\n{last[:end]}")
    assert [record.path for record in read_drawn(tmp_path)] == [tmp_path / files[0]]
    assert save(tmp_path, two) == files[1]
    assert table.read_text() == whole


def test_a_last_row_without_an_end_of_line_counts_and_stays(tmp_path):
    one, two = (random_cell("platelet", seed=seed) for seed in (1, 2))
    save(tmp_path, one)
    table = tmp_path / "labels.jsonl"
    table.write_text(table.read_text().rstrip("\n"))
    assert len(read_drawn(tmp_path)) == 1
    save(tmp_path, two)
    assert len(rows(tmp_path)) == len(read_drawn(tmp_path)) == 2


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="Cannot write"):
        save(tmp_path / "file", random_cell("platelet", seed=1))


def test_on_a_full_disk_the_folder_is_named(tmp_path, monkeypatch):
    def is_full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", is_full)
    with pytest.raises(DataError, match=f"Cannot write {tmp_path}: No space left on device"):
        save(tmp_path, random_cell("platelet", seed=1))


def test_records_say_all_that_is_known(bank):
    records = read_datasets(bank)
    assert records == read_drawn(bank) and len(records) == 24
    for record, found in zip(records, rows(bank), strict=True):
        assert (record.dataset, record.is_drawn, record.split) == ("HematoVision", True, "")
        assert (record.label, record.stage) == (found["class"], found["stage"])
        assert dict(record.attributes) == found["attributes"]
        assert len(record.picture_id) == 16 and record.picture_id in found["file"]


def test_a_copy_has_the_same_ids(bank, copy):
    for path in copy.rglob("*.webp"):
        path.touch()
    assert set(open_library([copy]).records) == set(open_library([bank]).records)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"class": "neutro"}, "Unknown cell class 'neutro'"),
        ({"stage": "band"}, "'band' is no stage of basophil"),
        ({"attributes": {"granularity": "maybe"}}, "Unknown value of granularity 'maybe'"),
        ({"attributes": {"mood": "good"}}, "Unknown attribute 'mood'"),
        ({"attributes": ["granularity"]}, "It is damaged"),
        ({"file": "pictures/0123456789abcdef.webp"}, "There is no pictures/0123456789abcdef.webp"),
        ({"file": "pictures/basophil_1.webp"}, "is no name of a drawn picture"),
        ({"file": "../pictures/0123456789abcdef.webp"}, "is no name of a drawn picture"),
        ({"file": None}, "is no name of a drawn picture"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(copy, change, words):
    found = rows(copy)
    found[2] |= change
    (copy / "labels.jsonl").write_text("".join(json.dumps(r) + "\n" for r in found))
    with pytest.raises(DataError) as caught:
        read_datasets(copy)
    assert f"Line 3 of {copy / 'labels.jsonl'}" in caught.value.message
    assert words in caught.value.message and caught.value.hint


@pytest.mark.parametrize("line", ["{", "[]", "null", '{"file": "x"}', ""])
def test_a_damaged_line_is_named(copy, line):
    table = copy / "labels.jsonl"
    table.write_text(table.read_text() + line + "\n")
    with pytest.raises(DataError, match=r"Line 25 of .*It is damaged"):
        read_drawn(copy)


def test_a_table_that_is_no_text_is_named(copy):
    (copy / "labels.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        read_datasets(copy)


def test_an_empty_table_has_no_pictures(tmp_path):
    (tmp_path / "labels.jsonl").touch()
    with pytest.raises(DataError, match="No pictures were found"):
        read_datasets(tmp_path)


def test_the_bank_that_is_shipped():
    folder = ROOT / "quiz_bank"
    found = rows(folder)
    labels = [r["class"] for r in found]
    assert min(labels.count(label) for label in CELL_CLASSES) >= 20
    files = sorted(folder.joinpath("pictures").iterdir())
    assert [f"pictures/{path.name}" for path in files] == sorted(r["file"] for r in found)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 6_000_000
    assert {(r["source"], r["licence"]) for r in found} == {("drawn by HematoVision", "MIT")}
    assert all(r["attributes"][name] in ATTRIBUTES[name] for r in found for name in r["attributes"])
    library = open_library([folder])
    assert library.sources[0].error is None and len(library.records) == len(found)
    for quiz_set in library.sets.values():
        assert all(library.pool(quiz_set).values()), quiz_set.title
    for sample in found[:: len(found) // 8][:8]:
        drawn = images.decode(images.encode_webp(draw_cell(cell_of(sample)).picture))
        # Another processor may round a pixel otherwise; a change to the drawing is far greater.
        assert np.abs(drawn.astype(int) - images.read(folder / sample["file"])).mean() < 0.5, sample["file"]
