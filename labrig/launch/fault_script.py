"""Reads a file of faults and holds it against the bench: see :mod:`labrig.rig.fault_script`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from labrig.documents import Loaded, Mistaken, load
from labrig.launch.random_spells import spells
from labrig.launch.scripted_faults import NoSuchFault, OnBench, scripted
from labrig.problems import FileProblems, Problem
from labrig.rig.fault_script import FaultScript, ScriptedFault
from labrig.rig.models import Rig
from labrig.twin.spec import FaultSpec

_A_PROTOCOL = Mistaken(
    "arms",
    "this is a protocol, and a file of faults is wanted here",
    "Write `faults:` with one entry per fault: instrument, fault, at.",
)
_HOW = "`labrig drill` lists what each can show; docs/faults.md has all of it."


def read_fault_script(
    path: Path, rig: Rig, refusal: Callable[[FaultSpec], str] = lambda fault: ""
) -> tuple[FaultSpec, ...]:
    """The faults of a file, each as the simulators of this bench play it.

    Args:
        path: the file.
        rig: the bench.
        refusal: why one cannot be played where it is wanted; "" when it can.

    Raises:
        labrig.problems.FileProblems: all that is wrong, names of another bench among it.
    """
    loaded, bench = load(path, FaultScript, _A_PROTOCOL), OnBench.of(rig)
    found: list[FaultSpec] = []
    problems: list[Problem] = []
    for number, entry in enumerate(loaded.model.faults):
        try:
            played = tuple(
                fault
                for when in _times(entry, number)
                for fault in scripted(*entry.named(), when, entry.value, entry.of, bench)
            )
        except NoSuchFault as error:
            problems.append(_problem(loaded, number, str(error), _HOW))
            continue
        if played and (why := refusal(played[0])):
            problems.append(_problem(loaded, number, why, "Leave it out here."))
        found += played
    if problems:
        raise FileProblems(problems)
    return tuple(found)


def _times(entry: ScriptedFault, number: int) -> tuple[tuple[float, float], ...]:
    """When it begins and how long it lasts, s; of one at random, apart from other entries'."""
    for_s = math.inf if entry.for_s is None else entry.for_s
    if entry.share is None:
        return ((entry.at, for_s),)
    seed = f"{entry.seed} {number} {' '.join(entry.named())}"
    found = spells(entry.at, for_s, entry.share, entry.each, seed)
    if not found:
        raise NoSuchFault(
            f"{entry.share:g} of {for_s:g} s is less than half of one spell of {entry.each:g} s: "
            "it would never come; make `for` longer or `each` shorter"
        )
    return tuple((from_s, until_s - from_s) for from_s, until_s in found)


def _problem(loaded: Loaded[FaultScript], number: int, what: str, remedy: str) -> Problem:
    line, column = loaded.document.place(("faults", number))
    return Problem(loaded.path, line, column, f"faults[{number}]", "", what, remedy)
