from collections import Counter
from dataclasses import replace

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hematovision import images
from hematovision.cells import CELL_CLASSES
from hematovision.errors import InputError
from hematovision.library.records import Record
from hematovision.training import crossval
from hematovision.training.crossval import crossvalidate, spread
from hematovision.training.fitting.fit import Recipe
from hematovision.training.folds import assign_folds, group_pictures

PICTURES = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 30)), min_size=1, max_size=60)


@given(PICTURES, st.integers(2, 6), st.integers(0, 5))
def test_every_picture_is_in_one_fold_and_no_group_is_split(pictures, folds, seed):
    labels, groups = zip(*pictures, strict=True)
    if len(set(groups)) < folds:
        with pytest.raises(InputError, match="cannot be split"):
            assign_folds(labels, groups, folds, seed)
        return
    assigned = assign_folds(labels, groups, folds, seed)
    assert len(assigned) == len(labels) and set(assigned) == set(range(folds))
    assert all(len({f for f, g in zip(assigned, groups, strict=True) if g == group}) == 1 for group in set(groups))


@given(st.lists(st.sampled_from("abcd"), min_size=6, max_size=80), st.integers(2, 6), st.integers(0, 5))
def test_without_groups_each_class_is_spread_evenly(labels, folds, seed):
    assigned = assign_folds(labels, range(len(labels)), folds, seed)
    assert assigned == assign_folds(labels, range(len(labels)), folds, seed)
    for label in set(labels):
        counts = Counter(f for f, own in zip(assigned, labels, strict=True) if own == label)
        assert max(counts.values()) - min(counts[f] for f in range(folds)) <= 1


def test_the_same_cell_and_cells_of_one_field_are_one_group(cells_folder, tmp_path):
    paths = [sorted((cells_folder / label).iterdir())[0] for label in CELL_CLASSES]
    first = images.read(paths[0])
    smaller = cv2.resize(first, (200, 200), interpolation=cv2.INTER_AREA)
    copies = {
        "same.png": paths[0].read_bytes(),
        "again.jpg": cv2.imencode(".jpg", cv2.cvtColor(first, cv2.COLOR_RGB2BGR))[1].tobytes(),
        "smaller.png": images.encode_png(smaller),
        "slide__1.png": paths[1].read_bytes(),
        "slide__2.png": paths[2].read_bytes(),
    }
    for name, content in copies.items():
        (tmp_path / name).write_bytes(content)
    records = [Record("d", path, "monocyte") for path in [*paths, *(tmp_path / name for name in copies)]]
    groups = group_pictures(records)
    together = {frozenset(i for i, g in enumerate(groups) if g == group) for group in groups}
    assert together == {frozenset(s) for s in ([0, 8, 9, 10], [1, 2, 11, 12], [3], [4], [5], [6], [7])}


def test_spread_by_hand():
    assert spread([0.5, 0.7, None]) == {"mean": 0.6, "sd": pytest.approx(0.1414, abs=1e-4), "folds": [0.5, 0.7, None]}
    assert spread([0.5])["sd"] is None and spread([None])["mean"] is None


RECIPE = Recipe(size=32, batch_size=16, frozen_epochs=1, epochs=0, settled_epochs=0)


def test_each_fold_measures_once_and_a_killed_run_goes_on(records, tmp_path, tiny_backbone, monkeypatch):
    measured = []
    measure = crossval._measure

    def counted(parts, recipe, folder, weights):
        if len(measured) == 1 and not tmp_path.joinpath("killed").exists():
            tmp_path.joinpath("killed").touch()
            raise KeyboardInterrupt
        measured.append([r.path for r in parts if r.split == "test"])
        return measure(parts, recipe, folder, weights)

    monkeypatch.setattr(crossval, "_measure", counted)
    with pytest.raises(KeyboardInterrupt):
        crossvalidate(records, 3, RECIPE, tmp_path / "run", None)
    report = crossvalidate(records, 3, RECIPE, tmp_path / "run", None)
    pool = [r.path for r in records if r.split != "test"]
    assert len(measured) == 3 and sorted(p for part in measured for p in part) == sorted(pool)
    assert report["folds"] == 3 and report["pictures"] == report["groups"] == 40
    assert len(report["accuracy"]["folds"]) == 3 and report["accuracy"]["sd"] is not None
    assert set(report["recall"]) == set(CELL_CLASSES) and report["attributes"]["mean_accuracy"]["mean"] is not None
    with pytest.raises(InputError, match="another run"):
        crossvalidate(records, 3, replace(RECIPE, seed=9), tmp_path / "run", None)
    with pytest.raises(InputError, match="It takes 3"):
        crossvalidate(records, 2, RECIPE, tmp_path / "run", None)
