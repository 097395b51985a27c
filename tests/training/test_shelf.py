import json

import pytest

from hematovision.errors import ModelError
from hematovision.training.shelf import former_of, put_in_place, restore
from hematovision.vision.classifier import Classifier


def named(folder):
    return json.loads((folder / "card.json").read_text()).get("name")


@pytest.fixture
def made(tiny_model, tmp_path):
    def make(name):
        import shutil

        folder = tmp_path / name
        shutil.copytree(tiny_model, folder)
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


def test_without_a_former_model_nothing_is_touched(made):
    model = made("only")
    with pytest.raises(ModelError, match="no former model"):
        restore(model)
    assert named(model) == "only"


def test_a_killed_replacement_can_be_taken_back(made, tmp_path, monkeypatch):
    """Between the two moves there is no model, but the former one is whole."""
    from pathlib import Path

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
