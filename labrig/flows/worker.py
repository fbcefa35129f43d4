"""The worker of ``labrig serve``: ``python -m labrig.flows.worker SPEC.json``.

Registers the ``night`` deployments with the local Prefect server and carries out what is
scheduled, one night at a time.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from prefect import serve
from prefect.deployments.runner import RunnerDeployment

from labrig.durable import read_json
from labrig.flows.night import night


@dataclass(frozen=True, slots=True)
class Deployment:
    """One protocol on one rig, ready to be started or scheduled.

    Attributes:
        every_s: offer a start at this interval; None: only when somebody asks.
        cron: or at these times, e.g. ``0 18 * * *``.
    """

    name: str
    parameters: dict[str, Any]
    every_s: float | None = None
    cron: str | None = None


def serve_deployments(deployments: tuple[Deployment, ...]) -> None:
    """Register and serve until terminated."""
    served = []
    for deployment in deployments:
        schedule: dict[str, Any] = {}
        if deployment.cron is not None:
            schedule["cron"] = deployment.cron
        elif deployment.every_s is not None:
            schedule["interval"] = timedelta(seconds=deployment.every_s)
        served.append(
            RunnerDeployment.from_flow(
                night,
                name=deployment.name,
                parameters={"parameters": deployment.parameters},
                concurrency_limit=1,
                tags=["labrig"],
                **schedule,
            )
        )
    serve(*served, limit=1, pause_on_shutdown=False)


def main(arguments: list[str]) -> int:
    """Serve what the specification file lists."""
    raw = read_json(Path(arguments[0]))
    serve_deployments(tuple(Deployment(**d) for d in raw["deployments"]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
