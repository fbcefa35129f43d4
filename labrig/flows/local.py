"""Conducts one night with Prefect in this process: its keeper beside it, a temporary server."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from labrig.flows.parameters import NightParameters
from labrig.flows.services import PrefectServices
from labrig.launch.bench_ready import say_ready
from labrig.launch.keeper import Keeper
from labrig.launch.served import SERVED_VARIABLE, Served
from labrig.run_folder import RunFolder

LOOK_EVERY_S = 0.1


def conduct_with_prefect(
    served: Served, parameters: NightParameters, home: Path, look: Callable[[RunFolder], None]
) -> Path:
    """Run the ``night`` flow here and return its report.

    Args:
        served: the files.
        parameters: of the flow.
        home: where Prefect keeps the temporary server's database.
        look: called again and again, from a thread, with the run that is on.

    Raises:
        ServiceFailed: the temporary server did not come up.
        StartRefused, OfferRefused: it will not start.
        NightEndedEarly: it was stopped or failed.
    """
    services = PrefectServices(home, port=0)
    paper = home / f"served-{os.getpid()}.json"
    try:
        services.start()
        served.write(paper)
        os.environ.update(services.client_settings | {SERVED_VARIABLE: str(paper.absolute())})
        return _conduct(served, parameters, look)
    finally:
        paper.unlink(missing_ok=True)
        services.stop()


def _conduct(
    served: Served, parameters: NightParameters, look: Callable[[RunFolder], None]
) -> Path:
    # here, and not above: prefect reads its settings when it is imported
    from labrig.flows.night import night

    # whoever starts a run at the terminal stands by its bench
    say_ready(Path(served.runs), parameters.operator)
    beside = _Beside(Keeper(Path(served.runs), served=served), look)
    thread = threading.Thread(target=beside.go_on, name="keeper", daemon=True)
    thread.start()
    try:
        return Path(night(parameters))
    finally:
        beside.over.set()
        thread.join()


class _Beside:
    """What goes on beside the flow: answering its offer, and showing the run."""

    def __init__(self, keeper: Keeper, look: Callable[[RunFolder], None]) -> None:
        self._keeper = keeper
        self._look = look
        self._folder: RunFolder | None = None
        self.over = threading.Event()

    def go_on(self) -> None:
        while not self.over.wait(LOOK_EVERY_S):
            self._folder = self._keeper.tick() or self._folder
            if self._folder is not None:
                self._look(self._folder)
