"""What is measured of a model, written beside it: into its card, the list of its wrong cells, and both in words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hematovision.files import write_whole
from hematovision.library.records import Record
from hematovision.training.card.error_gallery import find_wrong_cells
from hematovision.training.card.text import TEXT_FILE, card_text
from hematovision.training.data_check import check_data
from hematovision.vision.card import load_card
from hematovision.vision.classifier import Classifier, Prediction
from hematovision.vision.wrong_cells import load_wrong_cells, write_wrong_cells

MEASURED = "test"
"""The split whose wrong cells are listed."""


def write_report(
    folder: Path, records: Sequence[Record], metrics: dict[str, Any], found: Sequence[Prediction] | None = None
) -> dict[str, Any]:
    """Add metrics to the card in a model's folder and write everything that is made of them; returns the card.

    `records` are all of the data set; `found` are the model's answers for those that are `MEASURED`, asked for where
    they are not given. Metrics that the card has and `metrics` lacks stay: they are of the same model.
    """
    from hematovision.training.fitting.export import write_card

    measured = [record for record in records if record.split == MEASURED]
    write_wrong_cells(folder, find_wrong_cells(Classifier(folder), measured, found))
    raw = load_card(folder).raw
    card = raw | {
        "data": raw.get("data", {}) | {"check": check_data(records)},
        "metrics": raw.get("metrics", {}) | metrics,
    }
    write_card(folder, card)
    write_text(folder)
    return card


def write_text(folder: Path) -> None:
    """Write the card of a model's folder in words. Raises ModelError."""
    card = load_card(folder)
    write_whole(folder / TEXT_FILE, card_text(card.raw, load_wrong_cells(card)))
