"""The book of what people were told: which cause, by which route, when, and who has seen it. Pure.

Every change gives a new book; :mod:`labrig.watch.store` puts it on the disk before and after each
message, so that a watch that is killed at any moment tells nothing twice and forgets nothing. Of a
message that was on its way at that moment nobody knows whether it arrived: it is sent again, and
says so.

Times in ``_s`` are seconds of the watch (:mod:`labrig.watch.watch_clock`), which no change of the
computer's clock moves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from labrig.watch.causes import Cause, as_grave_as
from labrig.watch.routes import Route

SAME_WITHIN_S = 1800.0
"""[P] What comes back so soon after it was over is the same cause, and told of once."""
AGAIN_AFTER_S = (5.0, 15.0, 60.0, 300.0, 900.0)
"""[P] How long after each failure in a row a route is tried again; the last one for ever."""
GIVEN_UP_AFTER_S = 24 * 3600.0
"""[P] What has waited so long for a route is written off."""
FORGOTTEN_AFTER_S = 14 * 24 * 3600.0
"""[P] Of causes that are over, so much is kept to look back on."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message by one route.

    Attributes:
        tries: how often it was sent or tried.
        next_s: when a failed one is tried again.
        utc: of the last try, ISO 8601.
        failure: why the last try failed.
        perhaps: an earlier try was cut short, so it may reach people twice.
    """

    route: str
    state: Literal["under way", "sent", "failed"]
    tries: int = 1
    next_s: float = 0.0
    utc: str = ""
    failure: str = ""
    perhaps: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One cause, and who was told of it.

    Attributes:
        number: by which people acknowledge it.
        over_s / over_utc: since when it does not stand any more; None and empty while it does.
        acked_by / acked_utc: who has seen to it; empty while nobody has.
    """

    number: int
    cause: Cause
    raised_s: float
    raised_utc: str
    over_s: float | None = None
    over_utc: str = ""
    acked_by: str = ""
    acked_utc: str = ""
    deliveries: tuple[Delivery, ...] = ()

    def by(self, route: str) -> Delivery | None:
        """What became of it on this route."""
        return next((d for d in self.deliveries if d.route == route), None)

    @property
    def told(self) -> bool:
        """Whether some route has taken it."""
        return any(d.state == "sent" for d in self.deliveries)

    @property
    def wants_somebody(self) -> bool:
        """Whether it is a call that stands and that nobody has acknowledged."""
        return self.cause.severity == "call" and self.over_s is None and not self.acked_utc


@dataclass(frozen=True, slots=True)
class Book:
    """All entries, the oldest first."""

    entries: tuple[Entry, ...] = field(default=())
    next_number: int = 1

    def entry(self, number: int) -> Entry | None:
        """The entry of this number."""
        return next((e for e in self.entries if e.number == number), None)

    def of(self, key: str) -> Entry | None:
        """The newest entry that tells of this cause."""
        return next((e for e in reversed(self.entries) if key in e.cause.keys), None)


def heard(book: Book, causes: Iterable[Cause], now_s: float, utc: str) -> Book:
    """Causes that were noticed; what is in the book already is told of once."""
    for cause in causes:
        known = book.of(cause.key)
        if known is not None and (known.over_s is None or now_s - known.over_s < SAME_WITHIN_S):
            book = _with(book, replace(known, over_s=None, over_utc=""))
            continue
        entry = Entry(book.next_number, cause, now_s, utc)
        book = Book((*book.entries, entry), book.next_number + 1)
    return book


def over(book: Book, standing: Iterable[str], now_s: float, utc: str) -> Book:
    """Whatever is not among the keys that stand is over."""
    still = frozenset(standing)
    ended = [e for e in book.entries if e.over_s is None and still.isdisjoint(e.cause.keys)]
    for entry in ended:
        book = _with(book, replace(entry, over_s=now_s, over_utc=utc))
    return book


def due(
    book: Book, routes: tuple[Route, ...], now_s: float, *, quiet: bool
) -> tuple[tuple[int, Route], ...]:
    """What is to be sent now, by which route: one message a cause and route.

    Args:
        book: what was told.
        routes: in the order in which they are tried when others fail.
        now_s: of the watch.
        quiet: only calls may go out.
    """
    found = []
    for entry in book.entries:
        if entry.acked_utc or (quiet and entry.cause.severity != "call"):
            continue
        if now_s - entry.raised_s > GIVEN_UP_AFTER_S and not entry.wants_somebody:
            continue
        for route in _wanted(entry, routes, now_s):
            delivery = entry.by(route.name)
            if delivery is None or (delivery.state == "failed" and delivery.next_s <= now_s):
                found.append((entry.number, route))
    return tuple(found)


def begun(book: Book, number: int, route: str, utc: str) -> Book:
    """It is being sent. Write this down before it is."""
    entry = _known(book, number)
    before = entry.by(route)
    tries = 1 if before is None else before.tries + 1
    perhaps = before is not None and before.perhaps
    return _delivered(book, entry, Delivery(route, "under way", tries, 0.0, utc, "", perhaps))


def ended(
    book: Book, number: int, route: str, failure: str, now_s: float, unsure: bool = False
) -> Book:
    """What came of sending it.

    Args:
        book: what was told.
        number: of the message; ``route``: by which it went.
        route: its name.
        failure: why it did not go out; empty: the route has taken it.
        now_s: of the watch.
        unsure: it may arrive all the same.
    """
    entry = _known(book, number)
    delivery = entry.by(route)
    if delivery is None:
        raise KeyError(f"message {number} was never begun by {route}")
    if not failure:
        return _delivered(book, entry, replace(delivery, state="sent", failure=""))
    pause_s = AGAIN_AFTER_S[min(delivery.tries, len(AGAIN_AFTER_S)) - 1]
    failed = replace(
        delivery, state="failed", failure=failure, next_s=now_s + pause_s,
        perhaps=delivery.perhaps or unsure,
    )  # fmt: skip
    return _delivered(book, entry, failed)


def after_restart(book: Book, now_s: float) -> Book:
    """A watch has died: what it was sending may or may not have arrived, and is sent again."""
    for entry in book.entries:
        for delivery in entry.deliveries:
            if delivery.state == "under way":
                cut = replace(
                    delivery, state="failed", next_s=now_s, perhaps=True,
                    failure="the watch was ended while it sent this",
                )  # fmt: skip
                book = _delivered(book, _known(book, entry.number), cut)
    return book


def acknowledged(book: Book, number: int, by: str, utc: str) -> Book:
    """Somebody sees to it: nobody else is called. The first to say so stays."""
    entry = book.entry(number)
    if entry is None or entry.acked_utc:
        return book
    return _with(book, replace(entry, acked_by=by, acked_utc=utc))


def pruned(book: Book, now_s: float) -> Book:
    """Without what has long been over."""
    kept = tuple(
        e for e in book.entries if e.over_s is None or now_s - e.over_s < FORGOTTEN_AFTER_S
    )
    return book if len(kept) == len(book.entries) else replace(book, entries=kept)


def unheard(book: Book, now_s: float, for_s: float) -> tuple[Entry, ...]:
    """Calls that no route has taken for so long: people do not know, and we cannot tell them."""
    return tuple(
        e for e in book.entries
        if e.wants_somebody and not e.told and now_s - e.raised_s >= for_s
    )  # fmt: skip


def waits(book: Book, routes: tuple[Route, ...], now_s: float) -> bool:
    """Whether anything is still to be told, now or when the quiet hours are over."""
    return any(
        not e.acked_utc
        and (e.wants_somebody or not e.told)
        and now_s - e.raised_s <= GIVEN_UP_AFTER_S
        and any(as_grave_as(e.cause.severity, r.takes) for r in routes)
        for e in book.entries
    )


def _wanted(entry: Entry, routes: tuple[Route, ...], now_s: float) -> list[Route]:
    """The routes by which it is to go out by now: each that is due, and one more per failure."""
    fit = [r for r in routes if as_grave_as(entry.cause.severity, r.takes)]
    stood_s = now_s - entry.raised_s
    escalates = entry.wants_somebody
    # A route that only ever comes later is the first where no other takes such causes.
    soonest = min((r.after_min for r in fit), default=0.0)
    timely = [
        r for r in fit
        if r.after_min == soonest or (escalates and stood_s >= 60.0 * r.after_min)
    ]  # fmt: skip
    if entry.over_s is not None and entry.told:
        return []
    if not entry.told and timely and all(_failed(entry, r) for r in timely):
        spare = [r for r in fit if r not in timely]
        # one after the other: the next as soon as all before it have failed
        for route in sorted(spare, key=lambda r: r.after_min):
            timely.append(route)
            if not _failed(entry, route):
                break
    return timely


def _failed(entry: Entry, route: Route) -> bool:
    delivery = entry.by(route.name)
    return delivery is not None and delivery.state == "failed"


def _delivered(book: Book, entry: Entry, delivery: Delivery) -> Book:
    others = tuple(d for d in entry.deliveries if d.route != delivery.route)
    return _with(book, replace(entry, deliveries=(*others, delivery)))


def _with(book: Book, entry: Entry) -> Book:
    entries = tuple(entry if e.number == entry.number else e for e in book.entries)
    return replace(book, entries=entries)


def _known(book: Book, number: int) -> Entry:
    entry = book.entry(number)
    if entry is None:
        raise KeyError(f"there is no message {number}")
    return entry
