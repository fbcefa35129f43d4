"""µL per dose: never more than was meant unless the record doubts it, never gone untold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from labrig.truth.night import Night, Row, Violation
from labrig.truth.volumes import step_ul

PART = 0.02
UPPER = ("at_most_ul", "most_ul", "upper_ul")
"""Names under which a ledger may bound what it does not know."""


def dose_flows(night: Night, pump: str) -> list[tuple[float, float, float]]:
    """Stretches ``(from_s, until_s, µL)`` in which the pump ran at the rate of a dose."""
    steps = night.physical.flows.get(pump, [(0.0, 0.0)])
    levels = {e["rate_ul_min"] for e in night.entries("flow") if e["instrument"] == pump}
    rates = {e["rate_ul_min"] for e in night.entries("dose") if e["instrument"] == pump}
    ends = [*(at_s for at_s, _ in steps[1:]), max(night.until_s, steps[-1][0])]
    found: list[tuple[float, float, float]] = []
    dosing = False
    for (at_s, rate), end_s in zip(steps, ends, strict=True):
        went_on, dosing = dosing, False
        own = rate / (night.factor(pump, at_s) or 1.0)
        if rate <= 0 or not _among(own, rates) or _among(own, levels):
            continue
        dosing = True
        came_ul = rate * (end_s - at_s) / 60.0
        if went_on:
            # Its tubing began to slip in the middle of it.
            from_s, _, before_ul = found.pop()
            at_s, came_ul = from_s, before_ul + came_ul
        found.append((at_s, end_s, came_ul))
    return found


def _among(rate: float, rates: set[float]) -> bool:
    return any(abs(rate - other) <= 0.01 * other for other in rates if other > 0)


def given_ul(night: Night) -> tuple[dict[str, float], list[tuple[str, float]]]:
    """By dose, what physically came; and (pump, time) of what no row announced."""
    sent = [row for row in night.of("dose") if row.state == "sent"]
    given: defaultdict[str, float] = defaultdict(float)
    unannounced = []
    for pump in night.physical.flows:
        own = [row for row in sent if row.detail["instrument"] == pump]
        for at_s, _, came_ul in dose_flows(night, pump):
            before = [row for row in own if row.run_s <= at_s + 1e-3]
            if before:
                given[before[-1].key] += came_ul
            else:
                unannounced.append((pump, at_s))
    return given, unannounced


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    given, unannounced = given_ul(night)
    for pump, at_s in unannounced:
        yield Violation("unannounced dose", f"{pump} dosed at {at_s:.1f} s, and no row says so")
    told = {dose["key"]: dose for dose in (night.ledger or {"doses": []})["doses"]}
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in night.of("dose"):
        rows[row.key].append(row)
    for entry in night.entries("dose"):
        key = entry["key"]
        yield from _one(night, entry, given.get(key, 0.0), told.get(key), rows[key])


def _uncounted(sent: Row, rows: list[Row]) -> bool:
    """Whether no row says what came of this part of a dose."""
    after = [row for row in rows if row.seq > sent.seq and "classification" in row.detail]
    return not after or after[0].detail["classification"] == "unknown"


def _one(
    night: Night,
    entry: dict[str, Any],
    came_ul: float,
    told: dict[str, Any] | None,
    rows: list[Row],
) -> Iterator[Violation]:
    key, planned_ul, pump = entry["key"], entry["volume_ul"], entry["instrument"]
    allowed_ul = 0.3 + PART * planned_ul + 2 * step_ul(night, pump)
    sent = [row for row in rows if row.state == "sent"]
    last = rows[-1] if rows else None
    if sent:
        allowed_ul += planned_ul * night.most_off(pump, sent[0].run_s, night.until_s)
    # A rest that is confirmed does not make known what came before it.
    told_unknown = any(row.detail.get("classification") == "unknown" for row in rows)
    doubted = last is None or last.state == "unknown" or told_unknown or night.end is None
    if came_ul > planned_ul + allowed_ul:
        # Only what nobody counted may come again: of a part that was counted, its rest alone.
        unknown_ul = sum(row.detail["volume_ul"] for row in sent if _uncounted(row, rows))
        asked = entry["on_unknown"] in ("redo", "ask")
        if not (doubted and asked and came_ul <= planned_ul + unknown_ul + allowed_ul):
            state = "nothing" if last is None else last.state
            yield Violation(
                "dose twice",
                f"{key}: {came_ul:.2f} of {planned_ul:g} µL came, the journal says {state}",
            )
    if night.ledger is None or night.end is None:
        return
    if told is None:
        if came_ul > allowed_ul:
            yield Violation("dose untold", f"{key}: {came_ul:.2f} µL came, the ledger has none")
        return
    told_ul = told["delivered_ul"]
    if told_ul is not None and abs(told_ul - came_ul) > allowed_ul:
        if not sent or not night.unseen(pump, sent[0].run_s, night.until_s):
            yield Violation(
                "dose volume", f"{key}: the ledger says {told_ul:.2f} µL, physically {came_ul:.2f}"
            )
    for name in UPPER:
        if told.get(name) is not None and came_ul > told[name] + allowed_ul:
            yield Violation(
                "dose bound", f"{key}: at most {told[name]:.2f} µL, physically {came_ul:.2f}"
            )
