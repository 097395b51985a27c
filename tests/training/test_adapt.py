"""Adapting the present model to other cells: what may pass the gate, what is kept, what is put back."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hematovision import cli, images
from hematovision.cells import CELL_CLASSES
from hematovision.errors import InputError
from hematovision.library.datasets import data_hash, read_datasets
from hematovision.library.drawn import draw_cell, series
from hematovision.training import adapt as module
from hematovision.training.adapt import Adaptation, adapt, mixed_order, objections
from hematovision.training.fitting.batches import Batches
from hematovision.training.measuring import trust
from hematovision.training.measuring.evaluate import classified
from hematovision.training.plans import PLAN, keep_plan
from hematovision.training.run import finish
from hematovision.training.shelf import former_of, restore
from hematovision.vision.classifier import Classifier
from hematovision.vision.trust import NOT_BLOOD, TRUST_FILE
from tests.trusted import give_trust, indifferent

HOW = Adaptation(epochs=1, batch_size=8)


@pytest.fixture(scope="module")
def extra(tmp_path_factory):
    """Two classes of another laboratory: four cells each."""
    root = tmp_path_factory.mktemp("extra")
    for label in ("monocyte", "neutrophil"):
        (root / label).mkdir()
        for i, drawn in enumerate(series([label], 4, seed=8, stain="wright")):
            (root / label / f"{i}.png").write_bytes(images.encode_png(draw_cell(drawn).picture))
    return root


@pytest.fixture
def model(tiny_trained, tmp_path):
    return shutil.copytree(tiny_trained, tmp_path / "model")


def tell(folder, **more):
    """Add entries to the card of a model."""
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | more))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def figures(recall=0.9, macro_f1=0.9, held_out=0.9):
    recalls = dict.fromkeys(CELL_CLASSES, 0.9) | {"platelet": None, "monocyte": recall}
    return {"val": {"recall": recalls, "macro_f1": macro_f1}, "held_out": {"accuracy": held_out}}


def test_the_gate_names_each_figure_that_fell_and_lets_pass_what_did_not():
    assert objections(figures(), figures()) == objections(figures(), figures(0.95, 0.9, 1.0)) == []
    assert objections(figures(), figures(0.8999, 0.8, 0.7)) == [
        "recall of monocyte on val fell from 0.9000 to 0.8999",
        "macro_f1 on val fell from 0.9000 to 0.8000",
        "accuracy on held_out fell from 0.9000 to 0.7000",
    ]


@given(st.integers(1, 60), st.integers(1, 200), st.integers(2, 40), st.floats(0, 0.95), st.integers(0, 3))
def test_each_extra_picture_comes_once_and_replay_has_its_share(extra, home, batch_size, replay, seed):
    order = mixed_order(extra, home, batch_size, replay, np.random.default_rng(seed))
    assert sorted(order[order < extra]) == list(range(extra))
    assert order.max() < extra + home
    own = max(1, round(batch_size * (1 - replay)))
    full = [order[i : i + batch_size] for i in range(0, (extra // own) * batch_size, batch_size)]
    assert all((batch < extra).sum() == own and len(batch) == batch_size for batch in full)


def test_what_passes_replaces_the_model_and_can_be_taken_back(data, extra, model, tmp_path, monkeypatch, few_pictures):
    monkeypatch.setattr(module, "objections", lambda before, after: [])
    fit_trust, learned = trust.fit_trust, []
    monkeypatch.setattr(trust, "fit_trust", lambda *given: learned.extend(given[3]) or fit_trust(*given))
    tell(model, data={"sha256": data_hash(read_datasets(data)), "name": "PBC", "split": "by picture", "pictures": {}})
    told = {"name": "theirs", "sha256": "b1"}
    former = {"how": {"epochs": 8}, "from": "a5b7e9", "pictures": {"learned": 3, "held_out": 1}, "data": told}
    tell(model, adaptations=[former])
    old = contents(model)
    report = adapt(data, extra, model, tmp_path / "run", HOW)
    assert report["accepted"] and report["pictures"] == {"learned": 6, "held_out": 2}
    assert (report["before"]["val"]["n"], report["after"]["held_out"]["n"]) == (8, 2)
    card = json.loads((model / "card.json").read_text())
    before, adaptation = card["adaptations"]
    assert before == former and adaptation["how"]["replay"] == 0.5 and card["metrics"]["test"]
    assert adaptation["data"] == {"name": extra.name, "sha256": data_hash(read_datasets(extra))}
    # Its rules of trust are its own, and know the new cells; the former model had none.
    assert Classifier(model).trust is not None and Classifier(former_of(model)).trust is None
    assert len(learned) == 6 and {record.path.parent.parent for record in learned} == {extra}
    assert contents(former_of(model)) == old != contents(model)
    restore(model)
    assert contents(model) == old


def test_a_model_with_rules_of_trust_is_adapted_to_one_with_its_own(
    data, extra, model, tmp_path, monkeypatch, few_pictures
):
    finish(data, model)
    old = contents(model)
    monkeypatch.setattr(module, "objections", lambda before, after: ["no"])
    adapt(data, extra, model, tmp_path / "run", HOW)
    made = tmp_path / "run" / "model"
    assert contents(model) == old
    assert Classifier(made).trust is None
    assert set(Classifier(made).card.raw["thresholds"]) == {"confident", "attributes"}
    monkeypatch.setattr(module, "objections", lambda before, after: [])
    adapt(data, extra, model, tmp_path / "run", HOW)
    assert Classifier(model).trust is not None and contents(model)[TRUST_FILE] != old[TRUST_FILE]
    restore(model)
    assert contents(model) == old


def test_the_gate_compares_networks_and_not_what_one_of_them_refuses(data, model):
    """The adapted one has no rules of trust yet: beside a model that refuses cells it would look too good."""
    val = [record for record in read_datasets(data) if record.split == "val"]
    without = module._figures(model, val, val)
    give_trust(model, indifferent(model), cell=1.0)
    assert {answer.status for answer in classified(Classifier(model), val)} == {NOT_BLOOD}
    assert module._figures(model, val, val) == without and without["val"]["accuracy"] > 0


def test_what_is_refused_replaces_nothing_and_says_why(data, extra, model, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "objections", lambda before, after: ["macro_f1 on val fell"])
    old = contents(model)
    report = adapt(data, extra, model, tmp_path / "run", HOW)
    assert (report["accepted"], report["reasons"]) == (False, ["macro_f1 on val fell"])
    assert contents(model) == old and not former_of(model).exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"replay": 1.0}, "no share of replay"),
        ({"replay": -0.1}, "no share of replay"),
        ({"epochs": 0}, "no epoch to train"),
        ({"batch_size": 0}, "The batch size cannot be 0."),
        ({"rate": -1e-5}, "The rate cannot be -1e-05."),
    ],
)
def test_what_nothing_can_be_adapted_with_is_refused(wrong, message):
    with pytest.raises(InputError, match=message) as caught:
        replace(HOW, **wrong)
    assert caught.value.hint


def test_the_folder_of_another_run_is_refused_and_stays_as_it_was(data, extra, model, tmp_path):
    keep_plan(tmp_path / "run", {"recipe": {"size": 32}})
    (tmp_path / "run" / "last-3.keras").write_text("a stopped run")
    with pytest.raises(InputError, match="another run"):
        adapt(data, extra, model, tmp_path / "run", HOW)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {PLAN, "last-3.keras"}


def test_the_command_adapts_in_a_folder_of_its_own(monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(module, "adapt", lambda data, extra, model, run, how: seen.append(run) or {})
    command = ["train", "--data", "data", "--extra", "cells"]
    assert cli.main(command) == cli.main([*command, "--run", "mine"]) == 0
    assert seen == [Path("runs/adapt"), Path("mine")]


def test_other_data_than_the_cards_is_refused(data, extra, model, tmp_path):
    tell(model, data={"sha256": "f7d9"})
    with pytest.raises(InputError, match="not the data that the model's card tells of"):
        adapt(data, extra, model, tmp_path / "run", HOW)
    assert not (tmp_path / "run").exists()


def test_the_bar_counts_the_batches_of_the_order(records):
    batches = Batches(records[:20], 32, 8, seed=1)
    batches.order = mixed_order(6, 14, 8, 0.5, np.random.default_rng(0))
    assert len(batches.order) == 14 and len(batches) == 2


def test_without_the_original_pictures_there_is_no_gate(cells_folder, extra, model, tmp_path):
    with pytest.raises(InputError, match="the original pictures"):
        adapt(cells_folder, extra, model, tmp_path / "run", HOW)
