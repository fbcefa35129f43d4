"""The simulated bench: the rig's simulators, wired to one world, behind loopback transports."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from labrig.durable import write_text_whole
from labrig.plan.timeline import PEOPLE
from labrig.rig.bench import BenchSpec, PortSpec
from labrig.twin.physical import PhysicalRecord, recorded
from labrig.twin.plants import PLANTS, SettingInWorld
from labrig.twin.responses import Responses
from labrig.twin.snapshot import NoSnapshot, capture, restore
from labrig.twin.spec import TwinSpec
from labrig.twin.wire_history import WireHistory
from labrig.twin.world import World
from labrig_drivers.hosting import SharedBus
from labrig_drivers.instrument import installed_types
from labrig_drivers.simulation import Fault, Simulator
from labrig_drivers.transports.loopback import LoopbackTransport

_log = logging.getLogger(__name__)

SNAPSHOT_EVERY_S = 4 * 3600.0
"""[P] So much of a run is replayed at most when its bench is rebuilt: of a bench of 54 pumps a
second or two, while each snapshot of it costs a tenth of a second."""
_KEPT = (TwinSpec, PhysicalRecord, Responses)
SWITCHED_ON_BEFORE_S = 600.0
"""Instruments were switched on this long before t0: a probe is warm when the night begins.

Simulators therefore live by a clock that shows this much more than the run's."""


def simulators_by_port(
    bench: BenchSpec, spec: TwinSpec, world: World, record: PhysicalRecord | None = None
) -> dict[str, Simulator]:
    """One simulator a port (a shared bus where several instruments share it).

    What the imaging process hosts has no byte protocol: see ``labrig.twin.cameras``. What happens
    goes into ``record``, where there is one.
    """
    types = installed_types()
    by_port: dict[str, list[Simulator]] = {}
    for index, instrument in enumerate(bench.instruments):
        kind = types[instrument.type]
        if kind.simulator is None:
            continue  # hosted with the images
        faults = tuple(
            Fault(
                f.name,
                f.from_s + SWITCHED_ON_BEFORE_S,
                f.until_s + SWITCHED_ON_BEFORE_S,
                f.value,
            )
            for f in spec.faults
            if f.instrument == instrument.name
        )
        simulator = kind.simulator(
            kind.settings(**instrument.settings),
            _plugged(kind.kind, world, instrument.name, record),
            spec.seed * 1000 + index,
            faults,
            instrument.name,
        )
        by_port.setdefault(instrument.port, []).append(simulator)
    return {
        port: found[0] if len(found) == 1 else SharedBus(found) for port, found in by_port.items()
    }


def _plugged(kind: str, world: World, instrument: str, record: PhysicalRecord | None) -> Any:  # noqa: ANN401 - of that kind
    plant = PLANTS.get(kind, SettingInWorld)(world, instrument, SWITCHED_ON_BEFORE_S)
    if record is None:
        return plant
    return recorded(kind, plant, record, instrument, SWITCHED_ON_BEFORE_S)


class TwinPort:
    """One port of the bench, a Simulator to the transport at its other end.

    Bytes are written down before they take effect, and what other instruments do by themselves
    (a dispense ends, a watchdog bites) happens first, so that the world sees the order of time.

    Attributes:
        wake_s: when something happens by itself next. Remembered: it changes only when bytes
            arrive or something happens, and asking a long daisy chain again for every byte on every
            other port costs most of a fast night.
    """

    def __init__(self, name: str, inner: Simulator, bench: TwinBench) -> None:
        self._name = name
        self._inner = inner
        self._bench = bench
        self._unasked = b""
        self.wake_s = self._inner_wake_s()

    @property
    def state(self) -> dict[str, Any]:
        """All that it is made of, for a snapshot."""
        return {"inner": self._inner, "unasked": self._unasked, "wake_s": self.wake_s}

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Take over a :attr:`state` whose simulator has been restored in place."""
        self._unasked, wake_s = state["unasked"], state["wake_s"]
        # None in snapshots of an older labrig: nothing happens by itself.
        self.wake_s = math.inf if wake_s is None else wake_s

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes arrive from the host."""
        self._bench.happen_until(now_s)
        self._bench.history.append(now_s, self._name, data)
        answer = self._take_unasked() + self._inner.receive(data, now_s + SWITCHED_ON_BEFORE_S)
        self.wake_s = self._inner_wake_s()
        self._bench.received(now_s)
        return answer

    def advance(self, now_s: float) -> bytes:
        """Let time pass; returns what was sent unasked since the host last looked."""
        if self.wake_s <= now_s:
            self.happen(now_s)
        return self._take_unasked()

    def happen(self, now_s: float) -> None:
        """Let time pass while the host is not looking."""
        self._unasked += self._inner.advance(now_s + SWITCHED_ON_BEFORE_S)
        self.wake_s = self._inner_wake_s()

    def next_wake_s(self) -> float | None:
        """When something happens by itself next."""
        return None if math.isinf(self.wake_s) else self.wake_s

    def _inner_wake_s(self) -> float:
        wake_s = self._inner.next_wake_s()
        return math.inf if wake_s is None else wake_s - SWITCHED_ON_BEFORE_S

    def _take_unasked(self) -> bytes:
        unasked, self._unasked = self._unasked, b""
        return unasked


class TwinBench:
    """The simulated bench of one run.

    Args:
        spec: the world.
        bench: the rig's ports and instruments.
        folder: the run's ``twin`` folder, for the wire history and what physically happened.
        now: seconds on the run's one clock.
    """

    def __init__(
        self, spec: TwinSpec, bench: BenchSpec, folder: Path, now: Callable[[], float]
    ) -> None:
        self._spec, self._bench, self._folder = spec, bench, folder
        self._now = now
        self.history = WireHistory(folder / "wire_history.txt")
        self._snapshot_s = SNAPSHOT_EVERY_S
        self._plug_in()

    def _plug_in(self) -> None:
        """Everything as it was switched on."""
        self._world = World(self._spec)
        self._hosted_at_um: tuple[float, float] | None = None
        self._record = PhysicalRecord(self._folder / "physical.jsonl")
        simulators = simulators_by_port(self._bench, self._spec, self._world, self._record)
        self._ports = {
            name: TwinPort(name, simulator, self) for name, simulator in simulators.items()
        }

    def rebuild(self) -> float:
        """Replay what an earlier process's instruments received; 0.0 for a fresh bench.

        From the last snapshot on, where there is one that fits this bench.

        Returns:
            the time of the last byte, in seconds on the run's clock.
        """
        last_s, read_bytes = self._from_snapshot()
        replay = self.history
        self.history = WireHistory(Path(os.devnull))
        self._snapshot_s = math.inf
        for now_s, port, data in replay.read(read_bytes):
            if port == PEOPLE:
                self.happen_until(now_s)
                self._take_hands(json.loads(data), now_s)
                continue
            self._ports[port].receive(data, now_s)
            self._ports[port].advance(now_s)
            last_s = now_s
        self.history.close()
        self.history = replay
        # At once: whoever comes next need not replay it again.
        self._snapshot_s = last_s
        return last_s

    def received(self, now_s: float) -> None:
        """Bytes have taken effect; now and then the whole bench is written down."""
        if now_s < self._snapshot_s:
            return
        self._snapshot_s = now_s + SNAPSHOT_EVERY_S
        if self.history.waiting:
            return  # a full disk: replaying what is there is what is left
        try:
            # What is counted as told has to be on file.
            self._record.close()
            snapshot = {
                "now_s": now_s,
                "history_bytes": self.history.size(),
                "told": self._record.told,
                "bench": capture(self._state(), _KEPT),
            }
            write_text_whole(self._folder / "snapshot.json", json.dumps(snapshot))
        except (NoSnapshot, OSError) as error:
            _log.warning("no snapshot of the bench: %s", error)

    def _from_snapshot(self) -> tuple[float, int]:
        """Its time, and how much of the history it holds; zeros when there is none to use."""
        path = self._folder / "snapshot.json"
        if not path.exists():
            return 0.0, 0
        state = self._state()
        try:
            snapshot = json.loads(path.read_text(encoding="utf-8"))
            if snapshot["history_bytes"] > self.history.size():
                raise NoSnapshot("the history of the bench is shorter than it was")
            restore(state, snapshot["bench"])
            for name, port in state["ports"].items():
                self._ports[name].go_on_from(port)
            self._record.told = snapshot["told"]
            return float(snapshot["now_s"]), int(snapshot["history_bytes"])
        except (NoSnapshot, OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s is passed over: %r", path, error)
            self._plug_in()
            return 0.0, 0

    def _state(self) -> dict[str, Any]:
        return {
            "world": self._world,
            "ports": {name: port.state for name, port in self._ports.items()},
        }

    def open_transport(self, port: PortSpec) -> LoopbackTransport:
        """The host's end of one port."""
        return LoopbackTransport(self._ports[port.name], self._now)

    def happen_until(self, now_s: float) -> None:
        """Let everything instruments do by themselves happen, in the order of time."""
        while True:
            wake_s = min([port.wake_s for port in self._ports.values()], default=math.inf)
            if wake_s > now_s:
                return
            # Of several at one moment the first by name.
            name = min(name for name, port in self._ports.items() if port.wake_s == wake_s)
            self._ports[name].happen(wake_s)
            if self._ports[name].wake_s == wake_s:
                return

    def hands(
        self,
        key: str,
        wells: tuple[str, ...],
        share: float,
        medium: str,
        bottles: Mapping[str, float],
        at_s: float,
    ) -> None:
        """People replace what chambers hold, and bottles; written down first, like bytes."""
        self._hands([key, list(wells), share, medium, dict(bottles)], at_s)

    def fill(self, key: str, reservoir: str, usable_ml: float, at_s: float) -> None:
        """People fill a reservoir; written down in the same way."""
        self._hands([key, reservoir, usable_ml], at_s)

    def _hands(self, act: list[Any], at_s: float) -> None:
        # What the world has lived through by now cannot be lived through again.
        at_s = max(at_s, self._now())
        self.happen_until(at_s)
        self.history.append(at_s, PEOPLE, json.dumps(act).encode())
        self._take_hands(act, at_s)

    def _take_hands(self, act: list[Any], at_s: float) -> None:
        match act:
            case [key, reservoir, usable_ml]:
                self._world.fill(key, reservoir, usable_ml, at_s)
            case [key, wells, share, medium]:
                self._world.exchange(key, tuple(wells), share, medium, {}, at_s)
            case [key, wells, share, medium, bottles]:
                self._world.exchange(key, tuple(wells), share, medium, bottles, at_s)

    def held(self, well: str) -> dict[str, float]:
        """What a chamber truly holds now, by factor in ng/mL."""
        self.happen_until(self._now())
        return self._world.held_ng_ml(well, self._now())

    def stands(self, stage: str, since_s: float, at_um: tuple[float, float]) -> None:
        """Where a stage says that it stands, from when on.

        Believed of one that the imaging process hosts, which no simulator here moves; of any other
        the world knows better.
        """
        if stage in self._bench.hosted and at_um != self._hosted_at_um:
            self._hosted_at_um = at_um
            self._world.move_stage(since_s, *at_um)
            self._record.add(stage, since_s, "at", *at_um)

    def scene(self, since_s: float) -> dict[str, Any]:
        """What the simulated camera sees (never looked into by the code under test).

        Args:
            since_s: when the picture or film was begun; it ends now.
        """
        self.happen_until(self._now())
        return self._world.scene(self._now(), since_s)

    def truth(self) -> dict[str, dict[str, Any]]:
        """Everything true now, for the ground-truth file."""
        self.happen_until(self._now())
        return self._world.truth(self._now())

    def close(self) -> None:
        """Close the wire history, and write what was done."""
        self.history.close()
        self._record.close()
