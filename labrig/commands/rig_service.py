"""What ``labrig serve`` keeps going: the rig's keeper, a Prefect server and its worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labrig.flows.services import PrefectServices, free_port
from labrig.launch.json_files import write_json
from labrig.launch.offers import Keeper
from labrig.launch.runner_child import RunnerOptions
from labrig.night.following import glance
from labrig.run.control_client import NoRunner, connect
from labrig.run_folder import RunFolder

LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class RigService:
    """One rig, served.

    Attributes:
        protocols, rig, runs: files and the folder of runs.
        every_s / cron: schedule of each deployment; both None: only by hand.
        port: of the Prefect server; 0: any free one.
    """

    protocols: tuple[Path, ...]
    rig: Path
    runs: Path
    simulate: bool
    fast: bool
    every_s: float | None
    cron: str | None
    port: int

    def keep(self, stopped: threading.Event, say: Callable[[str], None]) -> None:
        """Serve until ``stopped``; then end Prefect and leave a running night alone.

        Raises:
            labrig.problems.FileProblems: a protocol or the rig is wrong.
            ServiceFailed: Prefect did not come up, or died.
        """
        deployments = [self._deployment(p) for p in self.protocols]
        home = self.runs / ".prefect"
        home.mkdir(parents=True, exist_ok=True)
        spec = home / "deployments.json"
        write_json(spec, {"deployments": deployments})
        services = PrefectServices(home, self.port or free_port(), spec)
        keeper = Keeper(self.runs)
        try:
            self._adopt_unfinished(keeper, say)
            services.start()
            say(f"Prefect: {services.api_url.removesuffix('/api')}")
            for deployment in deployments:
                say(f"deployment: night/{deployment['name']}")
            say(f"runs: {self.runs}   (Ctrl-C ends serving; a running night goes on)")
            while not stopped.wait(LOOK_EVERY_S):
                services.check()
                started = keeper.tick()
                if started is not None:
                    say(f"started: {started.root}")
        finally:
            services.stop()
            running = keeper.running()
            if running is not None:
                say(f"{running.root.name} goes on: labrig status {running.root}")

    def _deployment(self, protocol: Path) -> dict[str, Any]:
        from labrig.protocol.loading import load_protocol

        return {
            "name": load_protocol(protocol).model.name,
            "parameters": {
                "protocol": str(protocol),
                "rig": str(self.rig),
                "runs": str(self.runs),
                "simulate": self.simulate,
                "fast": self.fast,
            },
            "every_s": self.every_s,
            "cron": self.cron,
        }

    def _adopt_unfinished(self, keeper: Keeper, say: Callable[[str], None]) -> None:
        """Take over the newest run that began and never ended, if its runner is dead."""
        for path in sorted(self.runs.glob("*/journal.sqlite"), reverse=True):
            folder = RunFolder(path.parent)
            if glance(folder).ended:
                return
            try:
                connect(folder.control).status()
            except NoRunner:
                say(f"taking over {folder.root.name}, whose runner died")
                keeper.adopt(folder, RunnerOptions(float("inf") if self.fast else 1.0))
            return
