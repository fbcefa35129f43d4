"""Which alarms stood from when to when, by the journal's rows of kind ``alarm``. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from labrig.record.rows import Row


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
        if row.state == "raised":
            standing.setdefault(row.key, len(spans))
            if standing[row.key] == len(spans):
                said = row.detail
                spans.append(
                    AlarmSpan(said["code"], said["about"], said["what"], said["remedy"], row.run_s)
                )
        elif row.key in standing:
            index = standing.pop(row.key)
            spans[index] = replace(spans[index], to_s=row.run_s)
    return tuple(spans)
