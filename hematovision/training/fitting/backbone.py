"""The network: a backbone of Keras, built flat, with one linear layer for each head on the pooled features."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from hematovision.cells import HEADS
from hematovision.errors import InputError, ModelError, unknown
from hematovision.training.plans import Weights, parts
from hematovision.vision.card import FEATURES

POOLED = "pooled"
SCALE = "scale"
"""Name of the layer that scales RGB in 0..255 to what the backbone was pretrained on."""


@dataclass(frozen=True)
class Backbone:
    """A network of keras.applications, and what its pretrained weights want to see."""

    title: str
    build: Callable[..., keras.Model]
    scaling: str
    least_size: int = 32


_BOTH_SIGNS = "x / 127.5 - 1, as the model's first layer"
_CENTERED = "BGR minus the mean of ImageNet, as the model's first layers"

BACKBONES: Mapping[str, Backbone] = MappingProxyType(
    {
        "mobilenet_v2": Backbone("MobileNetV2", keras.applications.MobileNetV2, _BOTH_SIGNS),
        "resnet50": Backbone("ResNet50", keras.applications.ResNet50, _CENTERED),
        "vgg16": Backbone("VGG16", keras.applications.VGG16, _CENTERED),
        "inception_v3": Backbone("InceptionV3", keras.applications.InceptionV3, _BOTH_SIGNS, least_size=75),
    }
)
DEFAULT_BACKBONE = "mobilenet_v2"


def parse_backbone(name: str) -> Backbone:
    """Raises InputError for a name that is not in `BACKBONES`."""
    if name not in BACKBONES:
        raise unknown("backbone", name, BACKBONES)
    return BACKBONES[name]


def build_model(
    size: int = 224,
    backbone_weights: Weights = "imagenet",
    dropout: float = 0.3,
    l2: float = 1e-4,
    alpha: float = 1.0,
    backbone: str = DEFAULT_BACKBONE,
) -> keras.Model:
    """RGB (N, size, size, 3) in 0..255 -> a dict of logits, one entry for each head of `cells.HEADS`.

    Flat: every backbone layer is a layer of this model, which the gradient methods need. Its scaling comes first, so
    that it travels with the weights. `backbone_weights` is "imagenet", a weights file, whole models of this function
    (`.keras`, heads and all) or None; of several models it is the mean (Wortsman et al. 2022). `alpha` is the width of
    MobileNetV2. Raises InputError for an unknown backbone or a size that it cannot take, ModelError for wrong weights.
    """
    chosen = parse_backbone(backbone)
    if size < chosen.least_size:
        raise InputError(f"{chosen.title} cannot take {size} pixels.", f"It needs {chosen.least_size} at least.")
    shape: dict[str, Any] = {"alpha": alpha} if backbone == DEFAULT_BACKBONE else {}
    inputs = keras.Input((size, size, 3), name="picture")
    named = backbone_weights == "imagenet"
    files = [Path(part) for part in parts(backbone_weights) if part is not None and not named]
    whole = [file for file in files if file.suffix == ".keras"]
    without_top = [file for file in files if file not in whole]
    body = chosen.build(
        input_tensor=_scaled(inputs, chosen), include_top=False, weights="imagenet" if named else None, **shape
    )
    for file in without_top:
        # The file numbers the layers of a bare backbone, which has no scaling layer: go through one.
        bare = chosen.build(input_shape=(size, size, 3), include_top=False, weights=None, **shape)
        _load_weights(bare, file, f"Use a weights file of Keras' {chosen.title} without top.")
        body.set_weights(bare.get_weights())
    body = fold(body)
    features = keras.layers.Activation("linear", name=FEATURES)(body.output)
    pooled = keras.layers.GlobalAveragePooling2D(name=POOLED)(features)
    dropped = keras.layers.Dropout(dropout, name="dropout")(pooled)
    regularizer = keras.regularizers.L2(l2)
    logits = {
        head: keras.layers.Dense(len(values), name=head, kernel_regularizer=regularizer)(dropped)
        for head, values in HEADS.items()
    }
    model = keras.Model(body.inputs[0], logits, name="hematovision")
    weights = []
    for file in whole:
        _load_weights(model, file, f"Use a model that was trained here, with {chosen.title}.")
        weights.append(model.get_weights())
    if len(weights) > 1:
        model.set_weights([np.mean(of_models, axis=0) for of_models in zip(*weights, strict=True)])
    return model


def _scaled(inputs: keras.KerasTensor, backbone: Backbone) -> keras.KerasTensor:
    if backbone.scaling == _BOTH_SIGNS:
        return keras.layers.Rescaling(1 / 127.5, offset=-1, name=SCALE)(inputs)
    # Blue first, minus the means that these weights were trained with.
    turned = keras.ops.flip(inputs, axis=-1)
    return keras.layers.Rescaling(1.0, offset=[-103.939, -116.779, -123.68], name=SCALE)(turned)


def set_trainable(model: keras.Model, backbone: bool, unfrozen_layers: int | None = None) -> None:
    """Train the heads alone, or the backbone too: all of it, or its last `unfrozen_layers` layers with weights.

    Biases that hold what was batch normalization stay as they are: trained, it transfers worse, and their gradient
    takes a fifth of a step. To be called anew for a model that was loaded.
    """
    own = [
        layer
        for layer in model.layers
        if layer.weights and layer.name not in HEADS and not isinstance(layer, keras.layers.BatchNormalization)
    ]
    count = len(own) if unfrozen_layers is None else min(unfrozen_layers, len(own))
    chosen = {layer.name for layer in own[len(own) - count :]} if backbone else set()
    for layer in model.layers:
        layer.trainable = layer.name in HEADS or layer.name in chosen
    for layer in model.layers:
        if isinstance(layer, keras.layers.Identity):
            # What `fold` leaves behind each layer that took up a normalization.
            layer.input._keras_history.operation.bias.trainable = False


def fold(backbone: keras.Model) -> keras.Model:
    """The same function without batch normalization: each is folded into the convolution before it, as its bias.

    Normalization is never trained here, and costs about a quarter of each step. All layers but the input keep their
    names.
    """
    folded = {}
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            before = layer.input._keras_history.operation
            if isinstance(before, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
                folded[before.name] = layer

    def without(layer: keras.layers.Layer) -> keras.layers.Layer:
        if layer in folded.values():
            return keras.layers.Identity(name=layer.name)
        bias = {"use_bias": True} if layer.name in folded else {}
        return type(layer).from_config(layer.get_config() | bias)

    def call(layer: keras.layers.Layer, *inputs: Any, **options: Any) -> Any:
        # Normalization was called with a mask, which no other layer takes.
        return layer(*inputs) if isinstance(layer, keras.layers.Identity) else layer(*inputs, **options)

    copy = keras.models.clone_model(backbone, clone_function=without, call_function=call)
    for layer in backbone.layers:
        if layer.name in folded:
            copy.get_layer(layer.name).set_weights(_with_normalization(layer, folded[layer.name]))
        elif layer.weights and layer not in folded.values():
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def _with_normalization(conv: keras.layers.Layer, norm: keras.layers.BatchNormalization) -> list[np.ndarray]:
    kernel, *rest = conv.get_weights()
    bias = rest[0] if rest else 0.0
    mean, variance = (np.asarray(value) for value in (norm.moving_mean, norm.moving_variance))
    scale = (np.asarray(norm.gamma) if norm.scale else 1.0) / np.sqrt(variance + norm.epsilon)
    shift = np.asarray(norm.beta) if norm.center else 0.0
    depthwise = isinstance(conv, keras.layers.DepthwiseConv2D)
    return [kernel * (scale[:, None] if depthwise else scale), shift + (bias - mean) * scale]


@keras.saving.register_keras_serializable("hematovision")
class RelativeAdam(keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015), for each channel of a convolution in steps relative to the size of its weights.

    Folded weights differ in size from channel to channel, while Adam's steps are of one size for all. A channel of the
    size that He et al. (2015) start with takes the steps of plain Adam.
    """

    def update_step(self, gradient, variable, learning_rate):
        if len(variable.shape) == 4:
            value = keras.ops.convert_to_tensor(variable)
            height, width, incoming, outgoing = variable.shape
            depthwise = outgoing == 1
            axes = (0, 1, 3) if depthwise else (0, 1, 2)
            size = keras.ops.sqrt(keras.ops.mean(keras.ops.square(value), axis=axes, keepdims=True))
            learning_rate = learning_rate * size / (2 / (height * width * (1 if depthwise else incoming))) ** 0.5
        super().update_step(gradient, variable, learning_rate)


def _load_weights(network: keras.Model, path: Path, hint: str) -> None:
    if not path.is_file():
        raise ModelError(f"There is no weights file {path}.", "Give a file, or 'imagenet' to download the weights.")
    try:
        if path.suffix == ".keras":
            # Not load_weights, which passes over what the file has no weights for.
            network.set_weights(keras.models.load_model(path, compile=False).get_weights())
        else:
            network.load_weights(path)
    except (OSError, ValueError, BadZipFile) as error:
        raise ModelError(f"{path} does not hold weights of this network.", hint) from error
