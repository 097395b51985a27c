import json
import shutil
from pathlib import Path

import pytest

from hematovision.errors import ModelError
from hematovision.training.shelf import former_of, put_in_place, restore
from hematovision.vision.classifier import Classifier
from hematovision.vision.trust import TRUST_FILE
from tests.trusted import give_trust, indifferent


def named(folder):
    return json.loads((folder / "card.json").read_text()).get("name")


@pytest.fixture
def made(tiny_trained, tmp_path):
    def make(name):
        folder = tmp_path / name
        shutil.copytree(tiny_trained, folder)
        card = json.loads((folder / "card.json").read_text())
        (folder / "card.json").write_text(json.dumps(card | {"name": name}))
        return folder

    return make


def test_a_model_is_put_in_place_and_taken_back(made, tmp_path):
    model = tmp_path / "model"
    put_in_place(made("first"), model)
    assert named(model) == "first" and not former_of(model).exists()
    put_in_place(made("second"), model)
    assert (named(model), named(former_of(model))) == ("second", "first")
    assert restore(model) == former_of(model)
    assert (named(model), named(former_of(model))) == ("first", "second")
    restore(model)
    assert named(model) == "second"
    assert Classifier(model)
    assert not (tmp_path / "model-draft").exists()


@pytest.mark.parametrize("trusted", ["first", "second"])
def test_rules_of_trust_come_and_go_with_their_model(made, tmp_path, trusted):
    model = tmp_path / "model"
    for name in ("first", "second"):
        folder = made(name)
        if name == trusted:
            give_trust(folder, indifferent(folder))
        put_in_place(folder, model)
    for name in ("second", "first", "second"):
        assert (Classifier(model).trust is not None) == (name == trusted) == (model / TRUST_FILE).is_file()
        restore(model)


def test_without_a_former_model_nothing_is_touched(made):
    model = made("only")
    with pytest.raises(ModelError, match="no former model"):
        restore(model)
    assert named(model) == "only"


def test_a_killed_replacement_can_be_taken_back(made, tmp_path, monkeypatch):
    """Between the two moves there is no model, but the former one is whole."""
    model, second, rename = made("model"), made("second"), Path.rename

    def killed(self, target):
        if self.name == "model-draft":
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            put_in_place(second, model)
    restore(model)
    assert named(model) == "model" and Classifier(model)


@pytest.mark.parametrize("move", range(3))
@pytest.mark.parametrize("is_moved", [False, True])
def test_a_killed_change_is_finished_by_the_next(made, tmp_path, monkeypatch, move, is_moved):
    """Killed before or after each of its three moves: no model is lost, and none is changed twice."""
    model, rename, moves = tmp_path / "model", Path.rename, []
    for name in ("first", "second"):
        put_in_place(made(name), model)

    def killed(self, target):
        moves.append(target)
        if len(moves) <= move or is_moved:
            rename(self, target)
        if len(moves) > move:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            restore(model)
    done = is_moved and move == 2
    assert restore(model) == former_of(model)
    assert (named(model), named(former_of(model))) == (("second", "first") if done else ("first", "second"))
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second", "model", "model-former"}


@pytest.mark.parametrize("move", [1, 2])
def test_a_model_is_put_in_place_after_a_killed_change(made, tmp_path, monkeypatch, move):
    model, rename, moves = tmp_path / "model", Path.rename, []
    for name in ("first", "second"):
        put_in_place(made(name), model)

    def killed(self, target):
        moves.append(target)
        if len(moves) > move:
            raise KeyboardInterrupt
        rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            restore(model)
    put_in_place(made("third"), model)
    assert (named(model), named(former_of(model))) == ("third", "first")
    restore(model)
    assert (named(model), named(former_of(model))) == ("first", "third")
