"""Watches a run from outside: a glance at the runner, or at what it left behind."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import Any

from labrig.launch.json_files import read_json
from labrig.run.control_client import NoRunner, connect
from labrig.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Glance:
    """How a run stands at one moment.

    Attributes:
        condition: the runner's own word (``running``, ``held``, ``finished``, ...), or
            ``unreachable`` when nothing answers and no outcome was written.
        phase: of the protocol.
        now_s: the run's clock; None when the runner does not answer.
        ended: whether nothing more will happen by itself.
    """

    condition: str
    phase: str = ""
    now_s: float | None = None
    ended: bool = False
    counters: dict[str, int] = field(default_factory=dict)
    alarms: tuple[dict[str, Any], ...] = ()


def glance(folder: RunFolder, child: subprocess.Popen[bytes] | None = None) -> Glance:
    """Look at a run once.

    Args:
        folder: the run.
        child: its runner, when we started it: a dead child is an ended run.

    Raises:
        ValueError: a file of the run is damaged.
    """
    gone = child is not None and child.poll() is not None
    try:
        status = connect(folder.control).status()
    except NoRunner:
        outcome = folder.root / "outcome.json"
        if outcome.exists():
            last = read_json(outcome)
            return Glance(last["condition"], ended=True, counters=last["counters"])
        return Glance("unreachable", ended=gone)
    return Glance(
        status["condition"],
        status.get("phase", ""),
        status.get("now_s"),
        False,
        status.get("counters", {}),
        tuple(status.get("alarms", ())),
    )
