"""A page on which a run is shown whose runner is played: its door is the real one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
from labrig.launch.prepare import StartRequest, prepare_run
from labrig.run.commands import BadCommand
from labrig.run.control import ControlServer
from labrig.run.lease import take_lease
from labrig.run.register import STATE, registered
from labrig.run_folder import RunFolder
from labrig.web.app import create_app
from labrig.web.site import Site

HERE = {"origin": "http://127.0.0.1", "hx-request": "true"}
"""Headers that a page of ours sends with each act, from this computer."""


@dataclass
class PlayedRunner:
    """Stands where a runner does: says what it is told to say, and remembers what it was asked."""

    folder: RunFolder
    token: str = ""
    status: dict[str, Any] = field(default_factory=dict)
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuse: str = ""

    def take(self, name: str, command_id: str, args: dict[str, Any]) -> dict[str, Any]:
        if self.refuse:
            raise BadCommand(self.refuse)
        self.taken.append((name, dict(args)))
        return {"accepted": True, "command": name, "at_s": self.status["now_s"]}


def a_status(**changes: Any) -> dict[str, Any]:
    """What a runner says 2:00 h into a night of 14 h that runs as planned."""
    return {
        "protocol": "demo-night", "pilot": False, "now_s": 7200.0, "duration_s": 50400.0,
        "utc": "2026-11-29T22:00:00+00:00", "epoch": 1, "condition": "running",
        "phase": "treatment", "held": False, "alive": True, "threads": [], "journal_works": True,
        "alarms": [], "questions": [], "counters": {}, "readings": {}, "modes": {},
        "censored_from_s": {}, "upcoming": [], "reservoirs": [], "stop": None, "version": 1,
        **changes,
    }  # fmt: skip


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv(STATE, str(tmp_path / "state"))
    (tmp_path / "runs").mkdir()
    return Site(tmp_path / "runs", tmp_path, tmp_path / "state", ZoneInfo("Europe/Berlin"))


@pytest.fixture
def play(site: Site) -> Iterator[Callable[..., PlayedRunner]]:
    """Play the runner of a run of this name until the test is over."""
    with ExitStack() as stack:

        def played(name: str, plan: Path | None = None, **changes: Any) -> PlayedRunner:
            folder = a_run(site.runs, name)
            if plan is not None:
                shutil.copy(plan, folder.plan)
            identity = json.loads(folder.identity.read_text())
            lease = take_lease(folder.root)
            stack.callback(lease.release)
            runner = PlayedRunner(folder, status=a_status(**changes))
            server = ControlServer(lambda: runner.status, runner.take, folder.control)
            registration = stack.enter_context(registered(folder.root, identity))
            door = server.open()
            stack.callback(server.close)
            registration.write(door)
            runner.token = door.token
            return runner

        yield played


def a_run(runs: Path, name: str) -> RunFolder:
    """A run folder with next to nothing in it."""
    folder = RunFolder(runs / name)
    folder.root.mkdir()
    identity = {
        "id": f"{name}-id", "protocol": "demo-night", "rig": "bench-1", "simulated": True,
        "rehearsal": False, "pilot": False, "made_utc": "2026-11-29T20:00:00+00:00",
    }  # fmt: skip
    folder.identity.write_text(json.dumps(identity))
    return folder


@pytest.fixture(scope="session")
def demo_plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan of the demonstration's night, compiled."""
    catalogue = catalogue_folder()
    request = StartRequest(
        catalogue / DEMO_PROTOCOL,
        catalogue / DEMO_RIG,
        tmp_path_factory.mktemp("planned"),
        simulate=True,
        rehearse=True,
    )
    return prepare_run(request).plan


@pytest.fixture
def page(site: Site) -> Iterator[TestClient]:
    """A browser on this computer."""
    with TestClient(
        create_app(site), base_url="http://127.0.0.1", client=("127.0.0.1", 50000)
    ) as client:
        yield client
