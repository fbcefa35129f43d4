"""``labrig serve``: keep a rig. Runner, local Prefect server and worker, until stopped."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from labrig.commands.durations import duration_s


def serve(
    protocols: Annotated[list[Path], typer.Argument(help="Protocols to offer as deployments.")],
    rig: Annotated[Path, typer.Option(help="Rig file (YAML).")],
    runs: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    simulate: Annotated[
        bool, typer.Option("--simulate", help="On the rig's simulators instead of its ports.")
    ] = False,
    fast: Annotated[bool, typer.Option("--fast", help="Simulated only: at full speed.")] = False,
    every: Annotated[str, typer.Option(help="Offer a start at this interval, e.g. '24 h'.")] = "",
    at: Annotated[
        str, typer.Option(help="Offer a start at these times, as cron: '0 18 * * *'.")
    ] = "",
    port: Annotated[
        int, typer.Option(help="Of the Prefect server on this machine; 0: any free one.")
    ] = 4200,
) -> None:
    """Keep a rig ready: offer its protocols in Prefect, and run what is started, one at a time.

    Prefect's own page shows the nights for whoever administers it. A schedule only offers a
    start: when it comes too late or the rig is busy it is refused, with the reason. Ctrl-C ends
    Prefect; a night that is running goes on (`labrig status`, `labrig stop`).
    """
    from labrig.commands.rig_service import RigService

    if every and at:
        raise typer.BadParameter("give --every or --at, not both")
    if fast and not simulate:
        raise typer.BadParameter("--fast is for simulated nights: add --simulate")
    service = RigService(
        protocols=tuple(p.resolve() for p in protocols),
        rig=rig.resolve(),
        runs=runs.resolve(),
        simulate=simulate,
        fast=fast,
        every_s=duration_s(every, "--every") if every else None,
        cron=at or None,
        port=port,
    )
    stopped = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stopped.set())
    service.keep(stopped, typer.echo)
