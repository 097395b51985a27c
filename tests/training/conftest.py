"""What tests of training share: drawn cells in splits, and a backbone of three layers."""

import os
from functools import partial

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
from tiny import use_tiny_body

from hematovision import images
from hematovision.cells import CELL_CLASSES
from hematovision.library.records import Record
from hematovision.training.fitting.backbone import build_model
from hematovision.training.fitting.export import export
from hematovision.training.measuring import evaluate, trust
from hematovision.training.measuring.trust import Amounts


@pytest.fixture(scope="session")
def records(cells_folder):
    """Six cells a class: four to train on, one for val and one for test; one attribute known in the first class."""
    found = []
    for label in CELL_CLASSES:
        for i, path in enumerate(sorted((cells_folder / label).iterdir())):
            split = ("train", "train", "train", "train", "val", "test")[i]
            attributes = {"cell_size": "big"} if label == CELL_CLASSES[0] else {}
            found.append(Record("drawn", path, label, split, attributes))
    return found


@pytest.fixture(scope="session")
def data(records, tmp_path_factory):
    """The same cells as a folder like that of PBC, with its splits."""
    folder = tmp_path_factory.mktemp("data")
    root = folder / "PBC_dataset_normal_DIB"
    rows = ["name,class,split"]
    for record in records:
        (root / record.label).mkdir(parents=True, exist_ok=True)
        (root / record.label / record.path.name).write_bytes(images.encode_png(images.read(record.path)))
        rows.append(f"{record.path.name},{record.label},{record.split}")
    (folder / "splits.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture
def tiny_backbone(monkeypatch):
    use_tiny_body(monkeypatch)
    # It looks through all that the tests before have left, a second each time, and there is nothing to free.
    monkeypatch.setattr(keras.backend, "clear_session", lambda: None)


@pytest.fixture(scope="session")
def tiny_trained(tmp_path_factory):
    """A model folder with that network at 32 pixels and random weights, as an export leaves it."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        use_tiny_body(patch)
        card = {"backbone": "MobileNetV2", "temperature": 1.5, "thresholds": {"confident": 0.9}}
        export(build_model(32, None), folder, card)
    return folder


@pytest.fixture
def few_pictures(monkeypatch):
    """Rules of trust are fitted on, and tested with, as few pictures as there can be."""
    monkeypatch.setattr(trust, "Amounts", partial(Amounts, of_class=2, abroad=3, non_cells=1))
    monkeypatch.setattr(evaluate, "evaluate_trust", partial(evaluate.evaluate_trust, each=1))
