"""``labrig doctor``: is everything there, and does it answer as what it should be?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labrig.commands import exit_codes

if TYPE_CHECKING:
    from labrig.rig.bench import BenchSpec


def doctor(
    rig: Annotated[
        Path | None, typer.Argument(help="Rig file; without one, only this computer is looked at.")
    ] = None,
    types: Annotated[
        bool, typer.Option("--types", help="List the instrument types that rig files may name.")
    ] = False,
    configure: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="First write to this instrument, which must stand, what RIG says of it: "
            "a New Era pump's syringe diameter.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead.")] = False,
) -> None:
    """Look at this computer, its ports, and every instrument of RIG.

    Each instrument is asked who it is; none is changed, unless --configure names it. A New Era pump
    tells an alarm once, to whoever asks first: it is shown here and not told again. What does
    not answer is listed with the setting to check. Exit status 0: all well; 5: an instrument is
    missing, busy or wrong.

    Example: labrig doctor protocols/rigs/example-bench.yaml
    """
    from dataclasses import asdict

    from labrig.launch.examining import ask_instruments, plugged_in, this_computer

    if configure is not None:
        _configure(rig, configure)
    listed, broken = _types()
    found: dict[str, Any] = {
        "computer": this_computer(Path.cwd()),
        "ports": [asdict(port) for port in plugged_in()],
    }
    if types:
        found["types"] = listed
    if broken:
        found["unusable types"] = broken
    if rig is not None:
        found["instruments"] = [asdict(answer) for answer in ask_instruments(_bench_of(rig))]
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        _print(found)
    if any(i["problem"] for i in found.get("instruments", [])):
        raise typer.Exit(exit_codes.INSTRUMENT)


def _bench_of(rig: Path) -> BenchSpec:
    from labrig.rig.bench import bench_spec
    from labrig.rig.loading import load_rig

    return bench_spec(load_rig(rig).model)


def _configure(rig: Path | None, name: str) -> None:
    from labrig.rig.bench import configure as write_settings
    from labrig.rig.bench import open_real_port

    if rig is None:
        raise typer.BadParameter("name the rig file as well", param_hint="--configure")
    try:
        write_settings(_bench_of(rig), name, open_real_port)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--configure") from None
    typer.echo(f"{name}: set as {rig} says; its volume counters begin at 0.", err=True)


def _types() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The types that rigs may name, and those of other packages that cannot be used."""
    from labrig_drivers.instrument import installed_types, usable_types

    usable, wrong = usable_types(installed_types())
    listed = [
        {
            "type": t.name,
            "kind": t.kind,
            "instrument": f"{t.vendor} {t.model}",
            "verified on": ", ".join(t.verified_on),
        }
        for t in usable
    ]
    return listed, [{"what is wrong": what} for what in wrong]


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    titles = {
        "computer": "This computer",
        "ports": "Serial ports plugged in",
        "types": "Instrument types",
        "unusable types": "Instrument types that cannot be used",
        "instruments": "Instruments of the rig",
    }
    for part, rows in found.items():
        if not rows:
            console.print(f"[bold]{titles[part]}[/]: none")
            continue
        table = Table(title=titles[part], title_justify="left")
        columns = [column for column in rows[0] if column not in ("problem", "remedy")]
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            style = "red" if row.get("problem") else None
            table.add_row(*(escape(row[column]) for column in columns), style=style)
        console.print(table)
        for problem, remedy, names in _alike(rows):
            console.print(f"[bold red]{escape(', '.join(names))}[/]: {escape(problem)}")
            console.print(f"  [bold]→[/] {escape(remedy)}")


def _alike(rows: list[dict[str, str]]) -> list[tuple[str, str, list[str]]]:
    """Each problem once, with the instruments that share it (those on one missing port)."""
    sharing: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.get("problem"):
            sharing.setdefault((row["problem"], row["remedy"]), []).append(row["instrument"])
    return [(problem, remedy, names) for (problem, remedy), names in sharing.items()]
