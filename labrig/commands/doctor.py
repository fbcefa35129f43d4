"""``labrig doctor``: is everything there, and does it answer as what it should be?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labrig.commands import exit_codes

if TYPE_CHECKING:
    from labrig_drivers.errors import InstrumentError
    from labrig_drivers.instrument import SerialSettings


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
    if configure is not None:
        _configure(rig, configure)
    listed, broken = _types()
    found: dict[str, Any] = {"computer": _computer(), "ports": _plugged_in()}
    if types:
        found["types"] = listed
    if broken:
        found["unusable types"] = broken
    if rig is not None:
        found["instruments"] = _instruments(rig)
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        _print(found)
    if any(i["problem"] for i in found.get("instruments", [])):
        raise typer.Exit(exit_codes.INSTRUMENT)


def _configure(rig: Path | None, name: str) -> None:
    from labrig.rig.bench import bench_spec, open_real_port
    from labrig.rig.bench import configure as write_settings
    from labrig.rig.loading import load_rig

    if rig is None:
        raise typer.BadParameter("name the rig file as well", param_hint="--configure")
    spec = bench_spec(load_rig(rig).model)
    try:
        write_settings(spec, name, open_real_port)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--configure") from None
    typer.echo(f"{name}: set as {rig} says; its volume counters begin at 0.", err=True)


def _computer() -> list[dict[str, str]]:
    import platform
    import shutil
    import sqlite3
    from importlib.metadata import version

    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    return [
        {"what": "Python", "value": platform.python_version()},
        {"what": "labrig", "value": version("labrig")},
        {"what": "prefect", "value": version("prefect")},
        {"what": "SQLite", "value": sqlite3.sqlite_version},
        {"what": "free disk here", "value": f"{free_gb:.1f} GB"},
    ]


def _plugged_in() -> list[dict[str, str]]:
    from serial.tools.list_ports import comports

    return [
        {
            "device": port.device,
            "usb": ""
            if port.vid is None
            else f"usb:{port.vid:04X}:{port.pid:04X}"
            + (f":{port.serial_number}" if port.serial_number else ""),
            "description": port.description or "",
        }
        for port in sorted(comports())
    ]


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


def _instruments(rig: Path) -> list[dict[str, str]]:
    from labrig.rig.bench import bench_spec, open_real_port, probe_ports
    from labrig.rig.loading import load_rig

    spec = bench_spec(load_rig(rig).model)
    if spec.simulated:
        return [
            {
                "instrument": i.name,
                "port": i.port,
                "answers": "simulated",
                "problem": "",
                "remedy": "",
            }
            for i in spec.instruments
        ]
    rows = []
    for probe in probe_ports(spec, open_real_port):
        who = probe.identity
        rows.append(
            {
                "instrument": probe.instrument,
                "port": probe.port,
                "answers": "-" if who is None else f"{who.vendor} {who.model} {who.firmware}",
                "problem": "" if probe.error is None else probe.error.what,
                "remedy": _remedy(probe.error, spec.port(probe.port).serial),
            }
        )
    return rows


def _remedy(error: InstrumentError | None, serial: SerialSettings | None) -> str:
    """The driver's own, and what else answers so: another instrument, or other line settings."""
    from labrig_drivers.errors import NoReply, ReplyError, WrongInstrument

    if error is None:
        return ""
    hints = [error.remedy] if error.remedy else []
    if isinstance(error, NoReply | ReplyError | WrongInstrument):
        if serial is not None and not isinstance(error, WrongInstrument):
            line = f"{serial.baudrate} baud, {serial.bytesize}{serial.parity}{serial.stopbits}"
            hints.append(
                f"The port was opened at {line}: compare with the instrument's own set-up."
            )
        hints.append("Or cables are swapped, and another instrument is on this port.")
    return " ".join(hints) or "Look at its cable and power."


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
