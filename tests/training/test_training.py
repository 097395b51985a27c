"""Training on drawn cells with tiny models: what is learned is nothing, how it is learned is everything."""

import json
import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras

from hematovision.cells import CELL_CLASSES, CLASS_HEAD, HEADS
from hematovision.errors import InputError, ModelError
from hematovision.library.records import Record
from hematovision.training import fit as module
from hematovision.training.augment import augment
from hematovision.training.backbone import build_model, rebalance, set_trainable
from hematovision.training.batches import Batches, targets
from hematovision.training.fit import Recipe, fit, read_history
from hematovision.training.loss import masked_cross_entropy
from hematovision.training.run import measure, train
from hematovision.vision.classifier import Classifier

RECIPE = Recipe(size=32, batch_size=8, frozen_epochs=1, epochs=1, settled_epochs=1, unfrozen_layers=2, seed=5)


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


def test_batch_normalization_stays_frozen_in_both_phases():
    model = small_model()
    for backbone in (False, True):
        set_trainable(model, backbone)
        norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        assert norms and not any(layer.trainable for layer in norms)
    assert model.get_layer("Conv1").trainable


def test_rebalancing_changes_the_scale_of_weights_and_not_the_function():
    model = small_model()
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma * rng.uniform(0.5, 2, gamma.shape), beta, mean + 0.1, variance * 0.3])
    pictures = rng.uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    before = {k: np.asarray(v) for k, v in model(pictures).items()}
    kernel = model.get_layer("block_1_expand").get_weights()[0]
    rebalance(model)
    after = model(pictures)
    assert not np.allclose(model.get_layer("block_1_expand").get_weights()[0], kernel)
    for head in HEADS:
        assert np.allclose(before[head], np.asarray(after[head]), atol=1e-4)


def test_a_wrong_weights_file_is_refused(tmp_path):
    (tmp_path / "weights.h5").write_bytes(b"no weights")
    for path in (tmp_path / "weights.h5", tmp_path / "none.h5"):
        with pytest.raises(ModelError) as caught:
            build_model(32, path)
        assert caught.value.hint


def test_augmentation_is_seeded_and_keeps_size_and_range(cell):
    first, again, other = (augment(cell, 96, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == (96, 96, 3) and first.dtype == np.uint8
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_batches_are_shuffled_by_seed_and_epoch_and_cover_every_picture(records):
    def labels(**options):
        batches = Batches(records, 32, 7, **options)
        return np.concatenate([batches[i][1][CLASS_HEAD].argmax(1) for i in range(len(batches))]).tolist()

    plain = labels()
    assert plain == [CELL_CLASSES.index(r.label) for r in records]
    shuffled = labels(seed=1, epoch=0)
    assert shuffled != plain and sorted(shuffled) == plain
    assert shuffled == labels(seed=1, epoch=0) != labels(seed=1, epoch=1)


def test_a_killed_run_goes_on_and_ends_where_an_unbroken_one_ends(records, tmp_path, tiny_backbone, monkeypatch):
    unbroken = fit(records, RECIPE, tmp_path / "unbroken", None)
    save = module._write_history

    def killed_after_two(folder, recipe, history):
        save(folder, recipe, history)
        if len(history) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "_write_history", killed_after_two)
    with pytest.raises(KeyboardInterrupt):
        fit(records, RECIPE, tmp_path / "killed", None)
    monkeypatch.setattr(module, "_write_history", save)
    assert len(read_history(tmp_path / "killed")) == 2
    resumed = fit(records, RECIPE, tmp_path / "killed", None)
    phases = [epoch.phase for epoch in read_history(tmp_path / "killed")]
    assert phases == ["frozen", "fine-tuned", "settled"]
    for a, b in zip(unbroken.get_weights(), resumed.get_weights(), strict=True):
        assert np.allclose(a, b, atol=1e-3)


def test_another_recipe_in_the_same_folder_is_refused(tmp_path):
    (tmp_path / "history.json").write_text(json.dumps({"recipe": {"seed": 9}, "epochs": []}))
    with pytest.raises(InputError, match="another recipe"):
        fit([Record("d", tmp_path, "monocyte", s) for s in ("train", "val")], RECIPE, tmp_path, None)


def test_training_without_splits_is_refused(tmp_path):
    with pytest.raises(InputError, match="'train' and 'val'"):
        fit([], RECIPE, tmp_path, None)


def test_train_writes_a_model_that_runs_and_a_card_that_was_measured(data, tmp_path, tiny_backbone):
    card = train(data, tmp_path / "model", tmp_path / "run", RECIPE, None)
    assert json.loads((tmp_path / "model" / "card.json").read_text()) == card
    assert card["heads"]["cell_class"] == list(CELL_CLASSES) and card["input"]["size"] == 32
    assert card["data"]["pictures"] == {"train": 32, "val": 8, "test": 8}
    assert np.sum(card["metrics"]["test"]["confusion"]["rows"]) == 8
    assert card["metrics"] == measure(data, tmp_path / "model")
    exported = keras.models.load_model(tmp_path / "model" / "hematovision.keras")
    assert getattr(exported, "optimizer", None) is None
    assert Classifier(tmp_path / "model").card.temperature == card["temperature"]
