"""How long an operator's stop takes from the HTTP request to the wire.

    python benchmarks/runner_stop.py

To the stimulator the goal is 100 ms, to the last healthy pump of a chain of twelve with three
mute ones among them 150 ms. Simulated instruments on the wall clock; bytes take the time that they
take at 19200 baud, and waiting for a mute pump costs its time-out, so that a stop meets ports in
the middle of an exchange.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from rehearsal import Rehearsal  # the tests' bench of simulated instruments
from scripted_nights import Script

from labrig.record.clock import RealClock
from labrig.run.control_client import connect

REPEATS = 8
CHAIN, BAUD = 12, 19200.0
MUTE = ("p02", "p05", "p09")
WRITE_S, READ_S = 0.005, 0.010


class SlowLine:
    """A transport that takes its time."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def write(self, data: bytes) -> None:
        """Send slowly."""
        time.sleep(WRITE_S)
        self._inner.write(data)

    def read(self, size: int, timeout_s: float) -> bytes:
        """Read slowly."""
        time.sleep(READ_S)
        data: bytes = self._inner.read(size, timeout_s)
        return data

    def discard_input(self) -> bytes:
        """At once."""
        stale: bytes = self._inner.discard_input()
        return stale

    def close(self) -> None:
        """At once."""
        self._inner.close()


def stop_latency_s(folder: Path, after_s: float) -> float:
    """One run, stopped ``after_s`` after its first train."""
    night = Rehearsal(folder)
    frames = [Script.frame(0.5 * i, i, 2000.0 * (i % 2)) for i in range(40)]
    levels = [Script.flow(0.0, 30.0), Script.stimulate(0.0, every_s=5.1)]
    open_transport = night.open_transport
    night.open_transport = lambda port: SlowLine(open_transport(port))  # type: ignore[method-assign]
    runner = night.make(Script.plan([*levels, *frames], 3600.0), clock=RealClock())
    sent_s: list[float] = []

    def stop() -> None:
        while not (night.plants.get("pulses") and night.plants["pulses"].trains):
            time.sleep(0.02)
        time.sleep(after_s)
        client = connect(night.folder / "control.json")
        night.plants["pulses"].stopped.clear()
        sent_s.append(night.clock.now_s())
        client.stop()

    operator = threading.Thread(target=stop)
    operator.start()
    runner.run()
    operator.join()
    return night.plants["pulses"].stopped[0][0] - sent_s[0]


def chain_latencies_s(folder: Path, mute: tuple[str, ...], after_s: float) -> dict[str, float]:
    """By pump: from the request to its bare command, on a chain with an additive in every pump."""
    names = [f"p{i:02d}" for i in range(CHAIN)]
    pumps: dict[str, tuple[str, dict[str, Any]]] = {
        name: ("new_era_ne1000", {"address": i, "watchdog_s": 5}) for i, name in enumerate(names)
    }
    night = Rehearsal(folder, instruments=pumps, shared_port=dict.fromkeys(names, "chain"))
    night.baud = BAUD
    night.faults = {name: (Script.Fault("silent", after_s - 0.2),) for name in mute}
    draws = tuple(Script.draw(f"syringe-{name}", name, "additive") for name in names)
    levels = [Script.flow(0.0, 1.0 + i, name) for i, name in enumerate(names)]
    runner = night.make(Script.plan(levels, 3600.0, draws=draws), clock=RealClock())
    asked_s: list[float] = []

    def stop() -> None:
        # Every two seconds all are polled; the stop comes in the middle of that.
        time.sleep(after_s)
        client = connect(night.folder / "control.json")
        asked_s.append(night.clock.now_s())
        client.stop()

    operator = threading.Thread(target=stop)
    operator.start()
    runner.run()
    operator.join()
    found: dict[str, float] = {}
    for now_s, _, way, data in night.wire:
        if way == ">" and now_s >= asked_s[0] and b"STP" in data:
            address = int(data.split(b"STP")[0][-2:].strip(b"\x02\x08"))
            found.setdefault(names[address], now_s - asked_s[0])
    return found


def main() -> None:
    """Print median and worst."""
    with tempfile.TemporaryDirectory() as scratch:
        found = [
            stop_latency_s(Path(scratch) / str(i), 0.3 + 0.1 * i) * 1000 for i in range(REPEATS)
        ]
        middle, worst = median(found), max(found)
        print(f"stop to wire: median {middle:.1f} ms, worst {worst:.1f} ms of {REPEATS}")
        for mute in ((), MUTE):
            last = []
            for i in range(REPEATS):
                folder = Path(scratch) / f"chain-{len(mute)}-{i}"
                pumps = chain_latencies_s(folder, mute, 4.0 + 0.13 * i)
                last.append(1000 * max(s for name, s in pumps.items() if name not in mute))
            print(
                f"stop to the last healthy pump of {CHAIN}, {len(mute)} mute: "
                f"median {median(last):.0f} ms, worst {max(last):.0f} ms of {REPEATS}"
            )


if __name__ == "__main__":
    main()
