"""A file of faults: what goes wrong on a simulated bench, when and for how long.

```yaml
faults:
  - {instrument: nerve_02, fault: stall, at: 1 h}
  - {instrument: base_left, fault: drift, at: 2 h, for: 30 min, value: -0.4}
```
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from labrig.documents import Loaded, Mistaken, load
from labrig.launch.drills import Drill, NoSuchFault, scripted
from labrig.problems import FileProblems, KeyPath, Problem
from labrig.rig.bench import BenchSpec
from labrig.twin.spec import FaultSpec
from labrig.units import Unit

_A_PROTOCOL = Mistaken(
    "arms",
    "this is a protocol, and a file of faults is wanted here",
    "Write `faults:` with one entry per fault: instrument, fault, at.",
)
Seconds = Annotated[float, Unit("s")]


class ScriptedFault(BaseModel):
    """One fault of one instrument."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    instrument: str
    fault: str
    at: Annotated[Seconds, Field(ge=0)]
    for_s: Annotated[Seconds | None, Field(alias="for", gt=0)] = None
    value: float = 0.0


class FaultScript(BaseModel):
    """All of them; they may overlap."""

    model_config = ConfigDict(extra="forbid")

    faults: list[ScriptedFault]


def read_fault_script(path: Path, bench: BenchSpec) -> tuple[FaultSpec, ...]:
    """The faults of a file, each as the simulator of this bench plays it.

    Raises:
        labrig.problems.FileProblems: all that is wrong, names of another bench among it.
    """
    loaded = load(path, FaultScript, _A_PROTOCOL)
    found: list[FaultSpec] = []
    problems: list[Problem] = []
    for number, entry in enumerate(loaded.model.faults):
        for_s = math.inf if entry.for_s is None else entry.for_s
        drill = Drill(entry.fault, entry.instrument, entry.at, for_s, entry.value)
        try:
            found.append(scripted(drill, bench))
        except NoSuchFault as error:
            problems.append(_problem(loaded, ("faults", number), str(error)))
    if problems:
        raise FileProblems(problems)
    return tuple(found)


def _problem(loaded: Loaded[FaultScript], keys: KeyPath, what: str) -> Problem:
    line, column = loaded.document.place(keys)
    where = f"faults[{keys[-1]}]"
    return Problem(
        loaded.path, line, column, where, "", what, "`labrig drill` lists what each can show."
    )
