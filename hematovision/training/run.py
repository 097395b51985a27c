"""`train` from start to end: fit, export, calibrate, measure, write the card. `evaluate`: measure again."""

import platform
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hematovision.errors import DataError
from hematovision.library.datasets import data_hash, read_bccd, read_datasets
from hematovision.vision.classifier import Classifier

if TYPE_CHECKING:
    from hematovision.training.fit import Recipe


def train(
    data: Path, model_folder: Path, run_folder: Path, recipe: "Recipe", backbone_weights: str | Path | None
) -> dict[str, Any]:
    """Train on `data` and replace the model in `model_folder`. Goes on with a stopped run. Returns the card."""
    import keras
    import tensorflow

    from hematovision.training.export import export
    from hematovision.training.fit import fit, read_history

    records = read_datasets(data)
    model = fit(records, recipe, run_folder, backbone_weights)
    history = read_history(run_folder)
    counts = {split: sum(r.split == split for r in records) for split in ("train", "val", "test")}
    card = {
        "name": "HematoVision",
        "backbone": "MobileNetV2, alpha 1.0",
        "temperature": 1.0,
        "thresholds": {"confident": 1.0},
        "training": {
            "recipe": asdict(recipe),
            "backbone_weights": "random" if backbone_weights is None else Path(backbone_weights).name,
            "epochs": [asdict(epoch) for epoch in history],
            "versions": {
                "python": platform.python_version(),
                "keras": keras.__version__,
                "tensorflow": tensorflow.__version__,
            },
        },
        "data": {
            "name": ", ".join(sorted({record.dataset for record in records})),
            "sha256": data_hash(records),
            "pictures": counts,
            "split": "by picture: PBC has no patient ids",
        },
    }
    export(model, model_folder, card)
    return finish(data, model_folder)


def finish(data: Path, model_folder: Path) -> dict[str, Any]:
    """Calibrate the exported model on `val`, measure it on `test`, and write both into its card."""
    from hematovision.training.evaluate import calibrate
    from hematovision.training.export import write_card

    classifier = Classifier(model_folder)
    val = [record for record in read_datasets(data) if record.split == "val"]
    temperature, confident = calibrate(classifier, val)
    card = classifier.card.raw | {"temperature": temperature, "thresholds": {"confident": confident}}
    write_card(model_folder, card)
    card["metrics"] = measure(data, model_folder)
    write_card(model_folder, card)
    return card


def measure(data: Path, model_folder: Path, split: str = "test") -> dict[str, Any]:
    """Metrics of the model on a split of PBC and on BCCD, where `data` has it. Raises DataError, ModelError."""
    from hematovision.training.evaluate import evaluate_cells, evaluate_fields

    classifier = Classifier(model_folder)
    records = [record for record in read_datasets(data) if record.split == split]
    if not records:
        raise DataError(
            f"No picture of {data} is in the split '{split}'.", "A splits.csv beside the data set names the splits."
        )
    metrics = {split: evaluate_cells(classifier, records)}
    fields = read_bccd(data / "bccd")
    if fields:
        metrics["bccd"] = evaluate_fields(classifier, fields)
    return metrics
