"""The keeper of a rig: one runner at a time, brought back when it dies, and offers answered.

Cells that are not fed shrink, so a runner that was killed is taken over within seconds, and one
that dies again and again is started again and again until its run has ended: nobody else feeds
them. Until then nothing else is started.
"""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labrig.durable import read_json, write_json
from labrig.launch.bench_ready import reason_against_due, reason_to_wait
from labrig.launch.concluding import conclude_if_ended
from labrig.launch.offers import Offer, read_offer
from labrig.launch.runner_child import RunnerDied, RunnerOptions, start_runner, wait_until_ready
from labrig.launch.served import Served
from labrig.plan.store import PlanFormatError
from labrig.record.rows import JournalError
from labrig.run.lease import runner_lives
from labrig.run.runner import previous_state
from labrig.run_folder import RunFolder

_log = logging.getLogger(__name__)

REVIVE_AFTER_S = (0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
"""[P] How long after each death of one run's runner it is started again; the last one for ever."""
SOUND_AFTER_S = 1800.0
"""[P] A runner that has lived so long begins anew with the shortest wait."""
WORRYING_DEATHS = 4
"""[P] From so many deaths in a row on, a person is told what it means for the cells."""


@dataclass(slots=True)
class _Kept:
    """The run that has the rig. Without ``child`` it waits to be taken over, or has been."""

    folder: RunFolder
    options: RunnerOptions
    child: subprocess.Popen[bytes] | None
    since_s: float
    revive_at_s: float = 0.0
    deaths: int = 0
    elsewhere: bool = False


class Keeper:
    """Keeps one rig: at most one run at a time, and an unfinished run goes first.

    Args:
        runs: the folder of runs it keeps.
        say: tells a person what it did.
        now_s: monotonic.
        served: what may be offered; None: whatever was prepared in the folder of runs.
    """

    def __init__(
        self,
        runs: Path,
        say: Callable[[str], None] = _log.warning,
        now_s: Callable[[], float] = time.monotonic,
        served: Served | None = None,
    ) -> None:
        self._runs = runs
        self._say = say
        self._now_s = now_s
        self._served = served
        self._kept: _Kept | None = None

    def running(self) -> RunFolder | None:
        """The run whose runner lives."""
        kept = self._kept
        alive = kept is not None and kept.child is not None and kept.child.poll() is None
        return kept.folder if kept is not None and alive else None

    def kept(self) -> RunFolder | None:
        """The run that has the rig, its runner alive or about to be brought back."""
        return None if self._kept is None else self._kept.folder

    def tick(self) -> RunFolder | None:
        """Look after the runner and answer what is offered.

        Returns:
            the folder of a run that was started.

        Raises:
            OSError: an answer cannot be written.
        """
        self.look_after()
        for path in sorted(self._runs.glob("*/offer.json")):
            folder = RunFolder(path.parent)
            if not folder.answer.exists() and self._answer(folder):
                return folder
        return None

    def take_over(self, folder: RunFolder, options: RunnerOptions) -> None:
        """From now on keep an unfinished run: with a new runner at once, or when its own dies."""
        now_s = self._now_s()
        lives = runner_lives(folder.root)
        self._kept = _Kept(folder, options, None, now_s, now_s, elsewhere=lives)

    def look_after(self) -> None:
        """Bring the runner of the kept run back, if it has died and its time has come."""
        kept = self._kept
        if kept is None or (kept.child is not None and kept.child.poll() is None):
            return
        name = kept.folder.root.name
        if is_over(kept.folder):
            self._kept = None  # it ended, and said how
        elif runner_lives(kept.folder.root):
            if not kept.elsewhere:
                self._say(f"{name} was taken over by somebody else")
            # watched all the same: that runner may die, too
            kept.elsewhere, kept.child, kept.since_s = True, None, self._now_s()
        elif kept.child is not None:
            self._died(kept, f"the runner of {name} died (exit status {kept.child.returncode})")
        elif kept.elsewhere:
            kept.elsewhere = False
            self._died(kept, f"the runner of {name}, that somebody else had started, died")
        elif kept.revive_at_s <= self._now_s():
            self._revive(kept)

    def _revive(self, kept: _Kept) -> None:
        name = kept.folder.root.name
        self._say(f"taking over {name}")
        try:
            self._start(kept)
        except (RunnerDied, OSError) as error:
            if _has_ended(kept.folder):
                self._conclude(kept.folder)
            else:
                self._died(kept, f"{name} could not be taken over: {error}")

    def _conclude(self, folder: RunFolder) -> None:
        """Say how a run ended whose runner died after its last row; it is let go in any case."""
        self._kept = None
        name = folder.root.name
        try:
            conclude_if_ended(folder)
        except (JournalError, PlanFormatError, OSError) as error:
            self._say(f"{name} had ended; its conclusion could not be written: {error}")
        else:
            self._say(f"{name} had ended before its runner died; its conclusion is written")

    def _died(self, kept: _Kept, what: str) -> None:
        now_s = self._now_s()
        if kept.child is not None and now_s - kept.since_s >= SOUND_AFTER_S:
            kept.deaths = 0
        kept.child = None
        wait_s = REVIVE_AFTER_S[min(kept.deaths, len(REVIVE_AFTER_S) - 1)]
        kept.deaths += 1
        kept.revive_at_s = now_s + wait_s
        self._say(f"{what}; it is taken over in {wait_s:g} s")
        if kept.deaths >= WORRYING_DEATHS:
            self._say(
                f"ALARM: that was death {kept.deaths} in a row. Meanwhile its pumps keep their "
                f"last rates and nothing else acts. Look into {kept.folder.log}; `labrig stop "
                f"{kept.folder.root}` ends the run."
            )

    def _start(self, kept: _Kept) -> None:
        kept.since_s = self._now_s()
        child = start_runner(kept.folder, kept.options)
        wait_until_ready(child, kept.folder)
        kept.child = child

    def _answer(self, folder: RunFolder) -> bool:
        """Answer one offer; returns whether it was accepted."""
        try:
            offer = read_offer(folder)
            # An earlier keeper may have started it and died before it could say so.
            begun = runner_lives(folder.root) or previous_state(folder.root).begun
        except (ValueError, JournalError) as error:
            reason = f"the offer or its run folder is damaged: {error}"
        else:
            reason = "" if begun else self._reason_against(folder, offer)
            if not reason and not begun:
                reason = self._reason_not_to_start(folder, offer)
        write_json(
            folder.answer,
            {
                "accepted": not reason,
                "reason": reason,
                "answered_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            },
        )
        return not reason

    def _reason_not_to_start(self, folder: RunFolder, offer: Offer) -> str:
        """Start it; why it could not be, or empty."""
        kept = _Kept(folder, RunnerOptions(offer.speed), None, self._now_s())
        try:
            self._start(kept)
        except (RunnerDied, OSError) as error:
            return f"the runner could not be started: {error}"
        self._kept = kept
        return ""

    def _reason_against(self, folder: RunFolder, offer: Offer) -> str:
        self.look_after()
        busy = self._busy_with()
        if busy is not None:
            return f"the rig is busy with {busy.root.name}: one run at a time"
        due = datetime.fromisoformat(offer.due_utc)
        try:
            if self._served is not None and (reason := self._served.reason_against(folder)):
                return reason
            simulated = read_json(folder.identity)["simulated"]
            reason = reason_to_wait(self._runs, simulated=simulated)
            reason = reason or reason_against_due(due, self._runs, simulated=simulated)
        except (OSError, ValueError, KeyError) as error:
            return f"it cannot be judged whether it may start: {error}"
        if reason:
            return reason
        late_s = (datetime.now(UTC) - due).total_seconds()
        if late_s > offer.grace_s:
            return (
                f"the start was due {offer.due_utc} and came {late_s:.0f} s late, more than the "
                f"{offer.grace_s:.0f} s allowed: start it by hand if it is still wanted"
            )
        return ""

    def _busy_with(self) -> RunFolder | None:
        """The run that has the rig, whoever started it."""
        if self._kept is not None:
            return self._kept.folder
        for lock in sorted(self._runs.glob("*/runner.lock")):
            if runner_lives(lock.parent):
                return RunFolder(lock.parent)
        return None


def is_over(folder: RunFolder) -> bool:
    """Whether a run has concluded. One whose runner failed half way has not: its cells are there.

    Raises:
        OSError: its files cannot be read.
    """
    if not folder.outcome.exists():
        return False
    try:
        outcome = read_json(folder.outcome)
        return bool(outcome.get("over", outcome.get("condition") != "failed"))
    except ValueError:
        return _has_ended(folder)  # the journal knows better than a damaged file


def _has_ended(folder: RunFolder) -> bool:
    """Whether the journal holds the end of the run."""
    try:
        return previous_state(folder.root).ended
    except JournalError:
        return False  # who can tell: it is tried again
