"""What temperature and gases were set to, and what was measured of them. A pure fold over rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from labrig.plan.packed import of_kind
from labrig.plan.plan import Plan
from labrig.plan.run_rules import ClimatePlan
from labrig.plan.timeline import ClimateLevel
from labrig.record.kinds.levels import (
    AirRead,
    ControllerRead,
    LevelFailed,
    NotDone,
    SettingConfirmed,
)
from labrig.record.rows import Row
from labrig.record.said import said


@dataclass(frozen=True, slots=True)
class Stretch:
    """One set point, and what came of it.

    Attributes:
        name: of the rig's climate.
        by: whose readings these are: the probe that hangs there, else the controller itself.
        confirmed_s: when its controller first said that it is so set; None: never.
        failed: why it was not, where it was said.
        readings: those from the time on at which it should have settled.
        off_s: how long these were further off the set point than is allowed, until the next one.
    """

    name: str
    quantity: str
    wells: tuple[str, ...]
    by: str
    from_s: float
    to_s: float
    value: float
    confirmed_s: float | None
    failed: str
    readings: int
    mean: float | None
    least: float | None
    most: float | None
    off_s: float


def stretches_of(plan: Plan, rows: Iterable[Row], until_s: float) -> tuple[Stretch, ...]:
    """Every set point that was due by a time, controller by controller.

    Args:
        plan: of the run.
        rows: of its journal.
        until_s: how far the run came.
    """
    confirmed, failed, measured = _gathered(plan, rows)
    return tuple(
        _stretch(held, level, end_s, confirmed, failed, measured.get(_by(held), []))
        for held in plan.climate
        for level, end_s in _levels(plan, held, until_s)
    )


def readings_of(plan: Plan, rows: Iterable[Row]) -> Mapping[str, Sequence[tuple[float, float]]]:
    """By name of the rig's climate, time and value of each reading that can be trusted."""
    _, _, measured = _gathered(plan, rows)
    return {
        held.name: [
            (at_s, value)
            for at_s, values in measured.get(_by(held), [])
            if (value := values.get(held.quantity)) is not None
        ]
        for held in plan.climate
    }


def _by(held: ClimatePlan) -> str:
    return held.probe or held.instrument


_Looks = dict[str, list[tuple[float, Mapping[str, float | None]]]]


def _gathered(plan: Plan, rows: Iterable[Row]) -> tuple[dict[str, float], dict[str, str], _Looks]:
    confirmed: dict[str, float] = {}
    failed: dict[str, str] = {}
    looks: _Looks = {}
    wanted = {name for held in plan.climate for name in (held.instrument, held.probe)}
    for row in rows:
        if row.kind not in ("level", "reading", "sample"):
            continue
        if row.kind == "sample" and row.key not in wanted:
            continue
        match said(row):
            case SettingConfirmed():
                confirmed.setdefault(row.key, row.run_s)
            case LevelFailed(what=what) | NotDone(reason=what):
                failed[row.key] = what
            case AirRead(instrument=name, trusted=True, values=values) if name in wanted:
                looks.setdefault(name, []).append((row.run_s, values))
            case ControllerRead(trusted=True, values=values):
                looks.setdefault(row.key, []).append((row.run_s, values))
            case _:
                pass
    return confirmed, failed, looks


def _levels(plan: Plan, held: ClimatePlan, until_s: float) -> Iterable[tuple[ClimateLevel, float]]:
    own = [
        entry
        for entry in of_kind(plan.timeline, ClimateLevel)
        if (entry.instrument, entry.quantity) == (held.instrument, held.quantity)
    ]
    ends = [*(level.offset_s for level in own[1:]), plan.forecast.duration_s]
    for level, end_s in zip(own, ends, strict=True):
        if level.offset_s <= until_s:
            yield level, min(end_s, until_s)


def _stretch(
    held: ClimatePlan,
    level: ClimateLevel,
    end_s: float,
    confirmed: Mapping[str, float],
    failed: Mapping[str, str],
    looks: Sequence[tuple[float, Mapping[str, float | None]]],
) -> Stretch:
    settled_s = level.offset_s + (held.settle_s if level.offset_s > 0 else 0.0)
    seen = [
        (at_s, value)
        for at_s, values in looks
        if settled_s <= at_s <= end_s and (value := values.get(held.quantity)) is not None
    ]
    values = [value for _, value in seen]
    until = [*(at_s for at_s, _ in seen[1:]), end_s][: len(seen)]
    off_s = sum(
        next_s - at_s
        for (at_s, value), next_s in zip(seen, until, strict=True)
        if abs(value - level.value) > held.within
    )
    at_s = confirmed.get(level.key)
    return Stretch(
        name=held.name,
        quantity=held.quantity,
        wells=level.wells,
        by=_by(held),
        from_s=level.offset_s,
        to_s=end_s,
        value=level.value,
        confirmed_s=at_s,
        failed="" if at_s is not None else failed.get(level.key, ""),
        readings=len(values),
        mean=sum(values) / len(values) if values else None,
        least=min(values, default=None),
        most=max(values, default=None),
        off_s=off_s,
    )
