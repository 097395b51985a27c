"""Several seeds of one recipe, on drawn cells with a tiny backbone."""

import shutil

from hematovision.library.datasets import read_datasets
from hematovision.training import seeds
from hematovision.training.fitting.export import write_card
from hematovision.training.fitting.fit import Recipe, read_history
from hematovision.training.run import produce, train
from hematovision.training.seeds import choose_seed
from hematovision.vision.card import KERAS_FILE, load_card

RECIPE = Recipe(size=32, batch_size=8, frozen_epochs=0, epochs=1, settled_epochs=0, averaged=0.5)


def test_of_several_seeds_the_best_on_val_is_kept_and_all_are_told(data, tmp_path, tiny_backbone, few_pictures):
    card = train(data, tmp_path / "model", tmp_path / "run", RECIPE, None, seeds=(4, 2))
    rows = card["training"]["seeds"]
    histories = [read_history(tmp_path / "run" / f"seed-{seed}") for seed in (4, 2)]
    assert [row["seed"] for row in rows] == [4, 2]
    assert [(row["val_accuracy"], row["val_loss"]) for row in rows] == [
        (history[0].val_accuracy, history[0].val_loss) for history in histories
    ]
    best = min(rows, key=lambda row: (-row["val_accuracy"], row["val_loss"]))
    assert card["training"]["recipe"]["seed"] == best["seed"]
    # The figures of the one that is kept are those that the card tells in full.
    assert best["accuracy"] == card["metrics"]["test"]["accuracy"] and best["fields_accuracy"] is None
    text = (tmp_path / "model" / "CARD.md").read_text()
    assert f"2 models were trained so, from as many seeds; kept is seed {best['seed']}, the best on val." in text
    assert "| seed | val | test | core four | least recall |" in text and "\n| 4 | " in text and "\n| 2 | " in text


def test_a_model_that_is_trained_on_tells_how_it_came_about(data, tmp_path, tiny_backbone, few_pictures):
    model = tmp_path / "model"
    first = produce(read_datasets(data), tmp_path / "first", RECIPE, None)
    before = load_card(first).raw
    started = [tmp_path / "on" / f"seed-{seed}" for seed in (1, 2)]
    card = train(data, model, tmp_path / "on", RECIPE, first / KERAS_FILE, seeds=(1, 2))
    (former,) = card["training"]["former"]
    told = {name: before["training"][name] for name in ("recipe", "backbone_weights", "versions")}
    best = before["training"]["epochs"][0] | {"of": 1}
    assert former == told | {"best": best, "sha256": before["files"][KERAS_FILE]["sha256"]}
    assert [len(read_history(folder)) for folder in started] == [1, 1]
    text = (model / "CARD.md").read_text()
    assert "Its weights at the start were those of a former model." in text and "teacher" not in text
    assert f"`--start-from`: the models whose {KERAS_FILE} have the SHA-256 `{former['sha256']}`." in text
    assert f"| recipe | value | `{former['sha256'][:12]}` |" in text and "| seed | " in text


def test_the_choice_looks_at_val_alone(tmp_path, tiny_trained, monkeypatch):
    made = [shutil.copytree(tiny_trained, tmp_path / name) for name in ("a", "b", "c")]
    for folder in made:
        write_card(folder, load_card(folder).raw | {"training": {}})
    # (right on val, loss on val, right on test)
    figures = dict(zip(made, [(0.9, 0.3, 0.8), (0.9, 0.2, 0.7), (0.8, 0.1, 0.9)], strict=True))
    names = ("val_accuracy", "val_loss", "accuracy")
    monkeypatch.setattr(seeds, "_figures", lambda folder, *_: dict(zip(names, figures[folder], strict=True)))
    assert choose_seed(made, [], []) == made[1]
    assert load_card(made[1]).raw["training"]["seeds"] == [seeds._figures(folder) for folder in made]
