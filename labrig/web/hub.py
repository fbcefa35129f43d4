"""Looks at runs for all tabs together, and wakes them when there is something new.

Each run is looked at by a task of its own, so that a runner that hangs keeps no other waiting;
nobody looks while nobody watches.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from labrig.web.live_runs import NoSuchRun, SeveralRuns, ShownRun, registered_runs, run_named
from labrig.web.look import Look, look_at

T = TypeVar("T")
_log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0
REGISTER_EVERY_S = 1.0
SOON, SOON_EVERY_S = 6, 0.12
"""Looks after an act, and how long from one to the next."""


@dataclass(slots=True)
class _Watched:
    """A run that is looked at.

    Attributes:
        hurry: somebody acted on it; ``soon``: so many looks follow each other quickly, as a
            runner takes a moment until it shows what it has taken.
    """

    run: ShownRun
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    soon: int = 0
    look: Look | None = None
    task: asyncio.Task[None] | None = None


class Hub:
    """What is known of the runs that live, and of those that a tab shows.

    Attributes:
        version: grows with everything new.

    Args:
        runs: folder of runs, for those that live no longer.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        # Kept apart, so that no picture and no instrument that is asked keeps a look waiting.
        self._looks = ThreadPoolExecutor(8, "looks")
        self._threads = ThreadPoolExecutor(8, "aside")
        self._tabs: Counter[str] = Counter()
        self._watched: dict[str, _Watched] = {}
        self._live: tuple[str, ...] = ()
        self._register: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._opened = asyncio.Event()
        self.version = 0

    @contextmanager
    def watching(self, name: str) -> Iterator[None]:
        """While a tab is open: look at its run (empty: it shows none) and at all that live."""
        self._tabs[name] += 1
        if self._register is None:
            self._register = asyncio.create_task(self._keep_register())
        self._opened.set()
        try:
            yield
        finally:
            self._tabs[name] -= 1
            self._tabs += Counter()  # without those that nobody has open any more
            if not self._tabs:
                self.close_looks()

    @property
    def has_tabs(self) -> bool:
        """Whether a tab is open."""
        return bool(self._tabs)

    async def news(self, since: int, within_s: float) -> None:
        """Return once something is newer than a version, or after this time; never at once."""
        if self.version == since:
            await _within(self._news, within_s)
        else:
            await asyncio.sleep(0)

    def hurry(self, name: str) -> None:
        """Somebody acted on a run: look at it at once."""
        for watched in self._watched.values():
            if watched.run.name == name:
                watched.soon = SOON
                watched.hurry.set()

    def look(self, name: str) -> Look | None:
        """The last look at the run of that name."""
        found = [w.look for w in self._watched.values() if w.run.name == name]
        return found[0] if found else None

    def live(self) -> tuple[Look, ...]:
        """The last look at each run that has a runner, or lost it before its end."""
        looks = (self._watched[key].look for key in self._live if key in self._watched)
        return tuple(look for look in looks if look is not None and not look.ended)

    async def aside(self, work: Callable[[], T]) -> T:
        """Do something that may take long, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def quickly(self, work: Callable[[], T]) -> T:
        """Do something that reads a little, in a thread that is kept for it."""
        return await asyncio.get_running_loop().run_in_executor(self._looks, work)

    async def look_now(self, run: ShownRun) -> Look:
        """A look at a run, for a page that is opened: the last one where there is one."""
        known = self.look(run.name)
        return known if known is not None else await self.quickly(partial(look_at, run))

    async def live_now(self) -> tuple[Look, ...]:
        """A look at each run that lives."""
        if self._register is not None and self._live:
            return self.live()
        runs = await self.quickly(registered_runs)
        return tuple(await asyncio.gather(*(self.look_now(run) for run in runs)))

    def close_looks(self) -> None:
        """Look no more, until a tab is opened again."""
        if self._register is not None:
            self._register.cancel()
            self._register = None
        for watched in self._watched.values():
            if watched.task is not None:
                watched.task.cancel()
        self._watched.clear()
        self._live = ()

    def close(self) -> None:
        """For ever."""
        self.close_looks()
        self._looks.shutdown(wait=False)
        self._threads.shutdown(wait=False)

    async def _keep_register(self) -> None:
        while True:
            self._opened.clear()
            runs = await self.quickly(registered_runs)
            self._live = tuple(map(_key, runs))
            # Of a copy: tabs come and go while it is looked for their runs.
            named = [await self._shown(name) for name in tuple(self._tabs)]
            shown = [run for run in named if run is not None]
            wanted = {_key(run): run for run in [*shown, *runs]}
            for key, run in wanted.items():
                if key in self._watched:
                    self._watched[key].run = run
                else:
                    watched = self._watched[key] = _Watched(run)
                    watched.task = asyncio.create_task(self._keep_looking(watched))
            for key in self._watched.keys() - wanted.keys():
                gone = self._watched.pop(key)
                if gone.task is not None:
                    gone.task.cancel()
                self._tell()
            await _within(self._opened, REGISTER_EVERY_S)

    async def _shown(self, name: str) -> ShownRun | None:
        if not name:
            return None
        try:
            return await self.quickly(lambda: run_named(name, self._runs))
        except (NoSuchRun, SeveralRuns):
            return None

    async def _keep_looking(self, watched: _Watched) -> None:
        while True:
            watched.hurry.clear()
            try:
                watched.look = await self.quickly(partial(look_at, watched.run, watched.look))
            except Exception:
                # The last look grows old, and every tab says so; the next may well succeed.
                _log.exception("a look at %s failed", watched.run.name)
            self._tell()
            watched.soon = max(0, watched.soon - 1)
            await _within(watched.hurry, SOON_EVERY_S if watched.soon else LOOK_EVERY_S)

    def _tell(self) -> None:
        self.version += 1
        self._news.set()
        self._news = asyncio.Event()


async def _within(event: asyncio.Event, within_s: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), within_s)


def _key(run: ShownRun) -> str:
    return os.path.realpath(run.folder.root)
