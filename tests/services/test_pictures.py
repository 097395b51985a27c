import shutil
import subprocess
import sys
import time
from contextlib import nullcontext

import numpy as np
import pytest
from filelock import FileLock

from hematovision import cli
from hematovision.cells import CELL_CLASSES
from hematovision.errors import DataError, InputError, ModelError
from hematovision.library.bank import add_to_set, own_set
from hematovision.library.drawn import random_cell, save
from hematovision.library.index import Index
from hematovision.services.explain import Explain
from hematovision.services.pictures import IndexState, Pictures
from hematovision.settings import ROOT
from hematovision.vision.classifier import Classifier


@pytest.fixture
def pictures(app_environment):
    return Pictures(app_environment, Explain(app_environment.model))


def test_the_index_holds_what_the_model_says(pictures, app_environment):
    ids = list(pictures.library.records)
    live = {i: pictures.prediction(i) for i in ids}
    seen = []
    assert pictures.build_index(lambda done, total: seen.append((done, total))) == []
    assert seen[0] == (0, 72) and seen[-1] == (72, 72)
    index = Index(app_environment.index_folder, Classifier(app_environment.model))
    assert len(index) == 72
    for i in ids:
        stored = index.prediction(i)
        assert np.allclose(stored.logits, live[i].logits, atol=1e-3)
        assert np.allclose(stored.maps, live[i].maps, rtol=2e-3, atol=1e-2)
        assert stored.label == pictures.prediction(i).label == live[i].label


def test_the_index_is_built_once(pictures):
    pictures.build_index()
    seen = []
    pictures.build_index(lambda done, total: seen.append(done))
    assert seen == [72]


def test_an_unfinished_index_holds_some_of_every_class(pictures, app_environment, monkeypatch):
    monkeypatch.setattr("hematovision.library.index.BATCH", 3)

    def killed(done, total):
        if done >= total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pictures.build_index(killed)
    index = Index(app_environment.index_folder, Classifier(app_environment.model))
    records = pictures.library.records
    found = {records[picture_id].label for picture_id in records if picture_id in index}
    assert len(index) == 36 and found == {record.label for record in records.values()}


def test_a_killed_build_goes_on_from_the_last_whole_row(pictures, app_environment):
    pictures.build_index()
    folder = next(app_environment.index_folder.glob("*/ids.txt")).parent
    ids = (folder / "ids.txt").read_text().split()
    (folder / "ids.txt").write_text("".join(f"{i}\n" for i in ids[:20]))  # killed before the ids were written
    with (folder / "maps.f16").open("r+b") as file:
        file.truncate(30 * (folder / "maps.f16").stat().st_size // 72 + 5)  # killed in the middle of a row
    before = Index(app_environment.index_folder, Classifier(app_environment.model))
    assert len(before) == 20
    expected = {i: before.prediction(i).logits for i in ids[:20]}
    pictures.build_index()
    after = Index(app_environment.index_folder, Classifier(app_environment.model))
    assert len(after) == 72
    for i in ids[:20]:
        assert np.array_equal(after.prediction(i).logits, expected[i])
    last = after.prediction(ids[-1])
    assert np.allclose(last.logits, pictures._explain.classifier.classify(pictures.picture(ids[-1])).logits, atol=1e-3)


def test_two_builders_do_not_write_at_once(pictures, app_environment, capsys):
    app_environment.index_folder.mkdir(parents=True)
    with FileLock(app_environment.index_folder / "building.lock"):
        with pytest.raises(DataError, match="prepared already") as caught:
            pictures.build_index()
        assert cli.main(["library", "index"]) == 1
    assert caught.value.hint and "prepared already" in capsys.readouterr().err
    assert not list(app_environment.index_folder.glob("*/ids.txt"))


def test_an_index_that_cannot_be_written_is_an_error(pictures, app_environment, monkeypatch):
    def is_full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Index, "_append", is_full)
    pictures._index_in_background()
    assert f"Cannot write {app_environment.index_folder}: No space left" in pictures.index_state.error.message


def test_the_app_follows_the_index_that_another_process_builds(pictures, app_environment):
    app_environment.index_folder.mkdir(parents=True)
    paths = {picture_id: record.path for picture_id, record in pictures.library.records.items()}
    with FileLock(app_environment.index_folder / "building.lock"):
        pictures.start_indexing()
        Index(app_environment.index_folder, Classifier(app_environment.model)).build(paths)
        assert comes(lambda: pictures.index_state == IndexState(72, 72, running=True))
    assert comes(lambda: pictures.index_state == IndexState(72, 72))
    assert all(map(pictures.is_indexed, paths))


def comes(is_so) -> bool:
    """Whether it is so within two minutes."""
    return any(is_so() or time.sleep(0.1) for _ in range(1200))


def test_an_unreadable_picture_is_named_and_the_others_go_on(app_environment, tmp_path):
    data = tmp_path / "copy"
    shutil.copytree(app_environment.data, data)
    bad = data / "monocyte" / "bad.png"
    bad.write_bytes(b"no picture")
    pictures = Pictures(app_environment.model_copy(update={"data": data}), Explain(app_environment.model))
    assert pictures.build_index() == [bad]
    assert pictures.index_state.error is None


def test_references_are_of_the_class_and_never_the_cell_itself(pictures):
    beside = pictures.library.to_ask["monocyte"][0]
    found = pictures.references("monocyte", 5, beside)
    assert beside not in found and len(set(found)) == 5
    assert {pictures.record(i).label for i in found} == {"monocyte"}
    assert found == pictures.references("monocyte", 5, beside)


def test_an_unknown_picture_is_refused(pictures):
    with pytest.raises(InputError):
        pictures.picture("0" * 16)


def test_an_added_folder_is_there_at_once_and_after_a_restart(app_environment, cells_folder):
    empty = app_environment.model_copy(update={"data": None})
    pictures = Pictures(empty, Explain(empty.model))
    assert len(pictures.library.records) == 24  # the bank's
    pictures.add_folder(cells_folder)
    assert len(pictures.library.records) == 72
    assert len(Pictures(empty, Explain(empty.model)).library.records) == 72


def test_cells_of_ones_own_are_there_after_a_second_look(pictures, app_environment):
    assert len(pictures.library.records) == 72
    own = app_environment.own_cells
    file = save(own, random_cell("monocyte", seed=3))
    add_to_set(own, own_set(own, "My cells"), file)
    assert len(pictures.library.records) == 72
    pictures.reload()
    assert len(pictures.library.records) == 73
    assert "My cells" in [found.title for found in pictures.library.sets.values()]


def test_references_of_a_stage_are_of_that_stage(pictures):
    (first, *others) = pictures.library.to_ask["band"]
    assert set(pictures.references("band", 5, first)) == set(others)
    assert {pictures.record(i).stage for i in others} == {"band"}


def nearest_by_hand(pictures, picture_id, ids):
    """Ids by the cosine of the model's own embeddings, computed now."""
    query = pictures.prediction(picture_id).embedding.astype(float)
    vectors = {i: pictures.prediction(i).embedding.astype(float) for i in ids}
    cosines = {i: v @ query / np.linalg.norm(v) / np.linalg.norm(query) for i, v in vectors.items()}
    return sorted(((i, c) for i, c in cosines.items() if i != picture_id), key=lambda near: (-near[1], near[0]))


def test_references_are_the_nearest_of_the_class(pictures):
    beside = pictures.library.to_ask["monocyte"][0]
    drawn_by_lot = {name: pictures.references(name, 2, beside) for name in ("monocyte", "lymphocyte")}
    pictures.build_index()
    for name in drawn_by_lot:
        expected = nearest_by_hand(pictures, beside, pictures.library.to_show[name])
        assert pictures.references(name, 2, beside) == [i for i, _ in expected[:2]]
    # Where there are not as many, there are none but them.
    assert set(pictures.references("monocyte", 9, beside)) == {*pictures.library.to_show["monocyte"]} - {beside}


def test_similar_cells_are_the_nearest_of_all_classes_and_never_the_cell_itself(pictures):
    pictures.build_index()
    beside = pictures.library.to_ask["eosinophil"][0]
    shown = {i for name in CELL_CLASSES for i in pictures.library.to_show[name]}
    expected = nearest_by_hand(pictures, beside, shown)
    found = pictures.similar(pictures.prediction(beside), 5)  # not told which picture it is
    assert [i for i, _ in found] == [i for i, _ in expected[:5]]
    assert [s for _, s in found] == pytest.approx([s for _, s in expected[:5]], abs=1e-6)
    assert pictures.indexed_references == (48, 48)
    assert pictures.is_near(1.0) and not pictures.is_near(-1.0)
    farthest = expected[-1][1]
    assert not pictures.is_near(farthest - 0.01)


def test_a_copy_of_the_cell_under_another_name_is_not_shown_beside_it(app_environment, tmp_path):
    data = shutil.copytree(app_environment.data, tmp_path / "copy")
    shutil.copy(data / "monocyte" / "monocyte_0.png", data / "monocyte" / "again.png")
    pictures = Pictures(app_environment.model_copy(update={"data": data}), Explain(app_environment.model))
    one, again = (
        next(i for i, r in pictures.library.records.items() if r.path.name == name)
        for name in ("monocyte_0.png", "again.png")
    )
    pictures.build_index()
    for beside in (one, again):
        found = [i for i, _ in pictures.similar(pictures.prediction(beside), 60, "monocyte", beside)]
        assert len(found) == 5 and not {one, again} & set(found)


def test_pictures_that_left_the_library_are_not_found_and_new_ones_not_before_they_are_indexed(
    app_environment, tmp_path
):
    data = shutil.copytree(app_environment.data, tmp_path / "copy")
    pictures = Pictures(app_environment.model_copy(update={"data": data}), Explain(app_environment.model))
    pictures.build_index()
    beside = pictures.library.to_ask["platelet"][0]
    answer = pictures.prediction(beside)
    (nearest, _), *others = pictures.similar(answer, 4, beside=beside)
    lost = pictures.record(nearest)
    lost.path.unlink()
    pictures.reload()
    assert pictures.similar(answer, 3, beside=beside) == others
    assert pictures.indexed_references == (47, 47)
    shutil.copy(pictures.record(beside).path, data / "platelet" / "new.png")
    pictures.reload()
    assert pictures.indexed_references == (47, 48)
    assert len(pictures.references("platelet", 9, beside)) == 6 - (lost.label == "platelet")


def test_while_the_index_is_built_what_is_there_is_found(pictures, monkeypatch):
    """The index is opened anew as it grows, not only at its end."""
    from hematovision.services import pictures as module

    assert pictures.indexed_references == (0, 48)
    assert pictures.similar(pictures.prediction(pictures.library.to_ask["band"][0]), 3) == []
    monkeypatch.setattr(module, "_OPENED_EVERY", 1)
    monkeypatch.setattr("hematovision.library.index.BATCH", 4)
    seen = []
    opened = Pictures._open_index

    def watched(self):
        opened(self)
        seen.append(self.indexed_references[0])

    monkeypatch.setattr(Pictures, "_open_index", watched)
    pictures._index_in_background()
    assert len(seen) == 5 and seen == sorted(seen) and 0 < seen[0] < seen[-1] == 48
    assert pictures.index_state.error is None
    assert len(pictures.similar(pictures.prediction(pictures.library.to_ask["band"][0]), 3)) == 3


def test_without_a_model_references_are_drawn_by_lot(app_environment, tmp_path):
    pictures = Pictures(app_environment, Explain(tmp_path / "none"))
    beside = pictures.library.to_ask["monocyte"][0]
    assert len(pictures.references("monocyte", 2, beside)) == 2
    with pytest.raises(ModelError):
        _ = pictures.indexed_references


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.3, 0.4, "while another builds it"])
def test_a_process_that_ends_while_the_index_is_built_ends_in_peace(app_environment, seconds):
    begin = (
        "import time; from hematovision.services import open_services; from hematovision.settings import load_settings;"
        "pictures = open_services(load_settings()).pictures; pictures.start_indexing(); time.sleep({})"
    )
    other = nullcontext()
    if not isinstance(seconds, float):
        app_environment.index_folder.mkdir(parents=True)
        other, seconds = FileLock(app_environment.index_folder / "building.lock"), 1.0
    command = [sys.executable, "-c", begin.format(seconds)]
    with other:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
