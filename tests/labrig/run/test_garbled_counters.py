"""A line without a checksum turns a bit of what a pump counted: no dose is given twice by that."""

from __future__ import annotations

import json

import pytest

from labrig.run.dose_witness import agree
from labrig_drivers.kinds import PumpState

DUE_S, END_S, VOLUME_UL = 610.0, 1800.0, 20.0
BASIC = ("new_era_ne1000", {"address": 0})
"""Without a watchdog a New Era pump speaks its Basic mode, which has no checksum."""


class Garbled:
    """At the dose some answers show another count; that to the command to run is never heard.

    Args:
        before: answers about the counter since the dose was due, by number, that show 20 µL more.
        after: answers about it since the command to run, by number, that show 20 µL less.
        mute_s: so long after that command nothing is heard.
    """

    def __init__(
        self,
        night,
        before: tuple[int, ...] = (),
        after: tuple[int, ...] = (),
        mute_s: float = 0.0,
    ) -> None:
        self._night, self._mute_s = night, mute_s
        self._turned = {(False, number) for number in before} | {(True, n) for n in after}
        self._asked = 0
        self.ran = False

    def open(self, port):
        inner = self._night.open_transport(port)
        if port.name != "dose-port":
            return inner
        write, read = inner.write, inner.read
        lost, last = False, b""

        def send(data: bytes) -> None:
            nonlocal lost
            now_s = self._night.clock.now_s()
            self._asked += b"DIS" in data and now_s >= DUE_S + self.ran * self._mute_s
            lost = b"RUN" in data and now_s >= DUE_S and not self.ran
            if lost:
                self.ran, self._asked = True, 0
            write(data)

        def heard(size: int, timeout_s: float) -> bytes:
            nonlocal last
            data: bytes = read(size, timeout_s)
            if lost or (self.ran and self._night.clock.now_s() < DUE_S + self._mute_s):
                return b""
            # The bit of two in the first digit of what was infused.
            number_begins, last = last.endswith(b"I"), data
            if number_begins and (self.ran, self._asked) in self._turned:
                return bytes([data[0] ^ 2]) + data[1:]
            return data

        inner.write, inner.read = send, heard
        return inner


@pytest.fixture
def dosed(rehearse, script):
    """A night with one dose over such a line; what the ledger says of it."""

    def run(rule: str, **garbled):
        night = rehearse(instruments={"dose": BASIC})
        night.count_from(57.41)
        doses = [script.flow(0.0, 0.0, "dose"), script.dose(DUE_S, VOLUME_UL, on_unknown=rule)]
        runner = night.make(script.plan(doses, END_S))
        line = Garbled(night, **garbled)
        runner._open_transport = line.open
        runner.run()
        night.plants["dose"].settle(END_S)
        assert line.ran
        assert night.plants["dose"].moved_ul == pytest.approx(VOLUME_UL, abs=0.1)
        (dose,) = json.loads((night.folder / "ledger.json").read_text(encoding="utf-8"))["doses"]
        return dose

    return run


RULES = ("assume_done", "redo", "ask")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("before", [(1,), (2,), (3,), (1, 2)])
def test_a_garbled_counter_before_a_dose_does_not_double_it(dosed, rule, before):
    """Even both readings: the pump was seen to give it."""
    assert dosed(rule, before=before)["at_most_ul"] == pytest.approx(VOLUME_UL, abs=0.1)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("after", [(1,), (2,), (3,), (4,)])
def test_a_garbled_counter_after_a_dose_does_not_double_it(dosed, rule, after):
    """Out of reach until it was over, so that nobody saw the pump give it."""
    dose = dosed(rule, after=after, mute_s=70.0)
    assert dose["classification"] == "done"
    assert dose["delivered_ul"] == pytest.approx(VOLUME_UL, abs=0.1)


def counted(counted_ul, running=False, step_ul=0.01, range_ul=10_000.0):
    return PumpState(running, 30.0, counted_ul, counter_step_ul=step_ul, counter_range_ul=range_ul)


READ_TWICE = [
    ("it stands", counted(57.41), counted(57.41), True),
    ("a bit turned", counted(57.41), counted(77.41), False),
    ("a bit turned the other way", counted(77.41), counted(57.41), False),
    ("it runs", counted(57.41, True), counted(57.60, True), True),
    ("it runs, but not so fast", counted(57.41, True), counted(61.41, True), False),
    ("a coarser digit shows less", counted(99.99), counted(99.9, step_ul=0.1), True),
    ("rolled over", counted(9_999.9, True), counted(0.1, True), True),
    ("no counter", counted(None), counted(None), True),
]


@pytest.mark.parametrize(
    ("first", "second", "so"), [c[1:] for c in READ_TWICE], ids=[c[0] for c in READ_TWICE]
)
def test_two_readings_of_one_moment_agree(first, second, so):
    assert agree(first, second, 0.1) is so
