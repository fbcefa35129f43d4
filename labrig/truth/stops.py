"""After a stop nothing begins; while held no dose, train or picture does."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.truth.doses import dose_flows
from labrig.truth.night import Night, Violation
from labrig.truth.pulses import clicked_on

AT_ONCE_S = 1e-3
"""What begins at the very time of the command on the virtual clock may have come before it."""


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    for from_s, until_s in stops(night):
        yield from _begun(night, "after a stop", from_s, until_s)
    for from_s, until_s in _holds(night):
        yield from _begun(night, "while held", from_s, until_s)
    if night.end is not None:
        yield from _begun(night, "after the end", night.end.run_s, float("inf"))


def stops(night: Night) -> list[tuple[float, float]]:
    """From each stop until it was taken back, if it was."""
    found: list[tuple[float, float]] = []
    for row in night.of("command"):
        open_one = bool(found) and found[-1][1] == float("inf")
        match row.detail.get("command"):
            case "stop" if not open_one:
                found.append((row.detail["at_s"], float("inf")))
            case "take-back" if open_one:
                found[-1] = (found[-1][0], row.detail["at_s"])
    return found


def _holds(night: Night) -> Iterator[tuple[float, float]]:
    since_s = None
    for row in night.of("run"):
        if row.key == "held" and since_s is None:
            since_s = row.run_s
        elif row.key == "resumed" and since_s is not None:
            yield since_s, row.run_s
            since_s = None
    if since_s is not None:
        yield since_s, float("inf")


def _begun(night: Night, when: str, from_s: float, until_s: float) -> Iterator[Violation]:
    def within(at_s: float) -> bool:
        return from_s + AT_ONCE_S < at_s < until_s - AT_ONCE_S

    for name, trains in night.physical.trains.items():
        for train in trains:
            if within(train.at_s) and not clicked_on(night, name, train):
                what = f"{name} channel {train.channel} began a train at {train.at_s:.3f} s"
                yield Violation(when, f"{what}, {train.at_s - from_s:.3f} s after it")
    for pump in night.physical.flows:
        for at_s, _, _ in dose_flows(night, pump):
            if within(at_s):
                what = f"{pump} began a dose at {at_s:.3f} s"
                yield Violation(when, f"{what}, {at_s - from_s:.3f} s after it")
    for row in night.of("frame", "film"):
        if row.state == "confirmed" and within(row.detail["begun_s"]):
            yield Violation(when, f"{row.key} was begun at {row.detail['begun_s']:.3f} s")
