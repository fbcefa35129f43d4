"""What people do: asked once, ended once, told when late or not done; nothing acts meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labrig.truth.doses import dose_flows
from labrig.truth.night import Night, Row, Violation

AT_ONCE_S = 60.0
"""[P] From the row that says so to the instrument: a turn of a busy worker, a film."""
ENDS = frozenset({"confirmed", "missed", "refused", "skipped"})


@dataclass(frozen=True)
class Hands:
    """At the bench from when to when; ``holds``: pumps that stand until ``fed_s`` at most.

    ``at_plate``: not at a bottle or a syringe, where impulses go on.
    """

    from_s: float
    to_s: float
    holds: tuple[str, ...]
    fed_s: float
    at_plate: bool = True


def hands(night: Night) -> list[Hands]:
    """By the rows of steps, in order of their beginning."""
    found = []
    for begun in night.rows:
        if begun.kind != "step" or begun.state != "sent":
            continue
        ends = [
            row.run_s
            for row in night.rows
            if row.kind == "step" and row.key == begun.key
            and row.state in (*ENDS, "acknowledged") and row.run_s >= begun.run_s
        ]  # fmt: skip
        to_s = min(ends, default=night.until_s)
        fed = [
            row.run_s
            for row in night.deviations("step-held-too-long")
            if row.detail["key"] == begun.key
        ]
        holds = tuple(begun.detail.get("holds", ()))
        # The name of a step about a supply has a colon, which no protocol's own has.
        found.append(Hands(begun.run_s, to_s, holds, min([to_s, *fed]), ":" not in begun.key))
    return found


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    yield from _meanwhile(night)
    asked = Counter(
        row.key
        for row in night.rows
        if row.kind == "question" and row.state == "asked" and row.key.startswith("step/")
    )
    for key, times in asked.items():
        if times > 1:
            yield Violation("step asked twice", f"{key} was asked {times} times")
    told = {
        row.detail["key"]: row.key
        for row in night.deviations("step-late", "step-missed", "step-not-paused")
        if row.key != "step-not-paused"
    }
    for entry in night.entries("step"):
        rows = [row for row in night.rows if row.kind == "step" and row.key == entry["key"]]
        ends = [row for row in rows if row.state in ENDS]
        if len(ends) > 1:
            yield Violation("step ended twice", f"{entry['key']} ended {len(ends)} times")
        if not ends and night.end is not None and rows:
            yield Violation("step without an end", f"{entry['key']} has no last row")
        for row in ends:
            yield from _untold(entry, row, told)


def _untold(entry: dict[str, Any], row: Row, told: dict[str, str]) -> Iterator[Violation]:
    by_s = entry["offset_s"] + entry["within_s"]
    late = row.state == "confirmed" and row.detail["done_s"] > by_s + 1e-6
    if late and told.get(entry["key"]) != "step-late":
        yield Violation("step untold", f"{entry['key']} was late, and no deviation says so")
    if row.state in ("missed", "refused") and told.get(entry["key"]) != "step-missed":
        yield Violation("step untold", f"{entry['key']} was {row.state}, and no deviation says so")


def _meanwhile(night: Night) -> Iterator[Violation]:
    for at in hands(night):
        for instrument, trains in night.physical.trains.items() if at.at_plate else ():
            for train in trains:
                if at.from_s + AT_ONCE_S < train.at_s < at.to_s:
                    yield Violation(
                        "train at a person's hands",
                        f"{instrument} began one at {train.at_s:.1f} s; hands were at the plate "
                        f"from {at.from_s:.1f} to {at.to_s:.1f} s",
                    )
        for pump in at.holds:
            middle_s = at.from_s + AT_ONCE_S
            if _nobody_lived(night, middle_s) or _finishes_a_dose(night, pump, at.from_s, middle_s):
                continue
            if middle_s < at.fed_s and night.physical.rate_ul_min(pump, middle_s) > 0:
                yield Violation(
                    "pump at a person's hands",
                    f"{pump} moved at {middle_s:.1f} s; it should have stood from "
                    f"{at.from_s:.1f} to {at.fed_s:.1f} s",
                )


def _finishes_a_dose(night: Night, pump: str, from_s: float, at_s: float) -> bool:
    """Whether it gives one that was under way when the hands came: that one is finished."""
    return any(a <= from_s and at_s < b for a, b, _ in dose_flows(night, pump))


def _nobody_lived(night: Night, at_s: float) -> bool:
    """Whether the record tells that no runner was there to have a pump stand."""
    return any(gap.detail["from_s"] <= at_s < gap.detail["to_s"] for gap in night.deviations("gap"))
