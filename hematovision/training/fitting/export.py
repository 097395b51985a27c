"""A trained model -> `model/`: the `.keras` file, the `.tflite` file for LiteRT, and the card that binds them."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from hematovision.cells import HEADS
from hematovision.files import write_whole
from hematovision.training.fitting.backbone import BACKBONES, DEFAULT_BACKBONE, POOLED
from hematovision.vision.card import CARD_FILE, FEATURES, KERAS_FILE, LITERT_FILE
from hematovision.vision.classifier import EARLY

EARLY_LAYER = "block_13_project_BN"
"""The middle layer whose statistics tell a cell from another thing, where a backbone has one of this name."""


def export(
    model: keras.Model, folder: Path, card: dict[str, Any], scaling: str = BACKBONES[DEFAULT_BACKBONE].scaling
) -> None:
    """Write both model files and `card.json` (with their SHA-256) into `folder`, each one whole or not at all.

    `model` should come without an optimizer: it would be saved too. `scaling` says in words how it scales a picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / "draft.keras"
    model.save(draft)
    draft.replace(folder / KERAS_FILE)
    write_whole(folder / LITERT_FILE, to_litert(model))
    card = {
        "format": 1,
        "input": {
            "size": model.input_shape[1],
            "channels": "RGB",
            "range": [0, 255],
            "scaling": scaling,
        },
        "heads": {head: list(values) for head, values in HEADS.items()},
        **card,
        "files": {name: describe_file(folder / name) for name in (KERAS_FILE, LITERT_FILE)},
    }
    write_card(folder, card)


def write_card(folder: Path, card: dict[str, Any]) -> None:
    write_whole(folder / CARD_FILE, json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def to_litert(model: keras.Model) -> bytes:
    """The model as a float32 LiteRT file with four or five outputs from one pass.

    `logits` (N, V) and `maps` (N, h, w, V) in the order of `cells.HEADS`, `embedding` (N, C). A map is the last
    feature map times a head's weights: its mean over h and w plus the bias, kept in the file as `logits`, is exact.
    `features` (N, h, w, C) is that last feature map, which Score-CAM masks a picture with.
    `early` (N, 2 D), where the model has an `EARLY_LAYER` of D channels: their means, then their standard deviations.
    """
    weights, biases = zip(*(model.get_layer(head).get_weights() for head in HEADS), strict=True)
    kernel = np.concatenate(weights, axis=1)
    features = model.get_layer(FEATURES).output
    to_maps = keras.layers.Conv2D(kernel.shape[1], 1, use_bias=False, name="maps")
    to_logits = keras.layers.Dense(kernel.shape[1], name="logits")
    embedding = model.get_layer(POOLED).output
    outputs = {
        "maps": to_maps(features),
        "logits": to_logits(embedding),
        "embedding": embedding,
        FEATURES: features,
    }
    if any(layer.name == EARLY_LAYER for layer in model.layers):
        middle = model.get_layer(EARLY_LAYER).output
        statistics = [keras.ops.mean(middle, (1, 2)), keras.ops.std(middle, (1, 2))]
        outputs[EARLY] = keras.ops.concatenate(statistics, axis=-1)
    exported = keras.Model(model.input, outputs)
    to_maps.set_weights([kernel[None, None]])
    to_logits.set_weights([kernel, np.concatenate(biases)])
    with tempfile.TemporaryDirectory() as folder:
        # Through a SavedModel: a graph converted from a concrete function loses Keras 3's weights.
        exported.export(folder, verbose=False)
        return tf.lite.TFLiteConverter.from_saved_model(folder).convert()


def describe_file(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
