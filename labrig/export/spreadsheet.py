"""CSV that Excel, R and pandas all open as it is: UTF-8 with its mark, commas, dots, CRLF."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A table as text, its byte order mark included.

    Numbers have nine figures, truth is TRUE or FALSE, what is not known is empty. A text that a
    spreadsheet would take for a formula gets a quote before it.
    """
    stream = io.StringIO(newline="")
    stream.write("\ufeff")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row.get(column)) for column in columns])
    return stream.getvalue()


def cell(value: Any) -> str:  # noqa: ANN401 - whatever a table holds
    """One value as it stands in a table."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.9g}"
    text = str(value)
    number = isinstance(value, int) or type(value).__module__ == "numpy"
    return f"'{text}" if text.startswith(_FORMULA) and not number else text
