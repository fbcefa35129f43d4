"""``labrig page``: the technician's page, a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labrig.commands.page_beside import PORT


def page(
    runs: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    lab: Annotated[
        Path, typer.Option(help="Folder of the lab's protocols, its rigs in `rigs` below it.")
    ] = Path(),
    port: Annotated[int, typer.Option(help="On this computer; 0: any free one.")] = PORT,
    lan: Annotated[
        bool, typer.Option("--lan", help="Let other computers in, with name and password.")
    ] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="With --lan: a name or address by which others call this computer; may be "
            "repeated.",
            show_default="its own",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="With --lan: the lab's certificate (PEM).")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM).")] = None,
    idle: Annotated[
        str,
        typer.Option(
            help="End by itself when no run has lived and no tab been open for so long: '12 h'.",
            show_default="never",
        ),
    ] = "",
) -> None:
    """Serve the technician's page: how nights stand, STOP, questions, pictures, the log.

    It shows every run that lives on this computer, and those of a folder. Ending it changes
    nothing for any run. Without --lan only this computer can open it.
    """
    from labrig.commands.durations import duration_s
    from labrig.commands.page_process import serve_page, site_for

    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("--tls-cert and --tls-key go together: give both or none")
    if not lan and (name or tls_cert):
        raise typer.BadParameter("--name and --tls-cert are for other computers: add --lan")
    site = site_for(runs, lab, port, lan=lan, names=tuple(name or ()), secure=tls_cert is not None)
    idle_s = duration_s(idle, "--idle") if idle else float("inf")
    serve_page(site, tls_cert, tls_key, typer.echo, idle_s)
