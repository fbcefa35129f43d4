"""Begins a run that people signed for, at its time, and follows it to its report.

A process of its own, which the page starts and needs no more: ``python -m
labrig.night.signed_start RUN``. What it does is what `labrig run` does.
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
from labrig.launch.wanted_start import GRACE_S, WantedStart, answer_start, read_start
from labrig.locks import try_lock
from labrig.night.conduct import conduct
from labrig.night.noting import note
from labrig.record.rows import JournalError
from labrig.run.control_client import CommandRefused
from labrig.run.lease import LeaseHeld
from labrig.run.stop_file import read_stop
from labrig.run_folder import RunFolder

LOOK_EVERY_S = 1.0
Say = Callable[[str], None]


def leave_to_begin(folder: RunFolder) -> subprocess.Popen[bytes]:
    """Start that process, detached: whoever starts it may die. Raises OSError."""
    with folder.follow_log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "labrig.night.signed_start", str(folder.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            **detached(),
        )


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
        say(f"not begun: {error}")
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


def main(arguments: list[str]) -> int:
    """Wait, begin, follow."""
    folder = RunFolder.at(Path(arguments[0]))

    def say(text: str) -> None:
        sys.stderr.write(f"{text}\n")

    with folder.start_lock.open("a", encoding="utf-8") as lock:
        if not try_lock(lock):
            say("another process waits for its time already")
            return 1
        wanted = read_start(folder)
        reason = await_its_time(folder, wanted, lambda: datetime.now(UTC), time.sleep)
        if reason:
            answer_start(folder, reason)
            say(f"not begun: {reason}")
            return 1
        child = begin(folder, wanted, say)
    if child is None:
        return 1
    if read_json(folder.identity)["simulated"]:
        conduct(folder, child, lambda *_: None)
        return 0
    keeper = Keeper(folder.root.parent, say)
    keeper.take_over(folder, RunnerOptions(wanted.run_s_per_s))
    conduct(folder, None, lambda *_: keeper.look_after())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
