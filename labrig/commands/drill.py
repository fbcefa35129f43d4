"""``labrig drill``: practise a stall on simulated instruments before one comes at night."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labrig.commands.page_beside import PageOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labrig_drivers.simulation import FaultKind


def drill(
    fault: Annotated[
        str, typer.Argument(help="What goes wrong, e.g. stall; without it all are listed.")
    ] = "",
    instrument: Annotated[
        str, typer.Argument(help="Of which, e.g. nerve_02; or world, computer, people.")
    ] = "",
    at: Annotated[str, typer.Option(help="When, on the run's clock.")] = "65 min",
    lasting: Annotated[
        str, typer.Option("--for", help="For how long.", show_default="to the end")
    ] = "",
    value: Annotated[float, typer.Option(help="How much, for faults that have a value.")] = 0.0,
    of: Annotated[str, typer.Option(help="Which line, reservoir or port, e.g. of a bubble.")] = "",
    protocol: Annotated[
        Path | None, typer.Option(help="Protocol file.", show_default="the demonstration night")
    ] = None,
    rig: Annotated[
        Path | None, typer.Option(help="Rig file.", show_default="its simulated bench")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder in which the run's own is made.")] = Path(
        "labrig-drills"
    ),
    speed: Annotated[float, typer.Option(help="Run seconds per second.", min=0.01)] = 60.0,
    operator: Annotated[str, typer.Option(help="Who practises.")] = "",
    page: PageOption = None,
) -> None:
    """Play a simulated night in which INSTRUMENT shows FAULT, at sixty times its pace.

    Look for it with `labrig status`, answer its question with `labrig answer`, hold and stop the
    run as you would at night. Nothing real is touched, and its report tells how it went.

    Examples:
      labrig drill

      labrig drill stall nerve_02

      labrig drill silent base_left --at "30 min" --for "1 h"

      labrig drill door_open world --for "10 min"
    """
    from labrig.commands.durations import duration_s
    from labrig.launch.drills import Drill, drill_start, faults_on_rig
    from labrig.launch.prepare import prepare_run
    from labrig.launch.runner_child import RunnerOptions
    from labrig.launch.scripted_faults import BESIDE, NoSuchFault

    if not fault or not instrument:
        from labrig.catalogue import DEMO_RIG, catalogue_folder

        _list({**faults_on_rig(rig or catalogue_folder() / DEMO_RIG), **BESIDE})
        return
    wanted = Drill(
        fault,
        instrument,
        duration_s(at, "--at"),
        duration_s(lasting, "--for") if lasting else float("inf"),
        value,
        of,
    )
    try:
        request = drill_start(wanted, runs, protocol, rig, operator)
    except NoSuchFault as error:
        raise typer.BadParameter(str(error)) from None
    folder = prepare_run(request)
    from labrig.commands.page_beside import begin_page
    from labrig.commands.run import start_and_follow

    typer.echo(
        f"A drill on simulated instruments: {instrument} shows '{fault}' at {at} of the run. An "
        f"hour of the night passes in {3600 / speed:.0f} s."
    )
    if page is not False:
        begin_page(runs, request.protocol.parent)(typer.echo, folder.root.name)
    start_and_follow(folder, RunnerOptions(speed), as_json=False)


def _list(known: Mapping[str, Mapping[str, FaultKind]]) -> None:
    """Instruments that show the same faults together."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, faults in known.items():
        alike.setdefault(tuple(faults), []).append(name)
    for names in alike.values():
        typer.echo(", ".join(names))
        for fault, kind in known[names[0]].items():
            values = ", ".join(f"{value:g}" for value in kind.values if value)
            example = f"  --value {values} {kind.unit}".rstrip() if values else ""
            typer.echo(f"  {fault:22} {kind.what}{example}")
    typer.echo("\nPractise one: labrig drill FAULT INSTRUMENT")
