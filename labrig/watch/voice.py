"""Tells people: takes causes, keeps the book of them on the disk, and sends what is due."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from labrig.durable import DamagedFile
from labrig.watch import book as books
from labrig.watch import texts
from labrig.watch.acks import left_acks
from labrig.watch.book import Book, Entry
from labrig.watch.causes import Cause
from labrig.watch.couriers import Couriers, Errand
from labrig.watch.routes import Route, Routes
from labrig.watch.store import Memory, recalled, remember
from labrig.watch.watch_clock import WatchClock

_log = logging.getLogger(__name__)

TOLD = "told.jsonl"
OVER_IS_NEWS_S = 600.0
"""[P] A call may still be on its way when its cause is over."""
_OVER = "|over"


class Voice:
    """One watch's voice. Whatever it is about to do stands on the disk before.

    Args:
        folder: of the watch: what it remembers, whom it told, and acknowledgements for it.
        file: the name of its memory.
        couriers: carry the messages.
        clock: made of the last moment that an earlier watch wrote down.
        local_now: the time of day with this computer's zone, for quiet hours and texts.
        ack: the command by which people acknowledge a message, before its number.
    """

    def __init__(
        self,
        folder: Path,
        file: str,
        couriers: Couriers,
        clock: Callable[..., WatchClock] = WatchClock,
        local_now: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone(),
        ack: str = "labrig watch ack",
    ) -> None:
        self._folder = folder
        self._path = folder / file
        self._couriers = couriers
        self._local_now = local_now
        self._ack = ack
        before = _recalled(self._path)
        self.clock = clock(before.anchor)
        self.memory = replace(before, book=books.after_restart(before.book, self.clock.now_s()))
        self._on_disk: Memory | None = None
        self._refused = False

    @property
    def book(self) -> Book:
        """What people were told."""
        return self.memory.book

    def hear(self, causes: Iterable[Cause], standing: Iterable[str], routes: Routes) -> None:
        """Take in what was noticed, and what of all that was ever noticed still stands."""
        now_s, utc = self.clock.now_s(), self.clock.utc()
        book = books.heard(self.book, causes, now_s, utc)
        book = books.over(book, standing, now_s, utc)
        if routes.when_over:
            ended = [_said_over(e) for e in book.entries if _called_for(e, now_s)]
            news = [cause for cause in ended if book.of(cause.key) is None]
            # not standing: the next look finds them over
            book = books.heard(book, news, now_s, utc)
        self._change(book)

    def tend(self, routes: Routes) -> None:
        """Take in what came back and who has acknowledged; send what is due.

        A disk that takes nothing keeps no call from going out: then, and only then, a watch that
        is killed might tell something twice.
        """
        now_s = self.clock.now_s()
        self._take_back(now_s)
        done = self._take_acks()
        self._change(books.pruned(self.book, now_s))
        local = self._local_now()
        quiet = routes.quiet_hours is not None and routes.quiet_hours.hold_at(local.time())
        errands = []
        for number, route in books.due(self.book, routes.routes, now_s, quiet=quiet):
            entry = self.book.entry(number)
            if entry is not None:
                errands.append(self._errand(entry, route, local, now_s))
                self._change(books.begun(self.book, number, route.name, self.clock.utc()))
        if self.save():
            for path in done:
                path.unlink(missing_ok=True)
        for errand in errands:
            self._couriers.go(errand, now_s)

    def settle(self) -> bool:
        """Take in at once what came back; whether anything is still out.

        What is not written down when a watch is killed is sent a second time.
        """
        self._take_back(self.clock.now_s())
        self.save()
        return self._couriers.busy

    def save(self) -> bool:
        """Put what has changed on the disk; whether that was done."""
        lasting = _lasting(self.memory)
        if lasting == self._on_disk:
            return True
        try:
            remember(self._path, replace(self.memory, anchor=self.clock.anchor()))
        except OSError as error:
            if not self._refused:
                _log.error("%s cannot be written: %s", self._path, error)
            self._refused = True
            return False
        self._on_disk, self._refused = lasting, False
        return True

    def waits(self, routes: Routes) -> bool:
        """Whether anything is still to be told."""
        now_s = self.clock.now_s()
        return self._couriers.busy or books.waits(self.book, routes.routes, now_s)

    def _change(self, book: Book) -> None:
        if book is not self.memory.book:
            self.memory = replace(self.memory, book=book)

    def _errand(self, entry: Entry, route: Route, local: datetime, now_s: float) -> Errand:
        later_min = 0.0
        if route.after_min and entry.told and now_s - entry.raised_s >= 60.0 * route.after_min:
            later_min = (now_s - entry.raised_s) / 60.0
        text = texts.whole(entry, route.name, local, later_min, self._ack)
        return Errand(entry.number, route, text, entry.cause.severity)

    def _take_back(self, now_s: float) -> None:
        for back in self._couriers.back(now_s):
            entry = self.book.entry(back.number)
            if entry is None:
                continue
            self._change(
                books.ended(self.book, back.number, back.route, back.failure, now_s, back.unsure)
            )
            self._write_down(entry, back.route, back.failure)

    def _take_acks(self) -> list[Path]:
        """Those that were left; returns their files, to be removed once the book is on the disk."""
        done = []
        for path, ack in left_acks(self._folder):
            done.append(path)
            if ack is not None:
                self._change(books.acknowledged(self.book, ack.number, ack.by, ack.utc))
        return done

    def _write_down(self, entry: Entry, route: str, failure: str) -> None:
        """For whoever asks later who was told when; what counts is the memory."""
        line = json.dumps(
            {
                "utc": self.clock.utc(), "message": entry.number, "run": entry.cause.run,
                "severity": entry.cause.severity, "subject": entry.cause.subject,
                "cause": entry.cause.key, "route": route, "failure": failure,
            },
            ensure_ascii=False,
        )  # fmt: skip
        path = self._folder / TOLD
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with open(descriptor, "a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            _log.warning("%s cannot be written: %s", path, error)


def _lasting(memory: Memory) -> Memory:
    """Without what changes at every look and can be seen anew: a disk is not written for that."""
    return replace(memory, runs=tuple(replace(run, run_s=0.0, utc="") for run in memory.runs))


def _recalled(path: Path) -> Memory:
    """What an earlier watch wrote; a file that is damaged is put aside: people are told anew."""
    try:
        return recalled(path)
    except DamagedFile as error:
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        _log.error("%s: it is put aside as %s, and what stands is told again", error, aside)
        return Memory()


def _called_for(entry: Entry, now_s: float) -> bool:
    """Whether somebody was called for it and it has been over since lately."""
    lately = entry.over_s is not None and now_s - entry.over_s < OVER_IS_NEWS_S
    called = entry.cause.severity == "call" and entry.told
    return lately and called and not entry.cause.key.endswith(_OVER)


def _said_over(entry: Entry) -> Cause:
    text = texts.still_over(entry)
    return replace(
        entry.cause, key=f"{entry.cause.key}|{entry.number}{_OVER}", also=(),
        subject=text.subject, text=text.body,
    )  # fmt: skip
