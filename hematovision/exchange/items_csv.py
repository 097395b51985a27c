"""A table of the questions with their keys, for a spreadsheet."""

import csv
import io

from hematovision.exchange.bundle import SetBundle

FIELDS = ("number", "picture", "key", "second_key", "choices", "note")


def write(bundle: SetBundle) -> bytes:
    """CSV in UTF-8 with the mark that spreadsheets know it by. `picture` is the neutral name of the picture."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(FIELDS)
    for i in bundle.items:
        row = (str(i.number), f"{i.name}.png", i.key, i.second_key or "", " ".join(i.choices), i.note)
        table.writerow([safe(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text
