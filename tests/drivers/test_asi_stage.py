"""The ASI stage's codec, driver and simulator."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig_drivers import asi_ms2000
from labrig_drivers.asi_ms2000 import codec
from labrig_drivers.asi_ms2000.settings import AsiStageSettings
from labrig_drivers.conformance import SteppedClock, stage
from labrig_drivers.errors import NoReply, NotNow, OutOfRange, Refused, ReplyError, WrongInstrument
from labrig_drivers.simulation import Fault, StillStage
from labrig_drivers.transcript import (
    TranscriptTransport,
    parse_transcript,
    replay_against_simulator,
)
from labrig_drivers.transports.loopback import LoopbackTransport

TRANSCRIPTS = Path(__file__).parent / "transcripts"


def transcript(name):
    return parse_transcript((TRANSCRIPTS / name).read_text())


class Plate(StillStage):
    """A plant that writes down where it comes to rest."""

    def __init__(self):
        self.rests = []

    def moved(self, now_s, x_um, y_um):
        self.rests.append((now_s, pytest.approx(x_um), pytest.approx(y_um)))


class Bench:
    """A simulated stage with a plate on it, a stepped clock and a driver."""

    def __init__(self, faults=(), **settings):
        self.settings = AsiStageSettings(**settings)
        self.clock = SteppedClock()
        self.plate = Plate()
        self.simulator = asi_ms2000.INSTRUMENT.simulator(
            self.settings, self.plate, 0, faults, "stage"
        )
        self.driver = self.connect()

    def connect(self):
        link = LoopbackTransport(self.simulator, self.clock.now_s)
        return asi_ms2000.INSTRUMENT.driver(link, self.settings, "stage")

    def pass_time(self, seconds):
        self.clock.wait(seconds)
        self.simulator.advance(self.clock.now_s())

    def ask(self, text):
        answer = self.simulator.receive(f"{text}\r".encode(), self.clock.now_s())
        return answer.decode().removesuffix("\r\n")


@pytest.mark.parametrize("check", stage.CHECKS)
@pytest.mark.parametrize("x_sign", [1, -1])
def test_conforms_to_its_kind(check, x_sign):
    bench = Bench(x_sign=x_sign)
    check(bench.connect, bench.clock)


@pytest.mark.parametrize("name", ["asi_driver.txt", "asi_micro_manager_start_up.txt"])
def test_the_simulator_answers_as_the_transcript_says(name):
    replay_against_simulator(transcript(name), Bench().simulator)


def test_the_driver_sends_the_transcripts_bytes():
    link = TranscriptTransport(transcript("asi_driver.txt"))
    driver = asi_ms2000.INSTRUMENT.driver(link, AsiStageSettings(), "stage")
    assert driver.identify().firmware == "USB-9.2k"
    assert driver.position_um() == (0.0, 0.0)
    driver.move_to(100.0, -50.0)
    assert driver.moving()
    assert not driver.moving()
    assert driver.position_um() == (100.0, -50.0)
    driver.move_to(0.0, 0.0)
    driver.stop()
    driver.stop()
    link.finish()


@given(st.integers(-1_200_000, 1_200_000), st.integers(-1_200_000, 1_200_000))
def test_moves_and_positions_agree_to_the_unit(x_units, y_units):
    assert codec.move(x_units, y_units) == f"M X={x_units} Y={y_units}\r".encode()
    assert codec.parse_position(f":A {x_units} {y_units} \r\n".encode()) == (x_units, y_units)


@pytest.mark.parametrize(
    "reply",
    [b":A 1 2 ", b":A 1\r\n", b":A 1 2 3\r\n", b":A one 2\r\n", b"1 2\r\n", b":N-x\r\n", b"\r\n"],
)
def test_other_answers_are_no_position(reply):
    with pytest.raises(ValueError, match=r"expected|could not convert|begins neither|CR LF"):
        codec.parse_position(reply)


def test_decimals_in_a_position_are_read():
    assert codec.parse_position(b":A 12345.6 -678.9\r\n") == (12345.6, -678.9)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b":N-1\r\n", Refused),
        (b":N-4\r\n", OutOfRange),
        (b":N-21\r\n", NotNow),
        (b":N-99\r\n", Refused),
        (b"?\r\n", ReplyError),
        (b":A", ReplyError),
        (b"", NoReply),
    ],
)
def test_refusals_and_nonsense_have_their_own_errors(reply, error):
    class Link:
        left = b""

        def write(self, data):
            self.left = b":A X=10000 Y=10000\r\n" if data == b"UM X? Y?\r" else reply

        def read(self, size, timeout_s):
            data, self.left = self.left[:size], self.left[size:]
            return data

        def discard_input(self):
            return b""

    driver = asi_ms2000.INSTRUMENT.driver(Link(), AsiStageSettings(), "stage")
    with pytest.raises(error) as caught:
        driver.move_to(0, 0)
    assert type(caught.value) is error
    assert caught.value.transcript[0] == (">", b"M X=0 Y=0\r")


def test_something_else_on_the_port_is_the_wrong_instrument():
    link = TranscriptTransport(parse_transcript("> 08 56 0D\n< 3F 0D 0A"))
    driver = asi_ms2000.INSTRUMENT.driver(link, AsiStageSettings(), "stage")
    with pytest.raises(WrongInstrument, match="not an ASI stage"):
        driver.identify()


def test_a_move_takes_its_time_and_the_plate_comes_to_rest_once():
    bench = Bench()
    bench.driver.move_to(5745.92, 0.0)
    bench.pass_time(0.5)
    x_um, _ = bench.driver.position_um()
    assert x_um == pytest.approx(2873.0, abs=0.1)
    assert bench.plate.rests == []
    assert bench.simulator.next_wake_s() == pytest.approx(1.0, abs=1e-4)
    bench.pass_time(0.6)
    assert not bench.driver.moving()
    [(_, rest_x_um, _)] = bench.plate.rests
    assert rest_x_um == 5745.9


@pytest.mark.parametrize(
    ("signs", "counted"),
    [({"x_sign": -1}, ":A -1000 500 "), ({"y_sign": -1}, ":A 1000 -500 ")],
    ids=["x", "y"],
)
def test_axis_signs_turn_what_the_controller_counts_not_what_the_rig_says(signs, counted):
    bench = Bench(**signs)
    bench.driver.move_to(100.0, 50.0)
    bench.pass_time(1.0)
    assert bench.driver.position_um() == (100.0, 50.0)
    assert bench.ask("W X Y") == counted
    assert bench.plate.rests[-1][1:] == (100.0, 50.0)


def test_a_move_out_of_the_rigs_limits_sends_nothing():
    bench = Bench(x_max_um=1000.0)
    with pytest.raises(OutOfRange, match=r"x_um = 1000\.1 is outside -55000…1000"):
        bench.driver.move_to(1000.1, 0.0)
    assert not bench.driver.moving()


def test_a_stuck_stage_stays_busy_where_it_is_until_halted():
    bench = Bench(faults=[Fault("stuck", 0.0, 100.0)])
    bench.driver.move_to(1000.0, 0.0)
    bench.pass_time(60.0)
    assert bench.driver.moving()
    assert bench.driver.position_um() == (0.0, 0.0)
    bench.driver.stop()
    assert not bench.driver.moving()
    assert bench.driver.position_um() == (0.0, 0.0)


def test_a_stage_that_stops_short_says_where_it_stands():
    bench = Bench(faults=[Fault("short", 0.0, 5.0, value=30.0)])
    bench.driver.move_to(1000.0, -10.0)
    bench.pass_time(5.0)
    assert not bench.driver.moving()
    assert bench.driver.position_um() == (970.0, 0.0)
    bench.driver.move_to(1000.0, -10.0)
    bench.pass_time(1.0)
    assert bench.driver.position_um() == (1000.0, -10.0)


def test_a_reboot_calls_the_present_place_zero():
    bench = Bench(faults=[Fault("reboot", 10.0)])
    bench.driver.move_to(1000.0, 0.0)
    bench.pass_time(10.0)
    assert bench.driver.position_um() == (0.0, 0.0)
    bench.driver.move_to(1000.0, 0.0)
    bench.pass_time(10.0)
    assert bench.plate.rests[-1][1:] == (2000.0, 0.0)


def test_a_silent_controller_is_no_reply():
    bench = Bench(faults=[Fault("silent", 0.0)])
    with pytest.raises(NoReply, match="baud rate set by its DIP"):
        bench.driver.moving()


def test_a_stale_answer_is_not_taken_for_this_one():
    bench = Bench()
    link = LoopbackTransport(bench.simulator, bench.clock.now_s)
    link.write(b"V\r")
    driver = asi_ms2000.INSTRUMENT.driver(link, AsiStageSettings(), "stage")
    assert driver.position_um() == (0.0, 0.0)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("R X=10", ":A "),
        ("H X=0 Y=0", ":A"),
        ("RS X Y", ":A 10 10"),
        ("RS X?", ":A N"),
        ("RS X? Y?", ":A N N"),
        ("W Y X", ":A 0 0 "),
        ("UM X? Y?", ":A X=10000.000000 Y=10000.000000"),
        ("HM X?", ":A X=1000.000000"),
        ("VE X?", ":A X=0.000000"),
        ("SL X?", ":A X=-120.000000"),
        ("JS X=-60 Y=-5", ":A"),
        ("VB X?", ":A X=0"),
        ("VB Q?", ":N-2"),
        ("M X=nan", ":N-3"),
        ("R X=inf", ":N-3"),
        ("S X=nan", ":N-3"),
        ("UM X=nan", ":N-3"),
        ("UM X=-inf", ":N-3"),
        ("H X=inf", ":N-3"),
        ("! X Y", ":A"),
        ("HM X+", ":A"),
        ("MC X-", ":A"),
        ("WT X=5 Y=5", ":A"),
        ("where x", ":A 0 "),
        ("S X=-1", ":N-4"),
        ("UM X=0", ":N-4"),
        ("M X=far", ":N-3"),
        ("", ""),
    ],
)
def test_other_words_of_peer_clients(asked, answered):
    assert Bench().ask(asked) == answered


def test_a_command_may_arrive_in_pieces():
    bench = Bench()
    assert bench.simulator.receive(b"W X", 0.0) == b""
    assert bench.simulator.receive(b" Y\rV", 0.1) == b":A 0 0 \r\n"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"x_min_um": 1.0, "x_max_um": 1.0}, "x_min_um is 1.0"),
        ({"y_sign": 0}, "y_sign is 0"),
        ({"speed_um_s": 0}, "speed_um_s is 0"),
        ({"reply_timeout_s": float("inf")}, "reply_timeout_s is inf"),
    ],
)
def test_bad_settings_are_refused(setting, said):
    with pytest.raises(ValueError, match=said):
        AsiStageSettings(**setting)


@pytest.mark.parametrize("check", stage.CHECKS)
def test_conforms_over_a_pty(check, bench, wire):
    settings = AsiStageSettings()
    simulator = asi_ms2000.INSTRUMENT.simulator(settings, Plate(), 0, (), "stage")
    wired = bench(asi_ms2000.INSTRUMENT, settings, simulator=simulator)
    check(wire("pty", wired), wired.clock)


def test_an_answer_later_than_its_time_out_is_not_taken_for_the_next_one(late_once):
    bench = Bench()
    link = late_once(bench.simulator, bench.clock.now_s)
    driver = asi_ms2000.INSTRUMENT.driver(link, bench.settings, "stage")
    with pytest.raises(NoReply):
        driver.identify()
    assert driver.position_um() == (0.0, 0.0)


# Units, axes and leftovers that other programs leave in the controller.


@pytest.mark.parametrize("x_per_mm", [10_000, -10_000, 1000, -100_000])
@pytest.mark.parametrize("y_per_mm", [10_000, -10_000])
@pytest.mark.parametrize("x_sign", [1, -1])
def test_whatever_units_another_program_has_set_the_plate_goes_where_it_was_sent(
    x_per_mm, y_per_mm, x_sign
):
    bench = Bench(x_sign=x_sign)
    bench.driver.move_to(500.0, 200.0)
    bench.pass_time(1.0)
    assert bench.ask(f"UM X={x_per_mm} Y={y_per_mm}") == ":A"
    assert bench.driver.position_um() == pytest.approx((500.0, 200.0))
    bench.driver.move_to(-3000.0, 1000.0)
    bench.pass_time(1.0)
    assert bench.plate.rests[-1][1:] == (-3000.0, 1000.0)
    assert bench.driver.position_um() == pytest.approx((-3000.0, 1000.0))


def test_units_that_change_between_two_moves_are_noticed():
    bench = Bench(faults=[Fault("reboot", 50.0)])
    bench.ask("UM X=-10000 Y=10000")
    bench.driver.move_to(1000.0, 0.0)
    bench.pass_time(50.0)
    assert bench.ask("UM X?") == ":A X=10000.000000", "power-up brings the saved units back"
    bench.driver.move_to(1000.0, 0.0)
    bench.pass_time(10.0)
    assert bench.plate.rests[-1][1:] == (2000.0, 0.0)


def test_units_that_were_saved_outlive_a_reset():
    bench = Bench(faults=[Fault("reboot", 50.0)])
    bench.ask("UM X=-10000")
    bench.ask("SS Z")
    bench.pass_time(50.0)
    assert bench.ask("UM X? Y?") == ":A X=-10000.000000 Y=10000.000000"


def test_units_too_coarse_to_find_a_field_are_refused():
    bench = Bench()
    bench.ask("UM X=1 Y=1")
    with pytest.raises(Refused, match="coarser than 1 µm"):
        bench.driver.move_to(0.0, 0.0)
    assert bench.plate.rests == []


@pytest.mark.parametrize(
    "reply",
    [b":A X=0 Y=1\r\n", b":A X=nan Y=1\r\n", b":A X=1\r\n", b":A 1 2\r\n", b"10000\r\n"],
)
def test_other_answers_are_no_units(reply):
    with pytest.raises(ValueError, match=r"no unit|is not X|begins neither"):
        codec.parse_units_per_um(reply)


@pytest.mark.parametrize("left", ["M X", "M X=1000", "W", "/", "S X=0.001 Y", "garbage"])
def test_half_a_command_in_its_buffer_does_no_harm(left):
    bench = Bench()
    bench.simulator.receive(left.encode(), 0.0)
    assert bench.driver.identify().firmware == "USB-9.2k"
    bench.pass_time(10.0)
    assert bench.plate.rests == []
    assert bench.driver.position_um() == (0.0, 0.0)


def test_answers_that_end_with_cr_alone_and_unasked_letters_are_understood():
    bench = Bench()
    bench.ask("VB X=9 Z=1")
    assert bench.driver.identify().firmware == "USB-9.2k"
    bench.driver.move_to(100.05, 0.0)
    assert bench.driver.moving()
    bench.pass_time(1.0)
    assert not bench.driver.moving()
    assert bench.driver.position_um() == pytest.approx((100.0, 0.0), abs=0.1)


def test_a_number_left_out_is_0_and_home_is_the_limit_switch():
    bench = Bench()
    bench.driver.move_to(1000.0, 500.0)
    bench.pass_time(1.0)
    bench.ask("M X")
    bench.pass_time(1.0)
    assert bench.ask("W Y X") == ":A 0 5000 ", "in the order of the hardware's axes"
    bench.ask("! X")
    bench.pass_time(60.0)
    assert bench.plate.rests[-1][1:] == (120_000.0, 500.0)


@given(
    st.lists(
        st.sampled_from(["M X=", "R Y=", "UM X=", "S X=", "H X=", "VB X=", "HM X="]).flatmap(
            lambda head: st.one_of(
                st.floats().map(str), st.sampled_from(["nan", "inf", "-inf", "1e400", "", "0"])
            ).map(lambda number: head + number)
        ),
        max_size=6,
    )
)
def test_no_number_kills_it(requests):
    bench = Bench()
    for request in [*requests, "W X Y", "/", "UM X? Y?"]:
        assert bench.ask(request)
        bench.pass_time(5.0)


def test_a_mark_is_wiped_out_by_a_power_cycle_and_by_nothing_else():
    bench = Bench(faults=[Fault("reboot", 60.0)])
    assert bench.driver.was_reset()
    assert bench.driver.mark()
    bench.driver.move_to(1000.3, 0.0)
    bench.pass_time(30.0)
    assert bench.driver.position_um() == (1000.3, 0.0)
    assert not bench.connect().was_reset()
    bench.pass_time(30.0)
    assert bench.driver.was_reset()


def test_a_controller_that_takes_no_mark_says_so():
    class Older:
        left = b""

        def write(self, data):
            self.left = b":N-1\r\n"

        def read(self, size, timeout_s):
            data, self.left = self.left[:size], self.left[size:]
            return data

        def discard_input(self):
            return b""

    driver = asi_ms2000.INSTRUMENT.driver(Older(), AsiStageSettings(), "stage")
    assert driver.mark() is False
