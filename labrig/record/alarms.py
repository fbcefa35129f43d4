"""Which alarms stood from when to when, by the journal's rows of kind ``alarm``. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from labrig.record.detail import left_out
from labrig.record.kinds.operator import AlarmCleared, AlarmRaised
from labrig.record.rows import Row
from labrig.record.said import said


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something a person should act on now.

    Attributes:
        code: stable, e.g. ``stall``; ``about`` is the instrument or well.
        since_s: on the run's clock.
    """

    code: str
    about: str
    since_s: float
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something only the operator can decide; answered by its ``id`` with one of ``options``.

    Attributes:
        what: in words, without names of arms and factors.
        since_s: on the run's clock.
        facts: the figures behind it, by name with their unit (`labrig.record.kinds.operator`).
    """

    id: str
    what: str
    options: tuple[str, ...]
    since_s: float
    facts: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question that was asked last under its id, and its answer once there is one."""

    what: str
    options: tuple[str, ...]
    since_s: float
    choice: str | None = left_out(None)
    facts: Mapping[str, Any] | None = left_out(None)


@dataclass(frozen=True, slots=True)
class AlarmSpan:
    """One alarm.

    Attributes:
        code: stable, e.g. ``stall``; ``about`` is the instrument or well.
        from_s / to_s: on the run's clock; ``to_s`` is None while it stands.
    """

    code: str
    about: str
    what: str
    remedy: str
    from_s: float
    to_s: float | None = None


def alarm_spans(rows: Iterable[Row]) -> tuple[AlarmSpan, ...]:
    """Every alarm that was raised, in that order, whichever runner raised it."""
    spans: list[AlarmSpan] = []
    standing: dict[str, int] = {}
    for row in rows:
        if row.kind != "alarm":
            continue
        match said(row):
            case AlarmRaised() as raised if row.key not in standing:
                standing[row.key] = len(spans)
                spans.append(
                    AlarmSpan(raised.code, raised.about, raised.what, raised.remedy, row.run_s)
                )
            case AlarmCleared() if row.key in standing:
                index = standing.pop(row.key)
                spans[index] = replace(spans[index], to_s=row.run_s)
    return tuple(spans)
