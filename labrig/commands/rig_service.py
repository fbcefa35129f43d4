"""What ``labrig serve`` keeps going: the rig's keeper, a Prefect server and its worker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from labrig.durable import read_json, write_json
from labrig.flows.schedules import timetable
from labrig.flows.services import PrefectServices
from labrig.launch.bench_ready import reason_to_wait
from labrig.launch.keeper import Keeper, is_over
from labrig.launch.runner_child import RunnerOptions
from labrig.launch.served import SERVED_VARIABLE, Served
from labrig.night.followed import is_followed
from labrig.night.unfollowed import FollowWatch, start_follower
from labrig.pasted import pasted
from labrig.plan.store import read_plan
from labrig.record.rows import JournalError
from labrig.run.lease import runner_lives
from labrig.run.runner import previous_state
from labrig.run_folder import RunFolder

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
HOME = ".prefect"


@dataclass(frozen=True, slots=True)
class RigService:
    """One rig, served.

    Attributes:
        served: what may run.
        every_s / cron: schedule of each deployment; both None: only by hand.
        port: of the Prefect server; 0: any free one.
        call: sees that a `labrig watch` runs, which calls people.
    """

    served: Served
    every_s: float | None
    cron: str | None
    port: int
    call: Callable[[], None] = lambda: None

    def keep(self, stopped: threading.Event, say: Callable[[str], None]) -> None:
        """Serve until ``stopped``; then end Prefect and leave a running night alone.

        Whatever of Prefect dies is started again; a night needs none of it.

        Raises:
            NotPrivate, ServiceFailed: Prefect's folder or port is somebody else's.
            ScheduleRefused: the schedule or this machine's time zone cannot be understood.
        """
        runs = Path(self.served.runs)
        runs.mkdir(parents=True, exist_ok=True)
        services = self._services(runs / HOME)
        when = timetable(self.cron, self.every_s)
        keeper = Keeper(runs, say, served=self.served)
        watch = FollowWatch(say)
        try:
            write_json(runs / HOME / "timetable.json", asdict(when), 0o600)
            # before Prefect, which takes its time: the cells wait
            unfinished = unfinished_run(runs, datetime.now(UTC), say)
            if unfinished is not None:
                keeper.take_over(
                    unfinished, RunnerOptions(float("inf") if self.served.fast else None)
                )
            starts = when.next_starts(datetime.now(UTC))
            announced = False
            looks = Looks(keeper, watch, services, say, self.call)
            while not stopped.wait(LOOK_EVERY_S):
                looks.look()
                if services.answered and not announced:
                    announced = True
                    self._announce(services, starts, say)
        finally:
            services.stop()
            leave(keeper, say)

    def _services(self, home: Path) -> PrefectServices:
        paper = (home / "served.json").absolute()
        services = PrefectServices(
            home,
            self.port,
            [str(home.absolute() / "timetable.json")],
            {SERVED_VARIABLE: str(paper)},
        )
        self.served.write(paper)
        return services

    def _announce(
        self,
        services: PrefectServices,
        starts: tuple[datetime, ...],
        say: Callable[[str], None],
    ) -> None:
        say(f"login: {services.login_file}   (the browser asks, and Prefect's page once more)")
        for name in self.served.protocols:
            say(f"deployment: night/{name}")
        if starts:
            say("next starts: " + ", ".join(f"{start:%a %Y-%m-%d %H:%M %Z}" for start in starts))
        waits = reason_to_wait(Path(self.served.runs), simulated=self.served.simulate)
        if waits:
            say(f"no start is accepted yet: {waits}")
        say(f"runs: {self.served.runs}   (Ctrl-C ends serving; a running night goes on)")


def leave(keeper: Keeper, say: Callable[[str], None]) -> None:
    """Leave a running night to itself, with somebody who follows it.

    Raises:
        OSError: a follower cannot be started.
    """
    running = keeper.running()
    if running is None:
        return
    if not is_followed(running):
        start_follower(running)
    say(f"{running.root.name} goes on and is followed: labrig status {pasted(running.root)}")


class Looks:
    """Looks at all that is kept, the cells first. What goes wrong in one look ends nothing.

    Args:
        keeper, watch, services: what is kept.
        say: tells a person.
        call: sees that a `labrig watch` runs, which calls people.
    """

    def __init__(
        self,
        keeper: Keeper,
        watch: FollowWatch,
        services: PrefectServices,
        say: Callable[[str], None],
        call: Callable[[], None] = lambda: None,
    ) -> None:
        self._keeper = keeper
        self._watch = watch
        self._call = call
        self._services = services
        self._say = say
        self._trouble: dict[str, str] = {}

    def look(self) -> None:
        """One look."""
        self._try(self._at_the_rig)
        self._try(self._call)
        self._try(self._at_followers)
        self._try(self._at_prefect)

    def _at_the_rig(self) -> None:
        started = self._keeper.tick()
        if started is not None:
            self._say(f"started: {started.root}")
        kept = self._keeper.kept()
        if kept is not None:
            self._watch.watch(kept)

    def _at_followers(self) -> None:
        self._watch.tick(time.monotonic())

    def _at_prefect(self) -> None:
        for line in self._services.tend(time.monotonic()):
            self._say(line)

    def _try(self, part: Callable[[], None]) -> None:
        """A full disk, a damaged file, an error of our own: told once, tried again at each look.

        Whatever it is, who keeps a rig must live to bring its runner back.
        """
        name = part.__name__
        try:
            part()
        except Exception as error:
            foreseen = isinstance(error, OSError | ValueError)
            what = str(error) if foreseen else f"labrig itself failed: {error!r}"
            if self._trouble.get(name) != what:
                _log.info("while a rig was kept", exc_info=True)
                self._say(f"ALARM: {what}. It is tried again and again.")
            self._trouble[name] = what
        else:
            self._trouble.pop(name, None)


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
        if is_over(folder):
            return None
        if state.ended:
            return folder  # killed before it could conclude, which the keeper now does
        if runner_lives(folder.root):
            say(f"{folder.root.name} is running by itself")
            return folder  # watched, and taken over should its runner die
        simulated = read_json(folder.identity)["simulated"]
        over = datetime.fromisoformat(state.started_utc) + timedelta(
            seconds=read_plan(folder).forecast.duration_s
        )
        if not simulated and now > over:
            say(
                f"{folder.root.name} never ended, but its time was over at "
                f"{over:%Y-%m-%d %H:%M} UTC. What is on the bench now may be something else, so "
                f"it is left alone; `labrig resume {pasted(folder.root)}` ends it properly."
            )
            return None
        return folder
    return None
