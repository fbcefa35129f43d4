"""No cells stand without medium for longer than they may, unless somebody is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from labrig.truth.alarms import AGAIN_S, Alarm, alarms_of
from labrig.truth.levels import at_rest_is_told, medium_is_off
from labrig.truth.night import Night, Violation
from labrig.truth.spans import Span, looked_after, minus
from labrig.truth.steps import AT_ONCE_S, hands

HUNGRY = 0.1
"""[P] Less than this part of the medium that is planned for a well is none."""
CALLING = ("stall", "rate", "link", "outage", "hung", "worker", "watchdog", "dose-not-given",
           "dose-refused", "journal")  # fmt: skip


@dataclass(frozen=True)
class _Line:
    """Through which medium comes: this share of what its pump moves."""

    pump: str
    share: float


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    alarms = alarms_of(night)
    for well, lines in _medium(night).items():
        for span in _without(night, lines):
            yield from _unfed(night, well, lines, span, alarms)


def _medium(night: Night) -> dict[str, list[_Line]]:
    """By well."""
    brings = {draw["pump"] for draw in night.plan["draws"] if draw["carries"] == "medium"}
    return {
        chamber["well"]: [
            _Line(inlet["pump"], inlet["share"])
            for inlet in chamber["inlets"]
            if inlet["pump"] in brings and not inlet.get("source")
        ]
        for chamber in night.plan["chambers"]
    }


def _without(night: Night, lines: list[_Line]) -> Iterator[Span]:
    """Stretches in which medium is planned and none comes; what an end leaves so has none."""
    levels = {
        line.pump: sorted(
            (float(entry["offset_s"]), float(entry["rate_ul_min"]))
            for entry in night.entries("flow")
            if entry["instrument"] == line.pump
        )
        for line in lines
    }
    planned_s = {at_s for own in levels.values() for at_s, _ in own}
    flows_s = {max(0.0, at_s) for ln in lines for at_s, _ in night.physical.flows.get(ln.pump, [])}
    until_s = night.until_s if night.end is None else float("inf")
    since_s: float | None = None
    moments = sorted({at_s for at_s in planned_s | flows_s if at_s < until_s} | {until_s})
    for from_s, _ in pairwise(moments):
        wanted = sum(
            line.share * ([rate for at_s, rate in levels[line.pump] if at_s <= from_s] or [0.0])[-1]
            for line in lines
        )
        comes = sum(line.share * night.physical.rate_ul_min(line.pump, from_s) for line in lines)
        hungry = wanted > 0 and comes < HUNGRY * wanted
        if hungry and since_s is None:
            since_s = from_s
        elif not hungry and since_s is not None:
            yield since_s, from_s
            since_s = None
    if since_s is not None:
        yield since_s, until_s


def _unfed(
    night: Night, well: str, lines: list[_Line], span: Span, alarms: list[Alarm]
) -> Iterator[Violation]:
    limit_s = night.plan["rules"]["viable_gap_s"]
    pumps = {line.pump for line in lines}
    abouts = pumps | {night.ports[pump] for pump in pumps} | {"run", "journal"}
    at_hands = [(at.from_s, at.to_s + AT_ONCE_S) for at in hands(night) if pumps & {*at.holds}]
    for from_s, to_s in minus([span], at_hands):
        if to_s - from_s <= limit_s or any(night.unseen(p, from_s, to_s) for p in pumps):
            continue
        by_s = _by_s(night, from_s + limit_s)
        if to_s <= by_s or any(
            alarm.code in CALLING and alarm.about in abouts
            and alarm.from_s <= by_s and alarm.to_s >= from_s
            for alarm in alarms
        ):  # fmt: skip
            continue
        if night.end is not None and by_s >= night.end.run_s:
            if medium_is_off(night) or any(_left_so(night, pump, from_s) for pump in pumps):
                continue
        yield Violation(
            "cells not fed",
            f"no medium came to {well} from {from_s:.1f} to {to_s:.1f} s, they may go without for "
            f"{limit_s:.0f} s, and nobody was called",
        )


def _left_so(night: Night, pump: str, at_s: float) -> bool:
    """Whether the end tells of it, or something befell the pump when nobody was there any more."""
    assert night.end is not None
    befell = any(
        fault.instrument == pump and fault.active(night.end.run_s, at_s + AT_ONCE_S)
        for fault in night.faults
    )
    return befell or at_rest_is_told(night, pump)


def _by_s(night: Night, at_s: float) -> float:
    """By when somebody can be called: then, or soon after there is a runner again."""
    for from_s, to_s in looked_after(night):
        if at_s <= to_s:
            return max(at_s, from_s + AGAIN_S)
    # Whoever came back only to end it could do no more than tell.
    return at_s if night.end is None else max(at_s, night.end.run_s)
