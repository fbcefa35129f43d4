"""``labrig serve``: keep a rig. Runner, local Prefect server and worker, until stopped."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from labrig.commands.durations import duration_s
from labrig.commands.page_beside import PageOption, begin_page


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
        str,
        typer.Option(
            help="Offer a start at these times, as cron in this machine's own time zone: "
            "'0 18 * * *' is 18:00 on the clock on the wall, summer and winter."
        ),
    ] = "",
    port: Annotated[
        int, typer.Option(help="Of the Prefect server on this machine; 0: any free one.")
    ] = 4200,
    page: PageOption = None,
    no_watch: Annotated[
        bool, typer.Option("--no-watch", help="Start no `labrig watch` here (the page does).")
    ] = False,
) -> None:
    """Keep a rig ready: offer its protocols in Prefect, and run what is started, one at a time.

    Prefect's own page shows the nights for whoever administers it, and lets nobody else in: user
    and password stand in the file that is named at the start. A schedule only offers a start: when
    it comes too late, the rig is busy, or the last run was stopped and nobody has said `labrig
    ready` since, it is refused, with the reason. Ctrl-C ends Prefect; a night that is running goes
    on (`labrig status`, `labrig stop`).
    """
    from labrig.commands.rig_service import RigService
    from labrig.commands.run import watch_kept_for
    from labrig.launch.served import Served
    from labrig.protocol.loading import load_protocol
    from labrig.rig.loading import load_rig

    if every and at:
        raise typer.BadParameter("give --every or --at, not both")
    if (every or at) and len(protocols) > 1:
        raise typer.BadParameter(
            "one schedule for several protocols would offer them all at once, and a rig has room "
            "for one: serve one protocol with --at or --every, start the others by hand"
        )
    if fast and not simulate:
        raise typer.BadParameter("--fast is for simulated nights: add --simulate")
    every_s = duration_s(every, "--every") if every else None
    load_rig(rig)
    files: dict[str, str] = {}
    for path in protocols:
        name = load_protocol(path).model.name
        if name in files:
            raise typer.BadParameter(
                f"{files[name]} and {path.resolve()} are both named {name!r}: rename one"
            )
        files[name] = str(path.resolve())
    service = RigService(
        served=Served(files, str(rig.resolve()), str(runs.resolve()), simulate, fast),
        every_s=every_s,
        cron=at or None,
        port=port,
        call=(lambda: None)
        if no_watch
        else watch_kept_for("simulated" if simulate else "real bench"),
    )
    if page is not False:
        tell_of_page = begin_page(runs, protocols[0].parent)
        # Told when it answers: the cells of a night that needs its runner do not wait for it.
        threading.Thread(target=tell_of_page, args=(typer.echo,), daemon=True).start()
    stopped = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stopped.set())
    service.keep(stopped, typer.echo)
