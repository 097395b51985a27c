"""What tests of training share: drawn cells in splits, and backbones of random weights."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from hematovision import images
from hematovision.cells import CELL_CLASSES
from hematovision.library.records import Record
from hematovision.training import fit
from hematovision.training.backbone import build_model


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
    def build(size, weights, dropout, l2, backbone):
        return build_model(size, None, dropout, l2, alpha=0.35, backbone=backbone)

    monkeypatch.setattr(fit, "build_model", build)
