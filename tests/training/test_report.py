import json
import shutil

import pytest

from hematovision import cli
from hematovision.library.datasets import read_datasets
from hematovision.training.card.report import write_report, write_text
from hematovision.training.card.text import TEXT_FILE, card_text
from hematovision.vision.card import load_card
from hematovision.vision.wrong_cells import load_wrong_cells
from tests.training.full_card import full_card


@pytest.fixture
def model(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "model")


def test_what_was_measured_lies_beside_the_model_in_figures_and_in_words(model, data):
    before = json.loads((model / "card.json").read_text())
    (model / "card.json").write_text(json.dumps(before | {"metrics": {"heatmaps": {"n": 0}}}))
    records = read_datasets(data)
    written = write_report(model, records, {"test": full_card()["metrics"]["test"]})
    card = load_card(model)
    assert card.raw == written and set(written["metrics"]) == {"heatmaps", "test"}
    assert written["data"]["check"]["pictures"] == len(records) == 48
    wrong = load_wrong_cells(card)
    assert (wrong.split, wrong.n) == ("test", 8)
    assert (model / TEXT_FILE).read_text(encoding="utf-8") == card_text(written, wrong)
    assert f"{len(wrong.cells)} of the n = 8 cells" in (model / TEXT_FILE).read_text(encoding="utf-8")


def test_the_words_can_be_written_anew(model):
    write_text(model)
    assert (model / TEXT_FILE).read_text(encoding="utf-8") == card_text(load_card(model).raw, None)


def test_evaluate_measures_heat_maps_and_writes_where_it_is_told_to(model, data, monkeypatch, capsys):
    measured = {"test": full_card()["metrics"]["test"]}
    monkeypatch.setattr("hematovision.training.run.measure", lambda *_: dict(measured))
    command = ["evaluate", "--data", str(data), "--model", str(model)]
    assert cli.main(command) == 0
    assert json.loads(capsys.readouterr().out) == measured and not (model / TEXT_FILE).exists()
    assert cli.main([*command, "--heatmaps", "--write"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["heatmaps"]["found"]["n"] == 7
    assert load_card(model).raw["metrics"] == found


def test_the_card_is_not_written_with_figures_of_val(model, data, capsys):
    assert cli.main(["evaluate", "--data", str(data), "--model", str(model), "--split", "val", "--write"]) == 1
    assert "The card tells of the split 'test' only." in capsys.readouterr().err
    assert not (model / TEXT_FILE).exists()


def test_figures_of_other_data_than_the_cards_are_not_written(model, data, monkeypatch, capsys):
    measured = {"test": full_card()["metrics"]["test"]}
    monkeypatch.setattr("hematovision.training.run.measure", lambda *_: dict(measured))
    before = json.loads((model / "card.json").read_text())
    (model / "card.json").write_text(json.dumps(before | {"data": {"sha256": "f7d9"}}))
    command = ["evaluate", "--data", str(data), "--model", str(model)]
    assert cli.main([*command, "--write"]) == 1
    assert "This is not the data that the model's card tells of" in capsys.readouterr().err
    assert not (model / TEXT_FILE).exists() and cli.main(command) == 0
