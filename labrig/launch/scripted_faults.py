"""One fault as a person names it, held against the bench: as its simulators play it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from labrig.plan.timeline import PEOPLE
from labrig.problems import did_you_mean
from labrig.rig.fault_kinds import (
    CAMERA_FAULTS,
    COMPUTER,
    COMPUTER_FAULTS,
    LASTING,
    NOT_ON_THIS_CLOCK,
    OF,
    PEOPLE_FAULTS,
    STANDS_S,
    WORLD,
    WORLD_FAULTS,
)
from labrig.rig.models import Rig
from labrig.twin.spec import FaultSpec
from labrig_drivers.instrument import installed_types
from labrig_drivers.simulation import FaultKind

BESIDE: Mapping[str, Mapping[str, FaultKind]] = {
    WORLD: WORLD_FAULTS,
    COMPUTER: COMPUTER_FAULTS,
    PEOPLE: PEOPLE_FAULTS,
}
"""What stands in place of an instrument."""
CREEP = FaultKind(
    "tubing wears: by the end of its time it moves 1 + value times what is counted",
    (-0.2, 0.1), "fraction", -1.0, 5.0,
)  # fmt: skip
WORN_BY = ("drift", "rate_error")
"""What a pump plays while it creeps, in steps."""
CREEP_S, CREEP_STEPS = 12 * 3600.0, 24
"""[P] A night's wear of a peristaltic tube, where nothing says how long; and in how many steps."""


class NoSuchFault(ValueError):
    """The bench has no such instrument, or nothing there suffers such a fault."""


@dataclass(frozen=True)
class OnBench:
    """The names of a bench.

    Attributes:
        types: by instrument.
        pump_of: by line.
    """

    types: Mapping[str, str]
    pump_of: Mapping[str, str] = field(default_factory=dict)
    reservoirs: Sequence[str] = ()
    ports: Sequence[str] = ()

    @classmethod
    def of(cls, rig: Rig) -> OnBench:
        """Of a rig."""
        return cls(
            {name: entry.type for name, entry in rig.instruments.items()},
            {name: line.pump for name, line in rig.lines.items()},
            tuple(rig.reservoirs),
            tuple(rig.ports),
        )


def by_instrument(rig: Rig) -> dict[str, Mapping[str, FaultKind]]:
    """By instrument, what can be played of it; those that play nothing are left out."""
    found = {name: kinds_of(entry.type) for name, entry in rig.instruments.items()}
    return {name: kinds for name, kinds in found.items() if kinds}


def kinds_of(type_name: str) -> Mapping[str, FaultKind]:
    """All that instruments of a type can suffer on a simulated bench."""
    declared = installed_types()[type_name]
    if declared.kind == "camera":
        return {**CAMERA_FAULTS, **declared.faults}
    worn = declared.kind == "pump" and any(name in declared.faults for name in WORN_BY)
    return {**declared.faults, **({"creep": CREEP} if worn else {})}


def scripted(
    instrument: str, fault: str, when: tuple[float, float], value: float, of: str, bench: OnBench
) -> tuple[FaultSpec, ...]:
    """One fault as it is played; one that creeps comes in steps.

    Args:
        instrument: of the rig, or one of :data:`BESIDE`.
        fault: its name.
        when: from which second of the run, and for how many; the latter may be infinite.
        value: 0: the first worth trying.
        of: the line, reservoir or port that it concerns; "": none is named.
        bench: what there is.

    Raises:
        NoSuchFault: with the names that there are.
    """
    kind = _kind(instrument, fault, bench)
    if refusal := kind.refusal(value):
        raise NoSuchFault(f"'{fault}' of {instrument}: {refusal}")
    _refuse_of(fault, of, bench)
    from_s, for_s = when
    if fault in LASTING and instrument == COMPUTER and math.isinf(for_s):
        for_s = STANDS_S
    one = FaultSpec(instrument, fault, from_s, from_s + for_s, value or kind.values[0], of)
    if kind is CREEP:
        return tuple(_creeping(one, bench.types[instrument]))
    if (instrument, fault) == (WORLD, "clog"):
        return (_clogged(one, bench),)
    return (one,)


def _kind(instrument: str, fault: str, bench: OnBench) -> FaultKind:
    if instrument == COMPUTER and fault in NOT_ON_THIS_CLOCK:
        raise NoSuchFault(
            f"'{fault}' cannot be scripted: Prefect keeps the real clock, not that of a simulated "
            f"night, which needs no Prefect either. Try it by hand under `labrig serve --simulate`:"
            f" {NOT_ON_THIS_CLOCK[fault]}"
        )
    if instrument in BESIDE:
        kinds, whose = BESIDE[instrument], f"the simulated {instrument}"
    elif instrument in bench.types:
        type_name = bench.types[instrument]
        kinds, whose = kinds_of(type_name), f"a simulated {type_name}"
    else:
        named = [*bench.types, *BESIDE]
        raise NoSuchFault(f"no instrument '{instrument}'. {did_you_mean(instrument, named)}")
    if fault not in kinds:
        known = "; ".join(f"{name} ({kind.what})" for name, kind in kinds.items())
        elsewhere = [name for name, others in BESIDE.items() if fault in others]
        hint = f"It is one of {elsewhere[0]}. " if elsewhere else _meant(fault, list(kinds))
        raise NoSuchFault(f"{whose} knows no '{fault}'. {hint}It knows {known or 'none'}")
    return kinds[fault]


def _meant(fault: str, known: Sequence[str]) -> str:
    offered = did_you_mean(fault, list(known))
    return f"{offered} " if offered.startswith("Did you mean") else ""


def _refuse_of(fault: str, of: str, bench: OnBench) -> None:
    named: Mapping[str, Sequence[str]] = {
        "line": list(bench.pump_of), "reservoir": bench.reservoirs, "port": bench.ports,
    }  # fmt: skip
    sort = OF.get(fault)
    if sort is None:
        if of:
            raise NoSuchFault(f"'{fault}' concerns everything: leave `of: {of}` out")
        return
    if not of and sort != "port":
        raise NoSuchFault(f"'{fault}' of which {sort}? Write `of:` and one of {_some(named[sort])}")
    if of and of not in named[sort]:
        raise NoSuchFault(f"no {sort} '{of}'. {did_you_mean(of, list(named[sort]))}")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def _creeping(one: FaultSpec, type_name: str) -> Iterator[FaultSpec]:
    plays = next(name for name in WORN_BY if name in installed_types()[type_name].faults)
    ends = math.isfinite(one.until_s)
    step_s = (one.until_s - one.from_s if ends else CREEP_S) / CREEP_STEPS
    for step in range(CREEP_STEPS):
        from_s = one.from_s + step * step_s
        last = step == CREEP_STEPS - 1
        until_s = one.until_s if last else from_s + step_s
        worn = one.value * (step + 1) / CREEP_STEPS
        yield replace(one, name=plays, from_s=from_s, until_s=until_s, value=worn)


def _clogged(one: FaultSpec, bench: OnBench) -> FaultSpec:
    """Of a pump that feeds this line alone: it stalls."""
    pump = bench.pump_of[one.of]
    alone = sum(other == pump for other in bench.pump_of.values()) == 1
    if alone and "stall" in installed_types()[bench.types[pump]].faults:
        return replace(one, instrument=pump, name="stall", of="")
    return one
