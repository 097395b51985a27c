"""One process of a training that several share: a few steps of a tiny model; prints what it was and its loss curve.

python worker.py CELLS RUN [DEVICES]
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import tensorflow as tf

if len(sys.argv) > 3:
    parts = [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[3])
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)

from hematovision.library.datasets import read_datasets
from hematovision.training import fit as module
from hematovision.training.backbone import build_model
from hematovision.training.devices import choose_strategy, place
from hematovision.training.fit import Recipe, fit, read_history

# 43 pictures to train on, in batches of 8: the last one has 3, one for one machine and two for the other.
RECIPE = Recipe(
    size=32, batch_size=8, frozen_epochs=0, epochs=2, settled_epochs=0, rate=1e-2, dropout=0, unfrozen_layers=1
)


def build(size, weights, dropout, l2, backbone):
    """Random weights that tell pictures apart, the same in every process."""
    model = build_model(size, None, dropout, l2, alpha=0.35, backbone=backbone)
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.normal(0, 0.2, w.shape) * (w.ndim in (2, 4)) for w in model.get_weights()])
    return model


def main() -> None:
    strategy = choose_strategy()
    module.build_model = build
    cells, run = map(Path, sys.argv[1:3])
    records = [replace(r, split="train" if i % 9 else "val") for i, r in enumerate(read_datasets(cells))]
    steps = []
    train = module.Steps.epoch

    def noted(self, batches):
        for loss, count in train(self, batches):
            steps.append(loss)
            yield loss, count

    module.Steps.epoch = noted
    with strategy.scope():
        model = fit(records[: 43 + 5], RECIPE, run, None)
    weights = float(sum(np.abs(w).sum() for w in model.get_weights()))
    said = {"kind": type(strategy).__name__, "place": place(strategy), "replicas": strategy.num_replicas_in_sync}
    val = [epoch.val_loss for epoch in read_history(run)]
    print(json.dumps(said | {"losses": steps, "val": val, "weights": weights}))


if __name__ == "__main__":
    main()
