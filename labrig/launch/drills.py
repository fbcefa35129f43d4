"""A drill: a simulated night in which one thing goes wrong, for people to practise on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
from labrig.launch.prepare import StartRequest
from labrig.launch.scripted_faults import OnBench, by_instrument, scripted
from labrig.rig.loading import load_rig
from labrig_drivers.simulation import FaultKind

SPEED = 60.0
"""[P] Run seconds per second: an hour of the night in a minute."""
AT_S = 3900.0
"""[P] When it goes wrong: once every pump of the demonstration night is to run, and after about a
minute at this pace, in which to find the run, its page and its plate."""


@dataclass(frozen=True, slots=True)
class Drill:
    """What is practised.

    Attributes:
        fault: e.g. ``stall``.
        instrument: by its name in the rig file, or ``world``, ``computer``, ``people``.
        at_s: when it begins, on the run's clock.
        for_s: how long it lasts; infinite: until somebody mends it.
        value: how much, where the fault has one; 0: the first worth trying.
        of: which line, reservoir or port, where the fault concerns one.
    """

    fault: str
    instrument: str
    at_s: float = AT_S
    for_s: float = math.inf
    value: float = 0.0
    of: str = ""


def faults_on_rig(rig: Path) -> dict[str, Mapping[str, FaultKind]]:
    """By instrument of a rig file, what its simulator plays. Raises FileProblems."""
    return by_instrument(load_rig(rig).model)


def drill_start(
    drill: Drill,
    runs: Path,
    protocol: Path | None = None,
    rig: Path | None = None,
    operator: str = "",
) -> StartRequest:
    """What starts it; without files of the lab's own it is the demonstration night.

    Raises:
        NoSuchFault: see :mod:`labrig.launch.scripted_faults`.
        labrig.problems.FileProblems: the rig file is wrong.
    """
    catalogue = catalogue_folder()
    rig = rig or catalogue / DEMO_RIG
    faults = scripted(
        drill.instrument, drill.fault, (drill.at_s, drill.for_s), drill.value, drill.of,
        OnBench.of(load_rig(rig).model),
    )  # fmt: skip
    protocol = protocol or catalogue / DEMO_PROTOCOL
    return StartRequest(protocol, rig, runs, simulate=True, operator=operator, faults=faults)
