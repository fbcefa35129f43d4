"""A drill: a simulated night in which one thing goes wrong, for people to practise on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
from labrig.launch.prepare import StartRequest
from labrig.plan.timeline import PEOPLE
from labrig.problems import did_you_mean
from labrig.rig.bench import BenchSpec, bench_spec
from labrig.rig.loading import load_rig
from labrig.twin.spec import FaultSpec
from labrig_drivers.instrument import installed_types
from labrig_drivers.simulation import FaultKind

SPEED = 60.0
"""[P] Run seconds per second: an hour of the night in a minute."""
AT_S = 3900.0
"""[P] When it goes wrong: once every pump of the demonstration night is to run, and after about a
minute at this pace, in which to find the run, its page and its plate."""


PEOPLE_FAULTS: Mapping[str, FaultKind] = {
    "late": FaultKind("they come after a step's time", (1200.0, 3600.0), "s"),
    "absent": FaultKind("nobody comes; a person at the page or a terminal may"),
    "refuses": FaultKind("they decide against a step"),
}
"""What simulated people do wrong; the instrument is `people`."""


class NoSuchFault(ValueError):
    """The bench has no such instrument, or its simulator plays no such fault."""


@dataclass(frozen=True, slots=True)
class Drill:
    """What is practised.

    Attributes:
        fault: e.g. ``stall``.
        instrument: by its name in the rig file.
        at_s: when it begins, on the run's clock.
        for_s: how long it lasts; infinite: until somebody mends it.
        value: how much, where the fault has one; 0: the first worth trying.
    """

    fault: str
    instrument: str
    at_s: float = AT_S
    for_s: float = math.inf
    value: float = 0.0


def faults_on(bench: BenchSpec) -> dict[str, Mapping[str, FaultKind]]:
    """By instrument, what its simulator plays; those that play nothing are left out."""
    types = installed_types()
    found = {entry.name: types[entry.type].faults for entry in bench.instruments}
    return {name: faults for name, faults in found.items() if faults}


def faults_on_rig(rig: Path) -> dict[str, Mapping[str, FaultKind]]:
    """The same of a rig file. Raises labrig.problems.FileProblems."""
    return faults_on(bench_spec(load_rig(rig).model))


def scripted(drill: Drill, bench: BenchSpec) -> FaultSpec:
    """The drill as its simulator plays it.

    Raises:
        NoSuchFault: with the names that there are.
    """
    if drill.instrument == PEOPLE:
        return _of_people(drill)
    types = {entry.name: entry.type for entry in bench.instruments}
    if drill.instrument not in types:
        raise NoSuchFault(
            f"no instrument '{drill.instrument}'. {did_you_mean(drill.instrument, list(types))}"
        )
    declared = installed_types()[types[drill.instrument]].faults
    kind = declared.get(drill.fault)
    if kind is None:
        known = "; ".join(f"{name} ({kind.what})" for name, kind in declared.items())
        raise NoSuchFault(
            f"a simulated {types[drill.instrument]} knows no '{drill.fault}'. It knows {known}"
        )
    value = drill.value or kind.values[0]
    return FaultSpec(drill.instrument, drill.fault, drill.at_s, drill.at_s + drill.for_s, value)


def _of_people(drill: Drill) -> FaultSpec:
    kind = PEOPLE_FAULTS.get(drill.fault)
    if kind is None:
        known = "; ".join(f"{name} ({kind.what})" for name, kind in PEOPLE_FAULTS.items())
        raise NoSuchFault(f"simulated people know no '{drill.fault}'. They know {known}")
    value = drill.value or kind.values[0]
    return FaultSpec(PEOPLE, drill.fault, drill.at_s, drill.at_s + drill.for_s, value)


def drill_start(
    drill: Drill,
    runs: Path,
    protocol: Path | None = None,
    rig: Path | None = None,
    operator: str = "",
) -> StartRequest:
    """What starts it; without files of the lab's own it is the demonstration night.

    Raises:
        NoSuchFault: see :func:`scripted`.
        labrig.problems.FileProblems: the rig file is wrong.
    """
    catalogue = catalogue_folder()
    rig = rig or catalogue / DEMO_RIG
    fault = scripted(drill, bench_spec(load_rig(rig).model))
    protocol = protocol or catalogue / DEMO_PROTOCOL
    return StartRequest(protocol, rig, runs, simulate=True, operator=operator, faults=(fault,))
