"""The technician's page beside a night: started with it, told of, and never waited for."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

PORT = 8765
"""Of the page, where nothing else has it: an address that a browser can keep."""
READY_WITHIN_S = 30.0
IDLE = "12 h"
"""So long it stays open for nobody: until after the morning in which a night is read."""
PageOption = Annotated[
    bool | None,
    typer.Option(
        "--page/--no-page",
        envvar="LABRIG_PAGE",
        help="Serve the technician's page beside it (`labrig page`).",
        show_default="page, unless the night is over in seconds",
    ),
]


def begin_page(runs: Path, lab: Path) -> Callable[[Callable[[str], None], str], None]:
    """Have a page for this folder of runs, in a process of its own that outlives this one.

    It ends by itself, :data:`IDLE` after the last run and the last tab.

    Args:
        runs: folder of runs.
        lab: folder of the lab's protocols.

    Returns:
        waits until the page answers and says its address; with the name of a run, that of the
        run. Where none could be started it says so: a night needs no page.
    """
    child = None if page_of(runs) else _start(runs, lab)

    def tell(say: Callable[[str], None], run: str = "") -> None:
        until_s = time.monotonic() + READY_WITHIN_S
        address = page_of(runs)
        while not address and child is not None and child.poll() is None:
            if time.monotonic() > until_s:
                break
            time.sleep(0.05)
            address = page_of(runs)
        if address:
            say(f"page: {address}/run/{run}" if run else f"page: {address}")
        else:
            say(f"The page could not be started ({_log()} says why); the night needs none.")

    return tell


def page_of(runs: Path) -> str:
    """Address of the page that serves this folder of runs; empty: none does."""
    from labrig.locks import is_locked

    try:
        with open(page_entry(runs), "r+", encoding="utf-8") as file:
            if not is_locked(file):
                return ""
            file.seek(0)
            return str(json.load(file)["address"])
    except (OSError, ValueError, KeyError):
        return ""


def page_entry(runs: Path) -> Path:
    """Where the page of a folder of runs says its address; locked while it lives."""
    from labrig.run.register import state_folder

    digest = hashlib.sha256(os.path.realpath(runs).encode()).hexdigest()[:16]
    return state_folder() / "pages" / f"{digest}.json"


def _start(runs: Path, lab: Path) -> subprocess.Popen[bytes] | None:
    from labrig.launch.runner_child import detached

    command = [
        sys.executable, "-m", "labrig", "page", "--runs", str(runs.absolute()),
        "--lab", str(lab.absolute()), "--port", str(PORT if _is_free(PORT) else 0),
        "--idle", IDLE,
    ]  # fmt: skip
    try:
        _log().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _log().open("ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **detached()
            )
    except OSError:
        return None


def _log() -> Path:
    from labrig.run.register import state_folder

    return state_folder() / "page.log"


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
