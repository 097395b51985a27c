"""`train` from start to end: fit, export, calibrate, measure, and only then replace. `evaluate`: measure again."""

import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hematovision import __version__
from hematovision.errors import DataError, InputError
from hematovision.library.datasets import data_hash, read_bccd, read_datasets
from hematovision.library.records import Record
from hematovision.settings import ROOT
from hematovision.training.measuring.metrics import best_on_val
from hematovision.training.plans import Weights, parts
from hematovision.vision.card import KERAS_FILE, ModelCard, load_card
from hematovision.vision.classifier import Classifier, Prediction

if TYPE_CHECKING:
    from hematovision.training.fitting.fit import Recipe
    from hematovision.training.fitting.teachers import Teachers


def train(
    data: Path,
    model_folder: Path,
    run_folder: Path,
    recipe: "Recipe",
    backbone_weights: Weights,
    seeds: Sequence[int] = (),
    teachers: "Teachers | None" = None,
) -> dict[str, Any] | None:
    """Train on `data` and replace the model in `model_folder` by the finished one. Goes on with a stopped run.

    With `seeds` in place of the recipe's own it trains once from each, in folders of their own in `run_folder`, and
    keeps the model that is best on `val`. Returns the card; None on all machines but the first, where several train
    together.
    """
    import keras

    from hematovision.training.fitting.devices import choose_strategy, place
    from hematovision.training.seeds import choose_seed
    from hematovision.training.shelf import put_in_place

    strategy = choose_strategy()
    writes = place(strategy)[0] == 0
    records = read_datasets(data)
    runs = {run_folder / f"seed-{seed}": replace(recipe, seed=seed) for seed in seeds} or {run_folder: recipe}
    made = []
    for folder, seeded in runs.items():
        keras.backend.clear_session()
        with strategy.scope():
            made.append(produce(records, folder, seeded, backbone_weights, teachers, writes=writes))
    models = [folder for folder in made if folder is not None]
    if not models:
        return None
    chosen = choose_seed(models, records, read_bccd(data / "bccd")) if seeds else models[0]
    card = finish(data, chosen)
    put_in_place(chosen, model_folder)
    return card


def produce(
    records: Sequence[Record],
    run_folder: Path,
    recipe: "Recipe",
    backbone_weights: Weights,
    teachers: "Teachers | None" = None,
    writes: bool = True,
) -> Path | None:
    """Fit a model and export it into a folder of `run_folder`, which is returned; None unless it `writes`."""
    import keras
    import tensorflow

    from hematovision.training.fitting.backbone import BACKBONES
    from hematovision.training.fitting.export import export
    from hematovision.training.fitting.fit import fit, read_history

    model = fit(records, recipe, run_folder, backbone_weights, teachers=teachers)
    if not writes:
        return None
    backbone = BACKBONES[recipe.backbone]
    card = {
        "name": "HematoVision",
        "backbone": f"{backbone.title}, alpha 1.0" if recipe.backbone == "mobilenet_v2" else backbone.title,
        "temperature": 1.0,
        "thresholds": {"confident": 1.0},
        "training": {
            "recipe": asdict(recipe),
            "backbone_weights": _weights_name(backbone_weights),
            "epochs": [asdict(epoch) for epoch in read_history(run_folder)],
            "versions": {
                "hematovision": code_version(),
                "python": platform.python_version(),
                "keras": keras.__version__,
                "tensorflow": tensorflow.__version__,
            },
            **_former_models(backbone_weights, teachers),
        },
        "data": describe_data(records),
    }
    export(model, run_folder / "model", card, backbone.scaling)
    return run_folder / "model"


def code_version() -> str:
    """The commit of this program, with `-dirty` where files differ from it; where it is not in git, its version."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    if not (ROOT / ".git").exists():
        return __version__
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return __version__


def _weights_name(weights: Weights) -> str:
    named = [Path(part).name for part in parts(weights) if part is not None]
    return {0: "random", 1: "".join(named)}.get(len(named), f"the mean of {len(named)} models")


def _former_models(weights: Weights, teachers: "Teachers | None") -> dict[str, Any]:
    """How the models were made that training starts from, and those that teach, as far as their cards tell."""
    started = [load_card(Path(part).parent) for part in parts(weights) if part and Path(part).name == KERAS_FILE]
    found: dict[str, Any] = {"former": made} if (made := [_how_made(card) for card in started]) else {}
    if teachers:
        found["teachers"] = {"share": teachers.share, "models": [_how_made(model.card) for model in teachers.models]}
    return found


def _how_made(card: ModelCard) -> dict[str, Any]:
    """What a card tells of a model that another one came from: its epochs by their number and the best of them."""
    told = {name: card.raw[name] for name in ("adaptations",) if name in card.raw}
    training = dict(card.raw.get("training", {}))
    epochs = training.pop("epochs", ())
    if epochs:
        told["best"] = best_on_val(epochs) | {"of": len(epochs)}
    return training | told | {"sha256": card.raw["files"][KERAS_FILE]["sha256"]}


def check_same_data(card: ModelCard, records: Sequence[Record]) -> None:
    """Raises InputError where the card tells of other pictures, splits or keys than `records`."""
    told = card.raw.get("data", {}).get("sha256")
    if told is not None and data_hash(records) != told:
        raise InputError(
            "This is not the data that the model's card tells of: their SHA-256 differ.",
            "Name the folder of that data with --data; 'train' makes a model and a card with other data.",
        )


def describe_data(records: Sequence[Record]) -> dict[str, Any]:
    """What the card says of the pictures that a model was made with."""
    return {
        "name": ", ".join(sorted({record.dataset for record in records})),
        "sha256": data_hash(records),
        "pictures": {split: sum(r.split == split for r in records) for split in ("train", "val", "test")},
        "split": "by picture: PBC has no patient ids",
    }


def finish(data: Path, model_folder: Path, extra: Sequence[Record] = ()) -> dict[str, Any]:
    """Fit to `train` and `val` how sure the exported model may be and how far it can be trusted, and measure it on
    `test`; write all of it into its folder. Can be done again. Returns the card.

    `extra` are cells of another laboratory that it was adapted to.
    """
    from hematovision.training.card.report import write_report
    from hematovision.training.measuring.evaluate import classified
    from hematovision.training.measuring.map_quality import map_quality
    from hematovision.training.measuring.trust import fit_trust
    from hematovision.vision.gradients import Gradients

    records = read_datasets(data)
    train, val, test = ([r for r in records if r.split == split] for split in ("train", "val", "test"))
    calibrate_card(model_folder, val)
    fit_trust(Classifier(model_folder), train, val, extra)
    classifier = Classifier(model_folder)
    # Everything below is measured on the same answers: 13 kB each, 70 MB for PBC.
    found = classified(classifier, test)
    metrics = measure(data, model_folder, found=found)
    metrics["heatmaps"] = map_quality(classifier, test, found, Gradients(model_folder))
    return write_report(model_folder, records, metrics, found)


def calibrate_card(model_folder: Path, val: Sequence[Record]) -> dict[str, Any]:
    """Fit temperature and thresholds of the exported model's probabilities on `val`, and write them into its card.

    Answer sets go by the temperature: where the card has thresholds for them, they are to be fitted anew.
    """
    from hematovision.training.fitting.export import write_card
    from hematovision.training.measuring.evaluate import calibrate

    classifier = Classifier(model_folder)
    temperature, confident, attributes = calibrate(classifier, val)
    raw = classifier.card.raw
    thresholds = raw["thresholds"] | {"confident": confident, "attributes": attributes}
    card = raw | {"temperature": temperature, "thresholds": thresholds}
    write_card(model_folder, card)
    return card


def measure(
    data: Path, model_folder: Path, split: str = "test", found: Sequence[Prediction] | None = None
) -> dict[str, Any]:
    """Metrics of the model on a split of PBC, on BCCD, where `data` has it, and on what is no cell.

    `found` are the model's answers for the pictures of the split, asked for where they are not given. Raises DataError,
    ModelError.
    """
    from hematovision.training.measuring.evaluate import (
        classified,
        evaluate_cells,
        evaluate_fields,
        evaluate_second_reading,
        evaluate_trust,
        largest_cells,
    )

    classifier = Classifier(model_folder)
    records = [record for record in read_datasets(data) if record.split == split]
    if not records:
        raise DataError(
            f"No picture of {data} is in the split '{split}'.",
            "The splits of PBC stand in a splits.csv beside it; folders of one's own have none.",
        )
    found = classified(classifier, records) if found is None else found
    metrics = {split: evaluate_cells(classifier, records, found)}
    fields = read_bccd(data / "bccd")
    largest = largest_cells(classifier, fields)
    if fields:
        metrics["bccd"] = evaluate_fields(classifier, fields, largest)
        metrics["bccd"]["second_reading"] = evaluate_second_reading(classifier, fields, largest)
    metrics["trust"] = evaluate_trust(classifier, records, fields, found=found, largest=largest)
    return metrics
