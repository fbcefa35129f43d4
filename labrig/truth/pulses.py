"""Pulses per channel: as many as the ledger says, of the programme that was planned, and no DC."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from labrig.truth.night import Night, Train, Violation

DIRECT_CURRENT_V, DIRECT_CURRENT_S = 0.02, 2.0
"""More than this for longer between pulses corrodes electrodes and kills cells."""
BEYOND_REACH = ("silent", "dead_until_joystick")
"""Faults in which nobody can tell the stimulator to rest."""


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    yield from _foreign(night)
    yield from _tests(night)
    yield from _direct_current(night)
    if night.ledger is None:
        return
    until_s = night.ledger["until_s"]
    told = {(p["stimulator"], p["channel"]): p for p in night.ledger["pulses"]}
    given: defaultdict[tuple[str, int], int] = defaultdict(int)
    for name, trains in night.physical.trains.items():
        for train in trains:
            if train.live and not clicked_on(night, name, train):
                given[name, train.channel] += sum(1 for _ in train.pulses_s(until_s))
    for key in sorted(told.keys() | given.keys()):
        low = told[key]["delivered"] if key in told else 0
        high = low + (told[key]["uncertain"] if key in told else 0)
        if not low - _lost_unseen(night, *key) <= given[key] <= high:
            name, channel = key
            yield Violation(
                "pulses",
                f"{name} channel {channel}: the ledger says {low} to {high}, "
                f"physically {given[key]}",
            )


def clicked_on(night: Night, name: str, train: Train) -> bool:
    """Whether a click at a deaf stimulator let a frozen train go on, with settings of its own."""
    clicks_s = [
        fault.until_s if fault.name == "dead_until_joystick" else fault.from_s
        for fault in night.faults
        if fault.instrument == name and fault.name in ("dead_until_joystick", "joystick_click")
    ]
    clicked = any(abs(train.at_s - click_s) < 1e-3 for click_s in clicks_s)
    return clicked and not _triggered(night, name, train)


def _triggered(night: Night, name: str, train: Train) -> bool:
    """Whether a runner began it, in the moment of a click: with the settings of its level."""
    told = any(
        row.kind == "train" and row.state == "acknowledged"
        and row.detail["instrument"] == name and abs(row.run_s - train.at_s) < 1e-3
        and str(train.channel) in row.detail["pulses"]
        for row in night.rows
    )  # fmt: skip
    return told and _as_planned(night, name, train)


def _as_planned(night: Night, name: str, train: Train) -> bool:
    levels = sorted(
        (e for e in night.entries("stimulation") if e["instrument"] == name),
        key=lambda e: float(e["offset_s"]),
    )
    return any(
        _fits(train, spec)
        for whole in _in_force(levels, train)
        for spec in _resolved(night, name, whole, train)
    )


def _rest_of_clicked_on(night: Night, name: str, train: Train) -> bool:
    """Whether it is such a train that was told its programme anew and goes on with that."""
    return any(
        before.channel == train.channel
        and before.until_s == train.at_s < before.at_s + before.duration_s
        and (clicked_on(night, name, before) or _rest_of_clicked_on(night, name, before))
        for before in night.physical.trains.get(name, ())
        if before.at_s < train.at_s
    )


def _lost_unseen(night: Night, name: str, channel: int) -> int:
    """Pulses that a loss of power or a click cut off: no Pulse Pal tells a living runner."""
    gaps = [(row.detail["from_s"], row.detail["to_s"]) for row in night.deviations("gap")]
    # From a gap on the ledger is unsure by itself; what the row before it told was not.
    cuts = {
        fault.from_s: min(
            (from_s for from_s, to_s in gaps if from_s - 1.0 <= fault.from_s <= to_s),
            default=float("inf"),
        )
        for fault in night.faults
        if fault.instrument == name
        and fault.name in ("reboot", "joystick_click", "dead_until_joystick")
    }
    lost = 0
    for train in night.physical.trains.get(name, []):
        sure_s = [to_s for cut_s, to_s in cuts.items() if abs(train.until_s - cut_s) < 1e-3]
        if train.channel == channel and sure_s:
            whole = replace(train, until_s=float("inf"))
            due = sum(1 for _ in whole.pulses_s(max(sure_s)))
            lost += max(0, due - sum(1 for _ in train.pulses_s()))
    return lost


def _direct_current(night: Night) -> Iterator[Violation]:
    for (name, channel), steps in night.physical.volts.items():
        ends = [*(at_s for at_s, _ in steps[1:]), night.until_s]
        for (at_s, volts), end_s in zip(steps, ends, strict=True):
            long_s = end_s - max(at_s, 0.0)
            excused = any(
                fault.instrument == name
                and fault.name in BEYOND_REACH
                and fault.active(at_s - 10.0, end_s)
                for fault in night.faults
            )
            if abs(volts) > DIRECT_CURRENT_V and long_s > DIRECT_CURRENT_S and not excused:
                yield Violation(
                    "direct current",
                    f"{name} channel {channel} held {volts:g} V from {at_s:.1f} s for {long_s:.1f}",
                )


def _foreign(night: Night) -> Iterator[Violation]:
    for name, trains in night.physical.trains.items():
        for train in trains:
            if not (
                _as_planned(night, name, train)
                or clicked_on(night, name, train)
                or _rest_of_clicked_on(night, name, train)
            ):
                yield Violation(
                    "foreign train",
                    f"{name} channel {train.channel} at {train.at_s:.1f} s played "
                    f"{train.frequency_hz:.4g} Hz, {train.amplitude_v or 0.0:.3g} V, "
                    f"{train.phase_ms:g} ms, {'bi' if train.biphasic else 'mono'}phasic for "
                    f"{train.duration_s:g} s, which its level does not hold",
                )


def _resolved(
    night: Night, name: str, spec: dict[str, Any], train: Train
) -> Iterator[dict[str, Any]]:
    """A train's programme with each amplitude that it may have had when it began.

    One in % of capture: that share of what was frozen on its channel before, never above the plan;
    without a threshold what the protocol or a person puts in its place.
    """
    if spec.get("of_capture") is None:
        yield spec
        return
    frozen = [
        row.detail["volts"]
        for row in night.rows
        if (row.kind, row.key) == ("run", "capture-frozen")
        and row.run_s <= train.at_s + 1e-3
        and (row.detail["assay"], row.detail["instrument"], row.detail["channel"])
        == (spec["capture"], name, spec["channel"])
    ]
    known = frozen[0] if frozen else None
    answered = any(
        row.kind == "question"
        and row.key == f"capture:{name}"
        and row.detail.get("choice") == "use-fallback"
        and row.run_s <= train.at_s + 1e-3
        for row in night.rows
    )
    if known is not None and known * spec["of_capture"] <= spec["amplitude_v"] + 1e-6:
        yield {**spec, "amplitude_v": known * spec["of_capture"]}
    elif known is None and spec["fallback_v"] is not None:
        if spec["if_unknown"] == "fallback" or (spec["if_unknown"] == "ask" and answered):
            yield {**spec, "amplitude_v": spec["fallback_v"]}


def _tests(night: Night) -> Iterator[Violation]:
    """A step of a test series that was triggered gave the pulses that it was planned to give."""
    triggered = {
        row.key for row in night.rows if row.kind == "train" and row.state == "acknowledged"
    }
    levels = sorted(night.entries("stimulation"), key=lambda e: float(e["offset_s"]))
    for level in levels:
        for spec in level["trains"]:
            once = ":" in spec["pattern"] and level["key"] in triggered
            if not once or spec["gap_s"] > 0 or spec["every_s"] == 10.0:
                continue
            name, from_s = level["instrument"], float(level["offset_s"])
            given = sum(
                sum(1 for _ in train.pulses_s())
                for train in night.physical.trains.get(name, [])
                if train.channel == spec["channel"]
                and from_s <= train.at_s < from_s + spec["every_s"]
                and not clicked_on(night, name, train)
            )
            cut = any(
                row.key in ("held", "stopped", "adopted", "stimulation-silenced")
                and from_s <= row.run_s <= from_s + spec["every_s"]
                for row in night.rows
                if row.kind == "run"
            )
            if given != spec["pulses"] and not cut and not night.faults:
                yield Violation(
                    "test pulses",
                    f"{spec['pattern']} at {from_s:.1f} s gave {given} pulses and not "
                    f"{spec['pulses']}",
                )


def _in_force(levels: list[dict[str, Any]], train: Train) -> list[dict[str, Any]]:
    begun = [level for level in levels if level["offset_s"] <= train.at_s + 1e-3]
    specs = begun[-1]["trains"] if begun else []
    return [spec for spec in specs if spec["channel"] == train.channel]


def _fits(train: Train, spec: dict[str, Any]) -> bool:
    close = (
        (train.phase_ms, spec["phase_ms"], 0.051),
        (train.amplitude_v or 0.0, spec["amplitude_v"] or 0.0, 0.01),
        (train.amplitude_ma or 0.0, spec.get("amplitude_ma") or 0.0, 0.01),
        (train.frequency_hz, spec["frequency_hz"], 0.01 * spec["frequency_hz"]),
        (train.duration_s, spec["duration_s"], 0.02),
        (train.gap_s, spec["gap_s"], 0.02),
    )
    same = train.biphasic == spec["biphasic"]
    return same and all(abs(one - other) <= within for one, other, within in close)
