import shutil
import subprocess
import sys

import numpy as np
import pytest
from filelock import FileLock

from hematovision.errors import InputError
from hematovision.library.bank import add_to_set, own_set
from hematovision.library.drawn import random_cell, save
from hematovision.library.index import Index
from hematovision.services.explain import Explain
from hematovision.services.pictures import Pictures
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


def test_two_builders_do_not_write_at_once(pictures, app_environment):
    app_environment.index_folder.mkdir(parents=True)
    with FileLock(app_environment.index_folder / "building.lock"):
        assert pictures.build_index() == []
    assert not list(app_environment.index_folder.glob("*/ids.txt"))


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


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.3, 0.4])
def test_a_process_that_ends_while_the_index_is_built_ends_in_peace(app_environment, seconds):
    begin = (
        "import time; from hematovision.services import open_services; from hematovision.settings import load_settings;"
        "pictures = open_services(load_settings()).pictures; pictures.start_indexing(); time.sleep({})"
    )
    done = subprocess.run([sys.executable, "-c", begin.format(seconds)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
