"""Knocks at the runner of a run, wherever its door is written down."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.commands.which_run import ChosenRun
from labrig.run.control_client import NoRunner, RunnerClient, connect


def doors_of(chosen: ChosenRun, timeout_s: float = 5.0) -> Iterator[RunnerClient]:
    """Every door that may be its runner's: of its folder, then of the register."""
    seen = None
    try:
        seen = connect(chosen.folder.control, timeout_s)
        yield seen
    except NoRunner:
        pass
    entry = chosen.registered
    if entry is not None and entry.lives and entry.door.port:
        door = RunnerClient(entry.door.host, entry.door.port, entry.door.token, timeout_s)
        if door != seen:
            yield door


def answering(chosen: ChosenRun) -> RunnerClient:
    """The door that answers.

    Raises:
        NoRunner: none does.
    """
    error: NoRunner | None = None
    for door in doors_of(chosen):
        try:
            door.status()
        except NoRunner as refused:
            error = refused
        else:
            return door
    raise error or NoRunner(
        f"no runner lives in {chosen.folder.root}: `labrig status {chosen.folder.root}` says how "
        "its run stands."
    )
