"""Offers of a start, and the keeper that accepts or refuses them.

A schedule only *offers* a start: it may come late, twice, or while the rig is busy. Who makes an
offer writes ``offer.json`` into a prepared run folder; the keeper of the rig answers in
``answer.json`` of the same folder, once, and starts the runner when it accepts.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from labrig.launch.json_files import read_json, write_json
from labrig.launch.runner_child import RunnerDied, RunnerOptions, start_runner, wait_until_ready
from labrig.run_folder import RunFolder

DEFAULT_GRACE_S = 900.0


class OfferRefused(Exception):
    """The keeper of the rig refused to start; the message says why."""


class NoKeeper(Exception):
    """Nobody answered an offer: no `labrig serve` keeps this folder of runs."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A start that somebody wants.

    Attributes:
        due_utc: when the start was meant to be, ISO 8601.
        grace_s: how late it may still be accepted.
        by: who or what offers it.
    """

    due_utc: str
    grace_s: float
    by: str
    speed: float
    pictures: bool


def make_offer(folder: RunFolder, offer: Offer) -> None:
    """Offer the start of a prepared run. Offering twice changes nothing.

    Raises:
        OSError: the disk refuses.
    """
    path = folder.root / "offer.json"
    if not path.exists():
        write_json(path, asdict(offer))


def await_answer(folder: RunFolder, within_s: float = 90.0) -> None:
    """Return once the offer was accepted and the runner is ready.

    Raises:
        OfferRefused: with the keeper's reason.
        NoKeeper: no answer came.
    """
    deadline = time.monotonic() + within_s
    path = folder.root / "answer.json"
    while time.monotonic() < deadline:
        if path.exists():
            answer = read_json(path)
            if answer["accepted"]:
                return
            raise OfferRefused(answer["reason"])
        time.sleep(0.05)
    raise NoKeeper(
        f"nobody answered the offer in {folder.root} within {within_s:.0f} s: is `labrig serve` "
        "running for this folder of runs?"
    )


class Keeper:
    """Keeps one rig: at most one runner at a time, and an unfinished run goes first.

    Args:
        runs: the folder of runs it keeps.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._child: subprocess.Popen[bytes] | None = None
        self._folder: RunFolder | None = None

    def running(self) -> RunFolder | None:
        """The run whose runner lives."""
        if self._child is not None and self._child.poll() is not None:
            self._child = self._folder = None
        return self._folder

    def tick(self) -> RunFolder | None:
        """Answer what is offered; returns the folder of a run that was started."""
        for path in sorted(self._runs.glob("*/offer.json")):
            folder = RunFolder(path.parent)
            if not (folder.root / "answer.json").exists():
                if self._answer(folder):
                    return folder
        return None

    def adopt(self, folder: RunFolder, options: RunnerOptions) -> None:
        """Start a runner that takes over an unfinished run.

        Raises:
            RunnerDied: it could not.
        """
        self._child, self._folder = start_runner(folder, options), folder
        wait_until_ready(self._child, folder)

    def release(self) -> None:
        """Forget the runner without touching it: it goes on by itself."""
        self._child = self._folder = None

    def _answer(self, folder: RunFolder) -> bool:
        offer = Offer(**read_json(folder.root / "offer.json"))
        reason = self._reason_against(offer)
        if not reason:
            try:
                self.adopt(folder, RunnerOptions(offer.speed, offer.pictures))
            except (RunnerDied, OSError) as error:
                reason = f"the runner could not be started: {error}"
                self.release()
        write_json(
            folder.root / "answer.json",
            {
                "accepted": not reason,
                "reason": reason,
                "answered_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            },
        )
        return not reason

    def _reason_against(self, offer: Offer) -> str:
        running = self.running()
        if running is not None:
            return f"the rig is busy with {running.root.name}: one run at a time"
        late_s = (datetime.now(UTC) - datetime.fromisoformat(offer.due_utc)).total_seconds()
        if late_s > offer.grace_s:
            return (
                f"the start was due {offer.due_utc} and came {late_s:.0f} s late, more than the "
                f"{offer.grace_s:.0f} s allowed: start it by hand if it is still wanted"
            )
        return ""
