"""A network that is built, traced and exported in no time, for tests of what is done with a network.

That the real backbones are trained and exported is tested in test_backbones.py and test_training.py.
"""

from dataclasses import replace

import keras

from hematovision.training.fitting import backbone
from hematovision.training.fitting.backbone import DEFAULT_BACKBONE
from hematovision.training.fitting.export import EARLY_LAYER


def tiny_body(input_tensor, include_top, weights, alpha=1.0):
    """Three convolutions in the place of MobileNetV2, with a layer of the name that the gate looks at."""
    assert not include_top and weights is None
    x = keras.layers.Conv2D(8, 5, strides=4, use_bias=False, name="conv")(input_tensor)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.DepthwiseConv2D(3, use_bias=False, name="depthwise")(keras.layers.ReLU(6.0)(x))
    x = keras.layers.BatchNormalization(name=EARLY_LAYER)(x)
    x = keras.layers.ReLU()(keras.layers.Conv2D(16, 1, name="last")(x))
    return keras.Model(keras.utils.get_source_inputs(input_tensor), x)


def use_tiny_body(patch):
    real = backbone.BACKBONES[DEFAULT_BACKBONE]
    patch.setattr(backbone, "BACKBONES", {DEFAULT_BACKBONE: replace(real, build=tiny_body)})
