"""Makes pictures for the page: few at a time, each once, and never in the way of a stop.

Two threads of its own do the work, so that the threads that carry commands to a runner are always
free; and a browser opens six connections to one address for all of its tabs together, so no more
than four requests may wait here: to the fifth the desk says that it is busy, at once, and the page
asks again.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 2
MOST_ASKED = 4
KEPT_BYTES = 48_000_000


class Busy(Exception):
    """As many pictures as may be are being made: ask again in a moment."""


class PictureDesk:
    """The one place of a page where pictures are made; call :meth:`close` at the end."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "pictures")
        self._asked = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    async def do(self, work: Callable[[], T]) -> T:
        """Do something in one of the threads, and come back with what it gave or raised.

        Raises:
            Busy: too much is asked for.
        """
        if self._asked >= MOST_ASKED:
            raise Busy("Pictures are being made: ask again in a second.")
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._asked -= 1

    def once(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """What ``make`` gives, or gave before: the last few are kept.

        Args:
            key: says everything that it depends on.
            make: makes it; what it raises is raised here.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            if key not in self._kept and len(made) <= KEPT_BYTES:
                self._kept[key] = made
                self._kept_bytes += len(made)
            while self._kept_bytes > KEPT_BYTES:
                _, gone = self._kept.popitem(last=False)
                self._kept_bytes -= len(gone)
        return made

    def close(self) -> None:
        """Let go of what is not begun; what is under way is waited for."""
        self._threads.shutdown(cancel_futures=True)
