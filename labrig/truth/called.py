"""People are called in time for what physically goes wrong, and no longer than it lasts.

How soon each is to be known: docs/deviations.md, "How soon".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from labrig.truth.alarms import Alarm, alarms_of
from labrig.truth.levels import Piece, pieces
from labrig.truth.night import Fault, Night, Violation
from labrig.truth.settings import off, planned_settings, unseen
from labrig.truth.spans import Span, looked_after, minus, within
from labrig.truth.steps import AT_ONCE_S, hands
from labrig.truth.suspensions import kept_off_by_outages, suspended
from labrig.truth.volumes import step_ul

LOOK_S = 60.0
"""Every instrument that holds something is looked at so often, or more often."""
NOTICED_S = 3 * LOOK_S
"""[P] Two looks that agree, and a retry between them."""
UNWRITTEN_S = 300.0
"""[P] A disk that takes nothing is met with the next row, at the latest with samples gathered."""
LITTLE = 0.4
"""Below half of what should come a pump counts as stalled; so little is below it for sure."""
LEAST_UL, STEPS = 5.0, 2.0
"""A flow is judged once so much should have come, and so many steps of the counter."""
MUTE = ("silent", "dead_until_joystick")
ANY = ("link", "hung", "worker", "journal", "disk")
"""Alarms that tell of any trouble of an instrument; a run that was stopped is not taken up again
while nothing can be written."""
DISK = ("disk_full", "disk_read_only", "journal_locked")
LOOKED_AT = ("new_era", "leadfluid", "pulse_pal", "hamilton", "watlow")
"""Types that are asked all the time; others when a picture or a reading is due."""


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    alarms = alarms_of(night)
    for pump in sorted({entry["instrument"] for entry in night.entries("flow")}):
        yield from _pump(night, pump, alarms)
    for name, quantity in sorted(planned_settings(night)):
        yield from _setting(night, name, quantity, alarms)
    for name in sorted(night.types):
        yield from _mute(night, name, alarms)
        yield from _link_stands_on(night, name, alarms)
    yield from _disk(night, alarms)


def _untold(
    alarms: list[Alarm], codes: Collection[str], abouts: Collection[str], span: Span, in_s: float
) -> bool:
    """Whether it lasted for longer than that, and nobody was called in this time."""
    from_s, to_s = span
    return to_s - from_s > in_s and not any(
        alarm.code in codes and alarm.about in abouts
        and alarm.from_s <= from_s + in_s and alarm.to_s >= from_s
        for alarm in alarms
    )  # fmt: skip


def kept_off(night: Night, pump: str) -> list[Span]:
    """When a pump stood by a rule, at a person's hands, or while nobody had been there for long."""
    found = [(at.from_s, at.to_s + AT_ONCE_S) for at in hands(night) if pump in at.holds]
    found += [(from_s, to_s + AT_ONCE_S) for from_s, to_s in suspended(night, pump)]
    return found + kept_off_by_outages(night, pump)


def flow_is_judged_in_s(night: Night, pump: str, rate_ul_min: float) -> float:
    """How long it may take to see whether anything comes of such a rate.

    A witness that had just begun when flow ended, one that says nothing, one that does; a dose in
    which nobody looks at the level.
    """
    witness_ul = max(LEAST_UL, STEPS * step_ul(night, pump))
    doses = [entry for entry in night.entries("dose") if entry["instrument"] == pump]
    dose_s = max((60.0 * d["volume_ul"] / d["rate_ul_min"] for d in doses), default=0.0)
    return 3 * 60.0 * witness_ul / rate_ul_min + dose_s + NOTICED_S


def _pump(night: Night, pump: str, alarms: list[Alarm]) -> Iterator[Violation]:
    free = minus(looked_after(night), kept_off(night, pump))
    abouts = (pump, night.ports[pump], "journal")
    changes_s = [e["offset_s"] for e in night.entries("flow") if e["instrument"] == pump]

    def little(piece: Piece) -> bool:
        return piece.wanted > 0 and piece.really < LITTLE * piece.wanted and not piece.dosing

    for stretch, wanted in _merged(night, pump, little, changes_s):
        for span in within(free, stretch):
            if night.unseen(pump, *span):
                continue
            in_s = flow_is_judged_in_s(night, pump, wanted)
            if _untold(alarms, ("stall", "rate", *ANY), abouts, span, in_s):
                yield Violation(
                    "nobody called",
                    f"{pump}: hardly anything of {wanted:g} µL/min came from {span[0]:.1f} to "
                    f"{span[1]:.1f} s; {in_s:.0f} s were enough to see it",
                )

    def as_planned(piece: Piece) -> bool:
        right = abs(piece.really - piece.wanted) <= 0.01 * piece.wanted + 1e-9
        return piece.wanted > 0 and right and not piece.dosing

    for stretch, wanted in _merged(night, pump, as_planned, changes_s):
        in_s = flow_is_judged_in_s(night, pump, wanted)
        for alarm in alarms:
            if alarm.code not in ("stall", "rate") or alarm.about != pump:
                continue
            for span in within(within(free, stretch), (alarm.from_s, alarm.to_s)):
                for sound_s in minus([span], _disturbed(night, pump)):
                    if sound_s[1] - sound_s[0] > in_s:
                        yield Violation(
                            "alarm stands on",
                            f"{alarm.code}:{pump}, though it runs as planned from "
                            f"{sound_s[0]:.1f} to {sound_s[1]:.1f} s",
                        )


def _merged(
    night: Night, pump: str, wanted: Callable[[Piece], bool], changes_s: list[float]
) -> Iterator[tuple[Span, float]]:
    """Stretches of one level in which all pieces are so, and its rate."""
    open_: list[Piece] = []
    for piece in pieces(night, pump):
        if open_ and (not wanted(piece) or piece.from_s in changes_s):
            yield (open_[0].from_s, open_[-1].to_s), open_[0].wanted
            open_ = []
        if wanted(piece):
            open_.append(piece)
    if open_:
        yield (open_[0].from_s, open_[-1].to_s), open_[0].wanted


def _disturbed(night: Night, name: str) -> list[Span]:
    """When it, or who shares its line, or the computer was in trouble."""
    return [
        # A valve whose turn began in it turns for ever.
        (fault.from_s, float("inf") if fault.name == "stuck" else fault.until_s)
        for fault in night.faults
        if _concerns(night, fault, name)
    ]


def _concerns(night: Night, fault: Fault, name: str) -> bool:
    of_line = night.ports.get(fault.instrument) == night.ports[name]
    return of_line or fault.instrument in ("computer", "world")


def _setting(night: Night, name: str, quantity: str, alarms: list[Alarm]) -> Iterator[Violation]:
    left = [(from_s, to_s + AT_ONCE_S) for from_s, to_s in suspended(night, name)]
    free = minus(looked_after(night), left)
    abouts, codes = (name, night.ports[name], "journal"), ("valve", "climate", *ANY)
    longest: dict[float, float] = {}
    for stretch in off(night, name, quantity):
        longest[stretch.from_s] = stretch.to_s
    for whole in longest.items():
        for span in within(free, whole):
            if not unseen(night, name, *span) and _untold(alarms, codes, abouts, span, NOTICED_S):
                yield Violation(
                    "nobody called",
                    f"{name}: {quantity} was not as planned from {span[0]:.1f} to {span[1]:.1f} s",
                )
    right = minus(free, longest.items())
    for alarm in alarms:
        if alarm.code not in ("valve", "climate") or alarm.about != name:
            continue
        for span in within(right, (alarm.from_s, alarm.to_s)):
            for from_s, to_s in minus([span], _disturbed(night, name)):
                if to_s - from_s > NOTICED_S:
                    yield Violation(
                        "alarm stands on",
                        f"{alarm.code}:{name}, though it is as planned from {from_s:.1f} to "
                        f"{to_s:.1f} s",
                    )


def _mute(night: Night, name: str, alarms: list[Alarm]) -> Iterator[Violation]:
    """Nobody can be reached whose power or cable is gone: known at the next look."""
    for fault in night.faults:
        unplugged = fault.name == "unplug" and fault.of in ("", night.ports[name])
        if not unplugged and (fault.instrument, fault.name in MUTE) != (name, True):
            continue
        for span in within(looked_after(night), (fault.from_s, _hears_s(night, fault))):
            asked_s = span[0]
            if not night.types[name].startswith(LOOKED_AT):
                due = [at_s for at_s in _asked_s(night, name) if span[0] < at_s < span[1]]
                if not due:
                    continue
                asked_s = due[0]
            codes, abouts = ("link", "hung", "worker"), (name, night.ports[name])
            if _untold(alarms, codes, abouts, (asked_s, span[1]), NOTICED_S):
                yield Violation(
                    "nobody called",
                    f"{name} answers nobody from {asked_s:.1f} to {span[1]:.1f} s ({fault.name})",
                )


def _hears_s(night: Night, fault: Fault) -> float:
    """When it hears again: a Pulse Pal that is deaf does after its power was off, too."""
    if fault.name != "dead_until_joystick":
        return fault.until_s
    off_s = [
        other.from_s for other in night.faults
        if (other.instrument, other.name) == (fault.instrument, "reboot")
        and other.from_s > fault.from_s
    ]  # fmt: skip
    return min([fault.until_s, *off_s])


def _asked_s(night: Night, name: str) -> list[float]:
    """When a stage or a probe was asked for something: what of it came to nothing tells."""
    planned = {
        entry["key"]
        for entry in night.entries("frame", "film", "reading")
        if name in (entry.get("stage"), entry.get("instrument"))
    }
    missed = {
        row.key for row in night.of("frame", "film", "reading")
        if row.state == "missed" and "no link" in str(row.detail.get("reason", ""))
    }  # fmt: skip
    return sorted(
        entry["offset_s"]
        for entry in night.entries("frame", "film", "reading")
        if entry["key"] in planned & missed
    )


def _link_stands_on(night: Night, name: str, alarms: list[Alarm]) -> Iterator[Violation]:
    if any(row.detail.get("instrument") == name for row in night.deviations("failed-by-bug")):
        return
    for alarm in alarms:
        if alarm.named != ("link", name) or not _known(alarm, _disturbed(night, name)):
            continue
        for span in within(looked_after(night), (alarm.from_s, alarm.to_s)):
            for from_s, to_s in minus([span], _disturbed(night, name)):
                if to_s - from_s > NOTICED_S:
                    yield Violation(
                        "alarm stands on",
                        f"link:{name}, though nothing is in its way from {from_s:.1f} to "
                        f"{to_s:.1f} s",
                    )


def _known(alarm: Alarm, causes: list[Span]) -> bool:
    """Whether a scripted fault made it: how long another cause lasts nothing here can tell."""
    return any(from_s <= alarm.from_s <= to_s + NOTICED_S for from_s, to_s in causes)


def _disk(night: Night, alarms: list[Alarm]) -> Iterator[Violation]:
    """A journal that cannot be written calls somebody, and is told well when it can."""
    codes, about = ("disk", "journal"), ("journal",)
    busy = any(kind.startswith(LOOKED_AT) for kind in night.types.values())
    bad = [(f.from_s, f.until_s) for f in night.faults if f.name in DISK]
    for fault in bad:
        for span in within(looked_after(night), fault):
            if busy and _untold(alarms, codes, about, span, UNWRITTEN_S):
                yield Violation(
                    "nobody called", f"nothing could be written from {span[0]:.1f} s on"
                )
    for alarm in alarms:
        if alarm.code not in codes or not _known(alarm, bad):
            continue
        good = minus(looked_after(night), bad)
        for from_s, to_s in within(good, (alarm.from_s, alarm.to_s)):
            if to_s - from_s > NOTICED_S:
                yield Violation("alarm stands on", f"{alarm.code} from {from_s:.1f} s on")
