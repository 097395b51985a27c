"""One training step, over however many devices and machines take part: TensorFlow's strategies, without `fit`.

Keras 3.15 cannot `fit` over several machines: it takes the values of MultiWorkerMirroredStrategy for one tensor.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from hematovision.errors import InputError
from hematovision.training.fitting.batches import Batches
from hematovision.training.fitting.loss import masked_cross_entropy

Batch = tuple[np.ndarray, dict[str, np.ndarray]]


def choose_strategy() -> tf.distribute.Strategy:
    """Several machines where TF_CONFIG names them, several devices of this one where it has them, else the one.

    Has to be called before TensorFlow is used for anything else.
    """
    if tf.distribute.cluster_resolver.TFConfigClusterResolver().cluster_spec().as_dict():
        return tf.distribute.MultiWorkerMirroredStrategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) > 1:
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def place(strategy: tf.distribute.Strategy) -> tuple[int, int]:
    """(number of this process, number of processes). Process 0 writes the files."""
    resolver = strategy.cluster_resolver
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) or resolver is None:
        return 0, 1
    cluster = resolver.cluster_spec().as_dict()
    chiefs, workers = len(cluster.get("chief", ())), len(cluster.get("worker", ()))
    return resolver.task_id + (chiefs if resolver.task_type == "worker" else 0), chiefs + workers


def meet(strategy: tf.distribute.Strategy) -> None:
    """Wait until all processes have come here."""

    @tf.function
    def count() -> tf.Tensor:
        return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(lambda: tf.constant(1.0)), axis=None)

    count()


class Steps:
    """Steps of the model's optimizer, each on one batch that all devices share: the sum is that of one device."""

    def __init__(self, model: keras.Model, loss_weights: Mapping[str, float]):
        """To be made in the scope of the strategy in which `model` was built and compiled."""
        self.strategy = tf.distribute.get_strategy()
        self.process, self.processes = place(self.strategy)
        self._model, self._loss_weights = model, loss_weights
        self._devices = self.strategy.num_replicas_in_sync // self.processes
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        self._step = tf.function(self._everywhere, reduce_retracing=True)

    def epoch(self, batches: Batches) -> Iterator[tuple[float, int]]:
        """Train on `batches`, in their order; gives each batch's (loss, number of pictures).

        Of each batch, every process reads its own part only. Raises InputError where the parts cannot be equal.
        """
        size, total = batches.batch_size, len(batches.order)
        if size % self.processes:
            raise InputError(
                f"A batch of {size} pictures cannot be shared by {self.processes} machines.",
                "Choose a --batch-size that their number divides.",
            )
        counts = [min(size, total - start) for start in range(0, total, size)]
        parts = [
            np.array_split(batches.order[i * size : (i + 1) * size], self.processes)[self.process]
            for i in range(len(counts))
        ]
        batches.order, batches.batch_size = np.concatenate(parts), size // self.processes

        def read(index: int) -> tuple[Batch, bool]:
            # A machine that has nothing of the last batch takes any picture, and gives it no weight.
            return batches[index if len(parts[index]) else 0], len(parts[index]) > 0

        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(read, 0)
            for index, count in enumerate(counts):
                batch, counted = ahead.result()
                if index + 1 < len(counts):
                    ahead = reader.submit(read, index + 1)
                yield self._train(batch, 1 / count if counted else 0.0), count

    def _train(self, batch: Batch, weight: float) -> float:
        parts = [_part(batch, weight, rows) for rows in np.array_split(np.arange(len(batch[0])), self._devices)]
        if self.strategy.num_replicas_in_sync == 1:
            return float(self._step(*parts[0]))
        # Each value lies in its own device's memory.
        spread = self.strategy.experimental_distribute_values_from_function
        leaves = [keras.tree.flatten(part) for part in parts]
        values = [
            spread(lambda context, i=i: tf.constant(leaves[context.replica_id_in_sync_group % self._devices][i]))
            for i in range(len(leaves[0]))
        ]
        return float(self._step(*keras.tree.pack_sequence_as(parts[0], values)))

    def _everywhere(self, pictures: Any, truth: Any, weights: Any) -> tf.Tensor:
        parts = self.strategy.run(self._on_one, args=(pictures, truth, weights))
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, parts, axis=None)

    def _on_one(self, pictures: Any, truth: Any, weights: Any) -> tf.Tensor:
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self._model(pictures, training=True)
            loss = tf.add_n(
                [
                    share * tf.reduce_sum(weights * masked_cross_entropy(truth[head], logits[head]))
                    for head, share in self._loss_weights.items()
                ]
            )
            loss += sum(self._model.losses) / self.strategy.num_replicas_in_sync
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        # The optimizer sums the gradients of all devices.
        self._model.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss


def _part(batch: Batch, weight: float, rows: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """The rows of a batch, each with its weight in the loss. A part without any takes one, and gives it no weight."""
    weights = np.full(max(1, len(rows)), weight if len(rows) else 0.0, np.float32)
    rows = rows if len(rows) else np.array([0])
    pictures, truth = batch
    return pictures[rows], {head: values[rows] for head, values in truth.items()}, weights
