"""Sees that somebody follows a run, and takes it up when nobody does.

Without a follower the bench goes on, but no picture is measured and in the morning there is no
report: after a flow was cancelled, suspended or killed, or the window of `labrig run` was closed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from labrig.launch.keeper import is_over
from labrig.launch.runner_child import detached
from labrig.night.followed import is_followed
from labrig.run.control_client import CommandRefused, NoRunner, connect
from labrig.run.lease import runner_lives
from labrig.run_folder import RunFolder

NOBODY_FOR_S = 10.0
"""[P] So long a run may be without a follower: a flow that has started it takes a moment."""
AGAIN_AFTER_S = (1.0, 15.0, 60.0)
"""[P] How long after each death in a row our own follower is started again; the last for ever."""
REPORT_TRIES = 5
"""[P] So often a follower is started for a run that has ended."""


@dataclass(slots=True)
class _Watched:
    """One run.

    Attributes:
        alone_since_s: since when nobody follows; None while somebody does.
        start_at_s: not before then may a follower be started.
    """

    folder: RunFolder
    alone_since_s: float | None = None
    start_at_s: float = 0.0
    deaths: int = 0
    told: bool = False
    over: bool = False
    ours: subprocess.Popen[bytes] | None = field(default=None)


class FollowWatch:
    """Watches the runs it is told of until each has its report.

    Args:
        say: tells a person.
        start: starts a follower of a run.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        start: Callable[[RunFolder], subprocess.Popen[bytes]] | None = None,
    ) -> None:
        self._say = say
        self._start = start or start_follower
        self._watched: dict[str, _Watched] = {}

    def watch(self, folder: RunFolder) -> None:
        """From now on, see that this run is followed. Twice changes nothing."""
        self._watched.setdefault(str(folder.root), _Watched(folder))

    def tick(self, now_s: float) -> None:
        """Look once.

        Args:
            now_s: monotonic.

        Raises:
            OSError: a follower cannot be started.
        """
        for watched in list(self._watched.values()):
            if watched.over or self._settled(watched):
                watched.over = True
            else:
                self._look(watched, now_s)

    def _settled(self, watched: _Watched) -> bool:
        """Whether the run has ended and its report was written after that."""
        folder = watched.folder
        page = folder.report / "report.html"
        if watched.ours is not None and watched.ours.poll() is None:
            return False
        return (
            is_over(folder)
            and page.exists()
            and page.stat().st_mtime >= folder.outcome.stat().st_mtime
            and not runner_lives(folder.root)
        )

    def _look(self, watched: _Watched, now_s: float) -> None:
        if watched.ours is not None and watched.ours.poll() is not None:
            wait_s = AGAIN_AFTER_S[min(watched.deaths, len(AGAIN_AFTER_S) - 1)]
            watched.deaths += 1
            watched.start_at_s, watched.ours = now_s + wait_s, None
        if is_followed(watched.folder):
            if watched.alone_since_s is not None and watched.told:
                _tell(watched.folder, followed=True)
            watched.alone_since_s, watched.told = None, False
            return
        if watched.alone_since_s is None:
            watched.alone_since_s = now_s
        if now_s - watched.alone_since_s < NOBODY_FOR_S:
            return
        if not watched.told:
            watched.told = True
            self._say(
                f"ALARM: nobody follows {watched.folder.root.name}: its pictures are not measured "
                "and nobody would write its report. The bench goes on; following is taken up again."
            )
            _tell(watched.folder, followed=False)
        if watched.ours is not None or now_s < watched.start_at_s:
            return
        if watched.deaths >= REPORT_TRIES and is_over(watched.folder):
            watched.over = True
            self._say(
                f"{watched.folder.root.name} has ended, but its report could not be written: "
                f"{watched.folder.follow_log} says why; then `labrig follow "
                f"{watched.folder.root}`"
            )
            return
        watched.ours = self._start(watched.folder)


def start_follower(folder: RunFolder) -> subprocess.Popen[bytes]:
    """Start ``labrig follow``, detached. Raises OSError."""
    with folder.follow_log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "labrig", "follow", str(folder.root), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            **detached(),
        )


def _tell(folder: RunFolder, *, followed: bool) -> None:
    """Have the runner raise its alarm, or take it down, and write either into the journal."""
    try:
        client = connect(folder.control)
        client.followed() if followed else client.unfollowed()
    except (NoRunner, CommandRefused):
        return  # it has ended, or is being taken over: what it measures is made up for all the same
