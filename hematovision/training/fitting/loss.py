"""What training makes small."""

from collections.abc import Mapping

import keras

from hematovision.cells import CLASS_HEAD, HEADS


@keras.saving.register_keras_serializable("hematovision")
def masked_cross_entropy(truth, logits):
    """Categorical cross-entropy (N,) of one-hot rows with logits; a row of zeros is a missing value.

    Keras' own loss gives 0 for such a row too, but a gradient that is not 0: TensorFlow's operation takes for granted
    that each row sums to 1. Training diverges on it.
    """
    return -keras.ops.sum(truth * keras.ops.log_softmax(logits, axis=-1), axis=-1)


def loss_weights(attribute_weight: float) -> Mapping[str, float]:
    """The weight of each head's loss: 1 for the class, the same for every attribute."""
    return {head: 1.0 if head == CLASS_HEAD else attribute_weight for head in HEADS}
