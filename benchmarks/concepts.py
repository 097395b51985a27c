"""Fit the class to the annotated attributes alone: WBCAtt's annotations of PBC, fitted on train, counted on test.

    python -m benchmarks.concepts FOLDER [--write]

FOLDER holds `pbc/` with its `splits.csv`. The model goes to stdout, and with --write to the file that the app reads.
"""

import argparse
import json
from pathlib import Path

from hematovision.content.concepts import CONCEPTS_FILE
from hematovision.library.concepts import fit_concepts
from hematovision.library.datasets import read_datasets

SOURCE = "WBCAtt annotations of PBC pictures, fitted by benchmarks/concepts.py"


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the class to the annotated attributes.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help=f"write {CONCEPTS_FILE.name}")
    options = parser.parse_args()
    text = json.dumps({"source": SOURCE, **fit_concepts(read_datasets(options.folder))}, indent=1)
    if options.write:
        CONCEPTS_FILE.write_text(f"{text}\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
