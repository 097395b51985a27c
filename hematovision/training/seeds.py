"""One recipe from several seeds: how much of its figures is chance, and which of the models is kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hematovision.library.records import Record
from hematovision.training.fitting.export import write_card
from hematovision.training.measuring.evaluate import evaluate_cells, evaluate_fields
from hematovision.training.measuring.metrics import best_on_val
from hematovision.training.run import calibrate_card
from hematovision.vision.card import load_card
from hematovision.vision.classifier import Classifier


def choose_seed(made: Sequence[Path], records: Sequence[Record], fields: Sequence[Record]) -> Path:
    """The exported model that is best on `val`, of those in the folders `made`; its card gets the figures of all.

    Each is measured on `test` of `records` and on `fields`, which have no part in the choice. `training.seeds` of the
    card then has a row for each model, in the order of `made`.
    """
    val, test = ([r for r in records if r.split == split] for split in ("val", "test"))
    rows = [_figures(folder, val, test, fields) for folder in made]
    best = made[rows.index(best_on_val(rows))]
    raw = load_card(best).raw
    write_card(best, raw | {"training": raw["training"] | {"seeds": rows}})
    return best


def _figures(folder: Path, val: Sequence[Record], test: Sequence[Record], fields: Sequence[Record]) -> dict[str, Any]:
    calibrate_card(folder, val)
    classifier = Classifier(folder)
    training = classifier.card.raw["training"]
    epoch = best_on_val(training["epochs"])
    metrics = evaluate_cells(classifier, test)
    recalls = [scores["recall"] for scores in metrics["classes"].values() if scores["recall"] is not None]
    return {
        "seed": training["recipe"]["seed"],
        "val_accuracy": epoch["val_accuracy"],
        "val_loss": epoch["val_loss"],
        "accuracy": metrics["accuracy"],
        "core_four_accuracy": metrics["core_four"]["answers_among_eight"],
        "least_recall": min(recalls),
        "attribute_accuracy": metrics["attributes"].get("mean_accuracy"),
        "attribute_macro_f1": metrics["attributes"].get("mean_macro_f1"),
        "fields_accuracy": evaluate_fields(classifier, fields)["core_four_accuracy"] if fields else None,
    }
