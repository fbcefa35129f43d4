"""What each arm has at one moment, told apart by nerve factors, impulses, insult and supply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from labrig.plan.targets import flow_ml_h
from labrig.protocol.contents import amount_unit, role_of
from labrig.protocol.models import Arm, Protocol, TargetStep

WASHED_OUT = 3.0
"""[P] Exchanges of the chamber after which a change of a target is complete: e⁻³ = 5 % is left."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """Levels in words; "" for none of it.

    Attributes:
        nerve, insult, other: factors and concentrations by their role.
        impulses: the live pattern.
        supply: the flow where it is less than the protocol's.
        withdrawn: nerve factors that the arm once had, and when they ended.
    """

    nerve: str
    impulses: str
    insult: str = ""
    supply: str = ""
    other: str = ""
    withdrawn: str = ""


@dataclass(frozen=True, slots=True)
class Support:
    """What a healthy culture has in this protocol; "" where no arm has it.

    Attributes:
        nerve: of the levels of nerve factors the one with the most of them.
        impulses: the live pattern of most arms, the first of several.
    """

    nerve: str
    impulses: str


def treatments(
    protocol: Protocol, at_s: float, volume_ml: float
) -> tuple[dict[str, Treatment], dict[str, str]]:
    """What every arm has at a moment, and why some arms have nothing definite then.

    A target in steps counts as what its last step says, once the chamber has been exchanged
    :data:`WASHED_OUT` times since; between, the arm is neither with it nor without.

    Args:
        protocol: its arms; phases switch all of them alike and do not count here.
        at_s: on the run's clock.
        volume_ml: of a chamber.
    """
    if protocol.culture.compartments is not None:
        why = "what it has differs between the sides of a chip"
        return {}, {name: f"{name}: {why}" for name in protocol.arms}
    found, between = {}, {}
    for name, arm in protocol.arms.items():
        changing = [
            f for f, t in arm.targets.items() if _changes(protocol, name, t, at_s, volume_ml)
        ]
        if changing:
            between[name] = f"{', '.join(changing)} of {name} had just been changed"
        else:
            found[name] = _treatment(protocol, name, at_s)
    return found, between


def full_support(found: Mapping[str, Treatment], protocol: Protocol) -> Support:
    """The most nerve factors that any arm has, and the impulses that most arms have."""
    nerve = Counter(t.nerve for t in found.values() if t.nerve)
    impulses = Counter(t.impulses for t in found.values() if t.impulses)
    return Support(
        max(nerve, key=lambda level: (level.count(", "), nerve[level]), default=""),
        max(impulses, key=lambda pattern: impulses[pattern], default=""),
    )


def background(found: Mapping[str, Treatment], control: str | None) -> str:
    """What else the control has: arms with anything else are another question."""
    if control is not None and control in found:
        return found[control].other
    others = Counter(t.other for t in found.values())
    return max(others, key=lambda other: others[other], default="")


def levels(found: Iterable[Treatment], name: str) -> list[str]:
    """The levels of one kind that arms have, without none."""
    return [x for x in dict.fromkeys(getattr(t, name) for t in found) if x]


def _treatment(protocol: Protocol, name: str, at_s: float) -> Treatment:
    arm = protocol.arms[name]
    by_role: dict[str, list[str]] = {}
    for factor, level in _given(protocol, arm, at_s):
        role = role_of(protocol, factor)
        by_role.setdefault(role if role in ("nerve", "insult") else "other", []).append(level)
    pattern = protocol.patterns.get(arm.pattern or "")
    live = pattern is not None and pattern.live
    flow, full = flow_ml_h(protocol, name), protocol.perfusion
    low = full is not None and flow < full.flow_ml_h
    texts = {role: ", ".join(sorted(given)) for role, given in by_role.items()}
    treatment = Treatment(
        texts.get("nerve", ""),
        arm.pattern or "" if live else "",
        texts.get("insult", ""),
        f"{flow:g} mL/h" if low else "",
        texts.get("other", ""),
        _withdrawn(protocol, arm, at_s),
    )
    if pattern is None and any(other.pattern for other in protocol.arms.values()):
        return replace(treatment, other=f"{treatment.other} no electrodes".strip())
    return treatment


def _given(protocol: Protocol, arm: Arm, at_s: float) -> Iterable[tuple[str, str]]:
    for factor, target in arm.targets.items():
        value = _value(target, at_s)
        if value > 0:
            since_s = _since_s(target, at_s)
            late = f" from {since_s / 3600:g} h" if since_s > 0 else ""
            unit = amount_unit(protocol, factor)
            yield factor, f"{factor} {value:g} {unit}{late}"
    for bolus in arm.boluses:
        if bolus.at_s <= at_s:
            yield bolus.factor, f"{bolus.factor} {bolus.volume_ul:g} µL at {bolus.at_s / 3600:g} h"


def _value(target: float | Sequence[TargetStep], at_s: float) -> float:
    if isinstance(target, (int, float)):
        return float(target)
    past = [step for step in target if step.at_s <= at_s]
    return max(past, key=lambda step: step.at_s).concentration_ng_ml if past else 0.0


def _since_s(target: float | Sequence[TargetStep], at_s: float) -> float:
    """When what is given now began; 0 where nothing was changed."""
    if isinstance(target, (int, float)):
        return 0.0
    steps = sorted(step.at_s for step in target if step.at_s <= at_s)
    changed = [s for s in steps if s > 0 and _value(target, s) != _value(target, s - 1e-6)]
    return changed[-1] if changed else 0.0


def _withdrawn(protocol: Protocol, arm: Arm, at_s: float) -> str:
    ended = [
        f"{factor} withdrawn at {_since_s(target, at_s) / 3600:g} h"
        for factor, target in sorted(arm.targets.items())
        if role_of(protocol, factor) == "nerve"
        and _value(target, at_s) == 0
        and _since_s(target, at_s) > 0
    ]
    return ", ".join(ended)


def _changes(
    protocol: Protocol,
    name: str,
    target: float | Sequence[TargetStep],
    at_s: float,
    volume_ml: float,
) -> bool:
    """Whether a step since the last exchanges of the chamber changed between some and none."""
    flow = flow_ml_h(protocol, name)
    if isinstance(target, (int, float)) or flow <= 0:
        return False
    since_s = at_s - WASHED_OUT * volume_ml / flow * 3600.0
    steps = [step.at_s for step in target if since_s < step.at_s <= at_s]
    return any(_value(target, s - 1e-6) != _value(target, s) for s in steps if s > 0)
