"""Whatever comes back on the wire, a driver raises an InstrumentError and nothing else.

The camera's driver speaks no bytes.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig_drivers import (
    asi_ms2000,
    hamilton_mvp,
    leadfluid,
    new_era,
    pulse_pal,
    vaisala_gmp25x,
    watlow_pm,
)
from labrig_drivers.errors import InstrumentError
from labrig_drivers.instrument import connect
from labrig_drivers.kinds import PulseTrain
from labrig_drivers.simulation import still_plant

TRAIN = PulseTrain(0.4, 2.0, True, 10.0, 2.0, 0.0, 2.0)
PUMP = [
    lambda d: d.identify(), lambda d: d.state(), lambda d: d.set_rate(60.0),
    lambda d: d.dispense(20.0, 60.0), lambda d: d.set_rate(0.0), lambda d: d.stop(),
    lambda d: d.limits(), lambda d: d.halt(), lambda d: d.state(),
]  # fmt: skip
CALLS = {
    "new era": (
        new_era.INSTRUMENT, {}, [*PUMP, lambda d: d.configure(), lambda d: d.release()]
    ),
    "new era in safe mode": (
        new_era.INSTRUMENT, {"watchdog_s": 60}, [*PUMP, lambda d: d.release()]
    ),
    "lead fluid": (leadfluid.INSTRUMENT, {}, PUMP),
    "vaisala": (vaisala_gmp25x.INSTRUMENT, {}, [lambda d: d.identify(), lambda d: d.read()]),
    "asi": (
        asi_ms2000.INSTRUMENT,
        {},
        [
            lambda d: d.identify(), lambda d: d.position_um(), lambda d: d.move_to(100.0, 50.0),
            lambda d: d.moving(), lambda d: d.stop(),
        ],
    ),
    "hamilton": (
        hamilton_mvp.INSTRUMENT,
        {},
        [
            lambda d: d.identify(), lambda d: d.position(), lambda d: d.move_to("3"),
            lambda d: d.moving(), lambda d: d.configure(), lambda d: d.move_to("1"),
        ],
    ),
    "watlow": (
        watlow_pm.INSTRUMENT,
        {},
        [
            lambda d: d.identify(), lambda d: d.read(), lambda d: d.set_points(),
            lambda d: d.set_point("temperature_c", 41.0), lambda d: d.set_point("co2_percent", 5.0),
        ],
    ),
    "pulse pal": (
        pulse_pal.INSTRUMENT,
        {},
        [
            lambda d: d.identify(), lambda d: d.program({1: TRAIN}), lambda d: d.state(0.0),
            lambda d: d.trigger((1,), 0.0), lambda d: d.stop(),
        ],
    ),
}  # fmt: skip

spoil = st.one_of(
    st.just(("keep", 0, b"")),
    st.tuples(st.just("flip"), st.integers(0, 300), st.binary(min_size=1, max_size=1)),
    st.tuples(st.just("cut"), st.integers(0, 30), st.just(b"")),
    st.tuples(st.just("before"), st.just(0), st.binary(max_size=12)),
    st.tuples(st.just("after"), st.just(0), st.binary(max_size=12)),
    st.tuples(st.just("instead"), st.just(0), st.binary(max_size=24)),
    st.tuples(st.just("late"), st.just(0), st.just(b"")),
)


class SpoiltWire:
    """A loopback that spoils what is answered to each question, one way after another."""

    def __init__(self, inner, ways):
        self._inner, self._ways = inner, list(ways)
        self._arrived = bytearray()
        self._late = b""
        self.writes = 0

    def write(self, data):
        self.writes += 1
        assert self.writes < 2000, "it never gives up"
        self._inner.write(data)
        reply = self._inner.read(4096, 0.0)
        way, at, noise = self._ways.pop(0) if self._ways else ("keep", 0, b"")
        late, self._late = self._late, b""
        match way:
            case "flip" if reply:
                place = at % len(reply)
                flipped = reply[place] ^ (noise[0] or 1)
                reply = reply[:place] + bytes([flipped]) + reply[place + 1 :]
            case "cut":
                reply = reply[:at]
            case "before":
                reply = noise + reply
            case "after":
                reply += noise
            case "instead":
                reply = noise
            case "late":
                reply, self._late = b"", reply
        self._arrived += late + reply

    def read(self, size, timeout_s):
        data = bytes(self._arrived[:size])
        del self._arrived[:size]
        return data

    def discard_input(self):
        return self.read(4096, 0.0)

    def close(self):
        pass


@pytest.mark.parametrize("name", CALLS)
@settings(
    max_examples=150, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(ways=st.lists(spoil, max_size=25), calls=st.lists(st.integers(0, 20), max_size=8))
def test_nothing_but_instrument_errors_comes_out_of_a_driver(bench, name, ways, calls):
    instrument, chosen, can = CALLS[name]
    kept = instrument.settings(**chosen)
    stand = bench(
        instrument, kept, (), instrument.simulator(kept, still_plant(instrument.kind), 0, (), name)
    )
    wire = SpoiltWire(stand.transport(), ways)
    driver = connect(instrument, wire, stand.settings, name)
    for call in (0, *calls):
        with suppress(InstrumentError):
            can[call % len(can)](driver)


@pytest.mark.parametrize("name", CALLS)
def test_each_call_works_on_a_clean_wire(bench, name):
    """Else the test above would look at nothing."""
    instrument, chosen, can = CALLS[name]
    kept = instrument.settings(**chosen)
    stand = bench(
        instrument, kept, (), instrument.simulator(kept, still_plant(instrument.kind), 0, (), name)
    )
    wire = SpoiltWire(stand.transport(), ())
    driver = connect(instrument, wire, stand.settings, name)
    can[0](driver)
    assert wire.writes > 0
