"""A small bench of simulated instruments, and runs on it in virtual time."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from labrig.plan.plan import Plan
from labrig.plan.store import to_json
from labrig.record.checkpoint import standing
from labrig.record.detail import to_detail
from labrig.record.journal import open_journal
from labrig.record.reading import read_journal
from labrig.record.rows import JournalError, Row
from labrig.record.said import said
from labrig.record.virtual_clock import VirtualClock
from labrig.record.writable import json_text
from labrig.rig.bench import BenchSpec, InstrumentSpec, PortSpec
from labrig.run.imaging_link import Imaging, ImagingLink
from labrig.run.runner import Runner, previous_state
from labrig.twin.physical import PhysicalRecord, recorded
from labrig_drivers.errors import PortLost, PortMissing
from labrig_drivers.hosting import SharedBus
from labrig_drivers.instrument import installed_types
from labrig_drivers.simulation import Fault
from labrig_drivers.transports.loopback import LoopbackTransport
from labrig_drivers.transports.recording import RecordingTransport

CAMERA = [sys.executable, str(Path(__file__).parent / "labrig" / "run" / "fake_imaging_host.py")]


class WatchedPlant:
    """Adds up what a simulated instrument really did."""

    def __init__(self) -> None:
        self.moved_ul = 0.0
        self.rate_ul_min = 0.0
        self.trains: list[tuple[float, int]] = []
        self.volts: list[float] = []
        self.stopped: list[tuple[float, int]] = []
        self.held: list[tuple[float, str, float | str]] = []
        self._since_s = 0.0

    def flow_changed(self, now_s: float, rate_ul_min: float) -> None:
        self.settle(now_s)
        self.rate_ul_min = rate_ul_min

    def settle(self, now_s: float) -> None:
        self.moved_ul += self.rate_ul_min * (now_s - self._since_s) / 60.0
        self._since_s = now_s

    def train_started(self, now_s: float, channel: int, **shape: float) -> None:
        self.trains.append((now_s, channel))
        self.volts.append(shape.get("amplitude_v", 0.0))

    def train_stopped(self, now_s: float, channel: int) -> None:
        self.stopped.append((now_s, channel))

    def voltage_held(self, now_s: float, channel: int, volts: float) -> None:
        return None

    def moved(self, now_s: float, x_um: float, y_um: float) -> None:
        return None

    def air(self, now_s: float) -> tuple[float, float]:
        return 5.0, 37.0

    def setting_held(self, now_s: float, quantity: str, value: float | str) -> None:
        self.held.append((now_s, quantity, value))

    def measured(self, now_s: float, quantity: str) -> float:
        """At once as warm as it is set; an incubator's 37 °C when nobody heats."""
        held = [value for _, its, value in self.held if its == quantity]
        return float(held[-1]) if held and held[-1] != "off" else 37.0


class Unpluggable:
    """A transport that is gone between two times."""

    def __init__(self, inner: LoopbackTransport, name: str, gone: Callable[[], bool]) -> None:
        self._inner, self._name, self._gone = inner, name, gone
        self._closed = False

    def write(self, data: bytes) -> None:
        if self._closed or self._gone():
            raise PortLost(self._name, "unplugged (scripted).")
        self._inner.write(data)

    def read(self, size: int, timeout_s: float) -> bytes:
        if self._gone():
            raise PortLost(self._name, "unplugged (scripted).")
        return self._inner.read(size, timeout_s)

    def discard_input(self) -> bytes:
        return self._inner.discard_input()

    def close(self) -> None:
        self._closed = True


class Death:
    """From one moment on, nothing this process does reaches its disk or its wires.

    Args:
        after_rows: dies with this journal row as the last one on disk.
        after_writes: dies once the dose pump has been sent this many commands.
    """

    def __init__(self, after_rows: int | None = None, after_writes: int | None = None) -> None:
        self._rows, self._writes = after_rows, after_writes
        self.at_s: float | None = None
        self.clock = VirtualClock()

    def _die_if(self, over: bool) -> None:
        if over and self.at_s is None:
            self.at_s = self.clock.now_s()

    def connect(self, *args, **settings):
        death = self

        class Connection(sqlite3.Connection):
            written = 0

            def executemany(self, sql, rows):  # type: ignore[no-untyped-def]
                rows = list(rows)
                death._die_if(death._rows is not None and self.written + len(rows) > death._rows)
                self.written += len(rows)
                return super().executemany(sql, [] if death.at_s is not None else rows)

        return sqlite3.connect(*args, factory=Connection, **settings)

    def wire(self, inner):
        death = self

        class Wire:
            count = 0

            def write(self, data: bytes) -> None:
                if death.at_s is None:
                    inner.write(data)
                    Wire.count += 1
                    death._die_if(death._writes == Wire.count)

            def read(self, size: int, timeout_s: float) -> bytes:
                return inner.read(size, timeout_s) if death.at_s is None else b""

            def discard_input(self) -> bytes:
                return inner.discard_input() if death.at_s is None else b""

            def close(self) -> None:
                inner.close()

        return Wire()


DEFAULT_BENCH = {
    "base": ("leadfluid_bt", {"address": 1}),
    "dose": ("new_era_ne1000", {"address": 0, "watchdog_s": 200}),
    "pulses": ("pulse_pal_2", {}),
    "stage": ("asi_ms2000", {}),
    "probe": ("vaisala_gmp25x", {}),
}


@dataclass
class Rehearsal:
    """One run folder and one simulated bench, which outlives the runners on it."""

    folder: Path
    instruments: dict[str, tuple[str, dict[str, Any]]] = field(
        default_factory=lambda: dict(DEFAULT_BENCH)
    )
    faults: dict[str, tuple[Fault, ...]] = field(default_factory=dict)
    faults_of_the_test: dict[str, tuple[Fault, ...]] = field(default_factory=dict)
    """What a test does to the wires by itself, told to the checker of truth in these words."""
    shared_port: dict[str, str] = field(default_factory=dict)
    unplugged: dict[str, tuple[float, float]] = field(default_factory=dict)
    camera: list[str] = field(default_factory=lambda: list(CAMERA))
    imaging: Imaging | None = None
    plants: dict[str, WatchedPlant] = field(default_factory=dict)
    simulators: dict[str, Any] = field(default_factory=dict)
    clock: VirtualClock = field(default_factory=VirtualClock)
    runner: Runner | None = None
    record: PhysicalRecord | None = None
    past_is_made_up: bool = False
    baud: float | None = None
    wire: list[tuple[float, str, str, bytes]] = field(default_factory=list)
    listen: Callable[[str, str, bytes], None] | None = None
    built: set[str] = field(default_factory=set)

    @property
    def bench(self) -> BenchSpec:
        names = {name: self.shared_port.get(name, name) for name in self.instruments}
        ports = tuple(PortSpec(f"{p}-port", "sim", None) for p in dict.fromkeys(names.values()))
        entries = tuple(
            InstrumentSpec(name, kind, f"{names[name]}-port", settings, "")
            for name, (kind, settings) in self.instruments.items()
        )
        types = installed_types()
        hosted = tuple(e.name for e in entries if types[e.type].host == "imaging")
        return BenchSpec(ports, entries, hosted)

    def open_transport(self, port: PortSpec) -> Any:
        name = port.name.removesuffix("-port")
        gone_from_s, gone_to_s = self.unplugged.get(name, (float("inf"), float("inf")))
        clock = self.clock

        def gone() -> bool:
            return gone_from_s <= clock.now_s() < gone_to_s

        if gone():
            raise PortMissing(name, "there is no such port (scripted).")
        if name not in self.simulators:
            on_port = [i for i in self.instruments if self.shared_port.get(i, i) == name]
            made = [self._simulator(instrument) for instrument in on_port]
            self.simulators[name] = made[0] if len(made) == 1 else SharedBus(made)
        inner = LoopbackTransport(self.simulators[name], lambda: clock.now_s())
        noted = RecordingTransport(
            Unpluggable(inner, name, gone),
            partial(self._note_bytes, name),
            lambda: clock.now_s(),
        )
        if self.baud is None:
            return noted
        # Here, because real runners of their own processes load this file too.
        from timed_line import TimedLine

        return TimedLine(noted, self.baud, clock)

    def _note_bytes(self, port: str, way: str, now_s: float, data: bytes) -> None:
        self.wire.append((now_s, port, way, data))
        if self.listen is not None:
            self.listen(port, way, data)

    def _simulator(self, name: str) -> Any:
        kind, settings = self.instruments[name]
        instrument = installed_types()[kind]
        assert instrument.simulator is not None
        if self.record is None:
            (self.folder / "twin").mkdir(parents=True, exist_ok=True)
            self.record = PhysicalRecord(self.folder / "twin" / "physical.jsonl")
        # A second bench under the same run folder: neither can vouch for the other's past.
        self.past_is_made_up = self.past_is_made_up or name in self.built
        self.built.add(name)
        self.plants[name] = WatchedPlant()
        plant = recorded(instrument.kind, self.plants[name], self.record, name, 0.0)
        return instrument.simulator(
            instrument.settings(**settings), plant, 1, self.faults.get(name, ()), name
        )

    def make(
        self,
        plan: Plan,
        clock: VirtualClock | None = None,
        connect: Any = sqlite3.connect,
        **options: Any,
    ) -> Runner:
        journal = self.folder / "journal.sqlite"
        if journal.exists() and not standing(journal).begun:
            # A scripted death before the first row: the dead write no outcome.
            (self.folder / "outcome.json").unlink(missing_ok=True)
        self.clock = clock or VirtualClock(start_s=previous_state(self.folder).last_s)
        self.folder.mkdir(exist_ok=True)
        lived_here = self.runner is not None and (self.folder / "twin").exists()
        ahead = lived_here and self._did_things_after(self.clock.now_s())
        if (self.folder / "journal.sqlite").exists() and (ahead or not lived_here):
            # Written by the test, lived through on another bench, or by a runner whose hands
            # went on after its journal had ended: this one cannot vouch for it.
            self.past_is_made_up = True
        (self.folder / "plan.json").write_text(to_json(plan), encoding="utf-8")
        (self.folder / "bench.json").write_text(json.dumps(self.bench.to_json()), encoding="utf-8")
        self.runner = Runner(
            plan, self.bench, self.open_transport, self.clock, self.folder,
            self.imaging or ImagingLink(self.camera, deadline_s=1.5),
            open_journal=partial(open_journal, connect=connect), **options,
        )  # fmt: skip
        return self.runner

    def run(self, plan: Plan, clock: VirtualClock | None = None, **options: Any) -> Any:
        return self.make(plan, clock, **options).run()

    def cut_power(self, pump: str, at_s: float) -> None:
        """The pump loses its power for a moment, and with it its counter."""
        simulator = self.simulators[pump]
        simulator.advance(at_s)
        simulator._power_up()
        simulator.advance(at_s)

    def count_from(self, counted_ul: float, pump: str = "dose") -> None:
        """The pump has counted so much already, in µL."""
        self.meet(pump)
        self.simulators[pump]._totals_ul["I"] = counted_ul
        self.simulators[pump]._volume_unit = "UL"

    def meet(self, pump: str = "dose") -> None:
        """A New Era pump has told an earlier runner that it was switched on."""
        transport = self.open_transport(PortSpec(f"{pump}-port", "sim", None))
        transport.write(b"0\r")
        transport.discard_input()

    def visit(self, at_s: float, act: Callable[[], Any]) -> None:
        """Have something happen at a time of the run that :meth:`make` has made."""
        box = self.clock.mailbox("visitor")

        def visit() -> None:
            box.get(at_s)
            act()

        self.clock.start(f"visitor at {at_s}", visit)

    def _did_things_after(self, at_s: float) -> bool:
        if self.record is None:
            return False
        self.record.close()
        path = self.folder / "twin" / "physical.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return any(json.loads(line)[1] > at_s + 1e-3 for line in text.splitlines())

    def untrue(self) -> list[str]:
        """What the run folder says and the simulated instruments know better."""
        # Here, because real runners of their own processes load this file too.
        from labrig.truth.check import check_truth
        from labrig.truth.night import Fault as Scripted

        if self.record is None or self.past_is_made_up:
            return []
        for simulator in self.simulators.values():
            simulator.advance(self.clock.now_s())
        self.record.close()
        faults = [
            Scripted(name, fault.name, fault.from_s, fault.until_s, fault.value)
            for name, found in (*self.faults.items(), *self.faults_of_the_test.items())
            for fault in found
        ]
        return [str(v) for v in check_truth(self.folder, faults)]

    def without_a_class(self) -> list[str]:
        """Rows of which no class says all that they hold."""
        path = self.folder / "journal.sqlite"
        try:
            rows = read_journal(path) if path.exists() else ()
        except JournalError:
            return []  # damaged by the test
        return [
            f"{row.kind} {row.key} {row.state} {row.detail}"
            for row in rows
            if row.kind != "command" and not row.detail.items() <= to_detail_of(row).items()
        ]

    def rows(self, *kinds: str) -> list[Any]:
        rows = read_journal(self.folder / "journal.sqlite")
        return [row for row in rows if not kinds or row.kind in kinds]

    def deviations(self) -> list[str]:
        return [row.key for row in self.rows("deviation")]


def to_detail_of(row: Row) -> dict[str, Any]:
    """What its class makes of a row."""
    known = said(row)
    assert known is not None, f"{row.kind} {row.key} {row.state} has no class"
    detail: dict[str, Any] = json.loads(json_text(to_detail(known)))
    return detail
