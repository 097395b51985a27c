"""Tables as CSV for a spreadsheet, in which no text becomes a formula: people choose their names and reasons."""

import csv
import io
from collections.abc import Iterable, Sequence


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A line of column names, then one for each row (RFC 4180). None is empty; text is escaped by `safe`."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(columns)
    for row in rows:
        table.writerow([safe(value) if isinstance(value, str) else value for value in row])
    return out.getvalue()


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula: `'` goes before a leading `=`, `+`, `-` or `@`."""
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text
