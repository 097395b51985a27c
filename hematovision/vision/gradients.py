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

START_LIMIT = 90.0
"""Seconds until the first answer: importing TensorFlow takes 4 of them, 11 on a cold disk."""
ANSWER_LIMIT = 20.0
IDLE_LIMIT = 600.0
"""Seconds without a request after which the worker ends, to give back 800 MB."""

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
        return self.ask("gradcam", inputs, output_index(head, value))

    def logits(self, inputs: Picture) -> NDArray[np.float32]:
        """TensorFlow's logits (V,) for a picture at the network's size, in the order of `cells.HEADS`."""
        return self.ask("logits", inputs)

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
    """The worker's side: the Keras model, loaded once, and one tf-keras-vis object for each method."""

    def __init__(self, folder: Path):
        from hematovision.vision.card import KERAS_FILE, checked_bytes, load_card

        card = load_card(folder)
        checked_bytes(card, KERAS_FILE)
        import keras
        from tf_keras_vis.gradcam import Gradcam

        trained = keras.models.load_model(folder / KERAS_FILE, compile=False, safe_mode=True)
        # One output that holds all logits side by side: tf-keras-vis wants one score for each output.
        joined = keras.layers.Concatenate()([trained.output[head] for head in HEADS])
        self.model = keras.Model(trained.input, joined)
        self._gradcam = Gradcam(self.model, clone=False)

    def gradcam(self, inputs: Picture, index: int) -> NDArray[np.float32]:
        from tf_keras_vis.utils.scores import CategoricalScore

        from hematovision.training.backbone import FEATURES

        found = self._gradcam(
            CategoricalScore([index]),
            inputs[None].astype(np.float32),
            penultimate_layer=FEATURES,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
        return np.asarray(found[0], np.float32).reshape(found[0].shape[:2])

    def logits(self, inputs: Picture) -> NDArray[np.float32]:
        return np.asarray(self.model(inputs[None].astype(np.float32), training=False))[0]


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
