"""The runner's process: ``python -m labrig.launch.runner_process RUN [--speed S] [--gap-s S]``.

Puts the runner together with the real bench or the simulated one and runs it to its end. It is
started by :mod:`labrig.launch.runner_child`; whether the run begins or is taken over from a
runner that died, its journal says.

Only what a runner may hold in memory is imported here: no OpenCV, NumPy, Prefect, pydantic.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from labrig.durable import DamagedFile, read_json, write_json
from labrig.launch.concluding import conclude_if_ended
from labrig.launch.faulty_imaging import FaultyImaging
from labrig.launch.pace import settle_pace
from labrig.launch.port_claims import claimed_ports
from labrig.launch.rehearsal_imaging import rehearsed_imaging
from labrig.launch.runner_child import NO_INSTRUMENT, REFUSED
from labrig.launch.simulated_computer import SimulatedComputer
from labrig.launch.simulated_people import simulated_people
from labrig.launch.wire_log import WireLog
from labrig.plan.packed_file import packed_plan
from labrig.plan.plan import Plan
from labrig.plan.timeline import Picture
from labrig.record.checkpoint import standing, unpaused
from labrig.record.clock import Clock, RealClock, boot_id, steady_s
from labrig.record.integrity import refuse_if_lost
from labrig.record.journal import Journal, open_journal
from labrig.record.recovery import ClockWentBack, RunState, run_time_now_s
from labrig.record.rows import JournalError
from labrig.record.virtual_clock import VirtualClock
from labrig.rig.bench import BenchSpec, OpenTransport, PortSpec, open_real_port
from labrig.run.captures import rehearsed
from labrig.run.hosted_stage import hosts_a_stage
from labrig.run.imaging import Attach
from labrig.run.imaging_link import Imaging, ImagingLink
from labrig.run.lease import LeaseHeld
from labrig.run.register import Door, registered
from labrig.run.runner import Runner, RunOver
from labrig.run_folder import RunFolder, is_rehearsal
from labrig.twin.bench import TwinBench
from labrig.twin.people import SimulatedPeople
from labrig.twin.spec import TwinSpec
from labrig_drivers.errors import InstrumentError
from labrig_drivers.transports.base import Transport
from labrig_drivers.transports.recording import RecordingTransport

FAILED = 4
CAMERA = "labrig.launch.imaging_process"
KILLED = "killed.json"
"""In the twin's folder: when a runner that its script killed is back, on the run's clock."""
CAPTURE_PATIENCE_S = 900.0
"""[P] Of a simulated bench: on a slow computer films of a staircase are measured by then."""


def main(arguments: list[str]) -> int:
    """Run one run folder to its end; the exit status says how it ended (0 finished)."""
    parser = argparse.ArgumentParser(prog="labrig.launch.runner_process")
    parser.add_argument("run", type=Path)
    parser.add_argument("--speed", type=float)
    parser.add_argument("--gap-s", type=float, default=0.0)
    options = parser.parse_args(arguments)
    folder = RunFolder.at(options.run)
    try:
        concluded = conclude_if_ended(folder)
        if concluded is not None:
            # An earlier runner died after its last row.
            return 0 if concluded.condition == "finished" else FAILED
        return _run(folder, options.speed, options.gap_s)
    except InstrumentError as error:
        _say(error)
        return NO_INSTRUMENT
    except (LeaseHeld, RunOver, JournalError, PermissionError, DamagedFile) as error:
        _say(error)
        return REFUSED


def _say(what: object) -> None:
    """Into the run's log; a disk that is full must not change how the runner goes on or ends."""
    with suppress(OSError):
        sys.stderr.write(f"{what}\n")


def _run(folder: RunFolder, speed: float | None, gap_s: float) -> int:
    identity = read_json(folder.identity)
    bench = BenchSpec.from_json(read_json(folder.bench))
    with unpaused():
        plan = packed_plan(folder.plan_in_force)
    # It lives as long as this process: the collector need not look at it again and again.
    gc.freeze()
    rehearsal = is_rehearsal(identity)
    camera: Imaging = (
        rehearsed_imaging(folder.camera)
        if rehearsal
        else ImagingLink([sys.executable, "-m", CAMERA, str(folder.camera)], log=folder.log)
    )
    made = datetime.fromisoformat(identity["made_utc"])
    with (
        claimed_ports(bench, folder.root),
        registered(folder.root, identity) as registration,
        WireLog(folder.wire) as wire,
    ):
        twin: TwinBench | None = None
        imaging: Imaging
        clock: Clock
        announce: Callable[[Door], None] = registration.write
        # a simulated bench remembers no further than the death of its process
        journal: Callable[..., Journal] = partial(open_journal, survives="power cut")
        if identity["simulated"]:
            pace = settle_pace(folder, speed)
            virtual, open_twin, twin = _simulated(folder, bench, made, pace, gap_s)
            faults = TwinSpec.read(folder.twin / "spec.json").faults
            computer = SimulatedComputer(faults, virtual)
            clock, open_port = virtual, computer.opener(open_twin)
            imaging = FaultyImaging(camera, faults, virtual)
            journal = partial(open_journal, survives="kill", connect=computer.connect)
            die = partial(_die, folder, virtual)
            announce = partial(_announce, registration.write, computer, die)
        else:
            clock, open_port, imaging = _real_clock(folder), open_real_port, camera
        runner = Runner(
            plan,
            bench,
            _recorded(open_port, wire, clock.now_s),
            clock,
            folder.root,
            imaging,
            _seen_by_the_camera(twin, bench, rehearsal),
            journal,
            announce=announce,
            people=None if twin is None else _people(plan, twin, folder),
            capture_patience_s=0.0 if twin is None or rehearsal else CAPTURE_PATIENCE_S,
            captures_beforehand=rehearsed(plan) if rehearsal else None,
            anchor_also=wire.anchor,
            free_bytes=_room_for_no_pictures if rehearsal else None,
        )
        outcome = runner.run()
        if twin is not None:
            _close_twin(folder, twin)
    return 0 if outcome.condition == "finished" else FAILED


def _announce(
    write: Callable[[Door], None],
    computer: SimulatedComputer,
    die: Callable[[float], None],
    door: Door,
) -> None:
    """From now on it answers, and what its script has in store for its computer may come."""
    write(door)
    computer.begin(die)


def _die(folder: RunFolder, clock: VirtualClock, back_after_s: float) -> None:
    """As whoever kills it would have it: whoever started it brings it back."""
    write_json(folder.twin / KILLED, {"back_s": clock.now_s() + back_after_s})
    os.kill(os.getpid(), signal.SIGKILL)


def _room_for_no_pictures() -> int:
    """A rehearsal stores none, so none waits for room and none gives way."""
    return sys.maxsize


def _seen_by_the_camera(twin: TwinBench | None, bench: BenchSpec, rehearsal: bool) -> Attach | None:
    """The world, not the request, says what a simulated camera sees; a rehearsal's sees nothing."""
    if twin is None or (rehearsal and not hosts_a_stage(bench)):
        return None

    def attach(
        picture: Picture, since_s: float, at_um: tuple[float, float]
    ) -> dict[str, Any] | None:
        twin.stands(picture.stage, since_s, at_um)
        return None if rehearsal else twin.scene(since_s)

    return attach


def _people(plan: Plan, twin: TwinBench, folder: RunFolder) -> SimulatedPeople:
    return simulated_people(plan, TwinSpec.read(folder.twin / "spec.json"), twin, folder)


def _close_twin(folder: RunFolder, twin: TwinBench) -> None:
    try:
        try:
            write_json(folder.twin / "truth_at_end.json", twin.truth())
        finally:
            twin.close()
    except OSError as error:
        _say(f"what was physically true at the end cannot be written: {error}")


def _simulated(
    folder: RunFolder, bench: BenchSpec, made: datetime, pace: float, gap_s: float
) -> tuple[VirtualClock, OpenTransport, TwinBench]:
    """The simulated bench, as an earlier process left it, and the clock it goes on with."""
    started: list[VirtualClock] = []
    twin = TwinBench(
        TwinSpec.read(folder.twin / "spec.json"), bench, folder.twin, lambda: started[0].now_s()
    )
    state = _standing(folder)
    last_s = max(twin.rebuild(), state.last_s)
    start_s = last_s + gap_s if state.begun else 0.0
    if (killed := folder.twin / KILLED).exists():
        start_s = max(start_s, float(read_json(killed)["back_s"]))
    started.append(VirtualClock(start_s=start_s, speed=pace, epoch=made))
    return started[0], twin.open_transport, twin


def _real_clock(folder: RunFolder) -> Clock:
    state = _standing(folder)
    if not state.begun:
        return RealClock()
    try:
        return RealClock(run_time_now_s(state, RealClock().utc(), steady_s(), boot_id()))
    except ClockWentBack as error:
        # Cells must be fed whatever a computer without a clock battery says: the gap counts as
        # none, so that nothing is skipped and nothing comes early; the runner raises an alarm.
        _say(error)
        return RealClock(state.last_s)


def _standing(folder: RunFolder) -> RunState:
    refuse_if_lost(folder.root)
    return standing(folder.journal) if folder.journal.exists() else RunState()


def _recorded(open_port: OpenTransport, wire: WireLog, now: Callable[[], float]) -> OpenTransport:
    """Every byte of every port goes into the run's wire log."""

    def open_recorded(port: PortSpec) -> Transport:
        return RecordingTransport(open_port(port), wire.sink(port.name), now)

    return open_recorded


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
