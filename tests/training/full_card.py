"""A small card that has every figure, and its wrong cell. Eight cells, one of each class, and two fields."""

from typing import Any

import numpy as np

from hematovision.cells import ATTRIBUTES, CELL_CLASSES
from hematovision.training.measuring.metrics import scores_by_class, share
from hematovision.vision.trust import STATUSES
from hematovision.vision.wrong_cells import Hint, WrongCell, WrongCells


def full_card() -> dict[str, Any]:
    matrix = np.eye(len(CELL_CLASSES), dtype=int)
    neutrophil, immature = CELL_CLASSES.index("neutrophil"), CELL_CLASSES.index("immature_granulocyte")
    matrix[0, 0] = 0  # a basophil is swapped for a second neutrophil
    matrix[neutrophil, immature] = 1
    matrix[CELL_CLASSES.index("platelet")] = 0
    matrix[CELL_CLASSES.index("platelet"), 0] = 1
    fields = np.zeros_like(matrix)
    fields[neutrophil, neutrophil] = fields[neutrophil, immature] = 1

    def answers(rows: np.ndarray, unfamiliar: int) -> dict[str, Any]:
        n = int(rows.sum())
        return {
            "classes": scores_by_class(rows, CELL_CLASSES),
            "confusion": {"labels": list(CELL_CLASSES), "rows": rows.tolist()},
            "calibration": {
                "n": n,
                "nll": {"value": 0.3, "interval": [0.2, 0.4]},
                "brier": {"value": 0.1, "interval": [0.05, 0.15]},
                "ece": 0.0125,
                "bins": [
                    {"from": 0.5, "n": 2, "confidence": 0.55, "accuracy": 0.5},
                    {"from": 0.9, "n": 6, "confidence": 0.95, "accuracy": 5 / 6},
                ],
            },
            "status": {
                status: share({"confident": n - unfamiliar, "unfamiliar": unfamiliar}.get(status, 0), n)
                for status in STATUSES
            },
            "answer_sets": {
                "neutrophil": {"coverage": share(1, 1), "size": 2.0},
                "all": {"coverage": share(n, n), "size": 1.25},
            },
        }

    test = answers(matrix, 0) | {
        "accuracy": share(6, 8),
        "core_four": {"answers_among_four": share(5, 5), "answers_among_eight": share(4, 5)},
        "macro_f1": 0.7,
        "attributes": {
            "n": 8,
            "mean_accuracy": 0.9,
            "mean_macro_f1": 0.8,
            "accuracy": dict.fromkeys(ATTRIBUTES, 0.9),
            "macro_f1": dict.fromkeys(ATTRIBUTES, 0.8),
        },
    }
    bccd = answers(fields, 1) | {"cells_found": share(2, 2), "core_four_accuracy": share(1, 2)}
    read = {name: bccd[name] for name in ("classes", "confusion")}
    bccd["second_reading"] = read | {"changed": 4, "unclear": 3, "core_four_accuracy": share(1, 1)}
    return {
        "name": "HematoVision",
        "backbone": "MobileNetV2",
        "input": {"size": 224},
        "temperature": 1.25,
        "training": {
            "recipe": {"epochs": 2, "seed": 1},
            "backbone_weights": "random",
            "epochs": [_epoch(1, "frozen", 1.5, 0.4, 0.85, 0.87), _epoch(2, "settled", 0.5, 0.1, 0.95, 0.93)],
            "versions": {"python": "3.11.7"},
        },
        "data": {
            "name": "PBC",
            "sha256": "f7d9",
            "pictures": {"train": 9399, "val": 1710, "test": 8},
            "split": "by picture: PBC has no patient ids",
            "check": {
                "pictures": 11117,
                "copies": 2,
                "copies_across_splits": 1,
                "copies_with_other_keys": 0,
                "annotated": 100,
                "segmented": {"named": 12, "annotated": 10, "called_band": 4},
            },
        },
        "files": {"hematovision.tflite": {"sha256": "a5b7e9", "bytes": 3}},
        "metrics": {
            "test": test,
            "bccd": bccd,
            "trust": {
                "refused": {
                    "held_out": share(9, 10),
                    "fitted": share(10, 10),
                    "kinds": {"text": 1.0, "face": 0.9},
                },
                "familiarity_auroc": 0.93,
            },
            "heatmaps": heat_maps(),
        },
    }


def heat_maps() -> dict[str, Any]:
    """Six cells, of which Score-CAM is measured on four and finds nothing in one, and two maps under random weights."""
    return {
        "found": share(6, 7),
        "n": 6,
        "sigma": 0.15,
        "seed": 0,
        "methods": {
            "gradcam": {"n": 6, "without_evidence": 0} | _inside(0.7, 0.5),
            "layercam-common": {"n": 6, "without_evidence": 0} | _inside(0.94, 0.8),
            "scorecam": {"n": 3, "without_evidence": 1} | _inside(0.75, 0.55),
        },
        "gaussian": _inside(0.8, 0.46),
        "uniform": _inside(0.27, 0.12),
        "faithfulness": {
            "n": 4,
            "maps": {
                "gradcam": _areas(0.3, 0.8),
                "layercam-common": _areas(0.25, 0.85),
                "scorecam": _areas(0.4, 0.62),
                "random": _areas(0.5, 0.6),
            },
        },
        "agreement": {
            "n": 4,
            "maps": ["gradcam", "layercam-common", "scorecam"],
            "rows": [[1.0, 0.7, None], [0.7, 1.0, 0.25], [None, 0.25, 1.0]],
        },
        "random_weights": {
            "n": 2,
            "maps": {"gradcam": _random(0.2, 0.1, -0.05), "layercam-common": _random(0.9, 0.6, 0.42)},
        },
    }


def older_heat_maps() -> dict[str, Any]:
    """As cards had it before there were methods."""
    return {
        "found": share(6, 7),
        "without_evidence": 0,
        "n": 6,
        "sigma": 0.15,
        "model": _inside(0.9, 0.6),
        "gaussian": _inside(0.8, 0.46),
        "uniform": _inside(0.27, 0.12),
    }


def _inside(cell: float, nucleus: float) -> dict[str, Any]:
    return {"cell": _figure(cell, 0.01), "nucleus": _figure(nucleus, 0.02)}


def _areas(deletion: float, insertion: float) -> dict[str, Any]:
    return {"deletion": _figure(deletion, 0.02), "insertion": _figure(insertion, 0.03)}


def _random(heads: float, half: float, every: float) -> dict[str, Any]:
    return {name: _figure(r, 0.1) | {"n": 2} for name, r in (("heads", heads), ("half", half), ("all", every))}


def _figure(value: float, room: float) -> dict[str, Any]:
    return {"value": value, "interval": [value - room, value + room]}


def wrong_cells(model: str = "version", dataset: str = "PBC", name: str = "neutrophil/BNE_1.jpg") -> WrongCells:
    cell = WrongCell(
        dataset,
        name,
        "neutrophil",
        "immature_granulocyte",
        "check",
        dict.fromkeys(CELL_CLASSES, 0.0) | {"neutrophil": 0.4, "immature_granulocyte": 0.6},
        {name: values[0] for name, values in ATTRIBUTES.items()},
        {},
        (Hint("nucleus_shape", "unsegmented-band", 0.62, 0.05), Hint("cell_size", "big", 0.3, 0.9)),
    )
    return WrongCells(model, "test", 8, (cell,))


def _epoch(number: int, phase: str, loss: float, val_loss: float, right: float, attributes: float) -> dict[str, Any]:
    return {
        "number": number,
        "phase": phase,
        "loss": loss,
        "val_loss": val_loss,
        "val_accuracy": right,
        "val_attribute_accuracy": attributes,
    }
