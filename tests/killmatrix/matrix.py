"""Plays a small night whose runner is killed, takes it over, and looks for what is not so."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from timed_line import TimedLine

from killmatrix.fate import (
    Effect,
    Fate,
    Kill,
    Killed,
    MortalClock,
    MortalWire,
    closing_nothing,
    outside,
    watched,
)
from killmatrix.small_night import AMENDED_FROM_S, STEP, SmallNight, Visit, amended_plan
from labrig.launch.concluding import conclude_if_ended
from labrig.launch.wire_log import WireLog
from labrig.plan.store import read_plan, to_json
from labrig.record.glimpse import last_word
from labrig.record.journal import open_journal
from labrig.record.origin import file_sha256
from labrig.record.rows import JournalError
from labrig.rig.bench import PortSpec
from labrig.run.amendments import offered
from labrig.run.control_client import CommandRefused, NoRunner, RunnerClient, connect
from labrig.run.register import Door
from labrig.run.runner import Runner, RunOver
from labrig.run.stop_file import StopRequest, read_stop, write_stop
from labrig.run_folder import RunFolder
from labrig.soak.playing import PaperCamera
from labrig.soak.still_bench import StillBench
from labrig.truth.check import check_truth
from labrig.truth.doses import dose_flows
from labrig.truth.night import Fault, Night, Violation, read_night
from labrig.truth.steps import hands
from labrig.truth.stops import stops
from labrig_drivers.errors import InstrumentError
from labrig_drivers.hosting import SharedBus
from labrig_drivers.simulation import Fault as SimulatedFault
from labrig_drivers.transports.recording import RecordingTransport

BAUD = 19_200.0
HANGS_AFTER_S = 600.0
"""Of wall time, for one runner: it takes a fraction of a second."""
FED_WITHIN_S = 5.0
"""After a runner has come back, every healthy pump that feeds cells is at its level."""
AFTERWARDS_S = 600.0


@dataclass
class Played:
    """What came of one night.

    Attributes:
        effects: of each of its runners.
        lives_s: from when to when each lived; one that was not killed, for ever.
    """

    found: list[Violation]
    effects: list[list[Effect]]
    lives_s: list[tuple[float, float]]


class MortalCamera(PaperCamera):
    """Asks nobody once its runner is dead."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate

    def request(self, extra_s: float, **what: Any) -> dict[str, Any]:
        self._fate.effect("picture", f"{what['do']} {what.get('well', '')}")
        return super().request(extra_s, **what)


Between = Callable[[Path, Kill], None]
"""What happens to the run folder while no runner lives."""


@closing_nothing()
def play(
    small: SmallNight, folder: Path, kills: Sequence[Kill] = (), between: Between | None = None
) -> Played:
    """Play it to its end, however many runners that takes."""
    folder.mkdir(parents=True)
    (folder / "wire").mkdir()
    bench = StillBench(small.night, folder)
    (folder / "plan.json").write_text(to_json(small.night.plan), encoding="utf-8")
    (folder / "bench.json").write_text(json.dumps(bench.spec.to_json()), encoding="utf-8")
    played, people, now_s, cuts_s = Played([], [], []), _People(small, folder), 0.0, []
    for kill in (*kills, None):
        fate, clock, came = _live(small, bench, folder, now_s, kill, people)
        played.effects.append(fate.effects)
        played.lives_s.append((now_s, float("inf") if fate.died_s is None else fate.died_s))
        if came == "hang":
            played.found.append(Violation("hang", f"a runner that began at {now_s:g} s hangs"))
            return played
        if isinstance(came, JournalError):
            # Nobody can say what is true of it; nor may a runner have had any effect.
            bench.close()
            played.found.append(Violation("error", f"{type(came).__name__}: {came}"))
            return played
        if fate.died_s is None:
            played.found += _wrong_with_the_end(folder, came)
            now_s = clock.now_s()
            break
        assert kill is not None
        now_s = max(fate.died_s, now_s)
        if kill.how == "power cut":
            cuts_s.append(now_s + 0.001)
            cut_power(bench, now_s + 0.001)
        now_s += kill.back_after_s
        bench.wait_until(now_s)
        if between is not None:
            between(folder, kill)
    bench.wait_until(max(now_s, small.night.plan.forecast.duration_s) + AFTERWARDS_S)
    bench.close()
    reboots = [
        Fault(name, "reboot", s, s + 1.0) for s in cuts_s for name in small.night.instruments
    ]
    night = read_night(folder, reboots)
    played.found += check_truth(folder, reboots)
    played.found += _not_fed(night, played.lives_s[1:], people.stop_s)
    played.found += _after_the_file(night, people.stop_s)
    return played


def cut_power(bench: StillBench, at_s: float) -> None:
    """Every instrument loses its power at this moment, and has it again."""
    for port in bench._simulators.values():
        for simulator in port._simulators if isinstance(port, SharedBus) else (port,):
            schedule = simulator._faults
            schedule._faults = (*schedule._faults, SimulatedFault("reboot", at_s, at_s + 1.0))
            schedule._edges = sorted({*schedule._edges, at_s, at_s + 1.0})


def _live(
    small: SmallNight,
    bench: StillBench,
    folder: Path,
    now_s: float,
    kill: Kill | None,
    people: _People,
) -> tuple[Fate, MortalClock, Any]:
    """One runner, to its end or to its death; what its thread came back with."""
    clock = MortalClock(now_s)
    fate = Fate(clock, folder, kill)
    came: list[Any] = []

    def live() -> None:
        try:
            with WireLog(folder / "wire") as wire:
                plan, opened = (
                    read_plan(RunFolder(folder)),
                    partial(_open, bench, clock, fate, wire),
                )
                runner = Runner(
                    plan, bench.spec, opened, clock, folder,
                    MortalCamera(fate),  # type: ignore[arg-type]
                    open_journal=partial(open_journal, connect=fate.connect, survives="kill"),
                    announce=partial(people.come, clock, fate),
                )  # fmt: skip
                came.append(runner.run())
        except Killed:
            with suppress(Killed):
                clock.join()
        except Exception as error:
            came.append(error)

    with watched(fate):
        thread = threading.Thread(target=live, daemon=True)
        thread.start()
        thread.join(HANGS_AFTER_S)
    return fate, clock, "hang" if thread.is_alive() else (came[0] if came else None)


def _open(bench: StillBench, clock: MortalClock, fate: Fate, wire: WireLog, port: PortSpec) -> Any:
    mortal = MortalWire(bench.opener(clock.now_s)(port), port.name, fate)
    noted = RecordingTransport(mortal, wire.sink(port.name), clock.now_s)
    return TimedLine(noted, BAUD, clock)


class _People:
    """They come at their times, each until somebody answered them."""

    def __init__(self, small: SmallNight, folder: Path) -> None:
        over_s = small.night.plan.forecast.duration_s + 60.0
        self._todo = [*small.visits, Visit(over_s, "answer"), Visit(over_s + 60.0, "answer")]
        self._folder, self._plan = folder, small.night.plan
        self.stop_s: float | None = None

    def come(self, clock: MortalClock, fate: Fate, door: Door) -> None:
        """To a runner that has just opened its door."""
        clock.start("people", partial(self._live, clock, fate))

    def _live(self, clock: MortalClock, fate: Fate) -> None:
        clock.visitors = clock.mailbox("people")
        while self._todo and fate.died_s is None:
            visit = self._todo[0]
            if clock.visitors.get(max(visit.at_s, clock.now_s() + 0.5)) is not None:
                return
            try:
                self._visit(clock, connect(self._folder / "control.json"), visit.what)
            except CommandRefused:
                pass
            except NoRunner:
                if fate.died_s is None:
                    return  # it has ended
                continue
            if fate.died_s is None:
                self._todo.pop(0)

    def _visit(self, clock: MortalClock, client: RunnerClient, what: str) -> None:
        match what:
            case "begin" | "done":
                client.step(STEP, what, "Anna Vos")
            case "hold":
                client.hold("tea")
            case "resume":
                client.resume()
            case "amend":
                self._amend(client)
            case "stop":
                self._stop(clock, client, 0.0)
            case "stop, perhaps":
                client.stop("enough?", grace_s=60.0)
            case "take back":
                client.take_back()
            case "answer":
                for question in client.status()["questions"]:
                    client.answer(question["id"], _cautious(question["options"]))

    def _amend(self, client: RunnerClient) -> None:
        """As `labrig amend` does it: the plan beside the others first, then the door."""
        folder = RunFolder(self._folder)
        text = to_json(amended_plan(self._plan))
        plan_sha256, before = sha256(text.encode()).hexdigest(), file_sha256(folder.plan)
        with outside():
            offered(folder.amended_plan(2), plan_sha256).write_text(text, encoding="utf-8")
        client.amend(
            {
                "number": "2", "from_s": repr(AMENDED_FROM_S), "plan_sha256": plan_sha256,
                "before_sha256": before, "protocol_sha256": "0" * 64, "changed": '["flow"]',
                "differences": '["flow: more"]', "by": "Anna Vos", "reason": "they grow faster",
            },
            "amend-once",
        )  # fmt: skip

    def _stop(self, clock: MortalClock, client: RunnerClient, grace_s: float) -> None:
        """As `labrig stop` does it: the file first, then the door."""
        path = self._folder / "stop.json"
        with outside():
            write_stop(path, StopRequest.now("enough", "Anna Vos", grace_s))
        if self.stop_s is None:
            self.stop_s = clock.now_s()
        asked = read_stop(path)
        assert asked is not None
        client.stop(asked.reason, asked.command_id, asked.by, asked.asked_utc, grace_s)


def _cautious(options: Sequence[str]) -> str:
    return next((o for o in ("assume_done", "skip", "leave") if o in options), options[-1])


def _wrong_with_the_end(folder: Path, came: Any) -> list[Violation]:
    if isinstance(came, RunOver):
        conclude_if_ended(RunFolder(folder))
        came = None
    if isinstance(came, Exception):
        if isinstance(came, InstrumentError) and not last_word(folder / "journal.sqlite"):
            return []  # a start that is refused: of a command cut in two somebody has the rest
        return [Violation("error", f"{type(came).__name__}: {came}")]
    outcome = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    wrong = [Violation("worker died", what) for what in outcome["failures"]]
    if outcome["condition"] not in ("finished", "stopped") and not outcome["shortfalls"]:
        wrong.append(Violation("not ended", f"the run is {outcome['condition']} at its end"))
    return wrong


def _not_fed(
    night: Night, lives_s: Iterable[tuple[float, float]], stop_s: float | None
) -> list[Violation]:
    """A pump that feeds the cells and was not at its level soon after a runner had come back.

    Of a runner that died sooner the next one is asked.
    """
    found = []
    ended_s = float("inf") if night.end is None else night.end.run_s
    asked_s = [from_s for from_s, until_s in stops(night) if until_s == float("inf")]
    asked_s += [] if stop_s is None else [stop_s]
    for back_s, died_s in lives_s:
        if any(from_s <= back_s for from_s in asked_s):
            continue  # who comes back only to stop moves no pump, and says how each was found
        at_s = back_s + FED_WITHIN_S
        stood = any(h.from_s - 1.0 <= at_s <= h.to_s + FED_WITHIN_S for h in hands(night))
        if stood or at_s > min(died_s, ended_s, night.until_s):
            continue
        flows = [e for e in night.entries("flow") if e["instrument"] == "base"]
        if any(back_s < e["offset_s"] <= at_s + 1.0 for e in flows):
            continue  # it changes just then
        wanted = [e["rate_ul_min"] for e in flows if e["offset_s"] <= back_s]
        really = {night.physical.rate_ul_min("base", at_s + 0.1 * n) for n in range(10)}
        if wanted and not any(abs(rate - wanted[-1]) <= 0.02 * wanted[-1] for rate in really):
            found.append(Violation(
                "not fed",
                f"base at {really} µL/min {FED_WITHIN_S:g} s after a runner came back at "
                f"{back_s:.1f} s, {wanted[-1]:g} is wanted",
            ))  # fmt: skip
    return found


def _after_the_file(night: Night, stop_s: float | None) -> list[Violation]:
    """What began after `labrig stop` had put its file on the disk, whoever lived then."""
    if stop_s is None:
        return []
    trains = [(name, train.at_s) for name, its in night.physical.trains.items() for train in its]
    doses = [
        (pump, at_s) for pump in night.physical.flows for at_s, _, _ in dose_flows(night, pump)
    ]
    return [
        Violation(
            "after stop.json", f"{name} began at {at_s:.3f} s, {at_s - stop_s:.3f} s after it"
        )
        for name, at_s in (*trains, *doses)
        if at_s > stop_s + 1e-3
    ]


def in_a_folder_of_its_own(
    small: SmallNight, kills: Sequence[Kill] = (), between: Between | None = None
) -> Played:
    """Play it, and leave nothing."""
    folder = Path(tempfile.mkdtemp(prefix="labrig-killed-"))
    try:
        return play(small, folder / "run", kills, between)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
