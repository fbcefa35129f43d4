"""What each arm has at one moment, told apart by nerve factors, impulses, insult and supply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from labrig.protocol.compartments import compartments_of
from labrig.protocol.contents import amount_text, role_of
from labrig.protocol.models import Protocol
from labrig.protocol.programme_words import bolus_for_people
from labrig.protocol.segments import (
    Segment,
    boluses,
    is_live,
    patterns_of,
    programme,
)

WASHED_OUT = 3.0
"""[P] Exchanges of the chamber after which a change of a target is complete: e⁻³ = 5 % is left."""

TRANSMISSION_BLOCKERS = (
    "curare", "d-tubocurarine", "tubocurarine", "alpha-bungarotoxin", "a-bungarotoxin",
    "α-bungarotoxin", "neurotrypsin", "rocuronium", "vecuronium", "pancuronium", "botulinum",
)  # fmt: skip
"""[K] What keeps a muscle cell from answering its nerve; neurotrypsin by losing its receptors."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """Levels in words; "" for none of it.

    Attributes:
        nerve, insult, other: factors and concentrations by their role.
        impulses: the live pattern.
        supply: the flow where it is less than the protocol's.
        withdrawn: nerve factors and impulses that the arm once had, and when they ended.
        gap: from when to when nerve factors or impulses that it has again were away.
    """

    nerve: str
    impulses: str
    insult: str = ""
    supply: str = ""
    other: str = ""
    withdrawn: str = ""
    gap: str = ""


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

    Each arm's programme counts, stretch by stretch: what it has then, what it had and lost, and
    what it lost and got back. A factor that began or ended counts once the chamber has been
    exchanged :data:`WASHED_OUT` times since; between, the arm is neither with it nor without.

    Args:
        protocol: its arms; phases switch all of them alike and do not count here.
        at_s: on the run's clock.
        volume_ml: of a chamber.
    """
    found, between = {}, {}
    for name in protocol.arms:
        sides = [
            (side, _until(programme(protocol, name, side), at_s))
            for side in compartments_of(protocol)
        ]
        changing = [f for _, own in sides for f in _changing(own, at_s, volume_ml)]
        if changing:
            between[name] = f"{', '.join(changing)} of {name} had just been changed"
        else:
            found[name] = _treatment(protocol, name, sides, at_s)
    return found, between


def is_block(level: str) -> bool:
    """Whether one level keeps impulses of the nerve from the muscle."""
    return "until" not in level and any(
        level.casefold().startswith(name.casefold()) for name in TRANSMISSION_BLOCKERS
    )


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


def _until(own: Sequence[Segment], at_s: float) -> tuple[Segment, ...]:
    """The stretches up to a moment, the one that holds then last."""
    return tuple(part for part in own if part.start_s <= at_s) or tuple(own[:1])


def _changing(own: Sequence[Segment], at_s: float, volume_ml: float) -> Iterator[str]:
    """Factors that began or ended since the last exchanges of the chamber."""
    flow = own[-1].flow.mean_ml_h
    if flow <= 0:
        return
    since_s = at_s - WASHED_OUT * volume_ml / flow * 3600.0
    names = dict.fromkeys(factor for part in own for factor in part.targets_ng_ml)
    for factor in names:
        if any(
            after.start_s > since_s
            and (factor in before.targets_ng_ml) is not (factor in after.targets_ng_ml)
            for before, after in pairwise(own)
        ):
            yield factor


def _treatment(
    protocol: Protocol, name: str, sides: Sequence[tuple[str, Sequence[Segment]]], at_s: float
) -> Treatment:
    by_role: dict[str, list[str]] = {}
    away: dict[str, list[str]] = {}
    gaps: list[str] = []
    impulses: list[str] = []
    for side, own in sides:
        where = f" on the {side} side" if side else ""
        for factor in sorted({factor for part in own for factor in part.targets_ng_ml}):
            role = role_of(protocol, factor)
            kind = role if role in ("nerve", "insult") else "other"
            spans = _spans(own, [part.targets_ng_ml.get(factor, 0.0) for part in own])
            value = own[-1].targets_ng_ml.get(factor, 0.0)
            if value > 0:
                text = f"{factor} {amount_text(protocol, factor, value)}{where}"
                by_role.setdefault(kind, []).append(text + _since(spans))
                if kind == "nerve":
                    gaps += _gaps(spans)
            elif kind == "nerve":
                away.setdefault(f"withdrawn at {spans[-1][1] / 3600:g} h{where}", []).append(factor)
            else:
                # What was given and taken away is neither its presence nor its absence.
                by_role.setdefault("other", []).append(
                    f"{factor} until {spans[-1][1] / 3600:g} h{where}"
                )
        for bolus in boluses(protocol, name, side):
            if bolus.at_s <= at_s:
                role = role_of(protocol, bolus.factor)
                kind = role if role in ("nerve", "insult") else "other"
                text = f"{bolus_for_people(protocol, bolus)}{where}"
                by_role.setdefault(kind, []).append(text)
        played = [part.pattern if is_live(protocol, part.pattern) else "" for part in own]
        spans = _spans(own, played)
        if is_live(protocol, own[-1].pattern):
            impulses.append(f"{own[-1].pattern}{where}{_since(spans)}")
            gaps += _gaps(spans)
        elif spans:
            gone = f"withdrawn at {spans[-1][1] / 3600:g} h{where}"
            away.setdefault(gone, []).append("impulses")
        if _medium(protocol, own[-1]):
            by_role.setdefault("other", []).append(f"in {own[-1].medium}{where}")
    flow, full = sides[-1][1][-1].flow.mean_ml_h, protocol.perfusion
    low = full is not None and flow < full.flow_ml_h
    texts = {role: ", ".join(sorted(given)) for role, given in by_role.items()}
    treatment = Treatment(
        texts.get("nerve", ""),
        ", ".join(impulses),
        texts.get("insult", ""),
        f"{flow:g} mL/h" if low else "",
        texts.get("other", ""),
        ", ".join(f"{', '.join(names)} {when}" for when, names in away.items()),
        ", ".join(dict.fromkeys(gaps)),
    )
    without = all(part.pattern is None for _, own in sides for part in own)
    if without and any(patterns_of(protocol, arm, side)
                       for arm in protocol.arms for side, _ in sides):  # fmt: skip
        return replace(treatment, other=f"{treatment.other} no electrodes".strip())
    return treatment


def _spans(own: Sequence[Segment], levels_: Sequence[object]) -> list[tuple[float, float, object]]:
    """From when to when a level that is something held, stretches of one level joined."""
    spans: list[tuple[float, float, object]] = []
    for part, value in zip(own, levels_, strict=True):
        if not value:
            continue
        if spans and spans[-1][1] == part.start_s and spans[-1][2] == value:
            spans[-1] = (spans[-1][0], part.end_s, value)
        else:
            spans.append((part.start_s, part.end_s, value))
    return spans


def _since(spans: Sequence[tuple[float, float, object]]) -> str:
    """`` from 24 h`` where it was not there from the start and had not been there before."""
    began_s, _, value = spans[-1]
    had = [span for span in spans[:-1] if span[2] == value]
    return f" from {began_s / 3600:g} h" if began_s > 0 and not had else ""


def _gaps(spans: Sequence[tuple[float, float, object]]) -> list[str]:
    return [
        f"{before[1] / 3600:g} to {after[0] / 3600:g} h"
        for before, after in pairwise(spans)
        if after[0] > before[1]
    ]


def _medium(protocol: Protocol, part: Segment) -> bool:
    """Whether an arm has a medium of its own."""
    return bool(part.medium)
