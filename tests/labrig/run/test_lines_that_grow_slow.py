"""Pumps on a shared line whose answers come late: neither lost for ever nor left flowing."""

from __future__ import annotations

import pytest

from labrig.run.control_client import connect

SLOW_S = 0.3
"""More than what a mute pump on a shared line is waited for, less than its driver waits."""


class SlowLine:
    """Answers arrive so much later from one time on."""

    def __init__(self, inner, clock, from_s: float) -> None:
        self._inner, self._clock, self._from_s = inner, clock, from_s
        self._box = clock.mailbox("line")
        self._coming: list[tuple[float, bytes]] = []

    def write(self, data: bytes) -> None:
        self._inner.write(data)
        self._take_in()

    def _take_in(self) -> None:
        now_s = self._clock.now_s()
        at_s = now_s + SLOW_S if now_s >= self._from_s else now_s
        self._coming += [(at_s, bytes([byte])) for byte in self._inner.read(4096, 0.0)]

    def read(self, size: int, timeout_s: float) -> bytes:
        self._take_in()
        until_s = self._clock.now_s() + timeout_s
        found = self._arrived(size)
        while len(found) < size and self._clock.now_s() < until_s:
            self._box.get(min([until_s, *(at_s for at_s, _ in self._coming[:1])]))
            found += self._arrived(size - len(found))
        return found

    def _arrived(self, size: int) -> bytes:
        found = b""
        while self._coming and len(found) < size and self._coming[0][0] <= self._clock.now_s():
            found += self._coming.pop(0)[1]
        return found

    def discard_input(self) -> bytes:
        return self._arrived(4096)

    def close(self) -> None:
        self._inner.close()


def _night(rehearse, script, end_s):
    names = ("p0", "p1", "p2")
    silent = {"p1": (script.Fault("silent", 100.0, 200.0),)}
    night = rehearse(
        instruments={name: ("new_era_ne1000", {"address": i}) for i, name in enumerate(names)},
        shared_port=dict.fromkeys(names, "chain"), faults=silent,
    )  # fmt: skip
    draws = tuple(script.draw(f"syringe-{name}", name, "additive") for name in names)
    levels = [script.flow(0.0, 2.0, name) for name in names]
    runner = night.make(script.plan(levels, end_s, draws=draws))
    opened = night.open_transport
    runner._open_transport = lambda port: SlowLine(opened(port), night.clock, 150.0)
    return night, runner


def test_one_that_answers_slowly_after_an_outage_is_found_again(rehearse, script):
    night, runner = _night(rehearse, script, 1800.0)
    outcome = runner.run()
    assert outcome.unsafe == ()
    (back,) = [row for row in night.rows("deviation") if row.key == "link-restored"]
    assert back.run_s < 900.0
    # to whoever has less patience it is mute until then
    night.faults_of_the_test["p1"] = (script.Fault("silent", 200.0, back.run_s),)


@pytest.mark.parametrize("stop_s", [230.0, 260.0])
def test_at_a_stop_it_is_asked_with_full_patience_at_last(rehearse, script, stop_s):
    night, runner = _night(rehearse, script, 1800.0)
    night.visit(stop_s, lambda: connect(night.folder / "control.json").stop())
    outcome = runner.run()
    assert (outcome.condition, outcome.unsafe) == ("stopped", ())
    assert {plant.rate_ul_min for plant in night.plants.values()} == {0.0}
