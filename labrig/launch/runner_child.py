"""Starts the runner of a run as a process of its own, and waits for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from labrig.durable import read_json
from labrig.launch.signs_of_life import signs_of_life
from labrig.run_folder import RunFolder

REFUSED, NO_INSTRUMENT = 1, 5
"""Exit statuses by which a runner says that it will not begin; its last words say why."""

READY_WITHIN_S = 1800.0
"""[P] Longer than any journal takes to read."""
STILL_FOR_S = 60.0
"""[P] A starting runner that shows no sign of life for so long hangs."""
LOOK_EVERY_S = 0.5


class RunnerDied(Exception):
    """The runner ended before it was ready; the message quotes the end of its log."""


class RunnerRefused(RunnerDied):
    """The runner would not begin; the message is its own.

    Attributes:
        exit_status: 5 when an instrument is missing or wrong, else 1.
    """

    def __init__(self, exit_status: int, why: str) -> None:
        self.exit_status = exit_status
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class RunnerOptions:
    """How a runner is to run.

    Attributes:
        speed: simulated runs: run seconds per wall second, ``inf`` as fast as possible; None: as
            before, and at first as the clock goes.
        gap_s: an adopted simulated run: how long the bench was left alone.
    """

    speed: float | None = None
    gap_s: float = 0.0


def detached(platform: str = sys.platform) -> dict[str, Any]:
    """How a process is started that goes on when its terminal is closed and its starter ends."""
    if platform == "win32":
        # No console whose window could be closed, and no Ctrl-C meant for another one.
        flags = ("DETACHED_PROCESS", "CREATE_NEW_PROCESS_GROUP")
        return {"creationflags": sum(getattr(subprocess, flag, 0) for flag in flags)}
    return {"start_new_session": True}


def start_runner(folder: RunFolder, options: RunnerOptions) -> subprocess.Popen[bytes]:
    """Start the runner, detached: it goes on when whoever started it is gone.

    Raises:
        OSError: the process cannot be started.
    """
    command = [
        sys.executable, "-m", "labrig.launch.runner_process", str(folder.root),
        "--gap-s", repr(options.gap_s),
        *(["--speed", repr(options.speed)] if options.speed is not None else []),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with folder.log.open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            **detached(),
        )


def wait_until_ready(child: subprocess.Popen[bytes], folder: RunFolder) -> None:
    """Return once the runner answers for this folder, or the run has ended already.

    Raises:
        RunnerRefused: it would not begin.
        RunnerDied: it ended with an error, or it hangs.
    """
    deadline = time.monotonic() + READY_WITHIN_S
    alive_s = looked_s = time.monotonic()
    signs = signs_of_life(child.pid, folder)
    while time.monotonic() < min(deadline, alive_s + STILL_FOR_S):
        if time.monotonic() - looked_s >= LOOK_EVERY_S:
            looked_s, before = time.monotonic(), signs
            signs = signs_of_life(child.pid, folder)
            alive_s = looked_s if signs != before else alive_s
        status = child.poll()
        if status == 0 or (status is not None and folder.outcome.exists()):
            return
        if status in (REFUSED, NO_INSTRUMENT):
            raise RunnerRefused(status, last_log_line(folder))
        if status is not None:
            raise RunnerDied(f"the runner ended with exit status {status}.\n{log_tail(folder)}")
        if _door_of(folder) == child.pid:
            return
        time.sleep(0.02)
    # A runner that opened its door later would run a night that nobody knows of. Until then it has
    # only asked the instruments who they are.
    child.kill()
    child.wait()
    raise RunnerDied(
        f"the runner was not ready, showed no sign of life for {STILL_FOR_S:.0f} s (or took longer "
        f"than {READY_WITHIN_S:.0f} s) and was ended.\n{log_tail(folder)}"
    )


def _door_of(folder: RunFolder) -> int | None:
    """The process that ``control.json`` names; it may be gone, and so may the file, at any time."""
    try:
        pid: int = read_json(folder.control)["pid"]
    except (OSError, ValueError, KeyError):
        # Not there yet; or on a full disk, where it is written in place, half of it.
        return None
    return pid


def last_log_line(folder: RunFolder) -> str:
    """The last line of the log, which is the runner's reason."""
    lines = folder.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it gave no reason"


def log_tail(folder: RunFolder, lines: int = 15) -> str:
    """The end of the runner's log."""
    if not folder.log.exists():
        return "It left no log."
    text = folder.log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join([f"The end of {folder.log}:", *text[-lines:]])
