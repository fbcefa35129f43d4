"""What nights meet from :data:`labrig.soak.drawing.WIDER` on, beside what those before it do.

Cameras that fail, long outages and their rule, error rules, interlocks, a stop that lies in the
folder when the next runner comes, a disk without room for the last files.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

from labrig.rig.fault_kinds import CAMERA_FAULTS, COMPUTER, COMPUTER_FAULTS
from labrig.soak.night import Death, SeededNight, Visit
from labrig.soak.protocol_night import ProtocolNight
from labrig.soak.visitors import LAST_FILES, OUTCOME, STOP_FILE, STUCK_STOP
from labrig.twin.spec import FaultSpec

LONGER: tuple[Literal["hold", "go_on"], ...] = ("hold", "hold", "go_on")
"""What follows an outage beyond the limit."""
LIMITS_MIN = (4, 10, 30)
"""[P] Short against any protocol's own, so that a night of an hour has long outages."""
ANSWERS = ("go_on", "stop", "restart", "leave", "resume", "give_up", "hold_unit")
_PUMPS = ("new_era_ne1000", "leadfluid_bt")
Document = dict[str, Any]


def with_limit(rng: random.Random, night: SeededNight) -> SeededNight:
    """Perhaps under a limit of viability that outages may pass."""
    limit_s, longer = 60.0 * rng.choice(LIMITS_MIN), rng.choice(LONGER)
    if rng.random() < 0.5:
        return night
    rules = replace(night.plan.rules, viable_gap_s=limit_s, longer_gap=longer)
    return replace(night, plan=replace(night.plan, rules=rules))


def rules_of(rng: random.Random, protocol: Document, rig: Document) -> None:
    """Perhaps a limit of viability, error rules, interlocks."""
    if rng.random() < 0.5:
        limit, longer = rng.choice(LIMITS_MIN), rng.choice(LONGER)
        protocol["viability"] = {"short": "2 min", "limit": f"{limit} min", "longer": longer}
    if rng.random() < 0.4:
        protocol["errors"] = {
            action: rules
            for action, rules in _error_rules(rng).items()
            if rng.random() < 0.6
        }  # fmt: skip
    if rng.random() < 0.3:
        rig["interlocks"] = {
            name: rule for name, rule in _interlocks(rng, rig) if rng.random() < 0.6
        }


def _error_rules(rng: random.Random) -> Document:
    then = rng.choice(("hold_unit", "hold_run", "continue"))
    return {
        "dose": {
            "not_given": {"retry": 2, "apart": "1 min", "then": then},
            "unknown_outcome": {"then": "ask", "default": "assume_done", "after": "10 min"},
        },
        "level": {"no_answer": {"retry": rng.choice((2, 10)), "then": then}},
        "picture": {"camera_failed": {"retry": 2, "apart": "10 s", "then": then}},
    }


def _interlocks(rng: random.Random, rig: Document) -> Iterator[tuple[str, Document]]:
    by_type: dict[str, list[str]] = {}
    for name, one in rig["instruments"].items():
        by_type.setdefault(one["type"], []).append(name)
    minutes = rng.choice((0, 5, 10))
    for probe in by_type.get("vaisala_gmp25x", ()):
        stimulators = by_type.get("pulse_pal_2", [])
        act = {"action": "suspend", "suspends": stimulators} if stimulators else {"action": "alarm"}
        yield "co2_off", {"instrument": probe, "quantity": "co2_percent", "low": 4, "high": 6,
                          "hysteresis": 0.3, "for": f"{minutes} min", **act}  # fmt: skip
        yield "probe_silent", {"instrument": probe, "quantity": "co2_percent",
                               "older_than": "45 min", "action": "alarm"}  # fmt: skip
    pumps = [name for kind in _PUMPS for name in by_type.get(kind, ())]
    if pumps:
        action = rng.choice(("alarm", "hold"))
        pump = rng.choice(pumps)
        yield "stalled", {"instrument": pump, "quantity": "stalled", "action": action}


def stuck_files(rng: random.Random, night: SeededNight | ProtocolNight) -> None:
    """Of the run folder: perhaps an outcome without room, a stop whose file cannot be deleted."""
    duration_s = night.plan.forecast.duration_s
    if rng.random() < 0.1:
        night.visits.append(Visit(0.0, OUTCOME))
    if rng.random() < 0.1:
        at_s = round(rng.uniform(1.0, duration_s), 3)
        night.visits.append(Visit(at_s, STUCK_STOP, "it stays"))
        night.visits.append(Visit(at_s + rng.choice([1.0, 40.0]), "take back"))


def more_trouble(rng: random.Random, night: SeededNight | ProtocolNight) -> None:
    """Each kind is there or not."""
    duration_s = night.plan.forecast.duration_s

    def moment() -> float:
        return round(rng.uniform(1.0, duration_s), 3)

    cameras = sorted({e.camera for e in night.plan.timeline if e.kind in ("frame", "film")})
    for camera in cameras if rng.random() < 0.3 else ():
        for _ in range(rng.randint(1, 2)):
            from_s, name = moment(), rng.choice(sorted(CAMERA_FAULTS))
            until_s = from_s + rng.choice([30.0, 300.0, 1e6])
            if not any((f.instrument, f.name) == (camera, name) for f in night.faults):
                night.faults.append(FaultSpec(camera, name, from_s, until_s))
    if rng.random() < 0.1:
        from_s, value = moment(), rng.choice(COMPUTER_FAULTS["dst"].values)
        night.faults.append(FaultSpec(COMPUTER, "dst", from_s, from_s + 60.0, value))
    if rng.random() < 0.2:
        night.deaths.append(Death("at_s", moment(), rng.choice([400.0, 900.0, 2000.0])))
    if rng.random() < 0.08:
        night.visits.append(Visit(moment(), STOP_FILE, "it lay there"))
    if rng.random() < 0.1:
        night.visits.append(Visit(0.0, LAST_FILES))
    for _ in range(rng.randint(0, 3)):
        night.visits.append(Visit(moment(), "answer", rng.choice(ANSWERS)))
