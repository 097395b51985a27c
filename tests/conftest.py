"""What many tests share: drawn pictures, a tiny model, a small library, and the real data where they lie."""

import os
import shutil
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from hematovision import images
from hematovision.cells import CELL_CLASSES
from hematovision.library.drawn import draw_cell, save, series
from hematovision.settings import ROOT
from hematovision.smear.drawing import Drawn, draw_field
from hematovision.smear.morphology import typical
from hematovision.smear.stain import MGG

# The same examples on every run of CI; new ones on every run by hand.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with PBC and BCCD."""
    folder = Path(os.environ.get("HEMATOVISION_DATA", REAL_DATA))
    if not (folder / "pbc" / "splits.csv").is_file():
        pytest.skip("no real data: set HEMATOVISION_DATA to a folder with PBC and BCCD")
    return folder


@pytest.fixture(scope="session")
def cell() -> images.Picture:
    """A drawn neutrophil among red cells, 256 x 256."""
    return draw_cell(series(["neutrophil"], 1, seed=7)[0]).picture


@pytest.fixture(scope="session")
def field() -> Drawn:
    """A drawn field, 480 x 640: a lymphocyte at (160, 200) and a neutrophil at (460, 300)."""
    cells = [(typical("lymphocyte"), (160, 200)), (typical("neutrophil"), (460, 300))]
    return draw_field(cells, MGG, np.random.default_rng(1))


@pytest.fixture(scope="session")
def cells_folder(tmp_path_factory) -> Path:
    """A library of one's own: six drawn cells for each class, in folders named after the classes."""
    root = tmp_path_factory.mktemp("cells")
    for label in CELL_CLASSES:
        (root / label).mkdir()
        for i, drawn in enumerate(series([label], 6, seed=3)):
            (root / label / f"{label}_{i}.png").write_bytes(images.encode_png(draw_cell(drawn).picture))
    return root


@pytest.fixture(scope="session")
def bank(tmp_path_factory) -> Path:
    """A small quiz bank: three drawn cells for each class, one of them at least for each stage, and the real sets."""
    folder = tmp_path_factory.mktemp("bank")
    for drawn in series(CELL_CLASSES, 3, seed=5):
        save(folder, drawn)
    shutil.copytree(ROOT / "quiz_bank" / "sets", folder / "sets")
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """A model folder with random weights at 64 pixels: everything but the answers is real."""
    folder = tmp_path_factory.mktemp("model")
    make_tiny_model(folder)
    return folder


def make_tiny_model(folder: Path) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    from hematovision.training.fitting.backbone import build_model
    from hematovision.training.fitting.export import export

    # Always the same network: some draws of the weights see nothing in a cell, and maps of nothing test nothing.
    keras.utils.set_random_seed(0)
    model = build_model(64, backbone_weights=None, alpha=0.35)
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.normal(0, 0.2, w.shape) * (w.ndim in (2, 4)) for w in model.get_weights()])
    export(model, folder, {"backbone": "MobileNetV2", "temperature": 1.5, "thresholds": {"confident": 0.9}})


@pytest.fixture
def app_environment(tmp_path, monkeypatch, tiny_model, cells_folder, bank):
    """The environment of an app with a tiny model, a library of 48 cells and a bank of 24; settings read anew."""
    from hematovision.settings import load_settings

    monkeypatch.setenv("HEMATOVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEMATOVISION_MODEL", str(tiny_model))
    monkeypatch.setenv("HEMATOVISION_DATA", str(cells_folder))
    monkeypatch.setenv("HEMATOVISION_BANK", str(bank))
    load_settings.cache_clear()
    yield load_settings()
    load_settings.cache_clear()
