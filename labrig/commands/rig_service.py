"""What ``labrig serve`` keeps going: the rig's keeper, a Prefect server and its worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from labrig.durable import read_json, write_json
from labrig.flows.services import PrefectServices, ServiceFailed, free_port
from labrig.launch.keeper import Keeper
from labrig.launch.runner_child import RunnerOptions
from labrig.night.conduct import read_plan
from labrig.record.journal import JournalError
from labrig.run.lease import runner_lives
from labrig.run.runner import previous_state
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
            ServiceFailed: Prefect did not come up, or died; then a running night is kept to
                its end first.
        """
        deployments = [self._deployment(p) for p in self.protocols]
        home = self.runs / ".prefect"
        home.mkdir(parents=True, exist_ok=True)
        spec = home / "deployments.json"
        write_json(spec, {"deployments": deployments})
        services = PrefectServices(home, self.port or free_port(), spec)
        keeper = Keeper(self.runs, say)
        try:
            unfinished = unfinished_run(self.runs, datetime.now(UTC), say)
            if unfinished is not None:
                # before Prefect, which takes its time: the cells wait
                keeper.take_over(unfinished, RunnerOptions(float("inf") if self.fast else None))
                keeper.tick()
            services.start()
            say(f"Prefect: {services.api_url.removesuffix('/api')}")
            for deployment in deployments:
                say(f"deployment: night/{deployment['name']}")
            say(f"runs: {self.runs}   (Ctrl-C ends serving; a running night goes on)")
            self._look_after(keeper, services, stopped, say)
        finally:
            services.stop()
            running = keeper.running()
            if running is not None:
                say(f"{running.root.name} goes on: labrig status {running.root}")

    def _look_after(
        self,
        keeper: Keeper,
        services: PrefectServices,
        stopped: threading.Event,
        say: Callable[[str], None],
    ) -> None:
        failed: ServiceFailed | None = None
        while not stopped.wait(LOOK_EVERY_S):
            started = keeper.tick()
            if started is not None:
                say(f"started: {started.root}")
            if failed is None:
                try:
                    services.check()
                except ServiceFailed as error:
                    failed = error
                    say(f"{error}\nThe night needs no Prefect: its runner is kept all the same.")
            if failed is not None and not keeper.keeps:
                raise failed

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


def unfinished_run(runs: Path, now: datetime, say: Callable[[str], None]) -> RunFolder | None:
    """The newest run that began, if it never ended, its runner is dead, and its time is not over.

    Args:
        runs: the folder of runs.
        now: with time zone.
        say: tells a person of a run that is left alone, and why.
    """
    for path in sorted(runs.glob("*/journal.sqlite"), reverse=True):
        folder = RunFolder(path.parent)
        try:
            state = previous_state(folder.root)
        except JournalError as error:
            say(f"{folder.root.name} is left alone: {error}")
            continue
        if not state.begun or state.started_utc is None:
            continue  # its start was refused: to begin it now was never asked for
        if state.ended or (folder.root / "outcome.json").exists():
            return None
        if runner_lives(folder.root):
            say(f"{folder.root.name} is running by itself")
            return None
        simulated = read_json(folder.identity)["simulated"]
        over = datetime.fromisoformat(state.started_utc) + timedelta(
            seconds=read_plan(folder).forecast.duration_s
        )
        if not simulated and now > over:
            say(
                f"{folder.root.name} never ended, but its time was over at "
                f"{over:%Y-%m-%d %H:%M} UTC. What is on the bench now may be something else, so "
                f"it is left alone; `labrig resume {folder.root}` ends it properly."
            )
            return None
        return folder
    return None
