"""One process of a training that several share: a few steps of a tiny model; prints what it was and its loss curve.

python worker.py CELLS RUN [DEVICES]
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import tensorflow as tf

if __name__ == "__main__" and len(sys.argv) > 3:
    parts = [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[3])
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)

from tiny import tiny_body

from hematovision.library.datasets import read_datasets
from hematovision.training.fitting import backbone as networks
from hematovision.training.fitting import fit as module
from hematovision.training.fitting.backbone import BACKBONES, DEFAULT_BACKBONE, build_model
from hematovision.training.fitting.devices import Steps, choose_strategy, place
from hematovision.training.fitting.fit import Recipe, fit, read_history

# 19 pictures to train on, in batches of 8: the last one has 3, one for one machine and two for the other.
RECIPE = Recipe(size=32, batch_size=8, frozen_epochs=0, epochs=4, settled_epochs=0, rate=3e-2, dropout=0)
TINY = replace(BACKBONES[DEFAULT_BACKBONE], build=tiny_body)


def build(size, weights, dropout, l2, backbone):
    """Random weights that tell pictures apart, the same in every process."""
    with patch.object(networks, "BACKBONES", {DEFAULT_BACKBONE: TINY}):
        model = build_model(size, None, dropout, l2, backbone=backbone)
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.normal(0, 0.2, w.shape) * (w.ndim in (2, 4)) for w in model.get_weights()])
    return model


def curve(cells: Path, run: Path) -> dict:
    """Train on a few of the cells with the devices and machines of this process; what it was, and each step's loss."""
    strategy = choose_strategy()
    records = [replace(r, split="train" if i % 9 else "val") for i, r in enumerate(read_datasets(cells)[::2])]
    steps = []
    train = Steps.epoch

    def noted(self, batches):
        for loss, count in train(self, batches):
            steps.append(loss)
            yield loss, count

    # Cells of one laboratory: with those from abroad, twelve steps are too few to see that anything is learned.
    at_home = patch.object(module, "ABROAD", 0.0)
    with patch.object(module, "build_model", build), patch.object(Steps, "epoch", noted), at_home, strategy.scope():
        model = fit(records[: 19 + 3], RECIPE, run, None)
    weights = float(sum(np.abs(w).sum() for w in model.get_weights()))
    said = {"kind": type(strategy).__name__, "place": place(strategy), "replicas": strategy.num_replicas_in_sync}
    val = [epoch.val_loss for epoch in read_history(run)]
    return said | {"losses": steps, "val": val, "weights": weights}


if __name__ == "__main__":
    print(json.dumps(curve(*map(Path, sys.argv[1:3]))))
