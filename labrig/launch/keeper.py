"""The keeper of a rig: one runner at a time, brought back when it dies, and offers answered.

Cells that are not fed shrink, so a runner that was killed is taken over within seconds. A runner
that dies again and again is left to a person, and until then nothing else is started.
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
from labrig.launch.offers import Offer
from labrig.launch.runner_child import RunnerDied, RunnerOptions, start_runner, wait_until_ready
from labrig.record.journal import JournalError
from labrig.run.lease import runner_lives
from labrig.run.runner import previous_state
from labrig.run_folder import RunFolder

_log = logging.getLogger(__name__)

REVIVE_AFTER_S = (1.0, 5.0, 30.0, 120.0)
"""[P] How long after each death of one run's runner it is started again; then no more."""
SOUND_AFTER_S = 1800.0
"""[P] A runner that has lived so long begins anew with the shortest wait."""


@dataclass(slots=True)
class _Kept:
    """The run that has the rig. Without ``child`` it waits to be taken over."""

    folder: RunFolder
    options: RunnerOptions
    child: subprocess.Popen[bytes] | None
    since_s: float
    revive_at_s: float = 0.0
    deaths: int = 0


class Keeper:
    """Keeps one rig: at most one run at a time, and an unfinished run goes first.

    Args:
        runs: the folder of runs it keeps.
        say: tells a person what it did.
        now_s: monotonic.
    """

    def __init__(
        self,
        runs: Path,
        say: Callable[[str], None] = _log.warning,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runs = runs
        self._say = say
        self._now_s = now_s
        self._kept: _Kept | None = None
        self._given_up: RunFolder | None = None

    def running(self) -> RunFolder | None:
        """The run whose runner lives."""
        kept = self._kept
        alive = kept is not None and kept.child is not None and kept.child.poll() is None
        return kept.folder if kept is not None and alive else None

    @property
    def keeps(self) -> bool:
        """Whether a run has the rig, its runner alive or about to be brought back."""
        return self._kept is not None

    def tick(self) -> RunFolder | None:
        """Look after the runner and answer what is offered.

        Returns:
            the folder of a run that was started.

        Raises:
            OSError: an answer cannot be written.
        """
        self._look_after()
        for path in sorted(self._runs.glob("*/offer.json")):
            folder = RunFolder(path.parent)
            if not (folder.root / "answer.json").exists() and self._answer(folder):
                return folder
        return None

    def take_over(self, folder: RunFolder, options: RunnerOptions) -> None:
        """Have the next :meth:`tick` start a runner that goes on with an unfinished run."""
        self._kept = _Kept(folder, options, None, self._now_s(), self._now_s())

    def _look_after(self) -> None:
        kept = self._kept
        if kept is None or (kept.child is not None and kept.child.poll() is None):
            return
        name = kept.folder.root.name
        if (kept.folder.root / "outcome.json").exists():
            self._kept = None  # it ended, and said how
        elif runner_lives(kept.folder.root):
            self._say(f"{name} was taken over by somebody else")
            self._kept = None
        elif kept.child is not None:
            self._died(kept, f"the runner of {name} died (exit status {kept.child.returncode})")
        elif kept.revive_at_s <= self._now_s():
            self._revive(kept)

    def _revive(self, kept: _Kept) -> None:
        self._say(f"taking over {kept.folder.root.name}")
        try:
            self._start(kept)
        except (RunnerDied, OSError) as error:
            self._died(kept, f"{kept.folder.root.name} could not be taken over: {error}")

    def _died(self, kept: _Kept, what: str) -> None:
        now_s = self._now_s()
        if kept.child is not None and now_s - kept.since_s >= SOUND_AFTER_S:
            kept.deaths = 0
        kept.child = None
        if kept.deaths == len(REVIVE_AFTER_S):
            self._say(
                f"{what}, for the {kept.deaths + 1}th time: given up. Its pumps keep their last "
                f"rates and nothing else acts. Look into {kept.folder.log}, then "
                f"`labrig resume {kept.folder.root}`."
            )
            self._kept, self._given_up = None, kept.folder
            return
        wait_s = REVIVE_AFTER_S[kept.deaths]
        kept.deaths += 1
        kept.revive_at_s = now_s + wait_s
        self._say(f"{what}; it is taken over in {wait_s:.0f} s")

    def _start(self, kept: _Kept) -> None:
        kept.since_s = self._now_s()
        child = start_runner(kept.folder, kept.options)
        wait_until_ready(child, kept.folder)
        kept.child = child

    def _answer(self, folder: RunFolder) -> bool:
        """Answer one offer; returns whether it was accepted."""
        try:
            offer = Offer(**read_json(folder.root / "offer.json"))
            # An earlier keeper may have started it and died before it could say so.
            begun = runner_lives(folder.root) or previous_state(folder.root).begun
        except (ValueError, TypeError, JournalError) as error:
            reason = f"the offer or its run folder is damaged: {error}"
        else:
            reason = "" if begun else self._reason_against(offer)
            if not reason and not begun:
                reason = self._reason_not_to_start(folder, offer)
        write_json(
            folder.root / "answer.json",
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

    def _reason_against(self, offer: Offer) -> str:
        self._look_after()
        busy = self._busy_with()
        if busy is not None:
            return f"the rig is busy with {busy.root.name}: one run at a time"
        unfinished = self._unfinished()
        if unfinished is not None:
            return (
                f"{unfinished} never ended and its runner is dead: `labrig resume` it "
                "first (and `labrig stop` it then, if it is not wanted any more)"
            )
        late_s = (datetime.now(UTC) - datetime.fromisoformat(offer.due_utc)).total_seconds()
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

    def _unfinished(self) -> str | None:
        given_up = self._given_up
        if given_up is None or (given_up.root / "outcome.json").exists():
            return None
        return given_up.root.name
