"""Valves and controllers hold what the plan names and what the journal says, or it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from labrig.truth.levels import LONG_S, NOTICED_WITHIN_S, in_a_gap, out_of_reach
from labrig.truth.night import Night, Violation
from labrig.truth.stops import stops
from labrig.truth.suspensions import suspended

CLOSE = 0.02
AT_ONCE_S = 1e-3
UNSEEN = ("drift", "no_output", "sensor_break")
"""What a controller that is asked for its set point does not tell of."""


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    yield from _claims(night)
    for instrument, quantity in sorted(planned_settings(night)):
        yield from _not_held(night, instrument, quantity)
        yield from _at_the_end(night, instrument, quantity)


def planned_settings(night: Night) -> dict[tuple[str, str], list[tuple[float, str]]]:
    """By instrument and quantity, from when on which."""
    found: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for entry in sorted(night.entries("valve", "climate"), key=lambda e: float(e["offset_s"])):
        what = ("position", entry["position"]) if entry["kind"] == "valve" else (
            entry["quantity"], str(entry["value"])
        )  # fmt: skip
        found.setdefault((entry["instrument"], what[0]), []).append((entry["offset_s"], what[1]))
    return found


def same(one: str | float | None, other: str | float | None) -> bool:
    """Whether two settings are one."""
    try:
        return abs(float(one) - float(other)) <= CLOSE  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return one == other


def _held(night: Night, instrument: str, quantity: str, at_s: float) -> str | float | None:
    steps = night.physical.held.get((instrument, quantity), [])
    values = [value for since_s, value in steps if since_s <= at_s + 1e-6]
    return values[-1] if values else None


def unseen(night: Night, instrument: str, from_s: float, to_s: float) -> bool:
    """Whether a fault ran that the instrument itself cannot know of."""
    return any(
        fault.instrument == instrument and fault.name in UNSEEN and fault.active(from_s, to_s)
        for fault in night.faults
    )


def _claims(night: Night) -> Iterator[Violation]:
    """Nothing is called confirmed or safe that is not so."""
    for row in night.of("level", "run"):
        safe = row.kind == "run" and row.key == "made-safe"
        if not safe and (row.state != "confirmed" or "quantity" not in row.detail):
            continue
        name, quantity, said = (row.detail[key] for key in ("instrument", "quantity", "value"))
        # On the virtual clock a run that ends may change it in the same moment.
        steps = night.physical.held.get((name, quantity), [])
        at_once = [value for at_s, value in steps if abs(at_s - row.run_s) < AT_ONCE_S]
        really = [_held(night, name, quantity, row.run_s - AT_ONCE_S), *at_once]
        if not any(same(value, said) for value in really) and not unseen(
            night, name, row.run_s - 1.0, row.run_s + 1.0
        ):
            yield Violation(
                "setting untrue",
                f"{row.key} at {row.run_s:.1f} s: {name} {quantity} is {said} by the journal, "
                f"physically {really}",
            )


@dataclass(frozen=True)
class Off:
    """A time in which an instrument held another setting than planned; ``wanted`` was last due."""

    from_s: float
    to_s: float
    really: str | float | None
    wanted: str


def off(night: Night, name: str, quantity: str) -> Iterator[Off]:
    """Each such stretch as it grows, piece by piece, until a stop that stands or the end."""
    planned = planned_settings(night)[name, quantity]
    until_s = min([night.until_s, *(a for a, back_s in stops(night) if back_s == float("inf"))])
    if night.end is not None:
        until_s = min(until_s, night.end.run_s)
    steps = night.physical.held.get((name, quantity), [])
    moments = sorted(
        {at_s for at_s, _ in planned} | {max(0.0, at_s) for at_s, _ in steps} | {until_s}
    )
    since_s: float | None = None
    for from_s, to_s in pairwise([m for m in moments if m <= until_s]):
        wanted = [value for at_s, value in planned if at_s <= from_s]
        really = _held(night, name, quantity, from_s)
        if not wanted or same(really, wanted[-1]):
            since_s = None
            continue
        since_s = from_s if since_s is None else since_s
        yield Off(since_s, to_s, really, wanted[-1])


def _not_held(night: Night, name: str, quantity: str) -> Iterator[Violation]:
    for stretch in off(night, name, quantity):
        from_s, to_s = stretch.from_s, stretch.to_s
        if to_s - from_s > LONG_S and not _told(night, name, from_s, to_s):
            yield Violation(
                "setting not held",
                f"{name} {quantity} was {stretch.really} from {from_s:.1f} "
                f"to {to_s:.1f} s, {stretch.wanted} was wanted, and nothing says so",
            )
            return


def _told(night: Night, name: str, from_s: float, to_s: float) -> bool:
    if unseen(night, name, from_s, to_s) or out_of_reach(night, name, from_s):
        return True
    if any(a_s - LONG_S <= from_s and to_s <= b_s + LONG_S for a_s, b_s in suspended(night, name)):
        return True
    keys = {e["key"] for e in night.entries("valve", "climate") if e["instrument"] == name}
    return any(
        from_s - LONG_S <= row.run_s <= to_s + LONG_S
        and (row.detail.get("instrument") == name or row.key == "gap")
        for row in night.of("deviation")
    ) or in_a_gap(night, from_s, to_s) or any(
        row.run_s <= to_s and row.state in ("failed", "refused") and row.key in keys
        for row in night.of("level")
    )  # fmt: skip


def _at_the_end(night: Night, name: str, quantity: str) -> Iterator[Violation]:
    if night.end is None or night.outcome is None:
        return
    safe = [
        each["value"]
        for each in night.plan.get("safe", ())
        if (each["instrument"], each["quantity"]) == (name, quantity)
    ]
    excused = set(night.outcome["unsafe"])
    for row in night.deviations("left-unattended"):
        excused |= set(row.detail.get("instruments", ()))
    end_s = night.end.run_s
    faulty = any(
        fault.instrument == name and fault.active(end_s - NOTICED_WITHIN_S, end_s + AT_ONCE_S)
        for fault in night.faults
    )
    # An instrument that turns when the last row is written may come to rest a moment later.
    really = _held(night, name, quantity, end_s)
    if safe and not same(really, safe[0]) and name not in excused and not faulty:
        yield Violation(
            "setting at the end",
            f"{name} {quantity} is left at {really}, {safe[0]} is safe, and nothing says so",
        )
