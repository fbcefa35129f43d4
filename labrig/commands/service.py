"""``labrig service``: have the system keep `labrig watch` or `labrig serve` going."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from labrig.watch.unit_files import UnitFile

app = typer.Typer(
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Have the system keep `labrig watch` going, or `labrig serve`: files for systemd, launchd "
    "or the task scheduler of Windows.",
)


class SystemName(StrEnum):
    """What keeps services on a computer."""

    SYSTEMD = "systemd"
    LAUNCHD = "launchd"
    WINDOWS = "windows"


CommandArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="The labrig command to keep, after `--` where it has options, e.g. "
        "`-- serve night.yaml --rig bench.yaml`.",
        show_default="watch",
    ),
]
SystemOption = Annotated[
    SystemName | None, typer.Option("--system", help="For another system.", show_default="this one")
]


@app.command()
def show(command: CommandArgument = None, system: SystemOption = None) -> None:
    """Print the file that `install` would write, and where; nothing is written."""
    unit = _unit(command, system)
    typer.echo(f"# {unit.path}")
    typer.echo(unit.content)


@app.command()
def install(command: CommandArgument = None) -> None:
    """Write the file for this system, and say by which commands it begins.

    The present folder becomes the one in which the command runs, so paths may be given as here.
    """
    unit = _unit(command, None)
    path = Path(unit.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".xml":
        # what the task scheduler reads
        path.write_text(unit.content, encoding="utf-16")
    else:
        path.write_text(unit.content, encoding="utf-8")
    typer.echo(f"wrote {path}\nHave the system begin it:")
    for line in unit.begin:
        typer.echo(f"  {line}")


@app.command()
def remove(command: CommandArgument = None) -> None:
    """Remove the file, and say by which commands the system ends it. Runs that live go on."""
    unit = _unit(command, None)
    path = Path(unit.path)
    if not path.exists():
        raise typer.BadParameter(f"there is no {path}: nothing was installed")
    path.unlink()
    typer.echo(f"removed {path}\nHave the system end it:")
    for line in unit.end:
        typer.echo(f"  {line}")


def _unit(command: list[str] | None, system: SystemName | None) -> UnitFile:
    from labrig.run.register import STATE
    from labrig.watch.unit_files import Kept, system_of, unit_file

    words = command or ["watch"]
    state = os.environ.get(STATE)
    kept = Kept(
        name=f"labrig-{words[0]}",
        command=(sys.executable, "-m", "labrig", *words),
        folder=str(Path.cwd()),
        environment=() if state is None else ((STATE, os.path.abspath(state)),),
    )
    chosen = system_of(sys.platform) if system is None else system.value
    return unit_file(kept, chosen, Path.home())
