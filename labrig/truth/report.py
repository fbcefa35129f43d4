"""The numbers that the report prints are those of the ledger."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from labrig.truth.night import Night, Violation

PUMP_COLUMNS = {
    "Planned (µL)": "planned_ul",
    "Commanded (µL)": "commanded_ul",
    "Confirmed (µL)": "confirmed_ul",
    "Believed (µL)": "believed_ul",
    "Witnessed (µL)": "witnessed_ul",
}
PULSE_COLUMNS = {"Planned": "planned", "Delivered": "delivered", "Uncertain": "uncertain"}


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    page = night.folder / "report" / "report.html"
    if night.ledger is None or night.end is None or not page.exists():
        return
    html = page.read_text(encoding="utf-8")
    pumps = {totals["pump"]: totals for totals in night.ledger["pumps"]}
    yield from _compared("pump", _table(html, "Volume through each pump"), pumps, PUMP_COLUMNS)
    channels = {f"{p['stimulator']} {p['channel']}": p for p in night.ledger["pulses"]}
    table = _table(html, "Pulses by stimulator channel")
    yield from _compared("channel", table, channels, PULSE_COLUMNS)
    yield from _deviations(night)


def _compared(
    kind: str,
    table: list[dict[str, str]],
    told: dict[str, dict[str, Any]],
    columns: dict[str, str],
) -> Iterator[Violation]:
    if len(table) != len(told):
        yield Violation("report", f"it shows {len(table)} {kind}s, the ledger has {len(told)}")
    for row in table:
        name = next(iter(row.values()))
        for column, field in columns.items():
            if column not in row or name not in told or field not in told[name]:
                continue
            value = told[name][field]
            shown = re.match(r"-?[\d.]+$", row[column])
            if shown is None and value is None:
                continue
            if shown is None or value is None or abs(float(shown[0]) - value) > 0.0501:
                yield Violation(
                    "report",
                    f"{kind} {name}: {column} is {row[column]!r}, the ledger says {value}",
                )


def _table(html: str, caption: str) -> list[dict[str, str]]:
    """Rows of the table under a caption, by its column heads."""
    for table in re.findall(r"<table.*?</table>", html, flags=re.DOTALL):
        if caption not in table:
            continue
        rows = [
            [
                unescape(re.sub(r"<.*?>", "", cell)).strip()
                for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, flags=re.DOTALL)
            ]
            for row in re.findall(r"<tr.*?</tr>", table, flags=re.DOTALL)
        ]
        return [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]
    return []


def _deviations(night: Night) -> Iterator[Violation]:
    path = night.folder / "report" / "deviations.csv"
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as stream:
        shown = sum(row["kind"] == "deviation" for row in csv.DictReader(stream))
    if shown != len(night.of("deviation")):
        had = len(night.of("deviation"))
        yield Violation("report", f"deviations.csv has {shown} deviations, the journal {had}")
