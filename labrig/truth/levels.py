"""Pumps run at the level that plan and rules name, during the run and at its end, or are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from labrig.truth.doses import dose_flows
from labrig.truth.night import Night, Violation
from labrig.truth.steps import hands
from labrig.truth.stops import stops
from labrig.truth.suspensions import kept_off_by_outages, suspended

LONG_S = 300.0
"""[P] A level that is not held for longer than this must stand in the record."""
NOTICED_WITHIN_S = 300.0
"""[P] Two polls and a retry: trouble younger than this at the end may not be known yet."""


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    yield from _at_the_end(night)
    for pump in sorted({entry["instrument"] for entry in night.entries("flow")}):
        yield from _not_held(night, pump)


@dataclass(frozen=True)
class Piece:
    """A time in which neither plan nor flow changes.

    Attributes:
        really / wanted: µL/min; what worn tubing does is in both.
        dosing: it gives a dose, at whose rate it runs.
    """

    from_s: float
    to_s: float
    really: float
    wanted: float
    dosing: bool


def pieces(night: Night, pump: str) -> Iterator[Piece]:
    """From the start until a stop that stands, or as far as the record goes."""
    planned = sorted(
        (entry["offset_s"], entry["rate_ul_min"])
        for entry in night.entries("flow")
        if entry["instrument"] == pump
    )
    until_s = night.until_s
    for from_s, taken_back_s in stops(night):
        if taken_back_s == float("inf"):
            until_s = min(until_s, from_s)
    doses = [(from_s, end_s) for from_s, end_s, _ in dose_flows(night, pump)]
    flows = night.physical.flows.get(pump, [(0.0, 0.0)])
    moments = sorted(
        {at_s for at_s, _ in planned} | {max(at_s, 0.0) for at_s, _ in flows} | {until_s}
    )
    for from_s, to_s in pairwise([m for m in moments if m <= until_s]):
        levels = [rate for at_s, rate in planned if at_s <= from_s]
        really = night.physical.rate_ul_min(pump, from_s)
        wanted = levels[-1] * night.factor(pump, from_s) if levels else really
        dosing = any(begin_s <= from_s < end_s for begin_s, end_s in doses)
        yield Piece(from_s, to_s, really, wanted, dosing)


def _not_held(night: Night, pump: str) -> Iterator[Violation]:
    """Stretches of another flow than planned, of which no row tells."""
    off_since_s: float | None = None
    last: Piece | None = None
    for piece in pieces(night, pump):
        off = abs(piece.really - piece.wanted) > 0.02 * piece.wanted + 1e-9 and not piece.dosing
        if off and off_since_s is None:
            off_since_s = piece.from_s
        elif not off and off_since_s is not None:
            yield from _off(night, pump, off_since_s, piece)
            off_since_s = None
        last = piece
    if off_since_s is not None and last is not None:
        yield from _off(night, pump, off_since_s, replace(last, from_s=last.to_s))


def _off(night: Night, pump: str, from_s: float, then: Piece) -> Iterator[Violation]:
    """``then``: what follows the stretch, or its last piece."""
    to_s, really, wanted = then.from_s, then.really, then.wanted
    if to_s - from_s <= LONG_S or night.unseen(pump, from_s, to_s):
        return
    if out_of_reach(night, pump, from_s):
        return
    held = [(at.from_s, at.fed_s) for at in hands(night) if pump in at.holds]
    told_s = [*suspended(night, pump), *kept_off_by_outages(night, pump), *held]
    if any(a_s - LONG_S <= from_s and to_s <= b_s + LONG_S for a_s, b_s in told_s):
        return
    told = any(
        from_s - LONG_S <= row.run_s <= to_s + LONG_S
        and (row.detail.get("instrument") == pump or row.key == "gap")
        for row in night.of("deviation")
    ) or in_a_gap(night, from_s, to_s) or stands_by_word(night, pump, from_s + LONG_S) or any(
        row.state in ("failed", "refused") and row.key in _keys(night, pump)
        for row in night.of("level")
    )  # fmt: skip
    if not told:
        yield Violation(
            "level not held",
            f"{pump} did not run as planned from {from_s:.1f} to {to_s:.1f} s "
            f"(last at {really:g} µL/min, {wanted:g} was wanted), and nothing says so",
        )


def in_a_gap(night: Night, from_s: float, to_s: float) -> bool:
    """Whether nobody was there, but for a moment at its ends."""
    return any(
        gap.detail["from_s"] - LONG_S <= from_s and to_s <= gap.detail["to_s"] + LONG_S
        for gap in night.deviations("gap")
    )


def out_of_reach(night: Night, pump: str, at_s: float) -> bool:
    """Whether the last word before was that nobody could reach it."""
    words = [
        row.key
        for row in night.deviations("link-lost", "failed-by-bug", "link-restored")
        if row.detail.get("instrument") == pump and row.run_s <= at_s
    ]
    return bool(words) and words[-1] != "link-restored"


def _keys(night: Night, pump: str) -> set[str]:
    return {entry["key"] for entry in night.entries("flow") if entry["instrument"] == pump}


def medium_is_off(night: Night) -> bool:
    """Whether pumps that feed the cells were to stand as well."""
    off = night.plan["rules"].get("medium_at_abort") == "off"
    return off and night.end is not None and night.end.detail.get("aborted") is True


def _at_the_end(night: Night) -> Iterator[Violation]:
    end = night.end
    if end is None or night.outcome is None:
        return
    stopped = end.key == "stopped"
    for pump, rate_ul_min in _last_levels(night, end.run_s).items():
        carries = {draw["carries"] for draw in night.plan["draws"] if draw["pump"] == pump}
        off = night.plan["rules"]["additives_on_stop"] == "off" and carries == {"additive"}
        stands = stopped or any(to_s >= end.run_s for _, to_s in suspended(night, pump))
        wanted = 0.0 if (stands and off) or medium_is_off(night) else rate_ul_min
        wanted *= night.factor(pump, end.run_s)
        really = night.physical.rate_ul_min(pump, end.run_s)
        if abs(really - wanted) <= 0.01 * abs(wanted) + 1e-9:
            continue
        if not at_rest_is_told(night, pump):
            yield Violation(
                "level at the end",
                f"{pump} is left at {really:g} µL/min, {wanted:g} is wanted, and nothing says so",
            )


def _last_levels(night: Night, until_s: float) -> dict[str, float]:
    last = {}
    # One that was due in the very moment of a stop may have been overtaken by it.
    skipped = {row.key for row in night.of("level") if row.state == "skipped"}
    for entry in sorted(night.entries("flow"), key=lambda e: float(e["offset_s"])):
        if entry["offset_s"] <= until_s + 1e-6 and entry["key"] not in skipped:
            last[entry["instrument"]] = entry["rate_ul_min"]
    return last


def at_rest_is_told(night: Night, pump: str) -> bool:
    """Whether the record knows that a pump may be off its level at the end, or cannot know yet."""
    if night.end is None or night.outcome is None:
        return False
    excused = set(night.outcome["unsafe"])
    for row in night.deviations("left-unattended"):
        excused |= set(row.detail.get("instruments", ()))
    if pump in excused:
        return True
    noticed_s = night.end.run_s - NOTICED_WITHIN_S
    for fault in night.faults:
        if fault.instrument == pump and fault.active(noticed_s, night.end.run_s):
            return True
    as_found = any(
        row.detail.get("instrument") == pump for row in night.deviations("left-as-found")
    )
    return (
        as_found
        or night.unseen(pump, noticed_s, night.end.run_s)
        or stands_by_word(night, pump, night.end.run_s)
    )


def stands_by_word(night: Night, pump: str, at_s: float) -> bool:
    """Whether it was given up, or left by a person, and by then nothing says that it flows again.

    That a person had it tried again takes back a person's word alone.
    """
    given_up = left = False
    for row in night.deviations(
        "stall-given-up", "left-by-operator", "restarted-by-operator", "stall-recovered"
    ):
        if row.detail.get("instrument") != pump or row.run_s > at_s:
            continue
        match row.key:
            case "stall-given-up":
                given_up = True
            case "left-by-operator":
                left = True
            case "restarted-by-operator":
                left = False
            case _:
                given_up = left = False
    return given_up or left
