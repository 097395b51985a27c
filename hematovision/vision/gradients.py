"""Gradient methods (tf-keras-vis) in a process of their own, and the client that the app uses.

TensorFlow never enters the app's process: Streamlit clears Keras' session after every rerun where Keras is imported.
"""

import contextlib
import os
import secrets
import subprocess
import sys
import threading
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hematovision.cells import HEADS, output_index
from hematovision.errors import HematoVisionError, ModelError, WorkerError
from hematovision.images import Picture
from hematovision.vision.card import FEATURES
from hematovision.vision.methods import (
    DEPTHS,
    GRADCAM_GRADIENTS,
    GRADCAM_PLUS_PLUS,
    LAYERCAM,
    SALIENCY,
    SMOOTHGRAD,
    TRAINED,
)
from hematovision.vision.passes import Progress

START_LIMIT = 90.0
"""Seconds until the first answer: importing TensorFlow takes 4 of them, 11 on a cold disk."""
ANSWER_LIMIT = 60.0
"""Seconds until each other one; with room for a machine that is busy with something else."""
IDLE_LIMIT = 600.0
"""Seconds without a request after which the worker ends, to give back 800 MB."""

SMOOTH_SAMPLES, SMOOTH_CHUNK = 32, 2
"""Noisy copies that SmoothGrad takes the mean over, and how many of them one request asks for."""
SMOOTH_NOISE = 0.1
"""Deviation of that noise, as a share of the range of the picture's levels: the paper found 0.1 to 0.2 best."""
SEED = 0
"""Of noise and of random weights: the same map each time."""

_AGAIN = "Try again: it starts anew, which takes a few seconds."


class GradientWorker:
    """Client of the worker process: started at first need, ended when idle, started again when it died.

    Safe to share between threads; requests are answered one after the other.
    """

    def __init__(self, model_folder: Path):
        self._folder = model_folder
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    @property
    def pid(self) -> int | None:
        """Process id of a running worker."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def gradcam(self, inputs: Picture, head: str, value: str) -> NDArray[np.float32]:
        """Grad-CAM (h, w), after ReLU and not scaled, on the logit of one value for a picture at the network's size.

        Raises WorkerError when the worker dies or takes too long, ModelError when the model cannot be loaded.
        """
        return self.map_by(GRADCAM_GRADIENTS, inputs, (head, value))

    def map_by(
        self, method: str, inputs: Picture, target: tuple[str, str], depth: str = DEPTHS[-1], weights: str = TRAINED
    ) -> NDArray[np.float32]:
        """The map (h, w), nowhere below 0 and not scaled, of a gradient method other than SmoothGrad.

        `depth` is one of `DEPTHS`, for LayerCAM alone; `weights` one of `WEIGHTS`. Raises as `gradcam` does.
        """
        return self.ask("map_by", method, inputs, output_index(*target), depth, weights)

    def smoothgrad(
        self, inputs: Picture, target: tuple[str, str], weights: str = TRAINED, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """SmoothGrad (size, size), asked for a few copies at a time: what `progress` raises stops the work."""
        total = np.zeros(inputs.shape[:2], np.float32)
        for done in range(0, SMOOTH_SAMPLES, SMOOTH_CHUNK):
            if progress:
                progress(done, SMOOTH_SAMPLES)
            total += self.ask("noisy_saliency", inputs, output_index(*target), done, SMOOTH_CHUNK, weights)
        if progress:
            progress(SMOOTH_SAMPLES, SMOOTH_SAMPLES)
        return total / np.float32(SMOOTH_SAMPLES)

    def logits(self, inputs: Picture) -> NDArray[np.float32]:
        """TensorFlow's logits (V,) for a picture at the network's size, in the order of `cells.HEADS`."""
        return self.logits_of(inputs[None])[0]

    def logits_of(self, inputs: NDArray, weights: str = TRAINED) -> NDArray[np.float32]:
        """TensorFlow's logits (N, V) for some pictures (N, size, size, 3), under trained or random weights."""
        return self.ask("logits_of", inputs, weights)

    def features_of(self, inputs: Picture, weights: str = TRAINED) -> NDArray[np.float32]:
        """The last feature map (h, w, C) of a picture at the network's size."""
        return self.ask("features_of", inputs, weights)

    def raw_map(self, inputs: Picture, target: tuple[str, str], weights: str = TRAINED) -> NDArray[np.float32]:
        """The class activation map (h, w), signed: what `Prediction.map_of` is under other weights."""
        return self.ask("raw_map", inputs, output_index(*target), weights)

    def ask(self, method: str, *arguments: Any) -> Any:
        with self._lock:
            limit = ANSWER_LIMIT if self.pid is not None else START_LIMIT
            try:
                connection = self._connected()
                connection.send((method, arguments))
                if not connection.poll(limit):
                    self._stop()
                    raise WorkerError(
                        f"The gradient worker gave no answer within {limit:.0f} seconds.", _AGAIN, kind="worker_slow"
                    )
                answer = connection.recv()
            except (OSError, EOFError) as error:
                self._stop()
                raise WorkerError(
                    "The gradient worker stopped in the middle of its work.", _AGAIN, kind="worker_died"
                ) from error
        if isinstance(answer, HematoVisionError):
            raise answer
        return answer

    def close(self) -> None:
        """End the worker, if it runs."""
        with self._lock:
            self._stop()

    def _connected(self) -> Connection:
        if self._connection is not None and self.pid is not None:
            return self._connection
        self._stop()
        key = secrets.token_bytes(32)
        command = [sys.executable, "-m", "hematovision.vision.gradients", str(self._folder)]
        root = str(Path(__file__).parents[2])
        environment = os.environ | {
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
        }
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(key.hex().encode() + b"\n")
        self._process.stdin.close()
        address = self._process.stdout.readline().decode().strip()
        if not address:
            raise EOFError("the worker ended before it listened")
        self._connection = Client(address, authkey=key)
        return self._connection

    def _stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()
            self._process = None


class Gradients:
    """The worker's side: the Keras model, loaded once, and one tf-keras-vis object for each method and its weights."""

    def __init__(self, folder: Path):
        from hematovision.vision.card import KERAS_FILE, checked_bytes, load_card

        card = load_card(folder)
        checked_bytes(card, KERAS_FILE)
        import keras

        trained = keras.models.load_model(folder / KERAS_FILE, compile=False, safe_mode=True)
        # One output that holds all logits side by side: tf-keras-vis wants one score for each output.
        joined = keras.layers.Concatenate()([trained.output[head] for head in HEADS])
        self.model = keras.Model(trained.input, joined)
        self._models: dict[str, Any] = {TRAINED: self.model}
        self._explainers: dict[tuple[str, str], Any] = {}

    def map_by(self, method: str, inputs: Picture, index: int, depth: str, weights: str) -> NDArray[np.float32]:
        from tf_keras_vis.utils.scores import CategoricalScore

        explainer = self._explainer(method, weights)
        picture = inputs[None].astype(np.float32)
        if method == SALIENCY:
            found = explainer(CategoricalScore([index]), picture, normalize_map=False)
        else:
            found = explainer(
                CategoricalScore([index]),
                picture,
                penultimate_layer=self.layer_of(depth),
                seek_penultimate_conv_layer=False,
                expand_cam=False,
                normalize_cam=False,
            )
        return np.asarray(found[0], np.float32).reshape(found[0].shape[:2])

    def noisy_saliency(self, inputs: Picture, index: int, first: int, count: int, weights: str) -> NDArray[np.float32]:
        """The sum of the maps (size, size) of `count` noisy copies, the first of which is number `first`."""
        from tf_keras_vis.utils.scores import CategoricalScore

        picture = inputs[None].astype(np.float32)
        np.random.seed(SEED + first)  # where tf-keras-vis draws its noise
        found = self._explainer(SMOOTHGRAD, weights)(
            CategoricalScore([index]),
            picture,
            smooth_samples=count,
            smooth_noise=SMOOTH_NOISE,
            normalize_map=False,
        )
        return np.asarray(found[0] * count, np.float32)

    def logits_of(self, inputs: NDArray, weights: str) -> NDArray[np.float32]:
        return np.asarray(self.model_with(weights)(inputs.astype(np.float32), training=False))

    def features_of(self, inputs: Picture, weights: str) -> NDArray[np.float32]:
        import keras

        model = self.model_with(weights)
        upto = keras.Model(model.input, model.get_layer(self.layer_of(DEPTHS[-1])).output)
        return np.asarray(upto(inputs[None].astype(np.float32), training=False))[0]

    def raw_map(self, inputs: Picture, index: int, weights: str) -> NDArray[np.float32]:
        model = self.model_with(weights)
        kernel = np.concatenate([model.get_layer(head).get_weights()[0] for head in HEADS], axis=1)
        return self.features_of(inputs, weights) @ kernel[:, index]

    def _explainer(self, method: str, weights: str) -> Any:
        from tf_keras_vis.gradcam import Gradcam
        from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
        from tf_keras_vis.layercam import Layercam
        from tf_keras_vis.saliency import Saliency

        kinds = {
            GRADCAM_GRADIENTS: Gradcam,
            GRADCAM_PLUS_PLUS: GradcamPlusPlus,
            LAYERCAM: Layercam,
            SALIENCY: Saliency,
            SMOOTHGRAD: Saliency,
        }
        if (method, weights) not in self._explainers:
            self._explainers[method, weights] = kinds[method](self.model_with(weights), clone=False)
        return self._explainers[method, weights]

    def layer_of(self, depth: str) -> str:
        """The name of a layer: the last feature map, or the last ReLU of the next sizes above it.

        Raises ModelError where the network is too shallow to have one.
        """
        import keras

        if depth == DEPTHS[-1]:
            return FEATURES
        least = self.model.get_layer(FEATURES).output.shape[1]
        names: dict[int, str] = {}
        for layer in self.model.layers:
            activation = getattr(layer, "activation", None)
            if isinstance(layer, keras.layers.ReLU) or activation is keras.activations.relu:
                names[layer.output.shape[1]] = layer.name
        larger = sorted(side for side in names if side > least)
        steps = len(DEPTHS) - 2 - DEPTHS.index(depth)
        if steps >= len(larger):
            raise ModelError(f"This network has no map of the depth '{depth}'.", "Take another depth or method.")
        return names[larger[steps]]

    def model_with(self, weights: str) -> Any:
        """The model with trained weights, or with those of its upper layers drawn anew, spread as the trained ones."""
        import keras

        if weights not in self._models:
            model = keras.models.clone_model(self.model)
            model.set_weights(self.model.get_weights())
            layers = [layer for layer in model.layers if layer.get_weights()]
            top = [layer for layer in layers if layer.name in HEADS]
            below = [layer for layer in reversed(layers) if layer.name not in HEADS]
            count = {"heads": 0, "half": len(below) // 2, "all": len(below)}[weights]
            rng = np.random.default_rng(SEED)
            for layer in top + below[:count]:
                layer.set_weights([rng.normal(w.mean(), w.std(), w.shape) for w in layer.get_weights()])
            self._models[weights] = model
        return self._models[weights]


def serve(folder: Path) -> None:
    """Answer requests over a local socket until the client leaves or nothing is asked for ten minutes."""
    key = bytes.fromhex(sys.stdin.readline().strip())
    with Listener(authkey=key) as listener:
        print(listener.address, flush=True)
        # Whatever a library prints must not fill a pipe that nobody reads.
        sys.stdout = sys.stderr
        with listener.accept() as connection:
            gradients: Gradients | None = None
            while connection.poll(IDLE_LIMIT):
                try:
                    method, arguments = connection.recv()
                except EOFError:
                    return
                try:
                    gradients = gradients or Gradients(folder)
                    answer = getattr(gradients, method)(*arguments)
                except HematoVisionError as error:
                    answer = error
                except (ValueError, RuntimeError, ImportError) as error:
                    answer = ModelError(f"The gradient worker failed: {error}", "See the terminal for details.")
                connection.send(answer)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve(Path(sys.argv[1]))
