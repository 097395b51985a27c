"""Every backbone is trained, exported and answered like the first one."""

from contextlib import contextmanager

import keras
import numpy as np
import pytest
import tensorflow as tf

from hematovision.cells import HEADS, output_slice
from hematovision.errors import InputError
from hematovision.training.fitting.backbone import BACKBONES, DEFAULT_BACKBONE, build_model, set_trainable
from hematovision.training.fitting.batches import Batches
from hematovision.training.fitting.devices import Steps
from hematovision.training.fitting.export import export
from hematovision.training.fitting.fit import train_epoch
from hematovision.training.fitting.loss import loss_weights
from hematovision.vision.card import load_card
from hematovision.vision.classifier import Classifier

CARD = {"temperature": 1.0, "thresholds": {"confident": 1.0}}


@pytest.fixture(scope="module")
def network(request):
    """(name, side of its pictures, model), built once for all tests of that backbone."""
    size = max(32, BACKBONES[request.param].least_size)
    return request.param, size, build_model(size, None, alpha=0.35, backbone=request.param)


@contextmanager
def eagerly():
    """One step is not worth the time of making a graph of it. The export makes one, and so does every other test."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.mark.parametrize("network", [name for name in BACKBONES if name != DEFAULT_BACKBONE], indirect=True)
def test_a_backbone_is_trained_exported_and_its_maps_are_exact(network, records, tmp_path):
    name, size, model = network
    backbone = BACKBONES[name]
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    set_trainable(model, True, unfrozen_layers=1)
    model.compile(optimizer=keras.optimizers.Adam(1e-4))
    before = model.get_weights()
    with eagerly():
        loss = train_epoch(Steps(model, loss_weights(0.25)), Batches(records[::6], size, 8), "steps", quiet=True)
    assert np.isfinite(loss)
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert sum(changed) >= 2 + len(HEADS)
    export(model, tmp_path / "model", CARD, backbone.scaling)
    assert load_card(tmp_path / "model").raw["input"]["scaling"] == backbone.scaling
    picture = np.random.default_rng(0).uniform(0, 255, (1, size, size, 3)).astype(np.float32)
    (answer,) = Classifier(tmp_path / "model").classify_inputs(picture)
    assert answer.early is None
    bias = np.concatenate([model.get_layer(head).get_weights()[1] for head in HEADS])
    scale = np.abs(answer.logits).max()
    assert np.allclose(answer.maps.mean(axis=(0, 1)) + bias, answer.logits, atol=1e-4 * scale)
    for head, logits in model(picture).items():
        assert np.allclose(np.asarray(logits)[0], answer.logits[output_slice(head)], atol=1e-4 * scale)


@pytest.mark.parametrize("network", BACKBONES, indirect=True)
def test_the_scaling_is_that_of_keras(network):
    name, size, model = network
    module = getattr(keras.applications, name)
    picture = np.random.default_rng(0).uniform(0, 255, (1, size, size, 3)).astype(np.float32)
    scaled = keras.Model(model.input, model.get_layer("scale").output)(picture)
    assert np.allclose(np.asarray(scaled), module.preprocess_input(picture.copy()), atol=1e-4)


@pytest.mark.parametrize(("name", "own"), [("vgg16", 13), ("resnet50", 0), ("mobilenet_v2", 0)])
def test_only_biases_that_were_normalization_stay_as_they_are(name, own):
    model = build_model(32, None, alpha=0.35, backbone=name)
    set_trainable(model, backbone=True)
    biases = {v.path for v in model.trainable_variables if v.path.endswith("bias")} - {f"{head}/bias" for head in HEADS}
    assert len(biases) == own


def test_only_the_last_layers_are_trained_where_it_is_said():
    model = build_model(32, None, alpha=0.35)

    def trained():
        return {layer.name for layer in model.layers if layer.trainable} - set(HEADS)

    set_trainable(model, True, unfrozen_layers=2)
    assert trained() == {"block_16_project", "Conv_1"}
    set_trainable(model, True, unfrozen_layers=0)
    assert trained() == set() and model.get_layer("granularity").trainable
    set_trainable(model, False, unfrozen_layers=2)
    assert trained() == set()


def test_an_unknown_backbone_and_a_size_too_small_are_refused():
    with pytest.raises(InputError, match="Should be one of: mobilenet_v2, resnet50, vgg16, inception_v3"):
        build_model(32, None, backbone="alexnet")
    with pytest.raises(InputError, match="It needs 75"):
        build_model(32, None, backbone="inception_v3")


def test_the_command_line_knows_every_backbone():
    from hematovision.cli import training

    assert tuple(BACKBONES) == training.BACKBONES
