"""The processes of this machine that measure, beside whoever conducts a night."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from typing import TypeVar

from labrig_measure.child import end_with_parent

PROCESSES = 2
"""They keep up with a simulated night at full speed; the runner of a real one needs next to nothing
of a core."""
Given = TypeVar("Given")
Made = TypeVar("Made")


class MeasuringProcesses:
    """A few processes, started with the first work and anew after one was killed."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], Made]) -> Future[Made]:
        """Do some work soon; what is in work when a process is killed fails."""
        with self._lock:
            try:
                return self._started().submit(work)
            except BrokenProcessPool:
                self._end()
                return self._started().submit(work)

    def map(self, work: Callable[[Given], Made], each: Sequence[Given]) -> Iterable[Made]:
        """Do the same work on each, side by side; the results in order."""
        futures = [self.submit(partial(work, given)) for given in each]
        return (future.result() for future in futures)

    def close(self) -> None:
        """Wait for what is in work, begin nothing more, and end the processes."""
        with self._lock:
            self._end()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # spawned, not forked: a conductor has threads, and a forked child of those can hang
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                PROCESSES, mp_context=context, initializer=end_with_parent
            )
        return self._pool

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


@cache
def processes_here() -> MeasuringProcesses:
    """Those of this process: work that was sent here finds them, and brings none along."""
    return MeasuringProcesses()
