"""`model/card.json`: what the model files are, how they read a picture, and how good they were found to be."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hematovision.cells import HEADS
from hematovision.errors import ModelError

CARD_FILE = "card.json"
KERAS_FILE = "hematovision.keras"
LITERT_FILE = "hematovision.tflite"
FEATURES = "features"
"""Name of the last feature map (N, h, w, C): a layer of the Keras model, an output of the LiteRT one. Times a head's
weights it is the class activation maps."""

RESTORE = "Restore model/ from the repository, or train one with 'python -m hematovision train'."


@dataclass(frozen=True)
class ModelCard:
    """The part of the card that running the model needs; `raw` is all of it."""

    folder: Path
    size: int
    temperature: float
    confident_from: float
    version: str
    raw: dict[str, Any]
    claimed_from: Mapping[str, float]
    """Least probability at which the value of an attribute is claimed, of those for which it is known."""


def load_card(folder: Path) -> ModelCard:
    """Read `folder/card.json` and check that it speaks this program's vocabulary. Raises ModelError."""
    path = folder / CARD_FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"There is no model in {folder}.",
            RESTORE,
            kind="no_model",
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read.", RESTORE) from error
    try:
        heads = {name: tuple(values) for name, values in raw["heads"].items()}
        card = ModelCard(
            folder=folder,
            size=int(raw["input"]["size"]),
            temperature=float(raw["temperature"]),
            confident_from=float(raw["thresholds"]["confident"]),
            version=str(raw["files"][LITERT_FILE]["sha256"])[:16],
            raw=raw,
            claimed_from={name: float(value) for name, value in raw["thresholds"].get("attributes", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path} lacks or garbles the entry {error}.", RESTORE) from error
    if list(heads.items()) != list(HEADS.items()):
        raise ModelError(
            "The model was trained for other classes or another order.",
            RESTORE,
        )
    return card


def checked_bytes(card: ModelCard, name: str) -> bytes:
    """The content of a model file whose SHA-256 is the one on the card. Raises ModelError."""
    path = card.folder / name
    try:
        content = path.read_bytes()
        wanted = card.raw["files"][name]["sha256"]
    except (OSError, KeyError) as error:
        raise ModelError(f"The model file {path} is missing.", RESTORE, kind="no_model") from error
    if hashlib.sha256(content).hexdigest() != wanted:
        raise ModelError(
            f"The model file {path} is not the one its card describes.",
            RESTORE,
        )
    return content
