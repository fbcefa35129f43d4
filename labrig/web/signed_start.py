"""Begins a run that people signed for, at its time, and follows it to its report.

A process of its own, which the page starts and needs no more: ``python -m
labrig.web.signed_start RUN``. What it does is what `labrig run` does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from labrig.durable import read_json
from labrig.launch.keeper import Keeper
from labrig.launch.runner_child import (
    RunnerDied,
    RunnerOptions,
    detached,
    start_runner,
    wait_until_ready,
)
from labrig.launch.wanted_start import (
    GRACE_S,
    WantedStart,
    answer_start,
    how_it_stands,
    read_start,
)
from labrig.locks import try_lock_patiently
from labrig.night.conduct import conduct
from labrig.night.noting import note
from labrig.problems import FileProblems
from labrig.record.rows import JournalError
from labrig.run.control_client import CommandRefused
from labrig.run.lease import LeaseHeld
from labrig.run.register import bench_of
from labrig.run.stop_file import read_stop
from labrig.run_folder import RunFolder
from labrig.watch.routes import RoutesExposed, load_routes
from labrig.watch.sending import send
from labrig.watch.standing_alone import KeptWatch

LOOK_EVERY_S = 1.0
WAITS_WITHIN_S = 30.0
"""[P] Longer than a slow computer takes to load it."""
Say = Callable[[str], None]


def leave_to_begin(folder: RunFolder) -> subprocess.Popen[bytes]:
    """Start that process, detached, and return once it waits: whoever starts it may die.

    Raises:
        OSError: it cannot be started, or ended at once.
    """
    with folder.follow_log.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "labrig.web.signed_start", str(folder.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            **detached(),
        )
    until = time.monotonic() + WAITS_WITHIN_S
    while time.monotonic() < until:
        if how_it_stands(folder)[0] != "nobody waits":
            return child
        if child.poll() is not None:
            raise OSError(f"nobody waits for the start of {folder.root}: {folder.follow_log}")
        time.sleep(0.05)
    return child


def await_its_time(
    folder: RunFolder,
    wanted: WantedStart,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> str:
    """Return when the run is to begin: empty, or the reason why it must not."""
    while True:
        stop = read_stop(folder.stop)
        if stop is not None:
            return f"called off by {stop.by or 'somebody'}: {stop.reason or 'no reason given'}"
        left_s = (wanted.due - now()).total_seconds()
        if left_s < -GRACE_S:
            return (
                f"its time was {wanted.due.astimezone():%a %d %b %H:%M}, and this computer came to "
                f"it {-left_s / 60:.0f} min late (asleep, or off?): sign again if it is still "
                "wanted"
            )
        if left_s <= 0:
            return ""
        sleep(min(left_s, LOOK_EVERY_S))


def begin(folder: RunFolder, wanted: WantedStart, say: Say) -> subprocess.Popen[bytes] | None:
    """Start the runner, and write down who signed what; None when it would not begin."""
    try:
        child = start_runner(folder, RunnerOptions(wanted.run_s_per_s))
        wait_until_ready(child, folder)
    except (RunnerDied, OSError) as error:
        answer_start(folder, f"the runner would not begin: {error}")
        return None
    answer_start(folder, "")
    run_id = read_json(folder.identity)["id"]
    for index, line in enumerate(wanted.lines):
        at = datetime.fromisoformat(line.utc).astimezone()
        try:
            command_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"labrig:{run_id}:signed:{index}"))
            note(folder, f"{line.text} ({at:%d %b %H:%M})", line.by, command_id)
        except (CommandRefused, LeaseHeld, JournalError, OSError) as error:
            say(f"ALARM: not in the journal: {line.text} ({error}). It stands in {folder.start}.")
    return child


def call_about(folder: RunFolder, bench: str, reason: str, say: Say) -> None:
    """Tell by every route that a start did not come: who signed for it has gone home."""
    try:
        routes = load_routes()
    except (FileProblems, RoutesExposed, OSError) as error:
        say(f"ALARM: nobody can be told that {folder.root.name} was not begun: {error}")
        return
    for route in routes.routes if bench in routes.benches else ():
        text = (
            f"{folder.root.name} was signed for and was NOT begun: {reason}\n"
            "Nothing runs: no medium flows by it. Look at the bench, then start again by hand."
        )
        if failure := send(route.url, f"NOT begun: {folder.root.name}", text, "call"):
            say(f"ALARM: not told by {route.name}: {failure}")


def main(arguments: list[str]) -> int:
    """Wait, begin, follow."""
    folder = RunFolder.at(Path(arguments[0]))
    identity = read_json(folder.identity)
    bench = bench_of(identity)
    watch = KeptWatch(bench, _say)
    with folder.start_lock.open("a", encoding="utf-8") as lock:
        if not try_lock_patiently(lock):
            _say("another process waits for its time already")
            return 1
        wanted = read_start(folder)
        reason = await_its_time(folder, wanted, lambda: datetime.now(UTC), time.sleep)
        watch.look()
        child = None if reason else begin(folder, wanted, _say)
        if child is None:
            return _not_begun(folder, bench, reason)
    if identity["simulated"]:
        conduct(folder, child, lambda *_: watch.look())
        return 0
    keeper = Keeper(folder.root.parent, _say)
    keeper.take_over(folder, RunnerOptions(wanted.run_s_per_s))

    def look_after(*_: object) -> None:
        keeper.look_after()
        watch.look()

    conduct(folder, None, look_after)
    return 0


def _not_begun(folder: RunFolder, bench: str, reason: str) -> int:
    """Write it down, and call somebody; who has called it off knows."""
    if reason:
        answer_start(folder, reason)
    told = str(read_json(folder.answer)["reason"])
    _say(f"not begun: {told}")
    if read_stop(folder.stop) is None:
        call_about(folder, bench, told, _say)
    return 1


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
