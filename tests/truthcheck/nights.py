"""Plays a seeded night in this process on the virtual clock, and looks for what is not true of it.

``python -m truthcheck.nights --first 0 --nights 200`` plays many; a failing seed is told with its
story and the command that repeats it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from labrig.launch.concluding import conclude_if_ended
from labrig.plan.store import to_json
from labrig.record.journal import open_journal
from labrig.record.rows import JournalWriteFailed
from labrig.record.virtual_clock import VirtualClock
from labrig.rig.bench import BenchSpec, InstrumentSpec, PortSpec
from labrig.run.control_client import CommandRefused, NoRunner, connect
from labrig.run.register import Door
from labrig.run.runner import Runner, RunOver, previous_state
from labrig.run_folder import RunFolder
from labrig.twin.physical import PhysicalRecord, recorded
from labrig_drivers.errors import InstrumentError, PortLost, PortMissing
from labrig_drivers.hosting import SharedBus
from labrig_drivers.instrument import installed_types
from labrig_drivers.simulation import Fault as SimulatedFault
from labrig_drivers.simulation import still_plant
from labrig_drivers.transports.loopback import LoopbackTransport
from truthcheck import Violation, check_truth
from truthcheck.seeds import Death, SeededNight, Visit, seeded_night

HANGS_AFTER_S = 20.0
"""Of wall time, for one runner: it takes a fraction of a second."""
_AFTERWARDS_S = 900.0


class PaperCamera:
    """Answers every request at once and stores nothing."""

    def request(self, extra_s: float, **what: Any) -> dict[str, Any]:
        name = f"{what['do']}-{what['well']}-{what['offset_s']}"
        return {"path": name, "sha256": name, "focus": 1.0, "exposure_ms": 10.0, "bytes": 10}

    def close(self) -> None:
        pass


class Life:
    """One runner's: from its death on nothing of it reaches disk or wires."""

    def __init__(self, night: SeededNight, clock: VirtualClock, death: Death | None) -> None:
        self._night, self._clock = night, clock
        self._rows = death.count if death and death.how == "after_rows" else None
        self._writes = death.count if death and death.how == "after_writes" else None
        self._written = self._sent = 0
        self.died_s: float | None = None
        self.door = clock.mailbox("visitors")
        self.fate = clock.mailbox("fate")

    def die(self) -> None:
        if self.died_s is None:
            self.died_s = self._clock.now_s()

    def connect(self, *args: Any, **settings: Any) -> sqlite3.Connection:
        life = self

        class Connection(sqlite3.Connection):
            def executemany(self, sql, rows):  # type: ignore[no-untyped-def]
                rows = list(rows)
                now_s = life._clock.now_s()
                if any(from_s <= now_s < until_s for from_s, until_s in life._night.disk_full):
                    raise sqlite3.OperationalError("database or disk is full (scripted)")
                if life._rows is not None and life._written + len(rows) > life._rows:
                    life.die()
                life._written += len(rows)
                if any(_ends(row) for row in rows):
                    # Nobody visits a run that is over, nor keeps its clock going.
                    life.door.put("over")
                    life.fate.put("over")
                return super().executemany(sql, [] if life.died_s is not None else rows)

        return sqlite3.connect(*args, factory=Connection, **settings)

    def count_write(self) -> None:
        self._sent += 1
        if self._writes == self._sent:
            self.die()


def _ends(row: Any) -> bool:
    """Whether workers and dispatcher end with this row."""
    if row[1] == "run":
        return row[2] in ("finished", "stopped")
    return row[1] == "command" and '"take-back"' in str(row)


class Wire:
    """The host's end of a port, as long as the runner lives and the cable is in."""

    def __init__(
        self, inner: LoopbackTransport, name: str, life: Life, gone: Callable[[], bool]
    ) -> None:
        self._inner, self._name, self._life, self._gone = inner, name, life, gone

    def write(self, data: bytes) -> None:
        if self._life.died_s is not None:
            return
        if self._gone():
            raise PortLost(self._name, "unplugged (scripted).")
        self._inner.write(data)
        self._life.count_write()

    def read(self, size: int, timeout_s: float) -> bytes:
        if self._life.died_s is not None:
            return b""
        if self._gone():
            raise PortLost(self._name, "unplugged (scripted).")
        return self._inner.read(size, timeout_s)

    def discard_input(self) -> bytes:
        return b"" if self._life.died_s is not None else self._inner.discard_input()

    def close(self) -> None:
        pass


class Bench:
    """Simulators that outlive the runners, and what they physically did."""

    def __init__(self, night: SeededNight, folder: Path) -> None:
        self._night = night
        (folder / "twin").mkdir()
        self.record = PhysicalRecord(folder / "twin" / "physical.jsonl")
        by_port: dict[str, list[Any]] = {}
        for number, name in enumerate(night.instruments):
            port = night.shared_port.get(name, name)
            by_port.setdefault(port, []).append(self._simulator(name, night.seed * 100 + number))
        self.simulators = {p: s[0] if len(s) == 1 else SharedBus(s) for p, s in by_port.items()}
        self.spec = BenchSpec(
            tuple(PortSpec(port, "sim", None) for port in self.simulators),
            tuple(
                InstrumentSpec(name, kind, night.shared_port.get(name, name), settings, "")
                for name, (kind, settings) in night.instruments.items()
            ),
            (),
        )

    def _simulator(self, name: str, seed: int) -> Any:
        kind, settings = self._night.instruments[name]
        instrument = installed_types()[kind]
        assert instrument.simulator is not None
        faults = tuple(
            SimulatedFault(f.name, f.from_s, f.until_s, f.value)
            for f in self._night.faults
            if f.instrument == name
        )
        plant = recorded(instrument.kind, still_plant(instrument.kind), self.record, name, 0.0)
        simulator = instrument.simulator(instrument.settings(**settings), plant, seed, faults, name)
        if name in self._night.counted_ul:
            simulator._totals_ul["I"] = self._night.counted_ul[name]  # type: ignore[attr-defined]
        return simulator

    def opener(self, clock: VirtualClock, life: Life) -> Callable[[PortSpec], Any]:
        """Opens ports for one runner."""

        def open_transport(port: PortSpec) -> Any:
            from_s, until_s = self._night.unplugged.get(port.name, (0.0, 0.0))

            def gone() -> bool:
                return from_s <= clock.now_s() < until_s

            if gone():
                raise PortMissing(port.name, "there is no such port (scripted).")
            inner = LoopbackTransport(self.simulators[port.name], clock.now_s)
            return Wire(inner, port.name, life, gone)

        return open_transport

    def wait_until(self, at_s: float) -> None:
        for simulator in self.simulators.values():
            simulator.advance(at_s)


def play(night: SeededNight, folder: Path) -> list[Violation]:
    """Play it to its end; what is not true of it."""
    folder.mkdir(parents=True)
    bench = Bench(night, folder)
    (folder / "plan.json").write_text(to_json(night.plan), encoding="utf-8")
    (folder / "bench.json").write_text(json.dumps(bench.spec.to_json()), encoding="utf-8")
    now_s, found = 0.0, []
    for death in (*night.deaths, None):
        ended, now_s = _live(night, bench, folder, now_s, death)
        if ended is not None:
            found = ended
            break
        bench.wait_until(now_s)
    bench.wait_until(max(now_s, night.plan.forecast.duration_s) + _AFTERWARDS_S)
    bench.record.close()
    return found + check_truth(folder, night.faults)


def _live(
    night: SeededNight, bench: Bench, folder: Path, now_s: float, death: Death | None
) -> tuple[list[Violation] | None, float]:
    """One runner; what was wrong with its end, None when it died, and when the next one comes."""
    clock = VirtualClock(start_s=now_s)
    life = Life(night, clock, death)

    def taken_up(door: Door) -> None:
        """People and fate come each time that the run is taken up, by this process."""
        since_s = clock.now_s()
        if death is not None and death.how == "at_s" and life.died_s is None:
            _at(clock, life, max(death.count, since_s + 0.001))
        to_come = sorted((v for v in _visits(night) if v.at_s > since_s), key=lambda v: v.at_s)
        clock.start("visitors", partial(_receive, life, folder, to_come))

    runner = Runner(
        night.plan, bench.spec, bench.opener(clock, life), clock, folder,
        PaperCamera(),  # type: ignore[arg-type]
        open_journal=partial(open_journal, connect=life.connect, survives="kill"),
        announce=taken_up,
    )  # fmt: skip
    came: list[Any] = []
    thread = threading.Thread(target=lambda: came.append(_run(runner)), daemon=True)
    thread.start()
    thread.join(HANGS_AFTER_S)
    if thread.is_alive():
        return [Violation("hang", f"a runner that began at {now_s:g} s does not end")], now_s
    if life.died_s is not None and death is not None:
        # What it wrote after its death, it did not write.
        for name in ("outcome.json", "ledger.json", "control.json"):
            (folder / name).unlink(missing_ok=True)
        return None, max(life.died_s, now_s) + death.back_after_s
    outcome = came[0]
    if isinstance(outcome, RunOver):
        # Its last runner died after its last row: whoever finds the folder concludes.
        conclude_if_ended(RunFolder(folder))
        return [], now_s
    refused = isinstance(outcome, InstrumentError | JournalWriteFailed)
    if refused and not previous_state(folder).begun:
        # A start is refused when somebody is missing or says nothing, or nothing can be written.
        return [], now_s
    if isinstance(outcome, Exception):
        return [Violation("error", f"{type(outcome).__name__}: {outcome}")], now_s
    wrong = [Violation("worker died", what) for what in outcome.failures]
    if outcome.condition not in ("finished", "stopped") and not outcome.shortfalls:
        wrong.append(Violation("not ended", f"the run is {outcome.condition} at its end"))
    return wrong, clock.now_s()


def _run(runner: Runner) -> Any:
    try:
        return runner.run()
    except Exception as error:
        return error


def _visits(night: SeededNight) -> list[Visit]:
    over_s = night.plan.forecast.duration_s + 50.0
    # One that is held must be let go.
    return [*night.visits, Visit(over_s, "resume"), Visit(over_s + 400.0, "resume")]


def _receive(life: Life, folder: Path, visits: list[Visit]) -> None:
    """Visitors come at their times, until the run is over."""
    for visit in visits:
        if life.door.get(visit.at_s) is not None:
            return
        _visit(folder, visit)


def _at(clock: VirtualClock, life: Life, at_s: float) -> None:
    def wait() -> None:
        if life.fate.get(at_s) is None:
            life.die()

    clock.start(f"fate at {at_s}", wait)


def _visit(folder: Path, visit: Visit) -> None:
    with contextlib.suppress(NoRunner, CommandRefused):
        client = connect(folder / "control.json")
        match visit.what:
            case "stop":
                client.stop(visit.text)
            case "stop, perhaps":
                client.stop(visit.text, grace_s=60.0)
            case "take back":
                client.take_back()
            case "hold":
                client.hold(visit.text)
            case "resume":
                client.resume()
            case "note":
                client.note(visit.text)
            case "answer":
                for question in client.status()["questions"]:
                    if visit.text in question["options"]:
                        client.answer(question["id"], visit.text)


def play_seed(seed: int, keep: Path | None = None) -> list[Violation]:
    """Play one seed in a folder of its own."""
    folder = keep or Path(tempfile.mkdtemp(prefix="labrig-night-"))
    try:
        return play(seeded_night(seed), folder / f"seed-{seed}")
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def told(seed: int, found: list[Violation]) -> str:
    """A failing seed as a person wants to read it."""
    again = f"PYTHONPATH=tests python -m truthcheck.nights --first {seed} --nights 1 --keep FOLDER"
    violations = "\n".join(f"  ! {violation}" for violation in found)
    return f"{seeded_night(seed).story()}\n{violations}\n  again: {again}"


def main(arguments: list[str]) -> int:
    """Play many; 1 when something was not true."""
    parser = argparse.ArgumentParser(prog="truthcheck.nights")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--nights", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="keep the run folders here")
    parser.add_argument("--short", action="store_true", help="no stories")
    options = parser.parse_args(arguments)
    began, bad = time.monotonic(), Counter[str]()
    failing = 0
    for seed in range(options.first, options.first + options.nights):
        found = play_seed(seed, options.keep)
        failing += bool(found)
        bad.update({violation.rule for violation in found})
        if found and options.short:
            print(f"seed {seed}: " + "; ".join(str(v) for v in found), flush=True)
        elif found:
            print(told(seed, found), flush=True)
    hours = (time.monotonic() - began) / 3600
    print(f"{options.nights} nights, {failing} with violations {dict(bad)}, "
          f"{options.nights / hours:.0f} nights/hour")  # fmt: skip
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
