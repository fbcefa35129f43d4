"""The Hamilton MVP: bytes of its manual, turns, and what can go wrong with them."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig_drivers.conformance import valve
from labrig_drivers.errors import (
    AlarmRaised,
    NoReply,
    NotNow,
    OutOfRange,
    Refused,
    ReplyError,
    WrongInstrument,
)
from labrig_drivers.hamilton_mvp import INSTRUMENT, codec
from labrig_drivers.hamilton_mvp.settings import HamiltonMvpSettings, positions
from labrig_drivers.simulation import Fault
from labrig_drivers.transcript import (
    TranscriptTransport,
    parse_transcript,
    replay_against_simulator,
)

STEPS = parse_transcript(
    (Path(__file__).parent / "transcripts" / "hamilton_mvp.txt").read_text(encoding="utf-8")
)


class Tube:
    """What is behind the valve: remembers where it came to rest."""

    def __init__(self):
        self.stood = []

    def setting_held(self, now_s, quantity, value):
        self.stood.append((round(now_s, 3), quantity, value))


@pytest.fixture
def stand(bench):
    """``stand(settings, faults)``: a simulated valve, its driver, what is behind it."""

    def made(settings=None, faults=()):
        settings = settings or HamiltonMvpSettings()
        tube = Tube()
        simulator = INSTRUMENT.simulator(settings, tube, 0, tuple(faults), "valve")
        found = bench(INSTRUMENT, settings, (), simulator)
        return found, found.driver(), tube

    return made


def turn(stood, driver, to):
    driver.move_to(to)
    for _ in range(200):
        if not driver.moving():
            return
        stood.clock.wait(0.1)
    raise AssertionError("it never stands")


def test_the_simulator_answers_what_the_manual_says(stand):
    found, _, tube = stand()
    replay_against_simulator(STEPS, found.simulator, 0.0)
    assert [value for _, _, value in tube.stood] == ["1", "3"]


def test_the_driver_sends_what_the_manual_says():
    sent = [step.data for step in STEPS if step.direction == ">"]
    assert sent == [
        codec.AUTO_ADDRESS,
        codec.command("a", codec.INITIALISE),
        codec.command("a", codec.move("3", clockwise=True)),
        codec.command("a", codec.FINISHED),
        codec.command("a", codec.POSITION),
    ]


@pytest.mark.parametrize("check", valve.CHECKS)
@pytest.mark.parametrize("link", ["loopback", "pty", "tcp"])
def test_it_is_a_valve(check, link, stand, wire):
    found, _, _ = stand(HamiltonMvpSettings(valve="3-port" if link == "tcp" else "6-port"))
    found.driver().identify()
    check(wire(link, found), found.clock)


def test_it_turns_once_around_before_its_first_turn_and_then_no_more(stand):
    found, driver, tube = stand()
    driver.identify()
    assert driver.position() is None, "switched on, it does not know where it stands"
    turn(found, driver, "5")
    turn(found, driver, "2")
    assert [value for _, _, value in tube.stood] == ["1", "5", "2"]
    assert driver.position() == "2"


def test_a_second_driver_asks_and_does_not_turn_it(stand):
    found, driver, tube = stand()
    driver.identify()
    turn(found, driver, "5")
    other = found.driver()
    other.identify()
    assert other.position() == "5"
    other.move_to("5")
    assert len(tube.stood) == 2
    found.clock.wait(1.0)
    assert not other.moving()
    assert other.position() == "5"


def test_while_it_looks_for_its_place_it_can_be_sent_elsewhere(stand):
    found, driver, tube = stand()
    driver.identify()
    driver.move_to("5")
    driver.move_to("2")
    while driver.moving():
        found.clock.wait(0.5)
    assert [value for _, _, value in tube.stood] == ["1", "2"]
    assert driver.position() == "2"


def test_while_it_turns_it_takes_no_other_turn(stand):
    found, driver, _ = stand()
    driver.identify()
    turn(found, driver, "2")
    driver.move_to("5")
    with pytest.raises(NotNow, match="turns"):
        driver.move_to("2")
    assert driver.position() is None
    assert driver.moving()


def test_what_was_lost_with_its_power_is_asked_and_turned_anew(stand):
    found, driver, tube = stand(faults=[Fault("reboot", 100.0)])
    driver.identify()
    turn(found, driver, "4")
    found.clock.wait(100.0)
    with pytest.raises(NoReply, match="7O1"):
        driver.position()
    driver.identify()
    assert driver.position() is None
    turn(found, driver, "4")
    assert [value for _, _, value in tube.stood] == ["1", "4", "1", "4"]


def test_an_overload_is_told_and_ends_in_a_turn_once_around(stand):
    found, driver, tube = stand(faults=[Fault("overload", 50.0, 60.0)])
    driver.identify()
    turn(found, driver, "4")
    found.clock.wait(50.0 - found.clock.now_s())
    with pytest.raises(AlarmRaised, match="could not turn"):
        turn(found, driver, "2")
    assert driver.position() is None
    found.clock.wait(20.0)
    turn(found, driver, "2")
    assert driver.position() == "2"
    assert [value for _, _, value in tube.stood][-2:] == ["1", "2"]


def test_a_turn_that_ends_elsewhere_shows(stand):
    found, driver, _ = stand(faults=[Fault("wrong_position", 50.0, 90.0, 2.0)])
    driver.identify()
    turn(found, driver, "4")
    found.clock.wait(50.0)
    turn(found, driver, "5")
    assert driver.position() == "7"


def test_one_that_is_stuck_turns_for_ever(stand):
    found, driver, _ = stand(faults=[Fault("stuck", 50.0)])
    driver.identify()
    turn(found, driver, "4")
    found.clock.wait(50.0)
    driver.move_to("5")
    found.clock.wait(3600.0)
    assert driver.moving()


def test_another_head_than_the_rig_file_says_is_refused_until_it_is_written(stand):
    found, _, _ = stand(HamiltonMvpSettings(valve="8-port"))
    other = found.instrument.driver(found.transport(), HamiltonMvpSettings(valve="6-port"), "v")
    with pytest.raises(WrongInstrument, match="set to a 8-port valve, the rig file says 6-port"):
        other.identify()
    other.configure()
    assert other.identify().model == "MVP"
    assert other.position() is None


def test_two_on_one_line_answer_each_for_itself(stand):
    first, driver, _ = stand()
    second, other, _ = stand(HamiltonMvpSettings(address="b"))
    from labrig_drivers.hosting import SharedBus

    shared = SharedBus([first.simulator, second.simulator])
    first.simulator = second.simulator = shared
    driver, other = first.driver(), second.driver()
    driver.identify()
    other.identify()
    driver.move_to("3")
    assert driver.moving()
    assert not other.moving()


def test_something_else_on_the_port_is_no_mvp():
    for said in (b":A 1 2\r\n", b"\x00\xff" * 30, b"aU\r\x06XY01\r"):

        class Wire:
            def __init__(self, said):
                self.said, self.left = said, b""

            def write(self, data):
                self.left = self.said

            def read(self, size, timeout_s):
                data, self.left = self.left[:size], self.left[size:]
                return data

            def discard_input(self):
                return b""

            def close(self):
                pass

        with pytest.raises(WrongInstrument):
            INSTRUMENT.driver(Wire(said), HamiltonMvpSettings(), "valve").identify()


@given(st.binary(max_size=20))
def test_any_answer_is_one_or_none(received):
    sent = b"aF\r"
    try:
        data = codec.parse_reply(sent, received)
    except (codec.Nak, codec.BadReply):
        return
    assert received == sent + b"\x06" + data + b"\r"


def test_positions_are_those_of_its_head():
    assert positions(HamiltonMvpSettings(valve="4-port")) == ("1", "2", "3", "4")
    driver = INSTRUMENT.driver(TranscriptTransport([]), HamiltonMvpSettings(valve="2-port-90"), "v")
    with pytest.raises(OutOfRange, match="no position '3'"):
        driver.move_to("3")


@pytest.mark.parametrize(
    "wrong", [{"address": "q"}, {"address": "aa"}, {"valve": "9-port"}, {"turns": "left"},
              {"reply_timeout_s": 0.0}],
)  # fmt: skip
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ValueError, match="write"):
        HamiltonMvpSettings(**wrong)


def test_a_garbled_answer_is_an_error_and_the_next_one_fits(stand):
    found, driver, _ = stand(faults=[Fault("corrupt_reply", 50.0, 51.0)])
    driver.identify()
    turn(found, driver, "4")
    found.clock.wait(50.0 - found.clock.now_s())
    said = set()
    for _ in range(5):
        with suppress(ReplyError, NoReply, Refused):
            said.add(driver.position())
    assert said <= {None, *driver.positions()}
    found.clock.wait(2.0)
    assert driver.position() == "4"
