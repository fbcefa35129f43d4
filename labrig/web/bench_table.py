"""A bench as rows: each instrument, until when it is calibrated, how long it has run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from labrig.rig.models import Calibration, Rig

Standing = Literal["good", "wait", "bad", ""]
"""Of a calibration: holds, ends within two days, has ended, none is recorded."""
SOON = timedelta(days=2)
"""[P] So long before its end a calibration is told of."""


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One instrument.

    Attributes:
        calibrated: the last entry about it, in words; "" for none.
        until: the last day on which that holds.
        hours: how long it has pumped in the runs of this folder; None: nothing is known.
        hours_since: of them, since it was calibrated.
    """

    name: str
    type: str
    port: str
    address: str
    calibrated: str
    until: date | None
    standing: Standing
    hours: float | None = None
    hours_since: float | None = None


def bench_rows(
    rig: Rig,
    today: date,
    hours: Mapping[str, tuple[tuple[date, float], ...]] | None = None,
) -> tuple[BenchRow, ...]:
    """Every instrument, in the rig's order.

    Args:
        rig: the bench.
        today: by the clock on the wall.
        hours: by pump, the hours it ran and the day on which that run was made.
    """
    last = latest(rig)
    rows = []
    for name, entry in rig.instruments.items():
        found = last.get(name)
        until = None if found is None else valid_until(found)
        ran = (hours or {}).get(name)
        rows.append(
            BenchRow(
                name,
                entry.type,
                entry.port,
                rig.ports[entry.port].address,
                "" if found is None else _words(found),
                until,
                _standing(until, today),
                None if ran is None else sum(h for _, h in ran),
                None
                if ran is None or found is None
                else sum(h for day, h in ran if day >= found.on),
            )
        )
    return tuple(rows)


def latest(rig: Rig) -> dict[str, Calibration]:
    """The last entry about each thing."""
    found: dict[str, Calibration] = {}
    for entry in rig.calibrations:
        if entry.of not in found or entry.on >= found[entry.of].on:
            found[entry.of] = entry
    return found


def valid_until(entry: Calibration) -> date:
    """The last day on which it holds."""
    return entry.on + timedelta(days=entry.valid_days)


def _words(entry: Calibration) -> str:
    by = f", {entry.by}" if entry.by else ""
    result = f": {entry.result}" if entry.result else ""
    return f"{entry.on:%d %b %Y}, {entry.what}{by}{result}"


def _standing(until: date | None, today: date) -> Standing:
    if until is None:
        return ""
    if until < today:
        return "bad"
    return "wait" if until < today + SOON else "good"
