"""How the run leaves its pumps: at the level that plan and rules name, or told as not so."""

from __future__ import annotations

from collections.abc import Iterator

from truthcheck.night import Night, Violation

NOTICED_WITHIN_S = 300.0
"""[P] Two polls and a retry: trouble younger than this at the end may not be known yet."""


def violations(night: Night) -> Iterator[Violation]:
    end = night.end
    if end is None or night.outcome is None:
        return
    stopped = end.key == "stopped"
    excused = set(night.outcome["unsafe"])
    for row in night.deviations("left-unattended"):
        excused |= set(row.detail.get("instruments", ()))
    for pump, rate_ul_min in _last_levels(night, end.run_s).items():
        carries = {draw["carries"] for draw in night.plan["draws"] if draw["pump"] == pump}
        off = night.plan["rules"]["additives_on_stop"] == "off" and carries == {"additive"}
        wanted = 0.0 if stopped and off else rate_ul_min
        wanted *= night.factor(pump, end.run_s)
        really = night.physical.rate_ul_min(pump, end.run_s)
        if abs(really - wanted) <= 0.01 * abs(wanted) + 1e-9:
            continue
        if pump not in excused and not _told(night, pump, end.run_s):
            yield Violation(
                "level at the end",
                f"{pump} is left at {really:g} µL/min, {wanted:g} is wanted, and nothing says so",
            )


def _last_levels(night: Night, until_s: float) -> dict[str, float]:
    last = {}
    for entry in sorted(night.entries("flow"), key=lambda e: float(e["offset_s"])):
        if entry["offset_s"] <= until_s + 1e-6:
            last[entry["instrument"]] = entry["rate_ul_min"]
    return last


def _told(night: Night, pump: str, end_s: float) -> bool:
    """Whether the record knows that the pump may stand, or cannot know it yet."""
    for fault in night.faults:
        if fault.instrument == pump and fault.active(end_s - NOTICED_WITHIN_S, end_s):
            return True
    unseen = night.unseen(pump, end_s - NOTICED_WITHIN_S, end_s)
    return unseen or any(
        row.detail.get("instrument") == pump
        for row in (*night.deviations("stall-given-up"), *night.deviations("left-as-found"))
    )
