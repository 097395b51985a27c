"""The command line as a person or a script uses it: in a process of its own."""

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from hematovision import images
from hematovision.cells import ATTRIBUTES, CELL_CLASSES, CORE_FOUR
from hematovision.settings import ROOT
from tests.drawn import draw_field


@pytest.fixture
def run(app_environment):
    def command(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "hematovision", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | environment,
        )

    return command


@pytest.fixture
def picture(tmp_path, cell):
    path = tmp_path / "cell.png"
    path.write_bytes(images.encode_png(cell))
    return path


def test_classify_gives_one_line_of_the_promised_shape_for_each_picture(run, picture, tmp_path):
    field = tmp_path / "field.png"
    field.write_bytes(images.encode_png(draw_field(np.random.default_rng(1), [(160, 200), (460, 300)])))
    flat = tmp_path / "flat.png"
    flat.write_bytes(images.encode_png(np.full((64, 64, 3), 99, np.uint8)))
    done = run("classify", picture, field, flat, "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["path"] for row in rows] == [str(picture), str(field), str(flat)]
    assert [len(row["cells"]) for row in rows] == [1, 2, 0]
    assert rows[2]["status"] == "not_blood"
    for row in rows:
        assert set(row) == {"path", "status", "cells", "error"} and row["error"] is None
        assert row["status"] in ("confident", "check", "unfamiliar", "not_blood")
        for found in row["cells"]:
            assert set(found) == {
                "box", "label", "probability", "probabilities", "answer_set", "attributes", "status"
            }  # fmt: skip
            assert tuple(found["probabilities"]) == CELL_CLASSES
            assert found["probability"] == max(found["probabilities"].values())
            assert found["label"] == found["answer_set"][0]
            assert {k: v in ATTRIBUTES[k] for k, v in found["attributes"].items()} == dict.fromkeys(ATTRIBUTES, True)
    assert rows[0]["cells"][0]["box"] == [0, 0, 256, 256]


def test_a_bad_file_among_many_is_reported_and_the_others_go_on(run, picture, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    done = run("classify", bad, tmp_path / "none.png", picture)
    assert done.returncode == 3
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["error"] and row["error"]["kind"] for row in rows] == ["not_a_picture", "not_found", None]
    assert rows[0]["status"] is None and rows[0]["cells"] == [] and rows[0]["error"]["hint"]


def test_without_a_model_there_is_an_error_and_no_answer(run, picture, tmp_path):
    done = run("classify", picture, HEMATOVISION_MODEL=str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no model" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("target", ["monocyte", "granularity=yes"])
def test_heatmap_writes_map_and_overlay_at_the_size_of_the_picture(run, tmp_path, target):
    wide = tmp_path / "wide.png"
    wide.write_bytes(images.encode_png(draw_field(np.random.default_rng(1), [(300, 200)])))
    array, overlay = tmp_path / "map.npy", tmp_path / "map.png"
    done = run("heatmap", wide, "--target", target, "--array", array, "--overlay", overlay)
    assert done.returncode == 0, done.stderr
    evidence = np.load(array)
    assert evidence.shape == (480, 640) and evidence.dtype == np.float32
    assert evidence.min() >= 0 and evidence.max() <= 1
    assert cv2.imread(str(overlay)).shape == (480, 640, 3)
    assert json.loads(done.stdout)["evidence"] == bool(evidence.any())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--target", "neutro"), "Should be one of: basophil"),
        (("--target", "granularity=maybe"), "Should be one of: no, yes"),
        (("--method", "magic"), "Should be one of: gradcam"),
        (("--overlay", "/nowhere/at/all.png"), "Cannot write"),
    ],
)
def test_a_wrong_argument_of_heatmap_says_what_is_right(run, picture, options, message):
    done = run("heatmap", picture, *options)
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr


def test_the_library_can_be_added_to_listed_and_indexed(run, cells_folder, tmp_path):
    empty = {"HEMATOVISION_DATA": "", "HEMATOVISION_HOME": str(tmp_path / "other")}
    assert run("library", "add", tmp_path / "none", **empty).returncode == 1
    assert run("library", "add", cells_folder, **empty).returncode == 0
    listed = json.loads(run("library", "list", **empty).stdout)
    assert listed == {"folder": str(cells_folder), "pictures": 48, "error": None}
    done = run("library", "index", **empty)
    assert done.returncode == 0 and "48/48" in done.stderr


@pytest.mark.parametrize("command", ["", "classify", "heatmap", "library", "train", "evaluate", "serve"])
def test_every_command_explains_itself(run, command):
    done = run(*command.split(), "--help")
    assert done.returncode == 0 and "usage:" in done.stdout


def test_train_without_data_says_how_to_name_it(run):
    done = run("train", HEMATOVISION_DATA="")
    assert done.returncode == 1 and "--data" in done.stderr


def test_two_hundred_real_cells_are_named_as_well_as_the_card_says(run, real_data):
    """Every 25th test picture: at least 197 of its 200 or so are right, of the core four nearly all."""
    from hematovision.library.datasets import read_datasets

    records = [r for r in read_datasets(real_data) if r.split == "test"][::25][:200]
    done = run("classify", *(r.path for r in records), HEMATOVISION_MODEL=str(ROOT / "model"))
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 200
    right = [row["cells"][0]["label"] == r.label for row, r in zip(rows, records, strict=True)]
    core = [ok for ok, r in zip(right, records, strict=True) if r.label in CORE_FOUR]
    assert sum(right) >= 0.975 * len(right)
    assert sum(core) >= 0.98 * len(core)
