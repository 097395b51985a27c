"""What the card says of the models that a model came from: those that it started from, and those that taught it."""

from collections.abc import Mapping, Sequence
from typing import Any

from hematovision.training.card.tables import percent, table
from hematovision.vision.card import KERAS_FILE

Model = Mapping[str, Any]
"""How it was made, as the card of the one that came from it keeps it."""


def former_models(training: Mapping[str, Any]) -> Sequence[Model]:
    """Those whose weights, or the mean of them, training started from."""
    kept = training.get("former", ())
    # A card from when there could be but one holds no list.
    return [kept] if isinstance(kept, Mapping) else kept


def teachers(training: Mapping[str, Any]) -> Sequence[Model]:
    return training.get("teachers", {}).get("models", ())


def origins(training: Mapping[str, Any]) -> list[Model]:
    """Each model that this one came from, once."""
    found: list[Model] = []
    for model in (*former_models(training), *teachers(training)):
        if model not in found:
            found.append(model)
    return found


def short(model: Model) -> str:
    """A name for a model, as in tables."""
    return f"`{model['sha256'][:12]}`"


def origin_words(training: Mapping[str, Any]) -> str:
    """How it came from them, in sentences that begin with a space; empty where it came from none."""
    words, started, taught = "", former_models(training), teachers(training)
    if started:
        whose = "those of a former model" if len(started) == 1 else f"the mean of {len(started)} former models"
        words += f" Its weights at the start were {whose}."
    if taught:
        who = "another model answers" if len(taught) == 1 else f"{len(taught)} models answer together"
        share = percent(training["teachers"]["share"])
        words += f" {share} of what it learned from a picture is what {who} (distillation), the rest is the key."
    return words


def origin_table(training: Mapping[str, Any]) -> str:
    """How well each of them did on val, and what it was to this one."""
    started, taught = former_models(training), teachers(training)
    rows = []
    for model in origins(training):
        best = model.get("best")
        attributes = best and best["val_attribute_accuracy"]
        rows.append(
            (
                short(model),
                " and ".join(name for name, those in (("start", started), ("teacher", taught)) if model in those),
                str(model.get("backbone_weights", "–")),
                f"{best['number']} of {best['of']}" if best else "–",
                percent(best["val_accuracy"]) if best else "–",
                percent(attributes) if attributes else "–",
            )
        )
    return table(("SHA-256", "it was", "began with", "epoch", "val classes right", "val attributes right"), rows)


def origin_commands(training: Mapping[str, Any]) -> list[str]:
    """Which options name them, a line for each; with the whole SHA-256 of each model's file."""
    return [
        f"`{option}`: the models whose {KERAS_FILE} have the SHA-256 "
        + ", ".join(f"`{model['sha256']}`" for model in models)
        + "."
        for option, models in (("--start-from", former_models(training)), ("--teachers", teachers(training)))
        if models
    ]
