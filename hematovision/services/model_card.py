"""What is known of the model: its card in words, the figures that charts are drawn of, and its wrong cells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hematovision.cells import display_name
from hematovision.library.bank import Library
from hematovision.quiz.intervals import wilson
from hematovision.services.pictures import Pictures
from hematovision.training.card.maps import map_title, rows_of
from hematovision.training.card.text import (
    PLACES,
    Section,
    figures,
    headline,
    place_name,
    sections,
)
from hematovision.vision.card import load_card
from hematovision.vision.wrong_cells import WrongCell, load_wrong_cells

Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class Share:
    """A share in [0, 1] with its 95 % interval; `n` is None where it stands for all rows."""

    name: str
    value: float
    low: float
    high: float
    n: int | None = None


@dataclass(frozen=True)
class Shares:
    """Shares side by side; each series has the same names or some of them."""

    title: str
    note: str
    series: Mapping[str, Sequence[Share]]


@dataclass(frozen=True)
class Curves:
    """Lines over the epochs, which are counted from 1."""

    title: str
    note: str
    lines: Mapping[str, Sequence[float]]
    is_share: bool
    """Else a loss."""


@dataclass(frozen=True)
class Confusion:
    """Counts; rows are the keys, columns the answers. A key that never occurs has no row."""

    title: str
    note: str
    keys: Sequence[str]
    answers: Sequence[str]
    rows: Sequence[Sequence[int]]


@dataclass(frozen=True)
class Reliability:
    """For each bin of how sure an answer was: the mean probability (as the name of a Share, too) and what was right."""

    title: str
    note: str
    probabilities: Sequence[float]
    right: Sequence[Share]


Figure = Shares | Curves | Confusion | Reliability


@dataclass(frozen=True)
class Report:
    """The card as it is now. `figures` are by the key of their section."""

    headline: str
    sections: tuple[Section, ...]
    figures: Mapping[str, tuple[Figure, ...]]
    wrong: tuple[WrongCell, ...]


class ModelCards:
    """Reads the files of a model's folder anew for every report. Safe to share between threads."""

    def __init__(self, folder: Path, pictures: Pictures):
        self._folder, self._pictures = folder, pictures
        self._ids: tuple[Library | None, dict[tuple[str, str], str]] = (None, {})

    def report(self) -> Report:
        """Raises ModelError."""
        card = load_card(self._folder)
        wrong = load_wrong_cells(card)
        return Report(
            headline(card.raw),
            sections(card.raw, wrong),
            {key: made for key, make in _MAKERS.items() if (made := make(card.raw))},
            wrong.cells if wrong else (),
        )

    def picture_id(self, cell: WrongCell) -> str | None:
        """Id of the cell's picture; None where the library does not hold it."""
        library = self._pictures.library
        known, ids = self._ids
        if known is not library:
            ids = {
                (record.dataset, f"{record.path.parent.name}/{record.path.name}"): picture_id
                for picture_id, record in library.records.items()
            }
            self._ids = (library, ids)
        return ids.get((cell.dataset, cell.name))


def _results(card: Numbers) -> tuple[Figure, ...]:
    test, bccd = figures(card, "metrics", "test"), figures(card, "metrics", "bccd")
    if not test:
        return ()
    rows = {
        "All eight classes": test["accuracy"],
        "Core four, among the four": test["core_four"]["answers_among_four"],
        "Core four, among all eight": test["core_four"]["answers_among_eight"],
    }
    if bccd:
        rows["Core four, BCCD fields"] = bccd["core_four_accuracy"]
    return (Shares("Right answers", "Bars are 95 % intervals (Wilson).", {"right": _rows(rows)}),)


def _report(card: Numbers) -> tuple[Figure, ...]:
    test = figures(card, "metrics", "test")
    return (_recall("Cells of each class named right", test),) if test else ()


def _confusion(card: Numbers, place: str = "test") -> tuple[Figure, ...]:
    found = figures(card, "metrics", place, "confusion")
    if not found:
        return ()
    names = [display_name(label) for label in found["labels"]]
    kept = [(name, row) for name, row in zip(names, found["rows"], strict=True) if any(row)]
    total = sum(map(sum, found["rows"]))
    note = f"{place_name(card, place)}, n = {total:,}. Rows: key. Columns: answer. Color: share of the row."
    return (Confusion("Key and answer", note, [name for name, _ in kept], names, [row for _, row in kept]),)


def _curves(card: Numbers) -> tuple[Figure, ...]:
    epochs = figures(card, "training", "epochs")
    if not epochs:
        return ()
    pictures = figures(card, "data", "pictures") or {}
    counts = ", ".join(f"{name}: n = {pictures[name]:,}" for name in ("train", "val") if name in pictures)
    loss = {"train, all heads": [e["loss"] for e in epochs], "val, class alone": [e["val_loss"] for e in epochs]}
    right = {"classes": [e["val_accuracy"] for e in epochs]}
    attributes = [e["val_attribute_accuracy"] for e in epochs]
    if None not in attributes:
        right["attributes"] = attributes
    return (
        Curves("Loss", counts, loss, is_share=False),
        Curves("Right on val", counts.split(", ")[-1] if counts else "", right, is_share=True),
    )


def _calibration(card: Numbers) -> tuple[Figure, ...]:
    found = []
    for place in PLACES:
        calibration = figures(card, "metrics", place, "calibration") or {}
        if "bins" not in calibration:
            continue
        rows = []
        for one in calibration["bins"]:
            low, high = wilson(round(one["accuracy"] * one["n"]), one["n"])
            rows.append(Share(f"{one['confidence']:.1%}", one["accuracy"], low, high, one["n"]))
        note = f"n = {calibration['n']:,}, ECE {calibration['ece']:.3f}. On the line an answer keeps its word."
        sure = [one["confidence"] for one in calibration["bins"]]
        found.append(Reliability(place_name(card, place), note, sure, rows))
    return tuple(found)


def _elsewhere(card: Numbers) -> tuple[Figure, ...]:
    bccd = figures(card, "metrics", "bccd")
    return (_recall("Cells of each class named right", bccd), *_confusion(card, "bccd")) if bccd else ()


def _refusal(card: Numbers) -> tuple[Figure, ...]:
    refused = figures(card, "metrics", "trust", "refused")
    if not refused:
        return ()
    rows = {"Kinds never fitted to": refused["held_out"], "Other kinds": refused["fitted"]}
    return (Shares("Refused", "Bars are 95 % intervals (Wilson).", {"refused": _rows(rows)}),)


def _unfamiliar(card: Numbers) -> tuple[Figure, ...]:
    series = {
        place_name(card, place): _rows({display_name(name): share for name, share in status.items()})
        for place in PLACES
        if (status := figures(card, "metrics", place, "status"))
    }
    return (Shares("Said of an answer", _counts(series), series),) if series else ()


def _answer_sets(card: Numbers) -> tuple[Figure, ...]:
    series = {
        place_name(card, place): _rows({display_name(name): one["coverage"] for name, one in sets.items()})
        for place in PLACES
        if (sets := figures(card, "metrics", place, "answer_sets"))
    }
    return (Shares("Answer sets that hold the key", "Bars are 95 % intervals.", series),) if series else ()


def _heat_maps(card: Numbers) -> tuple[Figure, ...]:
    found = figures(card, "metrics", "heatmaps")
    if not found or not found["n"]:
        return ()
    placed = {map_title(name): row for name, row in rows_of(found).items() if "cell" in row}
    series = {
        f"in the {region}": _rows({name: row[region] for name, row in placed.items()}) for region in ("cell", "nucleus")
    }
    inside = Shares("Evidence inside", f"n = {found['n']:,} cells. Bars are 95 % intervals (bootstrap).", series)
    if len({row.get("n", found["n"]) for row in placed.values()}) > 1:
        inside = replace(inside, note="n is in the table. Bars are 95 % intervals (bootstrap).")
    checked = found.get("faithfulness")
    if not checked:
        return (inside,)
    areas = {
        way: _rows({map_title(name): row[way] for name, row in checked["maps"].items()})
        for way in ("deletion", "insertion")
    }
    return (inside, Shares("Areas under the curves", f"n = {checked['n']:,} cells. Deletion: less is better.", areas))


_MAKERS: Mapping[str, Callable[[Numbers], tuple[Figure, ...]]] = {
    "results": _results,
    "report": _report,
    "confusion": _confusion,
    "curves": _curves,
    "calibration": _calibration,
    "elsewhere": _elsewhere,
    "refusal": _refusal,
    "unfamiliar": _unfamiliar,
    "answer_sets": _answer_sets,
    "heat_maps": _heat_maps,
}


def _recall(title: str, metrics: Numbers) -> Shares:
    labels, matrix = metrics["confusion"]["labels"], metrics["confusion"]["rows"]
    rows = []
    for label, scores in metrics["classes"].items():
        if scores["n"]:
            right = matrix[labels.index(label)][labels.index(label)]
            low, high = wilson(right, scores["n"])
            rows.append(Share(display_name(label), scores["recall"], low, high, scores["n"]))
    return Shares(title, "Recall; bars are 95 % intervals (Wilson).", {"recall": rows})


def _rows(shares: Mapping[str, Numbers]) -> list[Share]:
    """By name; a share of nothing is left out."""
    return [
        Share(name, share["value"], low=share["interval"][0], high=share["interval"][1], n=share.get("n"))
        for name, share in shares.items()
        if share["value"] is not None
    ]


def _counts(series: Mapping[str, Sequence[Share]]) -> str:
    return ", ".join(f"{name}: n = {rows[0].n:,}" for name, rows in series.items() if rows and rows[0].n)
