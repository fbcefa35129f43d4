"""What every stimulator driver must do. Run it on hardware with no culture on the electrodes.

The trains used are 1 V and at most 0.5 s long.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from labrig_drivers.conformance import Clock, check_identifies, refused
from labrig_drivers.errors import NotNow, OutOfRange
from labrig_drivers.kinds import PulseTrain, Stimulator

MakeStimulator = Callable[[], Stimulator]

GENTLE = PulseTrain(
    phase_ms=1.0,
    amplitude_v=1.0,
    biphasic=True,
    frequency_hz=20.0,
    burst_s=0.5,
    gap_s=0.0,
    duration_s=0.5,
)


def check_has_channels(make_driver: MakeStimulator, clock: Clock) -> None:
    """It has channels, without asking the instrument, and knows no others."""
    with closing(make_driver()) as driver:
        channels = driver.channels()
        assert channels, "it has no channels"
        assert len(set(channels)) == len(channels), f"channels repeat: {channels}"
        with refused(OutOfRange, "a channel it does not have"):
            driver.program({max(channels) + 1: GENTLE})


def check_a_train_ends_by_itself(make_driver: MakeStimulator, clock: Clock) -> None:
    """A triggered train runs, and is over after its duration without a command."""
    with closing(make_driver()) as driver:
        channel = driver.channels()[0]
        driver.program({channel: GENTLE})
        assert driver.state(clock.now_s()).running_until_s == {}, "program started a train"
        began_s = clock.now_s()
        driver.trigger((channel,), began_s)
        state = driver.state(clock.now_s())
        assert state.reachable, "it does not answer during a train"
        expected = {channel: began_s + GENTLE.duration_s}
        assert state.running_until_s == expected, f"{state.running_until_s} is not {expected}"
        clock.wait(GENTLE.duration_s + 0.1)
        assert driver.state(clock.now_s()).running_until_s == {}, "the train has not ended"
        driver.stop()


def check_refuses_to_trigger_a_running_train(make_driver: MakeStimulator, clock: Clock) -> None:
    """A second trigger within a train is NotNow; after the train it is welcome."""
    with closing(make_driver()) as driver:
        channel = driver.channels()[0]
        driver.program({channel: GENTLE})
        driver.trigger((channel,), clock.now_s())
        with refused(NotNow, "a trigger within a train"):
            driver.trigger((channel,), clock.now_s())
        clock.wait(GENTLE.duration_s + 0.1)
        driver.trigger((channel,), clock.now_s())
        driver.stop()


def check_triggers_only_what_was_programmed(make_driver: MakeStimulator, clock: Clock) -> None:
    """Neither a fresh driver nor a silenced channel nor a stopped one can be triggered."""
    with closing(make_driver()) as driver:
        first, *others = driver.channels()
        with refused(NotNow, "a fresh driver"):
            driver.trigger((first,), clock.now_s())
        driver.program({first: GENTLE})
        for other in others:
            with refused(NotNow, f"silenced channel {other}"):
                driver.trigger((other,), clock.now_s())
        driver.stop()
        with refused(NotNow, "a trigger after stop"):
            driver.trigger((first,), clock.now_s())


def check_stop_is_safe_in_any_state(make_driver: MakeStimulator, clock: Clock) -> None:
    """Stop works on a fresh driver, twice, and in the middle of a train."""
    with closing(make_driver()) as driver:
        driver.stop()
        driver.stop()
        channel = driver.channels()[0]
        driver.program({channel: GENTLE})
        driver.trigger((channel,), clock.now_s())
        driver.stop()
        assert driver.state(clock.now_s()).running_until_s == {}, "stop left a train running"


def check_halt_forgets_what_was_programmed(make_driver: MakeStimulator, clock: Clock) -> None:
    """The bare command is safe on a fresh driver and in a train; nothing can be triggered then."""
    with closing(make_driver()) as driver:
        driver.halt()
        channel = driver.channels()[0]
        driver.program({channel: GENTLE})
        driver.trigger((channel,), clock.now_s())
        driver.halt()
        with refused(NotNow, "a trigger after halt"):
            driver.trigger((channel,), clock.now_s())
        driver.stop()
        assert driver.state(clock.now_s()).running_until_s == {}, "a train runs on after stop"


def check_refuses_what_it_cannot_make(make_driver: MakeStimulator, clock: Clock) -> None:
    """Impossible trains are OutOfRange, and leave the train before them in place."""
    with closing(make_driver()) as driver:
        channel = driver.channels()[0]
        driver.program({channel: GENTLE})
        for impossible in (
            replace(GENTLE, phase_ms=0.0),
            replace(GENTLE, amplitude_v=1e6),
            replace(GENTLE, amplitude_v=float("nan")),
            replace(GENTLE, frequency_hz=0.0),
            replace(GENTLE, duration_s=0.0),
            replace(GENTLE, duration_s=float("inf")),
            replace(GENTLE, phase_ms=1000.0),
        ):
            with refused(OutOfRange, str(impossible)):
                driver.program({channel: impossible})
        driver.trigger((channel,), clock.now_s())
        driver.stop()


CHECKS = (
    check_identifies,
    check_has_channels,
    check_a_train_ends_by_itself,
    check_refuses_to_trigger_a_running_train,
    check_triggers_only_what_was_programmed,
    check_stop_is_safe_in_any_state,
    check_halt_forgets_what_was_programmed,
    check_refuses_what_it_cannot_make,
)
