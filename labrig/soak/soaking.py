"""Thousands of nights: seed after seed, each failing one shrunk and kept as a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from labrig.soak.document import write_night
from labrig.soak.drawing import night_of
from labrig.soak.playing import Night, play_here
from labrig.soak.protocol_night import ProtocolNight
from labrig.soak.shrinking import MOST_TRIES, Budget, shrunk
from labrig.truth.night import Violation

Play = Callable[[Night], list[Violation]]


@dataclass(frozen=True)
class Failure:
    """A night of which something is not true.

    Attributes:
        found: in the whole night.
        file: the shrunk one; "" when it is not to be shrunk.
        left: parts of the shrunk night, ``of`` so many; ``tries``: nights played for it.
    """

    seed: int
    found: tuple[str, ...]
    file: str = ""
    left: int = 0
    of: int = 0
    tries: int = 0


@dataclass
class Tally:
    """How many were played, in what time, and those that failed."""

    nights: int = 0
    cpu_s: float = 0.0
    virtual_s: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    def add(self, one: Played) -> None:
        """One more."""
        self.nights += 1
        self.cpu_s += one.cpu_s
        self.virtual_s += one.virtual_s
        self.failures += [] if one.failure is None else [one.failure]

    def nights_an_hour(self) -> float:
        """And core, by the time that processors worked."""
        return 3600.0 * self.nights / self.cpu_s if self.cpu_s else 0.0


@dataclass(frozen=True)
class Played:
    """One seed."""

    seed: int
    cpu_s: float
    virtual_s: float
    failure: Failure | None


def soak(seeds: Iterable[int], jobs: int, keep: Path, tries: int = MOST_TRIES) -> Iterator[Played]:
    """Play them, in order with one job, else as they come.

    Args:
        seeds: of the nights.
        jobs: processes.
        keep: folder for the files of shrunk nights.
        tries: for shrinking one; 0: none is shrunk.
    """
    if jobs == 1:
        for seed in seeds:
            yield play_seed(seed, keep, tries)
        return
    # Started anew: a fork would copy the threads' locks of whoever asks.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(play_seed, seed, keep, tries) for seed in seeds]
        for one in waiting:
            yield one.result()


def play_seed(seed: int, keep: Path, tries: int = MOST_TRIES, play: Play = play_here) -> Played:
    """One seed, shrunk and kept when it fails."""
    night = night_of(seed)
    began_s = time.process_time()
    found = play(night)
    cpu_s = time.process_time() - began_s
    failure = None
    if found:
        failure = _kept(night, found, keep, tries, play)
    return Played(seed, cpu_s, night.plan.forecast.duration_s, failure)


def smallest(night: Night, found: list[Violation], budget: Budget, play: Play) -> Night:
    """The smallest night that breaks one of the same rules."""
    rules = {violation.rule for violation in found}

    def fails(one: Night) -> bool:
        return bool(rules & {violation.rule for violation in play(one)})

    if isinstance(night, ProtocolNight):
        return shrunk(night, fails, budget)
    return shrunk(night, fails, budget)


def _kept(night: Night, found: list[Violation], keep: Path, tries: int, play: Play) -> Failure:
    whole = tuple(map(str, found))
    if not tries:
        return Failure(night.seed, whole)
    budget = Budget(tries)
    small = smallest(night, found, budget, play)
    again = play(small)
    path = keep / f"seed-{night.seed}.yaml"
    said = (
        f"Night {night.seed} of `labrig soak`, shrunk from {len(night.parts())} parts to "
        f"{len(small.parts())} in {budget.used} tries.",
        f"Again: labrig soak --replay {path}",
        *(f"  {violation}" for violation in again or found),
    )
    write_night(path, small, said)
    return Failure(
        night.seed, whole, str(path), len(small.parts()), len(night.parts()), budget.used
    )
