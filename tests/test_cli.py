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


@pytest.fixture
def wide(tmp_path, field):
    path = tmp_path / "field.png"
    path.write_bytes(images.encode_png(field.picture))
    return path


def test_classify_gives_one_line_of_the_promised_shape_for_each_picture(run, picture, wide, tmp_path):
    flat = tmp_path / "flat.png"
    flat.write_bytes(images.encode_png(np.full((64, 64, 3), 99, np.uint8)))
    done = run("classify", picture, wide, flat, "--json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["path"] for row in rows] == [str(picture), str(wide), str(flat)]
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
def test_heatmap_writes_map_and_overlay_at_the_size_of_the_picture(run, wide, tmp_path, target):
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


def test_the_library_can_be_added_to_listed_and_indexed(run, cells_folder, bank, tmp_path):
    empty = {"HEMATOVISION_DATA": "", "HEMATOVISION_HOME": str(tmp_path / "other")}
    assert run("library", "add", tmp_path / "none", **empty).returncode == 1
    assert run("library", "add", cells_folder, **empty).returncode == 0
    listed = [json.loads(line) for line in run("library", "list", **empty).stdout.splitlines()]
    assert listed == [
        {"folder": str(cells_folder), "pictures": 48, "error": None},
        {"folder": str(bank), "pictures": 24, "error": None},
    ]
    done = run("library", "index", **empty)
    assert done.returncode == 0 and "72/72" in done.stderr


def test_draw_writes_what_it_says_and_the_same_each_time(run, tmp_path):
    command = ("draw", "--class", "neutrophil", "--count", 3, "--seed", 4, "--out")
    done = run(*command, tmp_path / "a")
    assert done.returncode == 0 and "3/3" in done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["stage"] for row in rows] == ["band", "segmented", "band"]
    assert {(row["class"], row["stain"], row["source"], row["licence"]) for row in rows} == {
        ("neutrophil", "mgg", "drawn by HematoVision", "MIT")
    }
    assert (tmp_path / "a" / "labels.jsonl").read_text() == done.stdout
    assert run(*command, tmp_path / "a").stdout == run(*command, tmp_path / "b").stdout == done.stdout
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert len(contents(tmp_path / "a")) == 4


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_draw_gives_each_class_its_cells(run, tmp_path):
    done = run("draw", "--class", "all", "--count", 1, "--seed", 0, "--out", tmp_path)
    assert tuple(json.loads(line)["class"] for line in done.stdout.splitlines()) == CELL_CLASSES


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--class", "neutro"), "Should be one of: basophil"),
        (("--stage", "old"), "Should be one of: band, segmented"),
        (("--stain", "ink"), "Should be one of: mgg, mgg-bluish, mgg-wright, wright"),
        (("--count", "0"), "between 1 and 1,000,000"),
        (("--seed", "-1"), "0 or more"),
    ],
)
def test_a_wrong_argument_of_draw_says_what_is_right(run, tmp_path, options, message):
    given = {"--class": "neutrophil", "--count": "1", "--seed": "1", "--out": tmp_path / "x"} | dict([options])
    done = run("draw", *(word for pair in given.items() for word in pair))
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr and "Traceback" not in done.stderr and not (tmp_path / "x").exists()


COMMANDS = [
    "classify",
    "heatmap",
    "library",
    "draw",
    "train",
    "tune",
    "crossvalidate",
    "leaveout",
    "evaluate",
    "model",
    "serve",
]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(run, command):
    done = run(*command.split(), "--help")
    assert done.returncode == 0 and "usage:" in done.stdout


def test_train_without_data_says_how_to_name_it(run):
    done = run("train", HEMATOVISION_DATA="")
    assert done.returncode == 1 and "--data" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--replay", "0.5"), "--replay goes with --extra"),
        (("--extra", "x", "--seeds", "1", "2"), "--seeds does not go with --extra"),
        (("--extra", "x", "--start-from", "y"), "--start-from does not go with --extra"),
        (("--start-from", "x", "--backbone-weights", "y"), "--backbone-weights does not go with --start-from"),
        (("--start-from", "nowhere"), "There is no model in nowhere"),
        (("--teachers", "nowhere"), "There is no model in nowhere"),
        (("--taught", "0.5"), "There is nobody to teach"),
        (("--extra", "x", "--teachers", "y"), "--teachers does not go with --extra"),
        (("--seeds", "1", "1"), "A seed is named twice"),
        (("--seeds", "1", "--seed", "2"), "A seed is named twice"),
        (("--extra", "x", "--dropout", "0.1"), "--dropout does not go with --extra"),
        (("--extra", "x", "--replay", "1"), "less than 1"),
    ],
)
def test_a_wrong_argument_of_train_says_what_is_right(run, options, message):
    done = run("train", *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["train", "tune", "crossvalidate", "leaveout"])
def test_a_whole_model_is_no_weights_of_a_backbone(run, command):
    """It has seen what leaving out and cross-validation keep from a model."""
    done = run(command, "--backbone-weights", "model/hematovision.keras")
    assert done.returncode == 2 and "is a whole model" in done.stderr and "--start-from" in done.stderr


def test_restore_without_a_former_model_says_so(run, tiny_model):
    done = run("model", "restore", "--model", tiny_model)
    assert done.returncode == 1 and "no former model" in done.stderr


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
