"""A stored answer is the answer: in what it says, and in how far it is to be trusted."""

import shutil
from collections import Counter

import numpy as np
import pytest

from hematovision import images
from hematovision.library.index import FORMAT, Index
from hematovision.training.measuring.trust import familiarity_scores, fit_familiarity, fit_likeness
from hematovision.vision.classifier import Classifier
from hematovision.vision.trust import pack
from tests.trusted import give_trust, indifferent


@pytest.fixture
def paths(cells_folder):
    return {f"{nth:016x}": path for nth, path in enumerate(sorted(cells_folder.glob("*/*.png")))}


@pytest.fixture
def model(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "model")


def halfway(scores, share):
    """A threshold that lies between two scores, below which is about the `share` of all."""
    ordered = np.sort(scores)
    at = int(share * len(ordered))
    return float(ordered[at - 1 : at + 1].mean())


@pytest.fixture
def fresh(model, paths):
    """Answers computed now, by a model to which a third of the cells are none, and others unfamiliar."""
    classifier = Classifier(model)
    found = [classifier.classify(images.read(path)) for path in paths.values()]
    early = np.stack([answer.early for answer in found])
    gate, (familiarity, _) = fit_likeness(early[::2]), fit_familiarity(found[::2], found)
    cell, familiar = halfway(gate.scores(early), 1 / 3), halfway(familiarity_scores(familiarity, found), 1 / 3)
    give_trust(model, pack(gate, familiarity), cell=cell, familiar=familiar)
    classifier = Classifier(model)
    return {picture_id: classifier.classify(images.read(path)) for picture_id, path in paths.items()}


def test_a_stored_answer_has_the_status_of_one_computed_now(fresh, model, paths, tmp_path):
    index = Index(tmp_path / "index", Classifier(model))
    assert index.build(paths) == [] and len(index) == len(paths) == 48
    found = {picture_id: index.prediction(picture_id) for picture_id in paths}
    statuses = Counter(answer.status for answer in fresh.values())
    assert statuses["not_blood"] == 16 and 0 < statuses["unfamiliar"] < 32
    for picture_id, answer in fresh.items():
        stored = found[picture_id]
        assert (stored.status, stored.answer_set) == (answer.status, answer.answer_set)
        # Nearer than halves are: no border lies between them.
        assert np.allclose(stored.early, answer.early, rtol=1e-5, atol=1e-6)
        assert np.allclose(stored.embedding, answer.embedding, rtol=1e-5, atol=1e-6)


def test_rules_that_are_fitted_anew_hold_for_what_was_stored_before(model, paths, tmp_path):
    some = dict(list(paths.items())[:3])
    Index(tmp_path / "index", Classifier(model)).build(some)
    for thresholds, status in (({"cell": 1.0}, "not_blood"), ({"familiar": 1.0}, "unfamiliar")):
        give_trust(model, indifferent(model), **thresholds)
        index = Index(tmp_path / "index", Classifier(model))
        assert len(index) == 3 and {index.prediction(i).status for i in some} == {status}


def test_an_index_of_the_former_format_is_built_anew(model, paths, tmp_path):
    classifier = Classifier(model)
    former = tmp_path / "index" / classifier.card.version
    former.mkdir(parents=True)
    for name, content in {"shape.txt": "2 1280", "ids.txt": "0" * 16 + "\n"}.items():
        (former / name).write_text(content)
    index = Index(tmp_path / "index", classifier)
    assert len(index) == 0 and index.prediction("0" * 16) is None
    index.build(dict(list(paths.items())[:2]))
    assert len(index) == 2 and index.folder.name == f"{classifier.card.version}-{FORMAT}"


def test_a_build_that_is_killed_before_its_first_row_is_whole_begins_again(model, paths, tmp_path):
    some = dict(list(paths.items())[:2])
    index = Index(tmp_path / "index", Classifier(model))
    index.build(some)
    (index.folder / "ids.txt").unlink()
    again = Index(tmp_path / "index", Classifier(model))
    assert len(again) == 0
    again.build(some)
    assert len(again) == 2 and again.prediction(next(iter(some))).label == index.prediction(next(iter(some))).label


def test_a_model_without_early_features_is_indexed_too(model, paths, tmp_path, monkeypatch):
    from hematovision.vision import classifier as module

    run = module._Engine.run
    monkeypatch.setattr(module._Engine, "run", lambda self, inputs: run(self, inputs)[:3])
    index = Index(tmp_path / "index", Classifier(model))
    index.build(dict(list(paths.items())[:2]))
    stored = index.prediction("0" * 16)
    assert stored.early is None and stored.embedding.shape == (1280,)
