"""Watches a run from outside: a glance at the runner, or at what it left behind."""

from __future__ import annotations

import subprocess
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from labrig.durable import read_json
from labrig.launch.concluding import conclude_if_ended
from labrig.record.vocabulary import DIED
from labrig.run.control_client import NoRunner, connect
from labrig.run.lease import runner_lives
from labrig.run_folder import RunFolder

TAKEN_OVER_WITHIN_S = 600.0
"""[P] A keeper of the rig that lives brings a runner back well within it (labrig.launch.keeper)."""


@dataclass(frozen=True, slots=True)
class Glance:
    """How a run stands at one moment.

    Attributes:
        condition: the runner's own word (``running``, ``held``, ``finished``, ...);
            ``unreachable`` while its process lives but does not answer; ``died`` when there is
            no such process, and it left no outcome.
        phase: of the protocol.
        now_s: the run's clock; None when the runner does not answer.
        ended: whether nothing more will happen by itself. A runner that died may be taken over,
            so that is for whoever follows to judge: see :class:`Patience`.
        why: in words, why a run that ended is not simply finished.
        over: whether there is nothing left to go on with; a runner may have failed half way.
        utc: time of day that belongs to ``now_s``, ISO 8601; "" when the runner does not answer.
    """

    condition: str
    phase: str = ""
    now_s: float | None = None
    ended: bool = False
    counters: dict[str, int] = field(default_factory=dict)
    alarms: tuple[dict[str, Any], ...] = ()
    questions: tuple[dict[str, Any], ...] = ()
    why: tuple[str, ...] = ()
    over: bool = False
    utc: str = ""


class NightEndedEarly(Exception):
    """The run was stopped or failed; its report says what there is."""


class Patience:
    """How long to wait for somebody to take over a run whose runner died."""

    def __init__(self, within_s: float = TAKEN_OVER_WITHIN_S) -> None:
        self._within_s = within_s
        self._dead_since_s: float | None = None

    def is_over(self, seen: Glance) -> bool:
        """Whether the runner has now been dead for too long; call it at every look."""
        if seen.condition != DIED:
            self._dead_since_s = None
            return False
        now_s = time.monotonic()
        if self._dead_since_s is None:
            self._dead_since_s = now_s
        return now_s - self._dead_since_s >= self._within_s


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
        if folder.outcome.exists():
            return _at_the_end(read_json(folder.outcome))
        concluded = conclude_if_ended(folder)
        if concluded is not None:
            # Its runner died after its last row.
            return _at_the_end(asdict(concluded))
        if gone or not runner_lives(folder.root):
            return Glance(DIED, ended=gone)
        return Glance("unreachable")
    return Glance(
        status["condition"],
        status.get("phase", ""),
        status.get("now_s"),
        False,
        status.get("counters", {}),
        tuple(status.get("alarms", ())),
        tuple(status.get("questions", ())),
        utc=status.get("utc", ""),
    )


def _at_the_end(outcome: dict[str, Any]) -> Glance:
    unsafe = outcome.get("unsafe", ())
    why = [*outcome.get("failures", ()), *outcome.get("shortfalls", ())]
    if unsafe:
        why.append(f"left without knowing their state: {', '.join(unsafe)}")
    return Glance(
        outcome["condition"],
        ended=True,
        counters=outcome["counters"],
        why=tuple(why),
        over=outcome.get("over", outcome["condition"] in ("finished", "stopped")),
    )
