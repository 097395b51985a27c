"""Leave one class out: eight small models, each of which has to find one class unfamiliar."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from hematovision import cli
from hematovision.cells import CELL_CLASSES
from hematovision.errors import InputError
from hematovision.training import leaveout as module
from hematovision.training.fitting.fit import Recipe
from hematovision.training.leaveout import SHORT, leave_out
from hematovision.training.run import produce

RECIPE = Recipe(size=32, batch_size=16, frozen_epochs=1, epochs=0, settled_epochs=0)


def test_no_model_sees_its_class_and_a_killed_run_goes_on(records, tmp_path, tiny_backbone, monkeypatch):
    trained, made = [], []
    module._input.cache_clear()

    def noted(parts, folder, *rest):
        if len(trained) == 2 and not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            raise KeyboardInterrupt
        trained.append({r.label for r in parts})
        # One network serves all: what each of them learns is not looked at here.
        folder.mkdir(parents=True)
        made.append(made[0] if made else produce(parts, folder, *rest))
        return made[0]

    monkeypatch.setattr(module, "produce", noted)
    with pytest.raises(KeyboardInterrupt):
        leave_out(records, RECIPE, tmp_path / "run", None)
    report = leave_out(records, RECIPE, tmp_path / "run", None)
    assert trained == [set(CELL_CLASSES) - {label} for label in CELL_CLASSES]
    assert tuple(report["classes"]) == CELL_CLASSES
    assert all((found["known"], found["left_out"]) == (7, 1) for found in report["classes"].values())
    assert report["mean_auroc"] == pytest.approx(np.mean([found["auroc"] for found in report["classes"].values()]))
    assert report["recipe"]["epochs"] == 0
    # Framed once for all eight.
    assert module._input.cache_info().misses == len(records)
    with pytest.raises(InputError, match="another run"):
        leave_out(records, replace(RECIPE, seed=9), tmp_path / "run", None)


def test_a_class_that_is_nothing_like_the_others_is_found(records, tmp_path, monkeypatch):
    """Answers are made up: the class's own place, which is unlike all others, and a little noise."""
    place = {label: np.eye(40)[nth] for nth, label in enumerate(CELL_CLASSES)}
    asked = []

    def answer(classifier, some):
        asked.append([r.label for r in some])
        rng = np.random.default_rng(len(asked))
        return [SimpleNamespace(embedding=place[r.label] + rng.normal(0, 0.01, 40), logits=np.zeros(39)) for r in some]

    def make(records, folder, *rest):
        folder.mkdir()
        return folder

    monkeypatch.setattr(module, "_answers", answer)
    monkeypatch.setattr(module, "produce", make)
    monkeypatch.setattr(module, "Classifier", lambda folder: None)
    monkeypatch.setattr(module.keras.backend, "clear_session", lambda: None)
    report = leave_out(records, RECIPE, tmp_path / "run", None)
    assert report["mean_auroc"] == 1 and {found["auroc"] for found in report["classes"].values()} == {1.0}
    assert all(found["unfamiliar"]["left_out"] == 1 for found in report["classes"].values())
    fitted, checked, known, left_out = asked[:4]
    assert CELL_CLASSES[0] not in fitted + checked + known and left_out == [CELL_CLASSES[0]]
    assert (len(fitted), len(checked), len(known)) == (28, 7, 7)


def test_without_test_pictures_of_a_class_nothing_is_trained(records, tmp_path):
    some = [r for r in records if (r.label, r.split) != ("platelet", "test")]
    with pytest.raises(InputError, match="No picture of platelet is in the split 'test'"):
        leave_out(some, RECIPE, tmp_path / "run", None)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("chosen", [True, False])
def test_the_command_prints_the_report_and_writes_it_where_it_says(data, tmp_path, monkeypatch, capsys, chosen):
    given = []

    def invented(records, recipe, folder, weights):
        given.append(recipe)
        folder.mkdir(parents=True)
        return {"mean_auroc": 0.75, "classes": {}}

    monkeypatch.setattr(module, "leave_out", invented)
    path = tmp_path / "figures.json" if chosen else tmp_path / "run" / "leave_one_class_out.json"
    words = ["leaveout", "--data", str(data), "--run", str(tmp_path / "run"), "--epochs", "2"]
    assert cli.main(words + (["--write", str(path)] if chosen else [])) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == json.loads(path.read_text()) == {"mean_auroc": 0.75, "classes": {}}
    assert str(path) in said.err and given == [replace(SHORT, epochs=2)]
