"""The stages of an imaging process, put together from its specification.

Apart from the cameras, so that a rehearsal need not load what pictures need.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labrig.frames.stage_host import StageHost, TimeTold
from labrig.launch.imaging_spec import HostedEntry
from labrig.rig.bench import SIMULATED
from labrig.twin.stages import SimulatedStage
from labrig_drivers.instrument import connect, installed_types
from labrig_drivers.kinds import Stage


def hosted_stages(entries: Sequence[HostedEntry], run: Path) -> StageHost:
    """The stages of this process, real or simulated."""
    time_told = TimeTold()
    stages: dict[str, Stage] = {}
    for entry in entries:
        kind = installed_types()[entry.type]
        assert kind.travel is not None  # else the type could not have been made
        if entry.address == SIMULATED:
            travel = kind.travel(kind.settings(**entry.settings))
            path = run / "twin" / f"stage_{entry.name}.json"
            stages[entry.name] = SimulatedStage(entry.name, travel, path, time_told.now_s)
        else:
            stages[entry.name] = real(entry)
    return StageHost(stages, time_told)


def real(entry: HostedEntry) -> Any:  # noqa: ANN401 - any kind's driver
    """The driver of an instrument that opens itself, when it is first used."""
    kind = installed_types()[entry.type]
    return connect(kind, entry.address, kind.settings(**entry.settings), entry.name)
