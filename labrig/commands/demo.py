"""``labrig demo``: a simulated night, from protocol to report, on embedded defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labrig.commands.page_beside import PageOption


def demo(
    folder: Annotated[
        Path, typer.Argument(help="Where the demonstration goes; made when missing.")
    ] = Path("labrig-demo"),
    without_prefect: Annotated[
        bool, typer.Option("--without-prefect", help="Conduct it directly: starts sooner.")
    ] = False,
    page: PageOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line at the end.")] = False,
) -> None:
    """Run a fourteen-hour night on the simulated bench in about two minutes, and write its report.

    Every byte goes through the drivers of the real instruments; their simulators answer. Nothing
    outside this computer is reached. Open the report it names at the end in any browser.
    """
    from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
    from labrig.commands.run import run

    folder.mkdir(parents=True, exist_ok=True)
    catalogue = catalogue_folder()
    if not as_json:
        typer.echo("A night of 14 h on simulated instruments, as fast as this computer can.")
    run(
        protocol=catalogue / DEMO_PROTOCOL,
        rig=catalogue / DEMO_RIG,
        runs=folder,
        simulate=True,
        fast=True,
        prefect=not without_prefect,
        operator="demo",
        page=page is not False,
        as_json=as_json,
    )
