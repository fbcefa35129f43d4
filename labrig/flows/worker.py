"""The worker of ``labrig serve``: ``python -m labrig.flows.worker PARENT TIMETABLE.json``.

Registers the ``night`` deployments with the local Prefect server and carries out what is
scheduled or asked for.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.runner import Runner

from labrig.durable import read_json
from labrig.flows.night import night
from labrig.flows.orphaned import end_with
from labrig.flows.schedules import Timetable
from labrig.launch.served import SERVED_VARIABLE, Served

AT_ONCE = 4
"""Flow runs; the keeper starts one run at a time, and refuses the others now and not later."""
DESCRIPTION = """\
{path}

Cancelling, pausing or suspending here stops only the following of a night, **not the bench**:
for that there is `labrig stop`, or `labrig hold`.
"""


async def serve_nights(served: Served, timetable: Timetable) -> None:
    """Register every protocol and carry out what is due, until terminated."""
    await _forget_schedules()
    runner = Runner(name="labrig", limit=AT_ONCE, pause_on_shutdown=False)
    for name, path in served.protocols.items():
        # The flow itself, not a name of where it lies: so the steps, the path and the entry point
        # that the server's database holds for a deployment are never looked at.
        await runner.aadd_flow(
            night,
            name=name,
            parameters={"parameters": {"protocol": name}},
            schedule=timetable.schedule(),
            description=DESCRIPTION.format(path=path),
            tags=["labrig"],
        )
    await runner.start()


async def _forget_schedules() -> None:
    """What an earlier `labrig serve` had been told goes on in Prefect's database otherwise."""
    async with get_client() as client:
        for deployment in await client.read_deployments():
            for schedule in await client.read_deployment_schedules(deployment.id):
                await client.delete_deployment_schedule(deployment.id, schedule.id)


def main(arguments: list[str]) -> int:
    """Serve what the environment and the timetable's file say."""
    end_with(int(arguments[0]))
    served = Served.read(Path(os.environ[SERVED_VARIABLE]))
    asyncio.run(serve_nights(served, Timetable(**read_json(Path(arguments[1])))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
