"""One watch at a time: two would tell everything twice. The system frees the lock of a dead one."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labrig.launch.runner_child import detached
from labrig.locks import is_locked, try_lock_patiently
from labrig.problems import FileProblems
from labrig.run.register import register
from labrig.watch.places import watch_folder
from labrig.watch.routes import RoutesExposed, load_routes

LOOK_EVERY_S = 10.0


class WatchLives(Exception):
    """Another watch of this user runs on this computer; the message names it."""


@contextmanager
def alone(folder: Path, lock: str) -> Iterator[None]:
    """Be the only one.

    Raises:
        WatchLives: another is.
        OSError: the lock cannot be made.
    """
    with open(folder / lock, "a+", encoding="utf-8") as file:
        if not try_lock_patiently(file):
            file.seek(0)
            raise WatchLives(
                f"a watch runs already (process {file.read().strip() or 'unknown'}): it looks at "
                "every run of yours on this computer, so a second would tell everything twice."
            )
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def watch_lives(folder: Path, lock: str = "watch.lock") -> bool:
    """Whether a watch runs."""
    try:
        file = open(folder / lock, "r+", encoding="utf-8")
    except FileNotFoundError:
        return False
    with file:
        return is_locked(file)


def start_watch_for(bench: str) -> bool:
    """See that a watch runs, if people are to be told of runs on such a bench.

    Args:
        bench: ``real bench``, ``simulated`` or ``rehearsal``.

    Returns:
        whether one runs; False where no route is set up, or none for such a bench.

    Raises:
        FileProblems, RoutesExposed: the file of routes is wrong.
        OSError: the process cannot be started.
    """
    routes = load_routes()
    if not routes.routes or bench not in routes.benches:
        return False
    folder = watch_folder()
    if not watch_lives(folder):
        log = os.open(folder / "watch.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with open(log, "ab") as file:
            subprocess.Popen(
                [sys.executable, "-m", "labrig.watch.process", "--until-over"],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                **detached(),
            )
    return True


class KeptWatch:
    """Has a watch run for as long as it is looked after; one that died is started again.

    Args:
        bench: of the runs that it is for: ``real bench``, ``simulated`` or ``rehearsal``.
        say: tells a person why none runs.
        start: see :func:`start_watch_for`.
        now_s: monotonic.
    """

    def __init__(
        self,
        bench: str,
        say: Callable[[str], None],
        start: Callable[[str], bool] = start_watch_for,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bench = bench
        self._say = say
        self._start = start
        self._now_s = now_s
        self._next_s = -math.inf
        self._said = ""

    def look(self) -> None:
        """See to it, now and then. A watch that cannot be had keeps no night from going on."""
        if self._now_s() < self._next_s:
            return
        self._next_s = self._now_s() + LOOK_EVERY_S
        why = ""
        try:
            self._start(self._bench)
        except (FileProblems, RoutesExposed, OSError) as error:
            why = str(error)
        if why and why != self._said:
            self._say(f"WARNING: nobody is called when this run wants somebody: {why}")
        self._said = why


@contextmanager
def kept_while_runs_live(say: Callable[[str], None]) -> Iterator[None]:
    """Have a watch run whenever a run lives that people are to be told of, however it was started.

    For the page: a night that was signed there begins hours later, and nobody else would call.
    """
    over = threading.Event()

    def keep() -> None:
        kept: dict[str, KeptWatch] = {}
        while not over.wait(LOOK_EVERY_S):
            for bench in {entry.bench for entry in register() if entry.lives}:
                kept.setdefault(bench, KeptWatch(bench, say)).look()

    threading.Thread(target=keep, name="watch", daemon=True).start()
    try:
        yield
    finally:
        over.set()
