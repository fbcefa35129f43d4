"""The pure book: no cause told twice, none forgotten, whoever dies whenever."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from labrig.typed_json import TypedJson
from labrig.watch import book as books
from labrig.watch.book import AGAIN_AFTER_S, SAME_WITHIN_S, Book
from labrig.watch.causes import Cause
from labrig.watch.routes import Route

PHONE = Route(name="phone", url="json://phone", takes="call")
LATER = Route(name="second-phone", url="json://second", takes="call", after_min=10)
MAIL = Route(name="mail", url="json://mail", takes="tell")
ROUTES = (PHONE, LATER, MAIL)
UTC = "2026-11-30T02:13:00+00:00"


def cause(key="stall", severity="call"):
    return Cause(f"run|{key}", severity, "run", key, f"{key} happened")


def names(due):
    return [(number, route.name) for number, route in due]


def sent(book, due, now_s, failure=""):
    for number, route in due:
        book = books.begun(book, number, route.name, UTC)
        book = books.ended(book, number, route.name, failure, now_s)
    return book


def due(book, now_s, quiet=False, routes=ROUTES):
    return books.due(book, routes, now_s, quiet=quiet)


def test_a_call_goes_to_every_route_that_is_first_and_after_ten_minutes_to_the_next():
    book = books.heard(Book(), [cause()], 0.0, UTC)
    assert names(due(book, 0.0)) == [(1, "phone"), (1, "mail")]
    book = sent(book, due(book, 0.0), 0.0)
    assert names(due(book, 599.0)) == []
    assert names(due(book, 600.0)) == [(1, "second-phone")]
    book = sent(book, due(book, 600.0), 600.0)
    assert names(due(book, 1e5)) == []


def test_an_acknowledged_call_goes_no_further_and_the_first_to_say_so_stays():
    book = sent(books.heard(Book(), [cause()], 0.0, UTC), [(1, PHONE), (1, MAIL)], 0.0)
    book = books.acknowledged(book, 1, "A. Technician", UTC)
    book = books.acknowledged(book, 1, "B. Scientist", UTC)
    assert names(due(book, 1e4)) == []
    assert book.entry(1).acked_by == "A. Technician"
    assert books.acknowledged(book, 99, "nobody", UTC) is book


def test_a_call_that_is_over_is_not_escalated():
    book = sent(books.heard(Book(), [cause()], 0.0, UTC), [(1, PHONE), (1, MAIL)], 0.0)
    book = books.over(book, [], 60.0, UTC)
    assert names(due(book, 1e4)) == []


def test_when_every_first_route_fails_the_next_is_tried_at_once():
    book = books.heard(Book(), [cause()], 0.0, UTC)
    book = sent(book, [(1, PHONE)], 0.0, "no network")
    assert names(due(book, 1.0)) == [(1, "mail")]
    book = sent(book, [(1, MAIL)], 1.0, "no network")
    assert names(due(book, 1.0)) == [(1, "second-phone")]


def test_a_route_that_fails_is_tried_again_with_growing_pauses():
    book, now_s, pauses = books.heard(Book(), [cause()], 0.0, UTC), 0.0, []
    only = (PHONE,)
    for _ in range(7):
        book = sent(book, due(book, now_s, routes=only), now_s, "busy")
        next_s = book.entry(1).by("phone").next_s
        assert due(book, next_s - 0.1, routes=only) == ()
        pauses.append(next_s - now_s)
        now_s = next_s
    assert pauses == [*AGAIN_AFTER_S, AGAIN_AFTER_S[-1], AGAIN_AFTER_S[-1]]


def test_in_quiet_hours_only_calls_go_out_and_the_rest_waits_even_when_it_is_over():
    book = books.heard(Book(), [cause("stall"), cause("camera", "tell")], 0.0, UTC)
    assert names(due(book, 0.0, quiet=True)) == [(1, "phone"), (1, "mail")]
    book = books.over(book, [], 100.0, UTC)
    assert (2, "mail") not in names(due(book, 3600.0, quiet=True))
    assert (2, "mail") in names(due(book, 7200.0))


def test_a_cause_that_comes_back_soon_is_the_same_and_one_that_comes_back_late_is_new():
    book = sent(books.heard(Book(), [cause()], 0.0, UTC), [(1, PHONE), (1, MAIL)], 0.0)
    book = books.over(book, [], 10.0, UTC)
    soon = books.heard(book, [cause()], 10.0 + SAME_WITHIN_S - 1.0, UTC)
    assert len(soon.entries) == 1
    assert soon.entries[0].over_s is None
    late = books.heard(book, [cause()], 10.0 + SAME_WITHIN_S, UTC)
    assert [e.number for e in late.entries] == [1, 2]


def test_what_another_message_said_as_well_is_not_told_again():
    both = replace(cause("stall"), also=("run|question",))
    book = books.heard(Book(), [both, cause("question")], 0.0, UTC)
    assert len(book.entries) == 1
    # the alarm is over, its question still stands
    assert books.over(book, ["run|question"], 5.0, UTC).entries[0].over_s is None


def test_a_severity_that_no_first_route_takes_goes_by_the_soonest_that_does():
    book = books.heard(Book(), [cause()], 0.0, UTC)
    assert names(due(book, 0.0, routes=(LATER,))) == [(1, "second-phone")]
    assert due(books.heard(Book(), [cause("x", "note")], 0.0, UTC), 0.0) == ()


def test_a_message_that_was_cut_short_is_sent_again_and_says_so():
    book = books.begun(books.heard(Book(), [cause()], 0.0, UTC), 1, "phone", UTC)
    assert (1, "phone") not in names(due(book, 1e3))
    book = books.after_restart(book, 5.0)
    assert (1, "phone") in names(due(book, 5.0))
    book = sent(book, [(1, PHONE)], 5.0)
    assert book.entry(1).by("phone").perhaps


def test_old_entries_go_and_calls_that_nobody_heard_are_known():
    book = books.heard(Book(), [cause()], 0.0, UTC)
    assert books.unheard(book, 119.0, 120.0) == ()
    assert [e.number for e in books.unheard(book, 120.0, 120.0)] == [1]
    assert books.pruned(book, 1e9) is book
    assert books.pruned(books.over(book, [], 0.0, UTC), 1e9).entries == ()


class AnyNight(RuleBasedStateMachine):
    """Alarms come and go, routes fail, people acknowledge, the watch is killed at any moment."""

    @initialize()
    def begin(self):
        self.now_s = 0.0
        self.standing = set()
        self.disk = self.book = Book()
        self.wire = []  # what left this computer: (number, route, marked as perhaps known)
        self.raised = set()
        self.dead = set()

    def _save(self):
        plain = TypedJson().plain(self.book)
        self.disk = TypedJson().read(Book, plain)
        assert self.disk == self.book

    def _heard(self, causes):
        self.book = books.heard(self.book, causes, self.now_s, UTC)
        self.book = books.over(self.book, self.standing, self.now_s, UTC)
        self._save()

    @rule(key=st.sampled_from("abc"), severity=st.sampled_from(["call", "tell"]))
    def raise_alarm(self, key, severity):
        self.standing.add(f"run|{key}")
        self._heard([cause(key, severity)])
        self.raised.add(f"run|{key}")

    @rule(key=st.sampled_from("abc"))
    def clear_alarm(self, key):
        self.standing.discard(f"run|{key}")
        self._heard([])

    @rule(passes_s=st.sampled_from([1.0, 60.0, 700.0]))
    def wait(self, passes_s):
        self.now_s += passes_s

    @rule(route=st.sampled_from(["phone", "second-phone", "mail"]))
    def service_dies_or_comes_back(self, route):
        self.dead ^= {route}

    @rule(number=st.integers(1, 6))
    def acknowledge(self, number):
        self.book = books.acknowledged(self.book, number, "A. Technician", UTC)
        self._save()

    @rule(killed=st.sampled_from([None, None, None, "before", "between", "after"]))
    def tend(self, killed):
        for number, route in due(self.book, self.now_s):
            if killed == "before":
                break
            self.book = books.begun(self.book, number, route.name, UTC)
            self._save()
            if killed == "between":
                break
            failure = "it is down" if route.name in self.dead else ""
            if not failure:
                perhaps = self.book.entry(number).by(route.name).perhaps
                self.wire.append((number, route.name, perhaps))
            if killed == "after":
                break
            self.book = books.ended(self.book, number, route.name, failure, self.now_s)
            self._save()
        if killed:
            self.book = books.after_restart(self.disk, self.now_s)
            self._save()

    @invariant()
    def nothing_is_told_twice_without_saying_so(self):
        plainly = [(number, route) for number, route, perhaps in self.wire if not perhaps]
        assert len(plainly) == len(set(plainly)), self.wire

    @invariant()
    def everything_raised_is_in_the_book(self):
        assert self.raised <= {entry.cause.key for entry in self.book.entries}

    def teardown(self):
        """Once every service works and the watch lives, whatever was raised is told or seen to."""
        self.dead = set()
        for _ in range(20):
            self.now_s += 900.0
            self.tend(None)
        for entry in self.book.entries:
            assert entry.told or entry.acked_utc, entry


TestAnyNight = AnyNight.TestCase
TestAnyNight.settings = settings(max_examples=40, stateful_step_count=30)
