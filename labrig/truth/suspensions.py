"""What an interlock suspends begins nothing until it is released."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.truth.night import Night, Violation

AT_ONCE_S = 60.0
"""[P] From the row that a rule has tripped to the instrument: a turn of a busy worker, a film."""


def suspended(night: Night, instrument: str) -> list[tuple[float, float]]:
    """From when to when some rule suspended it, in order of their beginning."""
    open_s: dict[str, float] = {}
    spans = []
    for row in night.deviations("interlock", "interlock-over"):
        if instrument not in row.detail["suspends"]:
            continue
        if row.key == "interlock":
            open_s[row.detail["rule"]] = row.run_s
        else:
            spans.append((open_s.pop(row.detail["rule"]), row.run_s))
    return sorted([*spans, *((from_s, night.until_s) for from_s in open_s.values())])


def kept_off_by_outages(night: Night, pump: str) -> list[tuple[float, float]]:
    """When a pump of additives alone stood, as nobody had looked after the run for long."""
    if {draw["carries"] for draw in night.plan["draws"] if draw["pump"] == pump} != {"additive"}:
        return []
    over_s = [row.run_s for row in night.deviations("outage-over")]
    return [
        (row.run_s, min((at_s for at_s in over_s if at_s >= row.run_s), default=float("inf")))
        for row in night.deviations("outage")
    ]


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    for instrument, trains in night.physical.trains.items():
        for from_s, to_s in suspended(night, instrument):
            for train in trains:
                # A runner that died meanwhile leaves nothing armed: it is silent all the time.
                if from_s + AT_ONCE_S < train.at_s < to_s:
                    yield Violation(
                        "train while suspended",
                        f"{instrument} began one at {train.at_s:.1f} s; it was suspended from "
                        f"{from_s:.1f} to {to_s:.1f} s",
                    )
    for row in night.rows:
        if row.kind != "dose" or row.state != "sent":
            continue
        for from_s, to_s in suspended(night, row.detail["instrument"]):
            if from_s + AT_ONCE_S < row.run_s < to_s:
                yield Violation(
                    "dose while suspended",
                    f"{row.key} was begun at {row.run_s:.1f} s; {row.detail['instrument']} was "
                    f"suspended from {from_s:.1f} to {to_s:.1f} s",
                )
