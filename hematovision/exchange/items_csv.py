"""A table of the questions with their keys, for a spreadsheet."""

from hematovision.exchange.bundle import SetBundle
from hematovision.spreadsheet import as_csv

FIELDS = ("number", "picture", "key", "second_key", "choices", "note")


def write(bundle: SetBundle) -> bytes:
    """CSV in UTF-8 with the mark that spreadsheets know it by. `picture` is the neutral name of the picture."""
    rows = ((i.number, f"{i.name}.png", i.key, i.second_key, " ".join(i.choices), i.note) for i in bundle.items)
    return as_csv(FIELDS, rows).encode("utf-8-sig")
