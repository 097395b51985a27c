"""What the exported model gives away besides its answer."""

import keras
import numpy as np
import pytest

from hematovision.cells import HEADS
from hematovision.training.fitting.backbone import POOLED
from hematovision.training.fitting.export import EARLY_LAYER, export
from hematovision.vision.card import FEATURES
from hematovision.vision.classifier import Classifier

CARD = {"temperature": 1.0, "thresholds": {"confident": 1.0}}


def network(middle: keras.layers.Layer) -> keras.Model:
    """The least that can be exported, with `middle` between a convolution and the last feature map."""
    inputs = keras.Input((16, 16, 3))
    x = middle(keras.layers.Conv2D(5, 3, strides=2, use_bias=False)(inputs))
    features = keras.layers.Activation("relu", name=FEATURES)(keras.layers.Conv2D(4, 3)(x))
    pooled = keras.layers.GlobalAveragePooling2D(name=POOLED)(features)
    return keras.Model(inputs, {h: keras.layers.Dense(len(v), name=h)(pooled) for h, v in HEADS.items()})


@pytest.mark.parametrize("kind", [keras.layers.BatchNormalization, keras.layers.Identity])
def test_early_features_are_mean_and_deviation_of_the_layer_of_that_name(kind, tmp_path):
    rng = np.random.default_rng(0)
    model = network(kind(name=EARLY_LAYER))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
    export(model, tmp_path, CARD)
    pictures = rng.uniform(0, 255, (3, 16, 16, 3)).astype(np.float32)
    middle = np.asarray(keras.Model(model.input, model.get_layer(EARLY_LAYER).output)(pictures))
    expected = np.concatenate([middle.mean((1, 2)), middle.std((1, 2))], axis=-1)
    found = np.stack([answer.early for answer in Classifier(tmp_path).classify_inputs(pictures)])
    assert found.shape == (3, 10)
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_a_network_without_such_a_layer_gives_none(tmp_path):
    export(network(keras.layers.Identity(name="another")), tmp_path, CARD)
    (answer,) = Classifier(tmp_path).classify_inputs(np.zeros((1, 16, 16, 3)))
    assert answer.early is None


def test_the_last_feature_map_times_the_weights_of_a_head_is_its_map(tmp_path):
    """And is given away only when asked for: an answer stays as light as it was."""
    model = network(keras.layers.Identity(name="another"))
    export(model, tmp_path, CARD)
    picture = np.random.default_rng(0).uniform(0, 255, (16, 16, 3)).astype(np.float32)
    classifier = Classifier(tmp_path)
    features = classifier.features_of(picture)
    assert np.allclose(
        features, keras.Model(model.input, model.get_layer(FEATURES).output)(picture[None])[0], atol=1e-3
    )
    (answer,) = classifier.classify_inputs(picture[None])
    kernel = model.get_layer("granularity").get_weights()[0]
    assert np.allclose(features @ kernel[:, 1], answer.map_of("granularity", "yes"), atol=1e-3)
    assert np.allclose(features.mean(axis=(0, 1)), answer.embedding, atol=1e-3)
