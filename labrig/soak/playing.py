"""Plays a night in this process on the virtual clock, and looks for what is not true of it."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from labrig.launch.concluding import conclude_if_ended
from labrig.launch.faulty_imaging import FaultyImaging
from labrig.plan.store import to_json
from labrig.record.journal import open_journal
from labrig.record.rows import JournalWriteFailed
from labrig.record.virtual_clock import VirtualClock
from labrig.run.captures import rehearsed
from labrig.run.register import Door
from labrig.run.runner import Runner, RunOver, previous_state
from labrig.run.stop_file import StopRequest, write_stop
from labrig.run_folder import RunFolder
from labrig.soak.lives import Life
from labrig.soak.living_bench import LivingBench
from labrig.soak.night import Death, SeededNight, Visit
from labrig.soak.protocol_night import ProtocolNight
from labrig.soak.still_bench import StillBench
from labrig.soak.visitors import LAST_FILES, OUTCOME, STOP_FILE, receive
from labrig.truth.check import check_truth
from labrig.truth.night import Fault, Violation
from labrig_drivers.errors import InstrumentError

LOOK_EVERY_S = 120.0
"""[P] Of wall time; a runner takes about a second of a processor, on a busy machine minutes."""
WORKS_S, TURNS_S = 0.1, 60.0
"""[P] Of CPU time while its clock stands: less in a look is a deadlock, more in all a runner that
turns on the spot. A machine that is only busy is neither."""
MOST_LIVES = 40
"""[P] A run that needs more runners than this is never done."""
_AFTERWARDS_S = 900.0


class PaperCamera:
    """Answers every request at once and stores nothing."""

    def request(self, extra_s: float, **what: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """A picture that is not there."""
        name = f"{what['do']}-{what['well']}-{what['offset_s']}"
        return {"path": name, "sha256": name, "focus": 1.0, "exposure_ms": 10.0, "bytes": 10}

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True)
class _Ended:
    """How one runner did: ``again_s``, when the next one comes; None: the run needs none."""

    found: list[Violation]
    at_s: float
    again_s: float | None = None


Night = SeededNight | ProtocolNight
Bench = StillBench | LivingBench


def play(night: Night, folder: Path) -> list[Violation]:
    """Play it to its end; what is not true of it.

    Raises:
        NotPlayable: its protocol cannot start on its rig.
    """
    plan = night.plan
    folder.mkdir(parents=True)
    bench: Bench
    if isinstance(night, ProtocolNight):
        bench = LivingBench(night, folder)
    else:
        bench = StillBench(night, folder)
    (folder / "plan.json").write_text(to_json(plan), encoding="utf-8")
    (folder / "bench.json").write_text(json.dumps(bench.spec.to_json()), encoding="utf-8")
    deaths, now_s = list(night.deaths), 0.0
    for _ in range(MOST_LIVES):
        ended = _live(night, bench, folder, now_s, deaths.pop(0) if deaths else None)
        if ended.again_s is None:
            break
        now_s = ended.again_s
        bench.wait_until(now_s)
        _lay_stop(night, folder, now_s)
    bench.wait_until(max(ended.at_s, night.plan.forecast.duration_s) + _AFTERWARDS_S)
    bench.close()
    return ended.found + check_truth(folder, _told(night))


def _no_room(night: Night, folder: Path) -> list[Path]:
    """What cannot be written at the end: a folder stands in its place while a runner lives.

    The ledger is written first; where it cannot be, nothing says how the run ended.
    """
    files = RunFolder(folder)
    by_visit = {LAST_FILES: files.ledger, OUTCOME: files.outcome}
    stuck = {by_visit[visit.what] for visit in night.visits if visit.what in by_visit}
    return [path for path in sorted(stuck) if not path.is_file()]


def _lay_stop(night: Night, folder: Path, back_s: float) -> None:
    """A stop that was asked for while no runner lived."""
    for visit in night.visits:
        if visit.what == STOP_FILE and visit.at_s <= back_s and not RunFolder(folder).stop.exists():
            write_stop(RunFolder(folder).stop, StopRequest.now(visit.text, "the soak"))


def _told(night: Night) -> list[Fault]:
    return [Fault(**asdict(fault)) for fault in night.faults]


def play_here(night: Night, keep: Path | None = None) -> list[Violation]:
    """The same in a folder of its own, which goes with it unless it is to be kept."""
    if keep is not None:
        return play(night, keep)
    folder = Path(tempfile.mkdtemp(prefix="labrig-night-"))
    try:
        return play(night, folder / "run")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _live(night: Night, bench: Bench, folder: Path, now_s: float, death: Death | None) -> _Ended:
    clock = VirtualClock(start_s=now_s)
    life = Life(night.faults, clock, death)

    def taken_up(door: Door) -> None:
        """People and fate come each time that the run is taken up, by this process."""
        since_s = clock.now_s()
        life.begin(since_s)
        for path in _no_room(night, folder):
            path.mkdir(exist_ok=True)
        to_come = sorted(
            (v for v in _visits(night, since_s) if v.at_s > since_s), key=lambda v: v.at_s
        )
        visitors = partial(receive, life.door, folder / "control.json", to_come)
        clock.start("visitors", visitors)

    runner = Runner(
        night.plan, bench.spec, life.opener(bench.opener(clock.now_s)), clock, folder,
        FaultyImaging(PaperCamera(), night.faults, clock),
        open_journal=partial(open_journal, connect=life.connect, survives="kill"),
        announce=taken_up, people=life.people(bench.people),
        captures_beforehand=rehearsed(night.plan),
    )  # fmt: skip
    came: list[Any] = []
    thread = threading.Thread(target=lambda: came.append(_run(runner)), daemon=True)
    thread.start()
    hangs = _hangs(thread, clock)
    for path in _no_room(night, folder):
        if path.is_dir():
            path.rmdir()
    if hangs:
        hang = Violation("hang", f"a runner that began at {now_s:g} s does not end")
        return _Ended([hang], now_s)
    if life.died_s is not None:
        # What it wrote after its death, it did not write.
        for name in ("outcome.json", "ledger.json", "control.json"):
            (folder / name).unlink(missing_ok=True)
        died_s = max(life.died_s, now_s)
        return _Ended([], died_s, died_s + life.back_after_s)
    conclude_if_ended(RunFolder(folder))
    return _how_it_ended(came[0], folder, now_s, clock.now_s())


def _hangs(thread: threading.Thread, clock: VirtualClock) -> bool:
    """Wait for its end; whether none will come."""
    stood_s, now_s, cpu_s = 0.0, clock.now_s(), time.process_time()
    while True:
        thread.join(LOOK_EVERY_S)
        if not thread.is_alive():
            return False
        worked_s = time.process_time() - cpu_s
        cpu_s += worked_s
        stood_s = 0.0 if clock.now_s() > now_s else stood_s + worked_s
        if clock.now_s() == now_s and (worked_s < WORKS_S or stood_s > TURNS_S):
            return True
        now_s = clock.now_s()


def _how_it_ended(outcome: Any, folder: Path, began_s: float, now_s: float) -> _Ended:  # noqa: ANN401
    if isinstance(outcome, RunOver):
        # Its last runner died after its last row: whoever finds the folder concludes.
        conclude_if_ended(RunFolder(folder))
        return _Ended([], began_s)
    refused = isinstance(outcome, InstrumentError | JournalWriteFailed)
    if refused and not previous_state(folder).begun:
        # A start is refused when somebody is missing or says nothing, or nothing can be written.
        return _Ended([], began_s)
    if isinstance(outcome, Exception):
        return _Ended([Violation("error", f"{type(outcome).__name__}: {outcome}")], began_s)
    wrong = [Violation("worker died", what) for what in outcome.failures]
    if outcome.condition not in ("finished", "stopped") and not outcome.shortfalls:
        wrong.append(Violation("not ended", f"the run is {outcome.condition} at its end"))
    return _Ended(wrong, now_s)


def _run(runner: Runner) -> Any:  # noqa: ANN401 - its outcome, or the exception that ended it
    try:
        return runner.run()
    except Exception as error:
        return error


def _visits(night: Night, since_s: float) -> Sequence[Visit]:
    over_s = max(night.plan.forecast.duration_s, since_s) + 50.0
    # One that is held must be let go.
    return [*night.visits, Visit(over_s, "resume"), Visit(over_s + 400.0, "resume")]
