"""Alarms, by the rows beside them: what a row tells somebody was called for, and it ended in time.

Whether people were called in time for what *physically* went wrong: ``called``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from labrig.truth.night import Night, Row, Violation
from labrig.truth.spans import looked_after
from labrig.truth.steps import ENDS

AT_ONCE_S = 5.0
"""[P] From the row that tells of something to the alarm about it, and likewise to its end."""
AGAIN_S = 180.0
"""[P] From a takeover until what its runner found again is told again: two looks and a retry."""
FAR_OFF, FAR_OFF_S = 2.0, 900.0
"""More than so many warning limits, for so long: docs/deviations.md, ``environment-trip``."""
LABELS = {"co2_percent": "CO2", "temperature_c": "temperature", "o2_percent": "O2"}
"""What an alarm about the air is about, by quantity."""

BEGINS = {
    "stall": ("stall", "instrument"), "link-lost": ("link", "instrument"),
    "failed-by-bug": ("link", "instrument"), "stage-lost": ("stage-lost", "instrument"),
    "interlock": ("interlock", "rule"), "outage": ("outage", "=run"),
    "watchdog-armed": ("watchdog", "instrument"), "worker-died": ("worker", "port"),
    "folder-lost": ("folder", "=run folder"), "journal-damaged": ("journal-damaged", "=journal"),
    "environment-unseen": ("probe", "instrument"), "saturated": ("saturated", "instrument"),
}  # fmt: skip
"""By code of a deviation: the alarm that comes with it, and where the row says about whom."""
ENDED_BY = {
    "stall-recovered": ("stall", "instrument"), "link-restored": ("link", "instrument"),
    "stage-homed-by-operator": ("stage-lost", "instrument"),
    "interlock-over": ("interlock", "rule"), "environment-seen": ("probe", "instrument"),
    "outage-over": ("outage", "=run"), "folder-back": ("folder", "=run folder"),
}  # fmt: skip
"""By code of a deviation: the alarm that ends with it."""


@dataclass(frozen=True)
class Alarm:
    """One, from the row that raised it until the row that cleared it; inf: it stands."""

    code: str
    about: str
    from_s: float
    to_s: float = float("inf")

    @property
    def named(self) -> tuple[str, str]:
        """What may stand once at a time."""
        return self.code, self.about


def alarms_of(night: Night) -> list[Alarm]:
    """Every one, in the order in which they were raised."""
    found: list[Alarm] = []
    standing: dict[tuple[str, str], int] = {}
    for row in night.of("alarm"):
        named = row.detail["code"], row.detail["about"]
        if row.state == "raised" and named not in standing:
            standing[named] = len(found)
            found.append(Alarm(*named, row.run_s))
        elif row.state == "cleared" and named in standing:
            index = standing.pop(named)
            found[index] = replace(found[index], to_s=row.run_s)
    return found


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    alarms = alarms_of(night)
    yield from _once(night)
    yield from _with_their_rows(night, alarms)
    yield from _failed(night, alarms)
    yield from _steps(night, alarms)
    yield from _air(night, alarms)


def _once(night: Night) -> Iterator[Violation]:
    """Raised, then cleared, never one of them twice in turn."""
    since_s: dict[tuple[str, str], float] = {}
    for row in night.of("alarm"):
        named = row.detail["code"], row.detail["about"]
        what = f"{':'.join(named)} at {row.run_s:.1f} s"
        if row.state == "raised" and named in since_s:
            yield Violation("alarm raised twice", f"{what}; it stands since {since_s[named]:.1f} s")
        elif row.state == "raised":
            since_s[named] = row.run_s
        elif named not in since_s:
            yield Violation("alarm cleared", f"{what} was cleared, and nobody had raised it")
        else:
            from_s = since_s.pop(named)
            if abs(from_s - row.detail["from_s"]) > AT_ONCE_S:
                said_s = row.detail["from_s"]
                yield Violation("alarm cleared", f"{what}: since {said_s:.1f}, not {from_s:.1f} s")


def _deadline_s(night: Night, at_s: float) -> float | None:
    """By when what happened then must have been told; None: the run stopped or ended before."""
    spans = looked_after(night)
    if any(from_s <= at_s and at_s + AT_ONCE_S <= to_s for from_s, to_s in spans):
        return at_s + AT_ONCE_S
    for from_s, to_s in spans:
        if from_s >= at_s and to_s - from_s > AGAIN_S:
            return from_s + AGAIN_S
    return None


def _stands(alarms: list[Alarm], named: tuple[str, str], from_s: float, to_s: float) -> bool:
    return any(a.named == named and a.from_s <= to_s and a.to_s >= from_s for a in alarms)


def _about(row: Row, field: str) -> str:
    return field[1:] if field.startswith("=") else str(row.detail[field])


def _with_their_rows(night: Night, alarms: list[Alarm]) -> Iterator[Violation]:
    begun = [
        (row.run_s, code, _about(row, field))
        for row in night.of("deviation")
        if row.key in BEGINS
        for code, field in (BEGINS[row.key],)
    ]
    ended = [
        (row.run_s, code, _about(row, field))
        for row in night.of("deviation")
        if row.key in ENDED_BY
        for code, field in (ENDED_BY[row.key],)
    ]
    # Whoever took the run over between the row and its alarm, and met it answering.
    met = [
        (row.run_s, "link", row.detail["instrument"])
        for row in night.of("run")
        if row.key == "attached"
    ]
    for at_s, *named in begun:
        by_s = _deadline_s(night, at_s)
        over = any(
            [*named] == [*its] and at_s <= end_s <= (by_s or end_s) for end_s, *its in ended + met
        )
        if by_s is None or over:
            continue
        if not _stands(alarms, (named[0], named[1]), at_s - AT_ONCE_S, by_s):
            yield Violation(
                "nobody called", f"a row of {at_s:.1f} s tells of {':'.join(named)}; no alarm does"
            )
    for at_s, *named in ended:
        by_s = _deadline_s(night, at_s)
        again = any([*named] == [*its] and at_s <= more_s <= (by_s or more_s)
                    for more_s, *its in begun)  # fmt: skip
        if by_s is None or again:
            continue
        if any([*a.named] == [*named] and a.from_s < at_s and a.to_s > by_s for a in alarms):
            yield Violation(
                "alarm stands on", f"{':'.join(named)}, which a row ended at {at_s:.1f} s"
            )


def _failed(night: Night, alarms: list[Alarm]) -> Iterator[Violation]:
    """A dose that failed, a picture that was missed by camera or stage."""
    entries = {entry["key"]: entry for entry in night.entries("dose", "frame", "film")}
    for row in night.rows:
        entry = entries.get(row.key)
        if entry is not None and (row.kind, row.state) == ("dose", "failed"):
            wanted = [
                ("dose-refused", entry["instrument"]),
                ("dose-not-given", entry["instrument"]),
            ]
        elif row.kind == "deviation" and row.key == "picture-missed":
            picture = entries[row.detail["key"]]
            wanted = [("camera", picture["camera"]), ("stage-lost", picture["stage"])]
        else:
            continue
        by_s = _deadline_s(night, row.run_s)
        # Nothing is begun again to raise it: a runner that died at once took it along.
        if by_s is None or by_s > row.run_s + AT_ONCE_S:
            continue
        if not any(_stands(alarms, named, row.run_s - AT_ONCE_S, by_s) for named in wanted):
            what = row.detail.get("key", row.key)
            yield Violation("nobody called", f"{what} failed at {row.run_s:.1f} s")


def _steps(night: Night, alarms: list[Alarm]) -> Iterator[Violation]:
    """A step of people whose time is over, until somebody signs, refuses, or it is missed."""
    for entry in night.entries("step"):
        rows = [row for row in night.of("step") if row.key == entry["key"]]
        ends_s = [row.run_s for row in rows if row.state in (*ENDS, "acknowledged")]
        own = [alarm for alarm in alarms if alarm.named == ("step", entry["step"])]
        over_s = entry["offset_s"] + entry["within_s"]
        by_s = _deadline_s(night, over_s)
        if by_s is not None and not any(end_s <= by_s for end_s in ends_s):
            if not _stands(own, ("step", entry["step"]), over_s, by_s):
                yield Violation("nobody called", f"{entry['key']} is overdue at {over_s:.1f} s")
        ended_s = _deadline_s(night, min(ends_s)) if ends_s else None
        if ended_s is not None and any(
            alarm.from_s < min(ends_s) and alarm.to_s > ended_s for alarm in own
        ):
            yield Violation("alarm stands on", f"{entry['key']} ended at {min(ends_s):.1f} s")


@dataclass(frozen=True)
class _Look:
    """One reading: what is off by more than a warning limit, and whether anything far off.

    One that is not ``whole`` (a value is missing, or the probe does not vouch for it) says nothing.
    """

    at_s: float
    probe: str
    whole: bool
    off: dict[str, bool]
    far_off: bool


def _air(night: Night, alarms: list[Alarm]) -> Iterator[Violation]:
    """Every reading is right, or somebody is called; and nobody any more once it is right."""
    looks = [look for row in night.of("reading") if (look := _look(night, row)) is not None]
    far_since_s: dict[str, float] = {}
    before_s: dict[str, float] = {}
    for look in looks:
        by_s = _deadline_s(night, look.at_s)
        in_time = by_s == look.at_s + AT_ONCE_S
        if not any(a <= before_s.get(look.probe, 0.0) and look.at_s <= b
                   for a, b in looked_after(night)):  # fmt: skip
            far_since_s.pop(look.probe, None)  # whoever takes over counts anew
        before_s[look.probe] = look.at_s
        judged = {("probe", look.probe): not look.whole}
        if look.whole:
            judged |= {
                ("environment", f"{look.probe} {LABELS[quantity]}"): off
                for quantity, off in look.off.items()
            }
            since_s = far_since_s.setdefault(look.probe, look.at_s)
            if not look.far_off:
                del far_since_s[look.probe]
                judged["environment-trip", look.probe] = False
            elif look.at_s - since_s >= FAR_OFF_S:
                judged["environment-trip", look.probe] = True
        for named, wrong in judged.items() if in_time else ():
            yield from _judged(alarms, named, wrong, look.at_s)


def _judged(
    alarms: list[Alarm], named: tuple[str, str], wrong: bool, at_s: float
) -> Iterator[Violation]:
    what = f"{':'.join(named)} at the reading of {at_s:.1f} s"
    if wrong and not _stands(alarms, named, at_s, at_s + AT_ONCE_S):
        yield Violation("nobody called", what)
    stands_on = any(
        a.named == named and a.from_s < at_s and a.to_s > at_s + AT_ONCE_S for a in alarms
    )
    if not wrong and stands_on:
        yield Violation("alarm stands on", what)


def _look(night: Night, row: Row) -> _Look | None:
    if row.state != "confirmed":
        return None
    probe, trusted = row.detail["instrument"], row.detail["trusted"]
    beside = ("instrument", "trusted", "note")
    values = {quantity: value for quantity, value in row.detail.items() if quantity not in beside}
    if not trusted or None in values.values():
        return _Look(row.run_s, probe, whole=False, off={}, far_off=False)
    wanted = {q: its for q, its in _wanted(night, probe).items() if q in values and q in LABELS}
    away = {
        quantity: _away(points, settle_s, row.run_s, values[quantity]) / limit
        for quantity, (points, limit, settle_s) in wanted.items()
    }
    off = {quantity: limits > 1.0 for quantity, limits in away.items()}
    far_off = any(limits > FAR_OFF for limits in away.values())
    return _Look(row.run_s, probe, whole=True, off=off, far_off=far_off)


def _away(points: list[tuple[float, float]], settle_s: float, at_s: float, value: float) -> float:
    """How far from what is set, or was within the time in which the air follows."""
    ends_s = [*(from_s for from_s, _ in points[1:]), float("inf")]
    held = [
        point for (from_s, point), end_s in zip(points, ends_s, strict=True)
        if from_s <= at_s < end_s + settle_s
    ] or [points[0][1]]  # fmt: skip
    return max(min(held) - value, value - max(held), 0.0)


def _wanted(night: Night, probe: str) -> dict[str, tuple[list[tuple[float, float]], float, float]]:
    """By quantity: its set points, the warning limit, how long the air may take to follow."""
    rules: dict[str, Any] = night.plan["rules"]
    found = {
        "co2_percent": ([(0.0, rules["co2_percent"])], rules["warn_co2_percent"], 0.0),
        "temperature_c": ([(0.0, rules["temperature_c"])], rules["warn_temperature_c"], 0.0),
    }
    for each in night.plan.get("climate", ()):
        if probe in (each["instrument"], each["probe"]):
            points = [
                (entry["offset_s"], entry["value"])
                for entry in night.entries("climate")
                if (entry["instrument"], entry["quantity"])
                == (each["instrument"], each["quantity"])
            ]
            found[each["quantity"]] = (points, each["within"], each["settle_s"])
    return found
