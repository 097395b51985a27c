"""How often each attribute value was annotated in each class: WBCAtt's annotations of PBC, every split of them.

    python -m benchmarks.attribute_shares FOLDER [--write]

FOLDER holds `pbc/` with its `splits.csv`. The counts go to stdout, and with --write to the file that the Atlas reads.
"""

import argparse
import json
from pathlib import Path

from hematovision.content import SHARES_FILE
from hematovision.library.datasets import read_datasets
from hematovision.library.shares import attribute_counts

SOURCE = "WBCAtt annotations of PBC pictures, counted by benchmarks/attribute_shares.py"


def main() -> None:
    parser = argparse.ArgumentParser(description="Count the annotated attribute values of each class.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help=f"write {SHARES_FILE.name}")
    options = parser.parse_args()
    text = json.dumps({"source": SOURCE, **attribute_counts(read_datasets(options.folder))}, indent=2)
    if options.write:
        SHARES_FILE.write_text(f"{text}\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
