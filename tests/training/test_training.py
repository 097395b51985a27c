"""Training on drawn cells with tiny models: what is learned is nothing, how it is learned is everything."""

import json
import os
import shutil
from collections import Counter
from dataclasses import astuple, replace

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
from tiny import use_tiny_body

from hematovision import cli, images
from hematovision.cells import CELL_CLASSES, CLASS_HEAD, COLOR_HEAD, HEADS, SIZE_HEAD
from hematovision.errors import InputError, ModelError
from hematovision.smear.framing import Frame, cut
from hematovision.smear.light import BACKGROUND, RED_CELL_DENSITY
from hematovision.smear.survey import Survey
from hematovision.training.fitting import augment as augmentation
from hematovision.training.fitting import fit as module
from hematovision.training.fitting.augment import augment
from hematovision.training.fitting.backbone import RelativeAdam, build_model, fold, set_trainable
from hematovision.training.fitting.batches import Batches, targets, value_weights
from hematovision.training.fitting.export import write_card
from hematovision.training.fitting.fit import Recipe, fit, read_history
from hematovision.training.fitting.loss import masked_cross_entropy
from hematovision.training.run import code_version, finish, measure, train
from hematovision.vision.card import KERAS_FILE
from hematovision.vision.classifier import Classifier

RECIPE = Recipe(
    size=32, batch_size=8, frozen_epochs=1, epochs=1, settled_epochs=2, unfrozen_layers=2, averaged=0.5, seed=5
)


def small_model():
    return build_model(32, backbone_weights=None, alpha=0.35)


def test_a_missing_attribute_costs_nothing_and_pulls_nowhere():
    import tensorflow as tf

    logits = tf.Variable([[2.0, -1.0], [0.5, 0.5]])
    truth = tf.constant([[0.0, 0.0], [0.0, 1.0]])
    with tf.GradientTape() as tape:
        loss = masked_cross_entropy(truth, logits)
    gradient = tape.gradient(loss, logits).numpy()
    assert np.allclose(loss, [0, np.log(2)])
    assert np.allclose(gradient, [[0, 0], [0.5, -0.5]])


def test_targets_are_one_hot_and_zero_where_unknown(records):
    rows = targets(records)
    assert set(rows) == set(HEADS)
    assert (rows[CLASS_HEAD].sum(axis=1) == 1).all()
    assert rows["cell_size"].sum(axis=1).tolist() == [float(bool(r.attributes)) for r in records]


def test_the_model_is_flat_with_one_linear_layer_a_head():
    model = small_model()
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert {head: model.get_layer(head).units for head in HEADS} == {h: len(v) for h, v in HEADS.items()}
    assert all(model.get_layer(head).activation is keras.activations.linear for head in HEADS)


def test_folding_normalization_away_changes_no_answer():
    backbone = keras.applications.MobileNetV2((32, 32, 3), 0.35, include_top=False, weights=None)
    rng = np.random.default_rng(0)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, value.shape) for value in layer.get_weights()])
    folded = fold(backbone)
    pictures = rng.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    before, after = np.asarray(backbone(pictures)), np.asarray(folded(pictures))
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    assert np.abs(after - before).max() < 1e-3 * np.abs(before).max()
    assert [layer.name for layer in folded.layers][1:] == [layer.name for layer in backbone.layers][1:]


def test_the_biases_of_the_backbone_are_never_trained():
    model = small_model()
    set_trainable(model, backbone=True)
    trained = {variable.path for variable in model.trainable_variables}
    assert {path for path in trained if path.endswith("bias")} == {f"{head}/bias" for head in HEADS}
    assert "Conv1/kernel" in trained and not any("_BN" in path for path in trained)
    set_trainable(model, backbone=False)
    assert {variable.path.split("/")[0] for variable in model.trainable_variables} == set(HEADS)


def test_a_channel_of_small_weights_takes_small_steps():
    kernel = keras.Variable(np.ones((3, 3, 4, 2)) * [0.01, 1.0])
    he = (2 / 36) ** 0.5
    optimizer = RelativeAdam(0.1)
    optimizer.build([kernel])
    optimizer.apply([keras.ops.ones((3, 3, 4, 2))], [kernel])
    assert np.allclose(np.array([0.01, 1.0]) - kernel.numpy()[0, 0, 0], 0.1 * np.array([0.01, 1.0]) / he, rtol=1e-4)


def test_a_wrong_weights_file_is_refused(tmp_path):
    (tmp_path / "weights.h5").write_bytes(b"no weights")
    (tmp_path / "model.keras").write_bytes(b"no model")
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    for path in (tmp_path / name for name in ("weights.h5", "none.h5", "model.keras", "none.keras", "other.keras")):
        with pytest.raises(ModelError) as caught:
            build_model(32, path)
        assert caught.value.hint


def test_a_whole_model_is_started_from_with_its_heads(tiny_backbone, tiny_trained):
    before = keras.models.load_model(tiny_trained / KERAS_FILE, compile=False)
    for size in (32, 64):
        started = build_model(size, tiny_trained / KERAS_FILE, dropout=0.5)
        assert started.input_shape[1] == size and started.get_layer("dropout").rate == 0.5
        for a, b in zip(started.get_weights(), before.get_weights(), strict=True):
            assert np.array_equal(a, b)


def test_of_several_whole_models_the_mean_is_started_from(tiny_backbone, tiny_trained, tmp_path):
    path = tiny_trained / KERAS_FILE
    before = keras.models.load_model(path, compile=False)
    other = keras.models.load_model(path, compile=False)
    other.set_weights([weights + 2 for weights in before.get_weights()])
    other.save(tmp_path / KERAS_FILE)
    mean = build_model(32, [path, tmp_path / KERAS_FILE])
    for a, b in zip(mean.get_weights(), before.get_weights(), strict=True):
        assert np.allclose(a, b + 1, atol=1e-6)


@pytest.mark.parametrize("abroad", [0, 1])
def test_augmentation_is_seeded_and_keeps_size_and_range(cell, abroad):
    frame, everywhere = Frame.of_cell(cell), np.full(cell.shape[:2], 255, np.uint8)
    first, again, other = (
        augment(cell, everywhere, frame, 96, np.random.default_rng(seed), abroad)[0] for seed in (1, 1, 2)
    )
    assert first.shape == (96, 96, 3) and first.dtype == np.uint8
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_variant_from_home_keeps_the_colors_and_one_from_abroad_does_not(cell):
    frame, everywhere = Frame.of_cell(cell), np.full(cell.shape[:2], 255, np.uint8)
    plain = cut(cell, frame, 96).reshape(-1, 3).mean(0)

    def change(abroad):
        variants = [augment(cell, everywhere, frame, 96, np.random.default_rng(i), abroad)[0] for i in range(60)]
        return np.median([np.abs(v.reshape(-1, 3).mean(0) - plain).max() for v in variants])

    assert change(abroad=0) < 8 < 20 < change(abroad=1)


def test_other_dyes_leave_red_cells_nearly_as_they_are_and_change_nuclei(monkeypatch):
    """As the light of a picture is evened by its red cells, wherever it comes from."""
    monkeypatch.setattr(augmentation, "RED_CELLS_KEPT", 1.0)
    empty = np.array(BACKGROUND)
    red = empty * np.exp(-np.array(RED_CELL_DENSITY))
    violet = empty * np.exp(-np.array((1.2, 1.5, 0.6)))
    picture = np.round(np.stack([empty, red, violet])[None]).astype(np.uint8)

    def densities(picture):
        levels = picture[0].astype(float)
        return np.log(levels[0] / levels[1:])

    before = densities(picture)
    # Light without glare: a channel that is clipped tells no density.
    nowhere = np.zeros(picture.shape[:2], np.uint8)
    variants = [augmentation._other_dyes(picture, nowhere, 0.99, np.random.default_rng(i)) for i in range(300)]
    changes = [np.abs(densities(v) / before - 1) for v in variants if v.max() < 255]
    of_red, of_nuclei = np.median(changes, axis=(0, 2))
    assert len(changes) > 30 and of_red < 0.1 < 0.2 < of_nuclei


def test_nuclei_go_from_violet_to_blue_and_red_cells_stay():
    red = np.array(RED_CELL_DENSITY)
    for blue in (-0.3, 0.5, 1.0):
        change = augmentation._nuclei(blue)
        assert np.allclose(change @ red, red)
        assert np.allclose(change @ augmentation._VIOLET, (1 - blue) * augmentation._VIOLET + blue * augmentation._BLUE)


def test_now_and_then_the_cell_is_dyed_otherwise_than_what_lies_around_it(cell, monkeypatch):
    twice, width = np.hstack([cell, cell]), cell.shape[1]
    left = np.zeros(twice.shape[:2], np.uint8)
    left[:, :width] = 255

    def difference(share):
        monkeypatch.setattr(augmentation, "CELL_APART", share)
        dyed = augmentation._other_dyes(twice, left, 1.0, np.random.default_rng(5)).astype(int)
        # Not where the one goes over into the other.
        return np.abs(dyed[:, :width] - dyed[:, width:])[:, 12:-12].mean()

    assert difference(0.0) == 0 and difference(1.0) > 5


def test_no_size_or_color_is_learned_from_a_picture_that_does_not_show_it(records):
    shown = {"cell_size": "big", "cytoplasm_colour": "blue", "granularity": "no"}
    known = [replace(r, attributes=shown) for r in records]
    for abroad, share in ((0.0, 1.0), (1.0, 0.0)):
        _, rows = Batches(known, 32, len(known), seed=1, abroad=abroad)[0]
        assert np.mean(rows[SIZE_HEAD].any(axis=1)) == np.mean(rows[COLOR_HEAD].any(axis=1)) == share
        assert rows["granularity"].any(axis=1).all()


def test_rare_values_weigh_by_the_inverse_square_root_of_their_share(records):
    few = [replace(r, attributes={"granularity": "yes" if i < 4 else "no"}) for i, r in enumerate(records[:20])]
    weights = value_weights(few)
    no, yes = weights["granularity"]
    assert yes / no == pytest.approx(2.0) and (16 * no + 4 * yes) / 20 == pytest.approx(1.0)
    assert (weights[CLASS_HEAD] == 1).all() and (weights["cell_shape"] == 1).all()


def test_batches_are_shuffled_by_seed_and_epoch_and_cover_every_picture(records):
    def labels(**options):
        batches = Batches(records, 32, 7, **options)
        return np.concatenate([batches[i][1][CLASS_HEAD].argmax(1) for i in range(len(batches))]).tolist()

    plain = labels()
    assert plain == [CELL_CLASSES.index(r.label) for r in records]
    shuffled = labels(seed=1, epoch=0)
    assert shuffled != plain and sorted(shuffled) == plain
    assert shuffled == labels(seed=1, epoch=0) != labels(seed=1, epoch=1)


@pytest.fixture(scope="module")
def unbroken(records, tmp_path_factory):
    """The folder of a run that nobody killed, and the model that it gave."""
    folder = tmp_path_factory.mktemp("unbroken")
    with pytest.MonkeyPatch.context() as patch:
        use_tiny_body(patch)
        return folder, fit(records, RECIPE, folder, None)


@pytest.mark.parametrize(
    ("step", "is_done"), [("_validate", False), ("_save", True), ("_write_history", False), ("_write_history", True)]
)
def test_a_killed_run_goes_on_and_ends_where_an_unbroken_one_ends(
    records, tmp_path, tiny_backbone, monkeypatch, unbroken, step, is_done
):
    """Killed in the third epoch: before `val` is measured, before or after its state is saved or named."""
    real, calls = getattr(module, step), []
    last = 6 if step == "_save" else 3  # two files are saved in each epoch

    def killed(*given):
        calls.append(given)
        result = None if len(calls) == last and not is_done else real(*given)
        if len(calls) == last:
            raise KeyboardInterrupt
        return result

    with monkeypatch.context() as patch:
        patch.setattr(module, step, killed)
        with pytest.raises(KeyboardInterrupt):
            fit(records, RECIPE, tmp_path, None)
    resumed = fit(records, RECIPE, tmp_path, None)
    folder, model = unbroken
    assert [epoch.phase for epoch in read_history(tmp_path)] == ["frozen", "fine-tuned", "settled", "settled"]
    for mine, its in zip(read_history(tmp_path), read_history(folder), strict=True):
        assert astuple(mine)[2:] == pytest.approx(astuple(its)[2:], abs=1e-5)
    for a, b in zip(model.get_weights(), resumed.get_weights(), strict=True):
        assert np.allclose(a, b, atol=1e-5)
    assert [p.name for p in sorted(tmp_path.iterdir())] == [p.name for p in sorted(folder.iterdir())]
    state = build_model(32, None, RECIPE.dropout, RECIPE.l2)
    module._begin(state, RECIPE, 4, "settled")
    state.load_weights(tmp_path / "last-4.keras")
    assert state.optimizer.iterations.numpy() == 2 * 4


def test_a_run_that_lacks_its_checkpoint_says_so(records, tmp_path, tiny_backbone, unbroken):
    folder = shutil.copytree(unbroken[0], tmp_path / "run")
    (folder / "last-4.keras").unlink()
    with pytest.raises(InputError, match="is missing: the run cannot go on"):
        fit(records, RECIPE, folder, None)


def test_training_without_splits_is_refused(tmp_path):
    with pytest.raises(InputError, match="'train' and 'val'") as caught:
        fit([], RECIPE, tmp_path, None)
    assert "Folders of one's own have none" in caught.value.hint


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"batch_size": 0}, "The batch size cannot be 0. It should be 1 or more."),
        ({"epochs": -1}, "The epochs cannot be -1. It should be 0 or more."),
        ({"dropout": 2.0}, "The dropout cannot be 2. It should be 0 to 0.99."),
        ({"rate": float("nan")}, "The rate cannot be nan. It should be 1e-09 to 1."),
        ({"l2": -1e-4}, "The l2 cannot be -0.0001. It should be 0 to 1."),
        ({"unfrozen_layers": -2}, "The unfrozen layers cannot be -2. It should be 0 or more."),
        ({"seed": -1}, "The seed cannot be -1. It should be 0 to 4,294,967,295."),
        (
            {"frozen_epochs": 0, "epochs": 0, "settled_epochs": 0},
            "There is no epoch to train. Give --frozen-epochs, --epochs or --settled-epochs.",
        ),
    ],
)
def test_a_recipe_that_nothing_can_be_trained_with_is_refused(wrong, said):
    with pytest.raises(InputError) as caught:
        replace(RECIPE, **wrong)
    assert str(caught.value) == said


def test_a_wrong_option_is_said_before_a_run_is_begun(tmp_path, capsys):
    for command in ("train", "tune", "crossvalidate", "leaveout"):
        words = [command, "--data", str(tmp_path), "--run", str(tmp_path / "run"), "--batch-size", "0"]
        assert cli.main(words) == 1
        assert "The batch size cannot be 0." in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_where_no_attribute_is_annotated_none_is_measured(records, capsys):
    val = [replace(record, attributes={}) for record in records[:2]]
    assert module._validate(small_model(), val, RECIPE)[2] is None
    some = [replace(val[0], attributes={"cell_size": "big"}), val[1]]
    assert module._validate(small_model(), some, RECIPE)[2] in (0.0, 1.0)


def test_train_writes_a_model_that_runs_and_a_card_that_was_measured(data, tmp_path, monkeypatch, few_pictures):
    monkeypatch.setattr(module, "build_model", lambda *size_and_rest, backbone: small_model())
    recipe = replace(RECIPE, frozen_epochs=0, settled_epochs=0)
    card = train(data, tmp_path / "model", tmp_path / "run", recipe, None)
    assert json.loads((tmp_path / "model" / "card.json").read_text()) == card
    assert card["heads"]["cell_class"] == list(CELL_CLASSES) and card["input"]["size"] == 32
    assert card["data"]["pictures"] == {"train": 32, "val": 8, "test": 8} and "seeds" not in card["training"]
    assert np.sum(card["metrics"]["test"]["confusion"]["rows"]) == 8
    assert card["metrics"] == measure(data, tmp_path / "model") | {"heatmaps": card["metrics"]["heatmaps"]}
    assert card["metrics"]["heatmaps"]["found"]["n"] == 7
    assert {"errors.json", "CARD.md"} <= {path.name for path in (tmp_path / "model").iterdir()}
    exported = keras.models.load_model(tmp_path / "model" / "hematovision.keras")
    assert getattr(exported, "optimizer", None) is None
    classifier = Classifier(tmp_path / "model")
    assert classifier.card.temperature == card["temperature"]
    assert classifier.trust is not None and classifier.trust.gate is not None
    assert set(card["metrics"]["trust"]) == {"refused", "familiarity_auroc"}
    assert {"confident", "attributes", "cell", "familiar", "answer_set"} == set(card["thresholds"])
    assert card["training"]["versions"]["hematovision"] == code_version() != ""


def test_each_picture_of_test_is_classified_once(data, records, tiny_trained, tmp_path, few_pictures, monkeypatch):
    """For its metrics, for how familiar it is, for the list of wrong cells and for the heat maps."""
    folder = shutil.copytree(tiny_trained, tmp_path / "model")
    asked = Counter()
    classify_many = Classifier.classify_many

    def counted(self, cells):
        asked.update(Survey.of(picture).picture.tobytes() for picture, _ in cells)
        return classify_many(self, cells)

    monkeypatch.setattr(Classifier, "classify_many", counted)
    finish(data, folder)
    test = [images.read(record.path).tobytes() for record in records if record.split == "test"]
    assert [asked[picture] for picture in test] == [1] * 8


def test_a_folder_is_finished_without_training_and_again(data, tiny_trained, tmp_path, few_pictures):
    """What else its card names stays."""
    folder = shutil.copytree(tiny_trained, tmp_path / "model")
    card = json.loads((folder / "card.json").read_text())
    card["thresholds"]["another"] = 0.5
    card["files"]["notes.txt"] = {"bytes": 0}
    write_card(folder, card)
    first = finish(data, folder)
    assert first["temperature"] != card["temperature"] and first["metrics"]["test"]["accuracy"]["n"] == 8
    assert first["thresholds"]["another"] == 0.5 and "notes.txt" in first["files"]
    assert Classifier(folder).trust is not None
    assert finish(data, folder) == first == json.loads((folder / "card.json").read_text())
