"""Heat maps of many pictures at once, with TensorFlow in this process: those that the worker makes one by one."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hematovision.errors import ModelError
from hematovision.vision.classifier import Floats
from hematovision.vision.gradients import SEED, SMOOTH_CHUNK, SMOOTH_NOISE, SMOOTH_SAMPLES, Gradients
from hematovision.vision.heatmap import SHIFT, common, fused
from hematovision.vision.methods import (
    COMMON,
    DEPTHS,
    FUSED,
    GRADCAM,
    GRADCAM_PLUS_PLUS,
    LAYERCAM,
    SALIENCY,
    TRAINED,
)

LAYERCAM_COMMON, LAYERCAM_FUSED = f"{LAYERCAM}-{COMMON}", f"{LAYERCAM}-{FUSED}"


class ManyMaps:
    """Maps before scaling, (h, w) for each of N pictures (N, size, size, 3) in 0..255 and the outputs named by index.

    A network that is too shallow for LayerCAM's depths has none.
    """

    def __init__(self, gradients: Gradients, shift: float = SHIFT):
        """`shift` is that of the network, by `heatmap.shift_of`."""
        self._gradients, self._shift = gradients, shift
        self._runs: dict[tuple[str, str], Callable[..., Any]] = {}

    @cached_property
    def depths(self) -> tuple[str, ...]:
        """LayerCAM's, or the last alone."""
        try:
            for depth in DEPTHS:
                self._gradients.layer_of(depth)
        except ModelError:
            return DEPTHS[-1:]
        return DEPTHS

    def by_layers(self, inputs: NDArray, indices: Sequence[int], weights: str = TRAINED) -> list[dict[str, Floats]]:
        """Grad-CAM, Grad-CAM++ and both fusions of LayerCAM for each picture, out of one pass and one way back.

        Before global average pooling and one linear layer every cell has the same gradient: there Grad-CAM++ is
        LayerCAM's last depth up to a constant, which scaling takes away.
        """
        *depths, signed = self._run("layers", weights)(inputs.astype(np.float32), np.array(indices, np.int32))
        found = []
        for raw, *layers in zip(np.asarray(signed), *map(np.asarray, depths), strict=True):
            maps = {GRADCAM: raw, GRADCAM_PLUS_PLUS: layers[-1]}
            if len(layers) == len(DEPTHS):
                maps |= {LAYERCAM_COMMON: common(layers, self._shift), LAYERCAM_FUSED: fused(layers, self._shift)}
            found.append(maps)
        return found

    def saliency(self, inputs: NDArray, indices: Sequence[int], weights: str = TRAINED) -> list[dict[str, Floats]]:
        slopes = self._run("slopes", weights)(inputs.astype(np.float32), np.array(indices, np.int32))
        return [{SALIENCY: values} for values in np.asarray(slopes).max(axis=-1)]

    def smoothgrad(self, inputs: NDArray, index: int) -> Floats:
        """SmoothGrad (size, size) of one picture (size, size, 3), with the noise that the worker draws."""
        picture = inputs.astype(np.float32)
        noise = self._noise(inputs.shape) * np.float32(SMOOTH_NOISE * (picture.max() - picture.min()))
        slopes = self._run("slopes", TRAINED)(picture + noise, np.full(SMOOTH_SAMPLES, index, np.int32))
        of_requests = np.asarray(slopes).reshape(-1, SMOOTH_CHUNK, *inputs.shape).sum(axis=1)
        return of_requests.max(axis=-1).sum(axis=0) / np.float32(SMOOTH_SAMPLES)

    def features(self, inputs: NDArray) -> Floats:
        """The last feature maps (N, h, w, C)."""
        return np.asarray(self._run("features", TRAINED)(inputs.astype(np.float32)))

    def _noise(self, shape: tuple[int, ...]) -> Floats:
        if "noise" not in self.__dict__:
            drawn = [
                np.random.RandomState(SEED + first).standard_normal((SMOOTH_CHUNK, *shape))
                for first in range(0, SMOOTH_SAMPLES, SMOOTH_CHUNK)
            ]
            self.noise = np.concatenate(drawn).astype(np.float32)
        return self.noise

    def _run(self, what: str, weights: str) -> Callable[..., Any]:
        if (what, weights) not in self._runs:
            make = {"layers": self._layers, "slopes": self._slopes, "features": self._features}[what]
            self._runs[what, weights] = make(self._gradients.model_with(weights))
        return self._runs[what, weights]

    def _layers(self, model: Any) -> Callable[..., Any]:
        import keras
        import tensorflow as tf

        layers = [model.get_layer(self._gradients.layer_of(depth)).output for depth in self.depths]
        upto = keras.Model(model.input, [*layers, model.output])

        @tf.function(reduce_retracing=True)
        def run(inputs, indices):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(inputs)
                *activations, logits = upto(inputs, training=False)
                score = tf.gather(logits, indices, batch_dims=1)
            gradients = tape.gradient(score, activations)
            maps = [tf.reduce_sum(a * tf.nn.relu(g), -1) for a, g in zip(activations, gradients, strict=True)]
            positive = [tf.nn.relu(values) for values in maps]
            cells = tf.cast(tf.reduce_prod(tf.shape(activations[-1])[1:3]), tf.float32)
            return [*positive, cells * tf.reduce_sum(activations[-1] * gradients[-1], -1)]

        return run

    def _slopes(self, model: Any) -> Callable[..., Any]:
        import tensorflow as tf

        @tf.function(reduce_retracing=True)
        def run(inputs, indices):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(inputs)
                score = tf.gather(model(inputs, training=False), indices, batch_dims=1)
            return tf.abs(tape.gradient(score, inputs))

        return run

    def _features(self, model: Any) -> Callable[..., Any]:
        import keras
        import tensorflow as tf

        return tf.function(keras.Model(model.input, model.get_layer(self._gradients.layer_of(DEPTHS[-1])).output))
