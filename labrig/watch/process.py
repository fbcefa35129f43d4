"""The watch's process, one per user and computer: ``python -m labrig.watch.process``.

It looks at every run of this user on this computer once a second, and writes into none: killing
it changes nothing of a night, and a new one goes on where it was.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from labrig.night.telling import legend_of_run
from labrig.run.register import RegisteredRun, register
from labrig.run_folder import RunFolder
from labrig.watch import texts
from labrig.watch.book import unheard
from labrig.watch.causes import Cause
from labrig.watch.couriers import Couriers
from labrig.watch.heart import Heart
from labrig.watch.judging import Doubts, Known, judge
from labrig.watch.looking import last_row, look_at
from labrig.watch.places import MEMORY, watch_folder
from labrig.watch.routes import Routes, RoutesFile
from labrig.watch.sending import fault_of_url
from labrig.watch.standing_alone import WatchLives, alone
from labrig.watch.voice import Voice

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
SETTLE_EVERY_S = 0.1
SOUND_WITHIN_S = 30.0
"""[P] A watch whose last good look is older falls silent."""
UNHEARD_FOR_S = 120.0
"""[P] So long a call may find no route that takes it, before silence is the alarm."""
BLIND_FOR_S = 30.0
"""[P] So long a run's files may make no sense; one that is being written is whole at once."""
IDLE_FOR_S = 60.0
"""[P] How long a watch that was started with a run stays after the last one."""


class Watch:
    """Looks at the runs and hands what it sees to the voice.

    Args:
        voice: tells people.
        routes: reads the routes.
        runs: reads the register.
    """

    def __init__(
        self,
        voice: Voice,
        routes: Callable[[], Routes],
        runs: Callable[[], list[RegisteredRun]] = register,
    ) -> None:
        self._voice = voice
        self._read = routes
        self._register = runs
        self._routes = Routes()
        self._began = datetime.now(UTC)
        self._doubts: dict[str, Doubts] = {}
        self._standing: dict[str, frozenset[str]] = {}
        self._blind_s: dict[str, float] = {}
        self._good_s = self._busy_s = voice.clock.now_s()

    @property
    def routes(self) -> Routes:
        """As they were read last."""
        return self._routes

    def tick(self) -> None:
        """Look at everything once, and tell what is to be told."""
        self._routes = self._read()
        causes: list[Cause] = []
        now_s = self._voice.clock.now_s()
        entries = {_id_of(entry): entry for entry in self._register()}
        known = {run.run_id: run for run in self._voice.memory.runs}
        for run_id, entry in entries.items():
            if run_id not in known and entry.bench in self._routes.benches:
                known[run_id] = self._met(run_id, entry)
        runs = []
        for run_id, run in known.items():
            seen, told = self._look(run, entries.get(run_id), now_s)
            causes += told
            if seen is not None:
                runs.append(seen)
        if tuple(runs) != self._voice.memory.runs:
            self._voice.memory = replace(self._voice.memory, runs=tuple(runs))
        standing = frozenset().union(*self._standing.values())
        self._voice.hear(causes, standing, self._routes)
        self._voice.tend(self._routes)
        self._good_s = self._voice.clock.now_s()
        if runs or self._voice.waits(self._routes):
            self._busy_s = self._good_s

    def rest(self, stopped: threading.Event) -> bool:
        """Until the next look is due, writing down what comes back; whether it was stopped."""
        until_s = self._voice.clock.now_s() + LOOK_EVERY_S
        while (left_s := until_s - self._voice.clock.now_s()) > 0:
            wait_s = min(left_s, SETTLE_EVERY_S) if self._voice.settle() else left_s
            if stopped.wait(wait_s):
                return True
        return stopped.is_set()

    def sound(self) -> bool:
        """Whether it does its work, and people can be reached."""
        now_s = self._voice.clock.now_s()
        lost = unheard(self._voice.book, now_s, UNHEARD_FOR_S)
        return now_s - self._good_s < SOUND_WITHIN_S and not lost

    def idle(self) -> bool:
        """Whether no run lives and nothing is to be told, for some time."""
        return self._voice.clock.now_s() - self._busy_s >= IDLE_FOR_S

    def runs(self) -> tuple[str, ...]:
        """What it looks at, in a few words."""
        return tuple(run.named for run in self._voice.memory.runs)

    def _met(self, run_id: str, entry: RegisteredRun) -> Known:
        """A run that is seen for the first time; what was over before we came is no news."""
        before = datetime.fromisoformat(entry.since_utc) < self._began
        seq = last_row(RunFolder(entry.folder).journal) if before else 0
        return Known(str(entry.folder), entry.folder.name, entry.named, run_id, seq, entry.pid)

    def _look(
        self, run: Known, entry: RegisteredRun | None, now_s: float
    ) -> tuple[Known | None, tuple[Cause, ...]]:
        """One look at one run; one that cannot be looked at keeps no other from it."""
        doubts = self._doubts.get(run.run_id, Doubts(now_s))
        try:
            folder = RunFolder(Path(run.folder))
            look = look_at(folder, entry, run.seq)
            verdict = judge(
                run, doubts, look, now_s, self._routes,
                lambda: legend_of_run(folder, run.utc, run.run_s or None),
            )  # fmt: skip
        except Exception as error:
            # Files of a run may be damaged in any way: what stood before stands on.
            return run, self._blind(run, error, now_s)
        self._blind_s.pop(run.run_id, None)
        self._doubts[run.run_id] = verdict.doubts
        self._standing[run.run_id] = verdict.standing
        if not verdict.over:
            return verdict.known, verdict.causes
        del self._doubts[run.run_id], self._standing[run.run_id]
        return None, verdict.causes

    def _blind(self, run: Known, error: Exception, now_s: float) -> tuple[Cause, ...]:
        """A run that cannot be looked at; told when it stays so, for nobody watches it then."""
        since_s = self._blind_s.setdefault(run.run_id, now_s)
        if since_s == now_s:
            _log.error("%s cannot be looked at", run.named, exc_info=error)
        stood = self._standing.get(run.run_id, self._as_before(run))
        if now_s - since_s < BLIND_FOR_S:
            self._standing[run.run_id] = stood
            return ()
        text = texts.unseen(run, error)
        cause = Cause(f"{run.run_id}|watch|blind", "call", run.name, text.subject, text.body)
        self._standing[run.run_id] = stood | {cause.key}
        return (cause,)

    def _as_before(self, run: Known) -> frozenset[str]:
        """What stood of it when an earlier watch looked last."""
        open_ = (e for e in self._voice.book.entries if e.over_s is None)
        return frozenset(key for e in open_ for key in e.cause.keys if key.startswith(run.run_id))


def _id_of(entry: RegisteredRun) -> str:
    return entry.run_id or str(entry.folder)


def main(arguments: list[str]) -> int:
    """Watch until a signal, or with ``--until-over`` until nothing is left to watch."""
    parser = argparse.ArgumentParser(prog="labrig.watch.process")
    parser.add_argument("--until-over", action="store_true")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    # Loads every service now, not at the first alarm, when the disk may be full.
    fault_of_url("json://localhost")

    stopped = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stopped.set())
    folder = watch_folder()
    try:
        with alone(folder, "watch.lock"):
            watch = Watch(Voice(folder, MEMORY, Couriers()), RoutesFile().read)
            keep_watch(watch, stopped, options.until_over)
    except WatchLives as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def keep_watch(watch: Watch, stopped: threading.Event, until_over: bool) -> None:
    """Look once a second; what goes wrong in one look ends nothing, and silences the heart."""
    heart: Heart | None = None
    while True:
        try:
            watch.tick()
        except Exception:
            # Whatever it is: the next look may be better, and who listens hears the silence.
            _log.exception("a look failed")
        heart = _beating(watch, heart)
        if (until_over and watch.idle()) or watch.rest(stopped):
            break
    if heart is not None:
        heart.stop(away=not watch.runs())


def _beating(watch: Watch, heart: Heart | None) -> Heart | None:
    """A heart as the routes want it."""
    wanted = watch.routes.heartbeat
    if heart is not None and heart.where == wanted:
        return heart
    if heart is not None:
        heart.stop(away=wanted is None)
    if wanted is None:
        return None
    new = Heart(wanted, watch.sound, watch.runs)
    new.start()
    return new


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
