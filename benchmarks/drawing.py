"""Whether the model, which has seen photographs only, takes drawn cells for what they are, and what a drawing costs.

    python -m benchmarks.drawing [--count 100] [--seed 1000] [--write FILE.json] [--sheet FILE.webp]

`--sheet` draws a contact sheet, eight cells a class. Ends with status 1 where a promise is not kept.
"""

import argparse
import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from hematovision import images
from hematovision.cells import CELL_CLASSES, CORE_FOUR
from hematovision.library.drawn import draw_cell, series
from hematovision.settings import load_settings
from hematovision.vision.classifier import Classifier
from hematovision.vision.reading import read_picture

ALL, EACH, ATTRIBUTES, MILLISECONDS = 0.95, 0.85, 0.80, 60
"""Least share of cells named as drawn, over all and in each class; least share of attributes; longest drawing."""
SHEET_COLUMNS, SHEET_MARGIN = 8, 48


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="cells of each class (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1000, help="of the series (default: %(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE.json")
    parser.add_argument("--sheet", type=Path, metavar="FILE.webp")
    options = parser.parse_args()
    if options.sheet:
        options.sheet.write_bytes(images.encode_webp(contact_sheet(options.seed)))
    result = measure(options.count, options.seed)
    text = json.dumps(result, indent=1) + "\n"
    print(text, end="")
    if options.write:
        options.write.write_text(text)
    kept = (
        min(result["recognized"]["all_eight"], result["recognized"]["core_four"]) >= ALL
        and min(result["recognized"]["by_class"].values()) >= EACH
        and result["attributes_agree"] >= ATTRIBUTES
        and result["not_blood"] == 0
    )
    return 0 if kept and result["milliseconds"] <= MILLISECONDS else 1


def measure(count: int, seed: int) -> dict:
    """Draw `count` cells of each class and ask the shipped model."""
    classifier = Classifier(load_settings().model)
    by_class: dict[str, float] = {}
    answers: dict[str, dict[str, int]] = {}
    agree: dict[str, list[bool]] = defaultdict(list)
    refused, times = 0, []
    for label in CELL_CLASSES:
        said: Counter[str] = Counter()
        for drawn in series([label], count, seed):
            start = time.perf_counter()
            cell = draw_cell(drawn)
            times.append(time.perf_counter() - start)
            reading = read_picture(cell.picture, classifier, "cell")
            if not reading.cells:
                refused += 1
                said["not_blood"] += 1
                continue
            answer = reading.cells[0].prediction
            said[answer.label] += 1
            for name, value in cell.attributes.items():
                agree[name].append(answer.attributes[name] == value)
        by_class[label] = said[label] / count
        answers[label] = dict(said.most_common())
    attributes = {name: round(statistics.mean(values), 4) for name, values in agree.items()}
    return {
        "model": classifier.card.version,
        "cells_of_each_class": count,
        "seed": seed,
        "recognized": {
            "all_eight": round(statistics.mean(by_class.values()), 4),
            "core_four": round(statistics.mean(by_class[label] for label in CORE_FOUR), 4),
            "by_class": by_class,
        },
        "answers": answers,
        "not_blood": refused,
        "attributes_agree": round(statistics.mean(attributes.values()), 4),
        "by_attribute": attributes,
        "milliseconds": round(statistics.median(times) * 1000, 1),
    }


def contact_sheet(seed: int) -> images.Picture:
    """Eight cells of each class, a class a row, each cut a little closer than its picture."""
    rows = []
    for label in CELL_CLASSES:
        cells = [draw_cell(cell).picture for cell in series([label], SHEET_COLUMNS, seed)]
        rows.append(np.hstack([c[SHEET_MARGIN:-SHEET_MARGIN, SHEET_MARGIN:-SHEET_MARGIN] for c in cells]))
    return np.vstack(rows)


if __name__ == "__main__":
    sys.exit(main())
