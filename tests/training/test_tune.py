import shlex

import pytest

from hematovision import cli
from hematovision.cli.training import _chosen
from hematovision.errors import InputError
from hematovision.training import tune as module
from hematovision.training.fitting.fit import Epoch, Recipe, _write_history
from hematovision.training.tune import train_command, tune


@pytest.fixture(autouse=True)
def nothing_to_free(monkeypatch):
    """Where training is invented, no network is left behind, and looking for one takes a second."""
    monkeypatch.setattr(module.keras.backend, "clear_session", lambda: None)


RECIPE = Recipe(size=32, batch_size=16, frozen_epochs=0, epochs=1, settled_epochs=0, seed=3)


def invented(accuracies):
    """In the place of `fit`: writes a history whose accuracies are made by `accuracies(recipe)`, and counts."""
    ran = []

    def run(records, recipe, folder, weights, on_epoch):
        folder.mkdir(parents=True, exist_ok=True)
        ran.append(recipe)
        epochs = []
        for number, accuracy in enumerate(accuracies(recipe), start=1):
            epochs.append(Epoch(number, "fine-tuned", 1.0, 1.0, accuracy, 0.0))
            on_epoch(epochs[-1])
        _write_history(folder, epochs)
        for name in ("last-1.keras", "best-1.keras"):
            (folder / name).touch()

    return run, ran


def test_a_search_really_trains(records, tmp_path, tiny_backbone):
    report = tune(records, RECIPE, ["rate"], tmp_path, "random", 1, None)
    assert report["trials"] == {"complete": 1, "pruned": 0}
    assert 0 <= report["val_accuracy"] <= 1 and 2e-5 <= report["recipe"]["rate"] <= 1e-3
    assert sorted(p.name for p in (tmp_path / "trials").rglob("*") if p.is_file()) == ["history.json", "plan.json"]


@pytest.mark.parametrize("method", ["tpe", "random", "grid"])
def test_a_killed_search_goes_on_with_the_trial_that_was_killed(method, tmp_path, monkeypatch):
    run, ran = invented(lambda recipe: [1 - recipe.dropout])

    def killed(records, recipe, *rest):
        if len(ran) == 2:
            ran.append(recipe)
            raise KeyboardInterrupt
        run(records, recipe, *rest)

    monkeypatch.setattr(module, "fit", killed)
    with pytest.raises(KeyboardInterrupt):
        tune([], RECIPE, ["dropout", "batch_size"], tmp_path, method, 5, None)
    monkeypatch.setattr(module, "fit", run)
    report = tune([], RECIPE, ["dropout", "batch_size"], tmp_path, method, 5, None)
    assert ran[2] == ran[3] and len(ran) == 6
    assert len({recipe.dropout for recipe in ran}) > 1
    assert report["trials"] == {"complete": 5, "pruned": 0}
    assert report["recipe"]["dropout"] == min(recipe.dropout for recipe in ran)
    assert tune([], RECIPE, ["dropout", "batch_size"], tmp_path, method, 5, None) == report and len(ran) == 6
    with pytest.raises(InputError, match="another run"):
        tune([], RECIPE, ["dropout"], tmp_path, method, 5, None)


def test_a_grid_ends_when_every_point_was_tried(tmp_path, monkeypatch):
    run, ran = invented(lambda recipe: [0.5])
    monkeypatch.setattr(module, "fit", run)
    report = tune([], RECIPE, ["unfrozen_layers", "dropout"], tmp_path, "grid", 99, None)
    assert report["trials"]["complete"] == 12
    assert {(r.unfrozen_layers, r.dropout) for r in ran} == {(n, d) for n in (4, 12, 24, None) for d in (0, 0.3, 0.6)}


def test_a_trial_behind_the_median_is_ended_early(tmp_path, monkeypatch):
    # The first five set the median; every later one is worse from the first epoch on.
    count = iter(range(99))
    run, _ = invented(lambda recipe: [0.9 if next(count) < 5 else 0.1] * 2)
    monkeypatch.setattr(module, "fit", run)
    report = tune([], RECIPE, ["rate"], tmp_path, "random", 8, None)
    assert report["trials"] == {"complete": 5, "pruned": 3}


def test_the_command_line_gives_the_very_same_recipe():
    recipe = Recipe(backbone="vgg16", rate=1.2345678901234567e-05, dropout=0.0, unfrozen_layers=12, epochs=4)
    words = shlex.split(train_command(recipe, "--data", "a folder"))
    options = cli._parser().parse_args(words[3:])
    assert Recipe(**_chosen(options)) == recipe and str(options.data) == "a folder"


def test_nothing_to_search_is_said(tmp_path):
    for searched, trials in (([], 5), (["rate"], 0)):
        with pytest.raises(InputError, match="nothing to search"):
            tune([], RECIPE, searched, tmp_path, "tpe", trials, None)
