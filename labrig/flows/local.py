"""Conducts one night with Prefect in this process: its keeper beside it, a temporary server."""

from __future__ import annotations

import threading
from pathlib import Path

from labrig.flows.environment import settle_environment
from labrig.flows.parameters import NightParameters
from labrig.launch.offers import Keeper


def conduct_with_prefect(parameters: NightParameters, home: Path) -> Path:
    """Run the ``night`` flow here and return its report.

    Args:
        parameters: of the flow.
        home: where Prefect keeps the temporary server's database.

    Raises:
        StartRefused, OfferRefused: it will not start.
        NightEndedEarly: it was stopped or failed.
    """
    settle_environment(home, None)
    # here, and not above: prefect reads its settings when it is imported
    from labrig.flows.night import night

    keeper, over = Keeper(Path(parameters.runs)), threading.Event()

    def keep() -> None:
        while not over.wait(0.05):
            keeper.tick()

    thread = threading.Thread(target=keep, name="keeper", daemon=True)
    thread.start()
    try:
        return Path(night(parameters))
    finally:
        over.set()
        thread.join()
