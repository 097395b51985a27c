"""The network: MobileNetV2, built flat, with one linear layer for each head on the pooled features."""

from pathlib import Path

import keras
import numpy as np

from hematovision.cells import HEADS
from hematovision.errors import ModelError

FEATURES = "features"
"""Name of the last feature map's layer: the class activation maps are this map times a head's weights."""
POOLED = "pooled"


def build_model(
    size: int = 224,
    backbone_weights: str | Path | None = "imagenet",
    dropout: float = 0.3,
    l2: float = 1e-4,
    alpha: float = 1.0,
) -> keras.Model:
    """RGB (N, size, size, 3) in 0..255 -> a dict of logits, one entry for each head of `cells.HEADS`.

    Flat: every backbone layer is a layer of this model, which the gradient methods need. Scaling to [-1, 1] is its
    first layer, so that it travels with the weights. `backbone_weights` is "imagenet", a weights file, or None.
    """
    inputs = keras.Input((size, size, 3), name="picture")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(inputs)
    named = backbone_weights == "imagenet"
    backbone = keras.applications.MobileNetV2(
        input_tensor=scaled, include_top=False, alpha=alpha, weights="imagenet" if named else None
    )
    if backbone_weights is not None and not named:
        _load_backbone(backbone, Path(backbone_weights), size, alpha)
    if backbone_weights is not None:
        rebalance(backbone)
    features = keras.layers.Activation("linear", name=FEATURES)(backbone.output)
    pooled = keras.layers.GlobalAveragePooling2D(name=POOLED)(features)
    dropped = keras.layers.Dropout(dropout, name="dropout")(pooled)
    regularizer = keras.regularizers.L2(l2)
    logits = {
        head: keras.layers.Dense(len(values), name=head, kernel_regularizer=regularizer)(dropped)
        for head, values in HEADS.items()
    }
    return keras.Model(inputs, logits, name="hematovision")


def set_trainable(model: keras.Model, backbone: bool) -> None:
    """Train the heads alone, or the backbone too. Batch normalization stays frozen: it transfers better abroad."""
    for layer in model.layers:
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = layer.name in HEADS or (backbone and not is_norm)


def rebalance(backbone: keras.Model) -> None:
    """Give every convolution channel He's scale and its batch normalization the inverse: the same function, trainable.

    Where normalization was folded into the weights, their scale differs from channel to channel, while Adam's steps are
    of one size for all. Channels without weights are left alone. What it gains was not measured.
    """
    for layer in backbone.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        conv = layer.input._keras_history.operation
        (kernel,) = conv.get_weights()
        depthwise = isinstance(conv, keras.layers.DepthwiseConv2D)
        by_channel = kernel.reshape(-1, kernel.shape[2]) if depthwise else kernel.reshape(-1, kernel.shape[-1])
        spread = np.sqrt((by_channel.astype(np.float64) ** 2).mean(axis=0))
        alive = spread > 1e-4 * np.median(spread)
        factor = np.where(alive, np.sqrt(2 / len(by_channel)) / np.where(alive, spread, 1), 1.0)
        gamma, beta, mean, variance = layer.get_weights()
        scaled = variance * factor**2
        gamma = gamma * np.sqrt(scaled + layer.epsilon) / (factor * np.sqrt(variance + layer.epsilon))
        conv.set_weights([kernel * (factor[:, None] if depthwise else factor)])
        layer.set_weights([gamma, beta, mean * factor, scaled])


def _load_backbone(backbone: keras.Model, path: Path, size: int, alpha: float) -> None:
    # The file numbers the layers of a bare MobileNetV2, which has no scaling layer: go through one.
    if not path.is_file():
        raise ModelError(f"There is no weights file {path}.", "Give a file, or 'imagenet' to download the weights.")
    bare = keras.applications.MobileNetV2(input_shape=(size, size, 3), include_top=False, alpha=alpha, weights=None)
    try:
        bare.load_weights(path)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path} does not hold MobileNetV2 weights.", "Use a weights file of Keras' MobileNetV2 without top."
        ) from error
    backbone.set_weights(bare.get_weights())
