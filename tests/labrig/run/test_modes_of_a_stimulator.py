"""What a stimulator is sent in each mode, and which trains it says it missed."""

from types import SimpleNamespace

import pytest

from labrig.run.board import Board
from labrig.run.captures import Captures
from labrig.run.lease import Fence
from labrig.run.mode import FOLLOWING, HALTED, Mode
from labrig.run.orders import Finish, InMode, Order
from labrig.run.stimulation import StimulatorHandler
from labrig.run.strengths import Strengths

CO2 = Mode("suspended", ("co2",))


class Stimulator:
    def __init__(self, sent):
        self.sent = sent

    def state(self, now_s):
        return SimpleNamespace(reachable=True, running_until_s={})

    def program(self, trains):
        self.sent.append("program")

    def stop(self):
        self.sent.append("stop")

    def trigger(self, channels, now_s):
        self.sent.append("trigger")

    def halt(self):
        self.sent.append("halt")


class Desk:
    journal_works = True

    def __init__(self):
        self.now_s = 0.0
        self.clock = SimpleNamespace(now_s=lambda: self.now_s)
        self.fence = Fence(1)
        self.board = Board()
        self.missed = []
        self.troubles = SimpleNamespace(met=lambda *trouble: None, over=lambda *trouble: None)

    def note_all(self, entries):
        self.missed += [(e.detail["index"], e.detail["what"]) for e in entries]

    def note(self, *row, **detail):
        return None

    def of_run(self, said):
        return None

    def measured(self, *look, **how):
        return None

    def intend(self, *entries):
        return None


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def sent():
    return []


@pytest.fixture
def handler(desk, sent, script):
    strengths = Strengths("pulses", desk, Captures({}, desk, ()), None)
    made = StimulatorHandler("pulses", desk, 60.0, strengths)
    made.attach(Stimulator(sent))
    made.heed(Order(script.stimulate(0.0, every_s=50.0), 1))
    made.assert_due()
    return made


def until(handler, desk, at_s):
    while handler.next_due_s() <= at_s:
        desk.now_s = handler.next_due_s()
        handler.tick()
    desk.now_s = at_s


def test_trains_of_a_suspension_are_missed_and_those_of_a_hold_left_out(handler, desk, sent):
    until(handler, desk, 110.0)
    assert sent.count("trigger") == 3
    handler.heed(InMode(CO2, 1))
    until(handler, desk, 260.0)
    handler.heed(InMode(FOLLOWING, 1))
    assert [index for index, _ in desk.missed] == [3, 4, 5]
    assert {what for _, what in desk.missed} == {"it was suspended by co2"}
    until(handler, desk, 310.0)
    handler.heed(InMode(Mode("held", (), "held"), 1))
    until(handler, desk, 460.0)
    handler.heed(InMode(FOLLOWING, 1))
    until(handler, desk, 500.0)
    assert len(desk.missed) == 3
    assert sent.count("trigger") == 5


def test_a_hold_on_top_of_a_suspension_ends_what_is_missed(handler, desk, sent):
    handler.heed(InMode(CO2, 1))
    until(handler, desk, 120.0)
    handler.heed(InMode(Mode("suspended", ("co2",), "held"), 1))
    until(handler, desk, 320.0)
    handler.heed(InMode(CO2, 1))
    until(handler, desk, 370.0)
    handler.heed(InMode(FOLLOWING, 1))
    assert [index for index, _ in desk.missed] == [0, 1, 2, 7]
    assert sent.count("trigger") == 0


def test_the_level_comes_first_when_a_suspension_ends(handler, desk, sent):
    handler.heed(InMode(CO2, 1))
    until(handler, desk, 75.0)
    del sent[:]
    handler.heed(InMode(FOLLOWING, 1))
    until(handler, desk, 100.0)
    assert sent == ["program", "trigger"]


@pytest.mark.parametrize("last", [Finish(), InMode(HALTED, 2)])
@pytest.mark.parametrize("later", [FOLLOWING, CO2, Mode("held", (), "held")])
def test_nothing_is_armed_again_after_the_end_or_a_stop(handler, desk, sent, last, later):
    until(handler, desk, 60.0)
    handler.heed(last)
    del sent[:]
    for mode in (later, FOLLOWING):
        handler.heed(InMode(mode, 2))
        handler.assert_due()
        until(handler, desk, desk.now_s + 200.0)
    assert set(sent) == {"stop"}
    assert desk.missed == []
