"""Whatever is called, in any order and over any link: no endless train, and a stop that stops."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from usual_train import TRAIN

from labrig_drivers.errors import InstrumentError
from labrig_drivers.transports.faulty import FaultyTransport, LinkFault

TRAINS = st.sampled_from(
    [
        TRAIN,
        replace(TRAIN, duration_s=0.5),
        replace(TRAIN, frequency_hz=100, burst_s=0.5, gap_s=1.5, duration_s=6),
        replace(TRAIN, frequency_hz=30),
        replace(TRAIN, duration_s=60),
    ]
)
CHANNELS = st.integers(1, 4)
CALLS = st.one_of(
    st.tuples(st.just("program"), st.dictionaries(CHANNELS, TRAINS, max_size=4)),
    st.tuples(st.just("trigger"), st.lists(CHANNELS, max_size=3).map(tuple)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 1e-5, 0.1, 0.5, 4.0, 10.0])),
    st.tuples(st.sampled_from(["state", "stop", "identify"]), st.none()),
)
LINK_FAULTS = st.dictionaries(
    st.integers(0, 40),
    st.builds(
        LinkFault,
        st.sampled_from(
            [
                "drop_request",
                "drop_reply",
                "corrupt_reply",
                "truncate_reply",
                "delay_reply",
                "split_reply",
            ]
        ),
        st.integers(0, 4),
    ),
    max_size=8,
)


def play(bench, calls):
    for what, with_what in calls:
        try:
            match what:
                case "program":
                    bench.driver.program(with_what)
                case "trigger":
                    bench.trigger(*with_what)
                case "wait":
                    bench.pass_time(with_what)
                case "state":
                    bench.driver.state(bench.clock.now_s())
                case "stop":
                    bench.driver.stop()
                case "identify":
                    bench.driver.identify()
        except InstrumentError:
            continue


@settings(max_examples=150, deadline=None)
@given(st.lists(CALLS, max_size=15), LINK_FAULTS)
def test_no_sequence_of_calls_arms_a_loop_or_starts_an_endless_train(
    pulse_pal_bench, calls, faults
):
    bench = pulse_pal_bench(link=lambda inner: FaultyTransport(inner, faults, "stim"))
    play(bench, calls)
    assert bench.simulator.armed_to_loop == ()
    assert all(train["duration_s"] <= 10.0 for _, _, train in bench.electrodes.started)
    bench.pass_time(10.001)
    assert not any(bench.simulator.playing(channel) for channel in (1, 2, 3, 4))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(CALLS, max_size=10),
    LINK_FAULTS,
    st.lists(st.tuples(CHANNELS, st.integers(0, 1)), max_size=3),
)
def test_a_stop_that_raises_nothing_has_silenced_everything(
    pulse_pal_bench, calls, faults, loops_of_others
):
    bench = pulse_pal_bench(link=lambda inner: FaultyTransport(inner, faults, "stim"))
    play(bench, calls)
    for channel, on in loops_of_others:
        bench.raw.write(bytes((213, 82, channel, on)))
    try:
        bench.driver.stop()
    except InstrumentError:
        return
    assert bench.is_quiet_and_disarmed()


@settings(max_examples=100, deadline=None)
@given(st.lists(CALLS, max_size=15))
def test_the_modelled_trains_are_those_that_play(pulse_pal_bench, calls):
    bench = pulse_pal_bench()
    play(bench, calls)
    now_s = bench.clock.now_s()
    bench.simulator.advance(now_s)
    modelled = bench.driver.state(now_s).running_until_s
    half_a_cycle_s = 25e-6
    for channel in (1, 2, 3, 4):
        if bench.simulator.playing(channel):
            assert modelled[channel] > now_s
        else:
            assert modelled.get(channel, now_s) - now_s <= half_a_cycle_s
