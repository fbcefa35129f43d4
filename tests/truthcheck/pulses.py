"""Pulses per channel: as many as the ledger says, of the programme that was planned, and no DC."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from truthcheck.night import Night, Train, Violation


def violations(night: Night) -> Iterator[Violation]:
    yield from _foreign(night)
    if night.ledger is None:
        return
    until_s = night.ledger["until_s"]
    told = {(p["stimulator"], p["channel"]): p for p in night.ledger["pulses"]}
    given: defaultdict[tuple[str, int], int] = defaultdict(int)
    for name, trains in night.physical.trains.items():
        for train in trains:
            if train.amplitude_v > 0:
                given[name, train.channel] += sum(1 for _ in train.pulses_s(until_s))
    for key in sorted(told.keys() | given.keys()):
        low = told[key]["delivered"] if key in told else 0
        high = low + (told[key]["uncertain"] if key in told else 0)
        if not low <= given[key] <= high:
            name, channel = key
            yield Violation(
                "pulses",
                f"{name} channel {channel}: the ledger says {low} to {high}, "
                f"physically {given[key]}",
            )


def _foreign(night: Night) -> Iterator[Violation]:
    for name, trains in night.physical.trains.items():
        levels = sorted(
            (e for e in night.entries("stimulation") if e["instrument"] == name),
            key=lambda e: float(e["offset_s"]),
        )
        for train in trains:
            if not any(_fits(train, spec) for spec in _in_force(levels, train)):
                yield Violation(
                    "foreign train",
                    f"{name} channel {train.channel} at {train.at_s:.1f} s played "
                    f"{train.frequency_hz:.4g} Hz, {train.amplitude_v:.3g} V, "
                    f"{train.phase_ms:g} ms, {'bi' if train.biphasic else 'mono'}phasic for "
                    f"{train.duration_s:g} s, which its level does not hold",
                )


def _in_force(levels: list[dict[str, Any]], train: Train) -> list[dict[str, Any]]:
    begun = [level for level in levels if level["offset_s"] <= train.at_s + 1e-3]
    specs = begun[-1]["trains"] if begun else []
    return [spec for spec in specs if spec["channel"] == train.channel]


def _fits(train: Train, spec: dict[str, Any]) -> bool:
    close = (
        (train.phase_ms, spec["phase_ms"], 0.051),
        (train.amplitude_v, spec["amplitude_v"], 0.01),
        (train.frequency_hz, spec["frequency_hz"], 0.01 * spec["frequency_hz"]),
        (train.duration_s, spec["duration_s"], 0.02),
        (train.gap_s, spec["gap_s"], 0.02),
    )
    same = train.biphasic == spec["biphasic"]
    return same and all(abs(one - other) <= within for one, other, within in close)
